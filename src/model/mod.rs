//! State of TCP on a host at one instant: plain data with units.
//!
//! Defines the types that all other modules share. No I/O and no clock: `decode` fills the values from kernel bytes,
//! `collect` delivers them, `diagnose` judges them, `fields` and `export` print them.

pub(crate) mod address;
pub(crate) mod change;
pub(crate) mod congestion;
pub(crate) mod counters;
pub(crate) mod gap;
pub(crate) mod holder;
pub(crate) mod ids;
pub(crate) mod keepalive;
pub(crate) mod liveness;
pub(crate) mod memory;
pub(crate) mod namespace;
pub(crate) mod needs;
pub(crate) mod options;
pub(crate) mod owner;
pub(crate) mod rights;
pub(crate) mod routes;
pub(crate) mod row;
pub(crate) mod sequence;
pub(crate) mod snapshot;
pub(crate) mod socket;
pub(crate) mod state;
pub(crate) mod sysctl;
pub(crate) mod tcp_info;
pub(crate) mod time;
pub(crate) mod timer;
pub(crate) mod unread;
