//! Columns of what is made here: groups, kernel values, changes. Those of sockets are in [`crate::fields`].

pub mod changes;
pub mod groups;
pub mod kernel;
