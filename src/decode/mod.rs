//! Decodes kernel bytes and /proc text into values of `model`. Pure and total: input of any length and content gives a
//! value or a typed error, never a panic. Nothing here performs I/O.

pub(crate) mod bytes;
pub(crate) mod cgroup;
#[cfg(fuzzing)]
pub mod fuzz;
pub(crate) mod inet_diag;
pub(crate) mod key_values;
pub(crate) mod netlink;
pub(crate) mod proc_tcp;
pub(crate) mod qdisc;
pub(crate) mod rtnetlink;
pub(crate) mod status;
pub(crate) mod sysctl;
