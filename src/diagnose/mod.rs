//! Judgement of a row: keepalive inferred if the socket's options could not be read, the deadline, the verdict. Pure
//! functions of model values: no clock, no I/O. `text` words the results.

mod deadline;
pub(crate) mod doubt;
mod facts;
mod idle;
mod judge;
pub(crate) mod keepalive;
pub(crate) mod prospect;
mod retransmission;
pub(crate) mod syn;
mod thin;
mod verdict;
pub(crate) mod wheel;
mod window;

pub(crate) use facts::Facts;
pub(crate) use judge::Judge;
