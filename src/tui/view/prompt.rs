//! Prompts: the filter box, and a file name.

use ratatui::style::{Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::canvas::Canvas;
use crate::text::printable;
use crate::tui::editor::Editor;
use crate::tui::state::{Saving, Typing};

pub(super) fn filter(typing: &Typing, canvas: &mut Canvas<'_>) {
    let (theme, area) = (canvas.theme, canvas.area);
    let (start, from) = line(&typing.line, "/ ", 0, canvas);
    if let Some(wrong) = &typing.wrong {
        let text = typing.line.text();
        let before = text.get(..wrong.place().start.min(text.len())).unwrap_or(text);
        let indent = printable(before).width().saturating_sub(from);
        canvas.put(start.saturating_add(u16::try_from(indent).unwrap_or(0)), 1, "^", theme.alarm);
        canvas.put(area.x + 1, 2, &printable(wrong.message()), theme.alarm);
        return;
    }
    let Some((_, words, at)) = &typing.offered else { return };
    // The completions of Tab, from the one in the line on.
    let mut x = area.x + 1;
    for (number, word) in words.iter().enumerate().skip(*at) {
        x = canvas.put(x, 1, &format!("{word}  "), if number == *at { theme.accent } else { theme.muted });
    }
}

pub(super) fn saving(saving: &Saving, canvas: &mut Canvas<'_>) {
    let (theme, area) = (canvas.theme, canvas.area);
    line(&saving.line, "write to ", 0, canvas);
    let wrong = saving.wrong.as_deref().unwrap_or_default();
    canvas.put(area.x + 1, 1, &printable(wrong), theme.alarm);
}

/// Draws a line, scrolled so that the cursor is visible. Returns the first cell of the text, and the width of the text
/// that is scrolled out on the left.
pub(super) fn line(editor: &Editor, label: &str, y: u16, canvas: &mut Canvas<'_>) -> (u16, usize) {
    let (theme, area) = (canvas.theme, canvas.area);
    let start = canvas.put(area.x + 1, y, label, theme.title);
    let before = printable(editor.before()).into_owned();
    let room = usize::from(area.right().saturating_sub(start)).saturating_sub(1);
    // Measure backwards from the cursor, so that a long line costs no more than its visible part.
    let mut cells = 0;
    let shown = before.char_indices().rev().take_while(|(_, character)| {
        cells += character.width().unwrap_or(0);
        cells <= room
    });
    let from = shown.last().map_or(before.len(), |(at, _)| at);
    let x = canvas.put(start, y, &before[from..], Style::new());
    let behind = printable(editor.behind());
    let (under, rest) = behind.split_at(behind.chars().next().map_or(0, char::len_utf8));
    let cursor = Style::new().add_modifier(Modifier::REVERSED);
    let x = canvas.put(x, y, if under.is_empty() { " " } else { under }, cursor);
    canvas.put(x, y, rest, Style::new());
    (start, before[..from].width())
}
