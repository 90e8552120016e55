//! Canvas: an area of the buffer with the theme's styles. Does not know the state.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::tui::theme::Theme;

/// Area of the buffer to draw on, and its theme.
pub(super) struct Canvas<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) area: Rect,
    pub(super) theme: Theme,
}

impl Canvas<'_> {
    /// Canvas for another area of the same buffer.
    pub(super) fn on(&mut self, area: Rect) -> Canvas<'_> {
        Canvas { buffer: &mut *self.buffer, area, theme: self.theme }
    }

    /// Writes text into one line, cut at the right edge of the area; returns the next free column.
    pub(super) fn put(&mut self, x: u16, line: u16, text: &str, style: Style) -> u16 {
        let y = self.area.y.saturating_add(line);
        if line >= self.area.height || x >= self.area.right() || text.is_empty() {
            return x;
        }
        let room = usize::from(self.area.right() - x);
        self.buffer.set_stringn(x, y, text, room, style).0
    }

    /// Styles one line as selected.
    pub(super) fn select(&mut self, line: u16) {
        self.buffer.set_style(Rect { y: self.area.y + line, height: 1, ..self.area }, self.theme.selected);
    }
}

/// Breaks text between words into lines of at most `width` cells. A longer word gets a line of its own.
pub(super) fn wrapped(text: &str, width: u16) -> impl Iterator<Item = String> {
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
