//! Time to draw frames, for `make bench`.

use std::io;
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::state::State;
use super::view::draw;

/// Draws `frames` frames, each with other rows, through the terminal backend; returns the time of each.
///
/// # Errors
/// A frame could not be drawn.
pub(crate) fn times(state: &mut State, frames: usize) -> io::Result<Vec<Duration>> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, state.display.size.0, state.display.size.1));
    let mut terminal = Terminal::with_options(CrosstermBackend::new(Vec::new()), TerminalOptions { viewport })?;
    let last = state.rows().saturating_sub(1).max(1);
    let draw_one = |number: usize| {
        state.cursor.top = (number * 59) % last;
        let began = Instant::now();
        terminal.draw(|frame| draw(state, frame))?;
        Ok(began.elapsed())
    };
    (0..frames).map(draw_one).collect()
}
