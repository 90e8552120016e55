//! Errors of a snapshot.

use crate::collect::error::CollectError;

/// Reason why a snapshot failed or is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Data could not be collected from the kernel
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The sink could not write its output
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    /// The user pressed Ctrl-C
    #[error("interrupted")]
    Interrupted,
}
