//! The judgement: keepalive where it could not be read, the deadline, the verdict. Pure functions of model values; no
//! clock, no I/O. How it is told in words is `text`'s.

mod deadline;
mod facts;
mod idle;
mod judge;
pub mod keepalive;
pub mod prospect;
mod retransmission;
pub mod sightings;
mod syn;
mod verdict;
pub mod wheel;
mod window;

pub use facts::Facts;
pub use judge::Judge;
