//! Repeated table on a terminal: each round overwrites the previous one without flicker, cut to the screen.

use std::io::{self, Write};

use crate::collect::ending;

/// The terminal's alternate screen. Left on drop, or when a signal ends the program; the original screen is then
/// restored.
#[derive(Debug)]
pub(super) struct OtherScreen;

impl OtherScreen {
    /// Switches to the alternate screen.
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

/// Buffers a frame, and draws it from the top of the screen on flush.
#[derive(Debug)]
pub(super) struct FullScreen<W> {
    output: W,
    frame: Vec<u8>,
    rows: usize,
}

impl<W: Write> FullScreen<W> {
    /// Writer for a screen with this many rows.
    pub(super) fn new(output: W, rows: u16) -> Self {
        Self { output, frame: Vec::new(), rows: rows.into() }
    }
}

impl<W: Write> Write for FullScreen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Cursor home; each line clears to its end; the end clears what the previous frame left below.
        let mut drawn = b"\x1b[H".to_vec();
        // Leave the last row free: a line break there would scroll.
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
    use super::FullScreen;
    use std::io::Write;

    #[test]
    fn a_frame_is_cut_to_the_screen_and_leaves_nothing_of_the_last() {
        let mut out = Vec::new();
        let mut screen = FullScreen::new(&mut out, 3);
        screen.write_all(b"a\nb\nc\n").unwrap();
        screen.flush().unwrap();
        assert_eq!(out, b"\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
    }
}
