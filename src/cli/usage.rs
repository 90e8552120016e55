//! Error of an invalid command line.

/// Invalid command line; the text explains why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);
