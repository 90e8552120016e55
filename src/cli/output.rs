//! The only access to stdout. Writes are unbuffered, and a failed write is an error.

use std::io::{self, Write};

use crate::collect::stdout;

/// Unbuffered stdout: callers write whole lines or blocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        stdout::write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// stdout could not be written to.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the output: {0}")]
pub(super) struct OutputError(io::Error);

/// The text already contains the cause, so it is not a source too; otherwise the cause would be printed twice.
impl From<io::Error> for OutputError {
    fn from(cause: io::Error) -> Self {
        Self(cause)
    }
}

impl OutputError {
    /// Whether the reader closed the pipe, which is not a failure.
    pub(super) fn is_broken_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes the whole text.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), OutputError> {
    Ok(Output.write_all(text.as_ref())?)
}

/// Fails if stdout is closed. Called before anything is changed, and before a listing that may turn out empty.
pub(super) fn check() -> Result<(), OutputError> {
    Ok(stdout::check()?)
}
