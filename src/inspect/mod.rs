//! The snapshot pipeline: collects only what the request needs, assembles each row, passes it to a sink, and drops it.
//!
//! Memory does not grow with the number of sockets, except for one bit of each cookie seen and, if owners are needed,
//! twelve bytes for each descriptor.

mod cache;
mod cached;
mod cookies;
mod dump;
mod error;
mod judging;
mod pipeline;
mod request;
mod snapshot;
mod waiting;

pub use cache::{Cache, CacheUse};
pub use error::InspectError;
pub use request::Request;
pub(crate) use request::complete;
pub use snapshot::{count, inspect};
