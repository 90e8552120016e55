//! A repeated table on a terminal: drawn over the last one, cut to the screen, without flicker.

use std::io::{self, Write};

use crate::collect::ending;

/// The terminal's other screen, for as long as this value lives, or until a signal ends the program: afterwards everything
/// is as it was.
#[derive(Debug)]
pub(super) struct OtherScreen;

impl OtherScreen {
    /// Goes over to it.
    pub(super) fn enter() -> io::Result<Self> {
        ending::enter()?;
        Ok(Self)
    }
}

impl Drop for OtherScreen {
    fn drop(&mut self) {
        ending::leave();
    }
}

/// Collects what is written and draws it from the top of the screen when it is flushed.
#[derive(Debug)]
pub(super) struct DrawnOver<W> {
    output: W,
    frame: Vec<u8>,
    rows: usize,
}

impl<W: Write> DrawnOver<W> {
    /// A screen of so many rows.
    pub(super) fn new(output: W, rows: u16) -> Self {
        Self { output, frame: Vec::new(), rows: rows.into() }
    }
}

impl<W: Write> Write for DrawnOver<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Home; each line clears its own rest; what is left of the last frame is cleared at the end.
        let mut drawn = b"\x1b[H".to_vec();
        // The last row stays free: a line break there would scroll.
        for line in self.frame.split_inclusive(|&byte| byte == b'\n').take(self.rows.saturating_sub(1)) {
            drawn.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
            drawn.extend_from_slice(b"\x1b[K\n");
        }
        drawn.extend_from_slice(b"\x1b[J");
        self.frame.clear();
        self.output.write_all(&drawn)?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::DrawnOver;
    use std::io::Write;

    #[test]
    fn a_frame_is_cut_to_the_screen_and_leaves_nothing_of_the_last() {
        let mut out = Vec::new();
        let mut screen = DrawnOver::new(&mut out, 3);
        screen.write_all(b"a\nb\nc\n").unwrap();
        screen.flush().unwrap();
        assert_eq!(out, b"\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
    }
}
