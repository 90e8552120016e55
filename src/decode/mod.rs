//! Kernel bytes and /proc text become values of `model`. Pure and total: any length and any garbage gives a value or a
//! typed refusal, never a panic. Nothing here opens, reads or sends.

pub(crate) mod bytes;
pub(crate) mod cgroup;
#[cfg(fuzzing)]
pub mod fuzz;
pub(crate) mod inet_diag;
pub(crate) mod key_values;
pub(crate) mod netlink;
pub(crate) mod proc_tcp;
pub(crate) mod routes;
pub(crate) mod status;
pub(crate) mod sysctl;
