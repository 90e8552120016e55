//! Draws the state. Reads only. Where things stand is `screen`'s.

mod detail;
mod footer;
mod header;
mod help;
mod popup;
mod prompt;
mod table;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::glyphs;
use super::screen;
use super::state::{Mode, State};

/// One frame.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let areas = screen::areas(state);
    let theme = state.looks.theme;
    // The terminal may have become smaller since its size was told.
    let buffer = frame.buffer_mut();
    let visible = |area: Rect| area.intersection(buffer.area);
    let [header, tabs, status, body, prompt, footer] =
        [areas.header, areas.tabs, areas.status, areas.body, areas.prompt, areas.footer].map(visible);
    header::draw(state, header, buffer);
    header::tabs(state, tabs, buffer);
    header::status(state, status, buffer);
    match (&state.mode, &state.detail) {
        (Mode::Help(top), _) => help::draw(state, *top, body, buffer),
        (_, Some(detail)) => detail::draw(state, detail, body, buffer),
        (_, None) => table::draw(state, body, buffer),
    }
    match &state.mode {
        Mode::Typing(typing) => prompt::filter(typing, theme, prompt, buffer),
        Mode::Saving(saving) => prompt::saving(saving, theme, prompt, buffer),
        Mode::Menu(menu) => popup::menu(menu, theme, body, buffer),
        Mode::Form(form) => popup::form(form, theme, body, buffer),
        Mode::Asking(asking) => popup::question(asking, theme, body, buffer),
        Mode::Browse | Mode::Help(_) => {}
    }
    footer::draw(state, footer, buffer);
    if state.looks.is_ascii {
        glyphs::to_ascii(buffer);
    }
}

/// Writes text into one line of an area, cut where the area ends, and says where the next cell is.
fn put(buffer: &mut Buffer, area: Rect, x: u16, line: u16, text: &str, style: Style) -> u16 {
    let y = area.y.saturating_add(line);
    if line >= area.height || x >= area.right() || text.is_empty() {
        return x;
    }
    let room = usize::from(area.right() - x);
    buffer.set_stringn(x, y, text, room, style).0
}

/// Text in lines of so many cells at most, broken between words.
fn wrapped(text: &str, width: u16) -> impl Iterator<Item = String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().filter(|line| line.is_empty() || line.width() + 1 + word.width() <= width.into());
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines.into_iter()
}
