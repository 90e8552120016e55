//! Changes to live sockets: destroyed, or given other keepalive options. Every change is made to the socket with the
//! cookie that was listed, and to no other; what could not be changed says why.
//!
//! Whoever calls has listed the targets, shown them, and asked. Nothing here chooses.

pub mod destroy;
pub mod keepalive;
pub mod own;
pub mod target;
