//! Columns of each view. Those of sockets alone are in [`crate::fields`].

pub mod changes;
pub(crate) mod chosen;
pub mod groups;
pub mod kernel;
pub mod sockets;
