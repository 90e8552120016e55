//! How long it takes to draw, for `make bench`.

use std::io;
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::state::State;
use super::view::draw;

/// Draws so many frames as a terminal gets them, each of other rows, and says how long each took.
///
/// # Errors
/// They could not be drawn.
pub(crate) fn times(state: &mut State, frames: usize) -> io::Result<Vec<Duration>> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, state.size.0, state.size.1));
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
