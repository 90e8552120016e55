//! The error of a command line that cannot be carried out.

/// The command line says something that cannot be done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);
