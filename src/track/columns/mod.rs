//! Columns of each view. Those of sockets alone are in [`crate::fields`].

pub(crate) mod changes;
pub(crate) mod chosen;
pub(crate) mod groups;
pub(crate) mod kernel;
pub(crate) mod sockets;
