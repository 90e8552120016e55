//! The pipeline: ask for what the request needs and no more, put each row together, hand it to a sink, forget it.
//!
//! Memory does not grow with the number of sockets, but for one bit of each cookie seen and, where owners are wanted,
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
