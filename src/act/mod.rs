//! Changes to live sockets: destroyed, or given other keepalive options. A plan says what would be done to which socket
//! ([`plan::Planner`]), and is then performed ([`perform::perform`]), which says what became of each.
//!
//! Every change is made to the socket with the cookie that was listed, and to no other. Whoever calls has shown the plan, and
//! asked. No words are made here.

pub(crate) mod assignment;
pub(crate) mod destroy;
pub(crate) mod keepalive;
pub(crate) mod own;
pub(crate) mod perform;
pub(crate) mod plan;
pub(crate) mod target;
