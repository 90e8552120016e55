//! Lists to choose from, and the form that sets keepalive: drawn over the rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::{prompt, put, wrapped};
use crate::model::liveness::Deadline;
use crate::text::{bounded, printable};
use crate::tui::form::Form;
use crate::tui::state::{Asking, Choice, Menu};
use crate::tui::theme::Theme;

/// An empty frame in the middle of an area; what is inside of it.
fn frame(title: &str, width: u16, height: u16, theme: Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(outer, buffer);
    let block = Block::bordered().title(format!(" {title} ")).border_style(theme.muted).title_style(theme.title);
    let inner = block.inner(outer);
    block.render(outer, buffer);
    inner
}

/// All of it, whatever the width: how many, whose, and how to answer.
pub(super) fn question(asking: &Asking, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let width = area.width.min(76);
    let lines: Vec<_> = wrapped(&printable(&asking.question), width.saturating_sub(4)).collect();
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inner = frame("Sure?", width, height, theme, area, buffer);
    // Where there is too little room for all, its end says how to answer.
    let skipped = lines.len().saturating_sub(inner.height.into());
    for (y, line) in (0..inner.height).zip(lines.iter().skip(skipped)) {
        put(buffer, inner, inner.x + 1, y, line, theme.alarm);
    }
}

pub(super) fn menu(menu: &Menu, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let title = match menu.choice {
        Choice::Columns => "Columns",
        Choice::Namespace => "Namespace",
        Choice::Bookmark => "Filters",
    };
    let name = menu.items.iter().map(|item| item.label.width()).max().unwrap_or(0);
    let help = menu.items.iter().map(|item| item.help.width()).max().unwrap_or(0);
    let width = u16::try_from(name + help + 10).unwrap_or(u16::MAX).max(30);
    let height = u16::try_from(menu.items.len() + 2).unwrap_or(u16::MAX);
    let inner = frame(title, width, height, theme, area, buffer);
    let page = usize::from(inner.height).max(1);
    let top = (menu.at + 1).saturating_sub(page);
    for (y, (number, item)) in (0..inner.height).zip(menu.items.iter().enumerate().skip(top)) {
        let sign = match (menu.choice, item.is_on) {
            (Choice::Columns, true) => "[x]",
            (Choice::Columns, false) => "[ ]",
            (_, true) => " * ",
            (_, false) => "   ",
        };
        let x = put(buffer, inner, inner.x + 1, y, sign, theme.accent);
        put(buffer, inner, x + 1, y, &printable(&item.label), Style::new());
        let indent = u16::try_from(name).unwrap_or(u16::MAX).saturating_add(x + 3);
        put(buffer, inner, indent, y, &printable(&item.help), theme.muted);
        if number == menu.at {
            buffer.set_style(Rect { y: inner.y + y, height: 1, ..inner }, theme.selected);
        }
    }
}

/// Cells of a line's name, of what is typed, and of what it has now.
const NAME: u16 = 14;
const TYPED: u16 = 12;
const NOW: u16 = 28;

pub(super) fn form(form: &Form, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let height = u16::try_from(form.fields.len()).unwrap_or(0) + 7;
    let inner = frame("Keepalive", 76, height, theme, area, buffer);
    put(buffer, inner, inner.x + 1, 0, &printable(&form.whose), theme.title);
    for (y, (number, field)) in (2..).zip(form.fields.iter().enumerate()) {
        put(buffer, inner, inner.x + 1, y, field.name, if number == form.at { theme.accent } else { Style::new() });
        let typed = Rect { x: inner.x + NAME, width: TYPED.min(inner.width.saturating_sub(NAME)), ..inner };
        if number == form.at {
            prompt::line(&field.line, "", theme, typed, y, buffer);
        } else {
            put(buffer, typed, typed.x + 1, y, &printable(field.line.text()), Style::new());
        }
        let x = inner.x + NOW;
        match form.now_and_then(field) {
            (Some(now), Some(then)) => {
                let x = put(buffer, inner, x, y, &format!("{now} → "), theme.muted);
                put(buffer, inner, x, y, &then, theme.title);
            }
            (Some(now), None) if !now.is_empty() => {
                put(buffer, inner, x, y, &format!("now {now}"), theme.muted);
            }
            _ => {
                put(buffer, inner, x, y, field.takes, theme.muted);
            }
        }
    }
    let below = u16::try_from(form.fields.len()).unwrap_or(0) + 3;
    let (now, then) = form.dead_in();
    let words = |deadline: Deadline| bounded(deadline.ms, deadline.bound).into_owned();
    let x = put(buffer, inner, inner.x + 1, below, "dead-in", Style::new()).max(inner.x + NAME + 1);
    let text = match now {
        Some(now) => words(now),
        None => "its options cannot be read, so this is not known".to_owned(),
    };
    let x = put(buffer, inner, x, below, &text, theme.muted);
    if let Some(then) = now.and(then) {
        let x = put(buffer, inner, x, below, " → ", theme.muted);
        put(buffer, inner, x, below, &words(then), theme.title);
    }
    if let Err(wrong) = form.change() {
        put(buffer, inner, inner.x + 1, below + 1, &printable(&wrong), theme.warning);
    }
}
