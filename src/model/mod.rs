//! What is known about TCP on a host at one instant: plain data with units.
//!
//! Owns the vocabulary of every other room. Holds no I/O and no clock: `decode` fills these values from kernel bytes,
//! `collect` brings them, `diagnose` judges them, `fields` and `export` show them.

pub mod address;
pub mod change;
pub mod congestion;
pub mod counters;
pub mod gap;
pub mod holder;
pub mod keepalive;
pub mod liveness;
pub mod memory;
pub mod namespace;
pub mod needs;
pub mod options;
pub mod owner;
pub mod reach;
pub mod rights;
pub mod row;
pub mod sequence;
pub mod snapshot;
pub mod socket;
pub mod state;
pub mod sysctl;
pub mod tcp_info;
pub mod time;
pub mod timer;
