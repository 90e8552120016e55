//! The only room that asks the kernel: netlink sockets, /proc, namespaces, the clock. What it gets it hands to `decode`;
//! what it is refused it turns into gaps, or into errors that name the operation, the object and the cause.

pub mod caller;
pub mod cgroups;
pub mod descriptors;
pub mod diag;
pub mod discovery;
pub mod ending;
pub mod error;
pub mod farewell;
pub mod host;
pub mod kernel_values;
pub mod limits;
pub mod names;
pub mod options;
pub mod owners;
pub mod proc_net;
pub mod process;
pub mod reach;
pub mod refusals;
pub mod request;
pub mod rights;
pub mod small_file;
pub mod stdout;
pub mod threads;
pub mod users;
pub mod visit;
pub mod wanted;
