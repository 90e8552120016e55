//! Output of rows as bytes: JSON, NDJSON, CSV and tables. The keys of the wire formats belong to this module and are
//! versioned by [`SCHEMA`]; the names and values of columns come from `fields`.

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
pub(crate) mod wire;

/// Version of the JSON contract: within one version, keys are added, never renamed or retyped.
pub(crate) const SCHEMA: u64 = 1;
