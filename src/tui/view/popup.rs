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
    let name = menu.items.iter().map(|item| printable(&item.label).width()).max().unwrap_or(0);
    let help = menu.items.iter().map(|item| printable(&item.help).width()).max().unwrap_or(0);
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
    let count = u16::try_from(form.fields.len()).unwrap_or(0);
    let title = form.shown.as_ref().map_or_else(
        || "Keepalive".to_owned(),
        |ends| format!("Keepalive; what is now is that of {}", printable(ends)),
    );
    let inner = frame(&title, 76, count + 7, theme, area, buffer);
    // Where there is too little room, the line that is typed in stays, and below it what is wrong, or what comes of it.
    let is_roomy = inner.height >= count + 5;
    let last = inner.height.saturating_sub(1);
    let (above, below) = if is_roomy { (2, count + 3) } else { (u16::from(last >= 2), last) };
    if above > 0 {
        put(buffer, inner, inner.x + 1, 0, &printable(&form.whose), theme.title);
    }
    let room = below.saturating_sub(above).min(count);
    let top = (form.at + 1).saturating_sub(room.into());
    for (y, number) in (above..above + room).zip(top..) {
        line(form, number, theme, inner, y, buffer);
    }
    let wrong = form.change().err();
    if is_roomy || wrong.is_none() {
        outcome(form, theme, inner, below, buffer);
    }
    if let Some(wrong) = wrong {
        put(buffer, inner, inner.x + 1, below + u16::from(is_roomy), &printable(&wrong), theme.warning);
    }
}

/// One line of the form: its name, what is typed, and what is so now.
fn line(form: &Form, number: usize, theme: Theme, inner: Rect, y: u16, buffer: &mut Buffer) {
    let Some(field) = form.fields.get(number) else { return };
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

/// When the kernel would notice a dead peer, now and then.
fn outcome(form: &Form, theme: Theme, inner: Rect, y: u16, buffer: &mut Buffer) {
    let (now, then) = form.dead_in();
    let words = |deadline: Deadline| bounded(deadline.ms, deadline.bound).into_owned();
    let x = put(buffer, inner, inner.x + 1, y, "dead-in", Style::new()).max(inner.x + NAME + 1);
    let text = match now {
        Some(now) => words(now),
        None => "its options cannot be read, so this is not known".to_owned(),
    };
    let x = put(buffer, inner, x, y, &text, theme.muted);
    if let Some(then) = now.and(then) {
        let x = put(buffer, inner, x, y, " → ", theme.muted);
        put(buffer, inner, x, y, &words(then), theme.title);
    }
}
