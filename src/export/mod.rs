//! Rows out as bytes: JSON, NDJSON, CSV and tables. Wire keys are this room's own and versioned by [`SCHEMA`]; what a
//! column is called and how it is read comes from `fields`.

pub(crate) mod connection;
pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod kernel;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod snapshot;
pub(crate) mod stat;
pub(crate) mod style;
pub(crate) mod table;

/// Version of the JSON contract: keys are added within one, never renamed or retyped.
pub(crate) const SCHEMA: u64 = 1;
