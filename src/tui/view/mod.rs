//! Draws the state. Reads only.

mod detail;
mod footer;
mod header;
mod help;
mod prompt;
mod table;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;

use super::state::{Mode, State};
use super::theme::Theme;

/// One frame.
pub fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let prompt = if matches!(state.mode, Mode::Typing(_)) { 3 } else { 0 };
    let parts = [Constraint::Length(2), Constraint::Min(0), Constraint::Length(prompt), Constraint::Length(1)];
    let [header, body, box_, footer] = Layout::vertical(parts).areas(frame.area());
    let buffer = frame.buffer_mut();
    header::draw(state, theme, header, buffer);
    match &state.mode {
        Mode::Table | Mode::Typing(_) | Mode::Asking(_) => table::draw(state, theme, body, buffer),
        Mode::Detail(detail) => detail::draw(detail, theme, body, buffer),
        Mode::Help => help::draw(theme, body, buffer),
    }
    if let Mode::Typing(typing) = &state.mode {
        prompt::draw(typing, theme, box_, buffer);
    }
    footer::draw(state, theme, footer, buffer);
}

/// Writes text into one line of an area, cut where the area ends, and says where the next cell is.
fn put(buffer: &mut Buffer, area: Rect, x: u16, line: u16, text: &str, style: Style) -> u16 {
    let y = area.y.saturating_add(line);
    if line >= area.height || x >= area.right() {
        return x;
    }
    let room = usize::from(area.right() - x);
    buffer.set_stringn(x, y, text, room, style).0
}
