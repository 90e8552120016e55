//! The filter box: what is typed, and under the caret what is wrong with it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::put;
use crate::text::printable;
use crate::tui::state::Typing;
use crate::tui::theme::Theme;

pub(super) fn draw(typing: &Typing, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let start = put(buffer, area, area.x, 0, "/ ", theme.title());
    let shown = printable(&typing.text);
    // The end of what is typed is where the typing goes on.
    let room = usize::from(area.right().saturating_sub(start)).saturating_sub(1);
    let mut from = 0;
    while shown[from..].width() > room {
        from += shown[from..].chars().next().map_or(1, char::len_utf8);
    }
    let x = put(buffer, area, start, 0, &shown[from..], Style::new());
    put(buffer, area, x, 0, " ", Style::new().add_modifier(Modifier::REVERSED));
    let Some(wrong) = &typing.wrong else { return };
    let before = typing.text.get(..wrong.place().start.min(typing.text.len())).unwrap_or(&typing.text);
    let indent = printable(before).width().saturating_sub(shown[..from].width());
    put(buffer, area, start.saturating_add(u16::try_from(indent).unwrap_or(0)), 1, "^", theme.alarm());
    put(buffer, area, area.x, 2, &printable(wrong.message()), theme.alarm());
}
