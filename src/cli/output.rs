//! stdout, the only way to it: what is written is passed on at once, and what cannot be written is an error.

use std::io::{self, Write};

use crate::collect::stdout;

/// stdout. It has no buffer of its own: whoever writes hands over lines or portions.
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

/// The text holds the cause already, so it is no source to be told again.
impl From<io::Error> for OutputError {
    fn from(cause: io::Error) -> Self {
        Self(cause)
    }
}

impl OutputError {
    /// Whether the reader has read enough, which is no failure.
    pub(super) fn is_broken_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes the whole text.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), OutputError> {
    Ok(Output.write_all(text.as_ref())?)
}

/// Fails if nothing could be printed: before anything is changed, and also where a listing would turn out empty.
pub(super) fn check() -> Result<(), OutputError> {
    Ok(stdout::check()?)
}
