//! Rows out as bytes: JSON, NDJSON, CSV and tables. Wire keys are this room's own and versioned by [`SCHEMA`]; what a
//! column is called and how it is read comes from `fields`.

pub mod connection;
pub mod csv;
pub mod json;
pub mod kernel;
pub mod list;
pub mod show;
pub mod snapshot;
pub mod stat;
pub mod style;
pub mod table;

/// Version of the JSON contract: keys are added within one, never renamed or retyped.
pub const SCHEMA: u64 = 1;
