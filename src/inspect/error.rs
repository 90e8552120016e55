//! Why a snapshot fails.

use crate::collect::error::CollectError;

/// Why there is no snapshot, or no whole one.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The kernel could not be asked
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The sink could not write
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    /// The user pressed Ctrl-C
    #[error("interrupted")]
    Interrupted,
}
