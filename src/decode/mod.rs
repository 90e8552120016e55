//! Kernel bytes and /proc text become values of `model`. Pure and total: any length and any garbage gives a value or a
//! typed refusal, never a panic. Nothing here opens, reads or sends.

pub mod bytes;
pub mod cgroup;
pub mod inet_diag;
pub mod key_values;
pub mod netlink;
pub mod proc_tcp;
pub mod reach;
pub mod status;
pub mod sysctl;
