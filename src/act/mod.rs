//! Changes of live sockets: destroy, or set keepalive options. [`plan::Planner`] selects the sockets without changing
//! anything; [`perform::perform`] carries the plan out and returns the outcome of each socket.
//!
//! A change applies to the socket with the listed cookie and to no other. The caller shows the plan and asks for
//! confirmation first. Errors name the cause; options of the command line are named in `cli` only.

pub(crate) mod assignment;
pub(crate) mod destroy;
pub(crate) mod keepalive;
pub(crate) mod own;
pub(crate) mod perform;
pub(crate) mod plan;
pub(crate) mod target;
