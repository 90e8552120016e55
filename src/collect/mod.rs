//! The only module that accesses the kernel: netlink sockets, /proc, namespaces, the clock. It passes bytes to `decode`
//! and turns refusals into gaps, or into errors that name the operation, the object and the cause.

pub(crate) mod caller;
pub(crate) mod cgroups;
pub(crate) mod confine;
pub(crate) mod descriptors;
pub(crate) mod destroy_events;
pub(crate) mod diag;
pub(crate) mod discovery;
pub(crate) mod ending;
pub(crate) mod ending_signals;
pub(crate) mod error;
pub(crate) mod host;
pub(crate) mod interfaces;
pub(crate) mod kernel_values;
pub(crate) mod limits;
pub(crate) mod names;
mod netlink;
pub(crate) mod options;
pub(crate) mod owners;
pub(crate) mod proc_net;
pub(crate) mod process;
pub(crate) mod refusals;
pub(crate) mod request;
pub(crate) mod rights;
pub(crate) mod routes;
pub(crate) mod signals;
pub(crate) mod small_file;
mod sockopt;
pub(crate) mod stdout;
pub(crate) mod threads;
pub(crate) mod users;
pub(crate) mod visit;
pub(crate) mod wanted;
