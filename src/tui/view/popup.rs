//! Windows over the rows: lists, questions and the keepalive form.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, wrapped};
use super::prompt;
use crate::model::liveness::Deadline;
use crate::text::{bounded, printable};
use crate::tui::form::Form;
use crate::tui::state::{Choice, Confirmation, Menu};

/// Draws an empty window in the middle of the area; returns the canvas inside its border.
fn frame<'c>(title: &str, width: u16, height: u16, canvas: &'c mut Canvas<'_>) -> Canvas<'c> {
    let (theme, area) = (canvas.theme, canvas.area);
    let (width, height) = (width.min(area.width), height.min(area.height));
    let outer = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(outer, canvas.buffer);
    let block = Block::bordered().title(format!(" {title} ")).border_style(theme.muted).title_style(theme.title);
    let inner = block.inner(outer);
    block.render(outer, canvas.buffer);
    canvas.on(inner)
}

/// Draws a question. It wraps, so that number, owners and how to answer are complete at any width.
pub(super) fn question(confirmation: &Confirmation, canvas: &mut Canvas<'_>) {
    let width = canvas.area.width.min(76);
    let lines: Vec<_> = wrapped(&printable(&confirmation.question), width.saturating_sub(4)).collect();
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let mut canvas = frame("Sure?", width, height, canvas);
    let (theme, inner) = (canvas.theme, canvas.area);
    // If it is too long for the screen, drop its beginning: the end shows how to answer.
    let skipped = lines.len().saturating_sub(inner.height.into());
    for (y, line) in (0..inner.height).zip(lines.iter().skip(skipped)) {
        canvas.put(inner.x + 1, y, line, theme.alarm);
    }
}

pub(super) fn menu(menu: &Menu, canvas: &mut Canvas<'_>) {
    let title = match menu.choice {
        Choice::Columns => "Columns",
        Choice::Namespace => "Namespace",
        Choice::Bookmark => "Filters",
    };
    let name = menu.items.iter().map(|item| printable(&item.label).width()).max().unwrap_or(0);
    let help = menu.items.iter().map(|item| printable(&item.help).width()).max().unwrap_or(0);
    let width = u16::try_from(name + help + 10).unwrap_or(u16::MAX).max(30);
    let height = u16::try_from(menu.items.len() + 2).unwrap_or(u16::MAX);
    let mut canvas = frame(title, width, height, canvas);
    let (theme, inner) = (canvas.theme, canvas.area);
    let page = usize::from(inner.height).max(1);
    let top = (menu.at + 1).saturating_sub(page);
    for (y, (number, item)) in (0..inner.height).zip(menu.items.iter().enumerate().skip(top)) {
        let sign = match (menu.choice, item.is_on) {
            (Choice::Columns, true) => "[x]",
            (Choice::Columns, false) => "[ ]",
            (_, true) => " * ",
            (_, false) => "   ",
        };
        let x = canvas.put(inner.x + 1, y, sign, theme.accent);
        canvas.put(x + 1, y, &printable(&item.label), Style::new());
        let indent = u16::try_from(name).unwrap_or(u16::MAX).saturating_add(x + 3);
        canvas.put(indent, y, &printable(&item.help), theme.muted);
        if number == menu.at {
            canvas.select(y);
        }
    }
}

/// First cell of the typed value and its width, and first cell of the current value.
const NAME: u16 = 14;
const TYPED: u16 = 12;
const NOW: u16 = 28;

pub(super) fn form(form: &Form, canvas: &mut Canvas<'_>) {
    let count = u16::try_from(form.fields.len()).unwrap_or(0);
    let title = form
        .shown
        .as_ref()
        .map_or_else(|| "Keepalive".to_owned(), |ends| format!("Keepalive (current values of {})", printable(ends)));
    let mut canvas = frame(&title, 76, count + 7, canvas);
    let (theme, inner) = (canvas.theme, canvas.area);
    // If there is little room, keep the line with the focus and below it the error or the outcome.
    let is_roomy = inner.height >= count + 5;
    let last = inner.height.saturating_sub(1);
    let (above, below) = if is_roomy { (2, count + 3) } else { (u16::from(last >= 2), last) };
    if above > 0 {
        canvas.put(inner.x + 1, 0, &printable(&form.whose), theme.title);
    }
    let room = below.saturating_sub(above).min(count);
    let top = (form.at + 1).saturating_sub(room.into());
    for (y, number) in (above..above + room).zip(top..) {
        line(form, number, y, &mut canvas);
    }
    let wrong = form.change().err();
    if is_roomy || wrong.is_none() {
        outcome(form, below, &mut canvas);
    }
    if let Some(wrong) = wrong {
        canvas.put(inner.x + 1, below + u16::from(is_roomy), &printable(&wrong), theme.warning);
    }
}

/// Draws one line of the form: name, typed value, current value.
fn line(form: &Form, number: usize, y: u16, canvas: &mut Canvas<'_>) {
    let (theme, inner) = (canvas.theme, canvas.area);
    let Some(field) = form.fields.get(number) else { return };
    canvas.put(inner.x + 1, y, field.name(), if number == form.at { theme.accent } else { Style::new() });
    let typed = Rect { x: inner.x + NAME, width: TYPED.min(inner.width.saturating_sub(NAME)), ..inner };
    if number == form.at {
        prompt::line(&field.line, "", y, &mut canvas.on(typed));
    } else {
        canvas.on(typed).put(typed.x + 1, y, &printable(field.line.text()), Style::new());
    }
    let x = inner.x + NOW;
    match form.now_and_then(field) {
        (Some(now), Some(then)) => {
            let x = canvas.put(x, y, &format!("{now} → "), theme.muted);
            canvas.put(x, y, &then, theme.title);
        }
        (Some(now), None) if !now.is_empty() => {
            canvas.put(x, y, &format!("now {now}"), theme.muted);
        }
        _ => {
            canvas.put(x, y, field.hint(), theme.muted);
        }
    }
}

/// Draws when the kernel would detect a dead peer, now and after the change.
fn outcome(form: &Form, y: u16, canvas: &mut Canvas<'_>) {
    let (theme, inner) = (canvas.theme, canvas.area);
    let (now, then) = form.dead_in();
    let words = |deadline: Deadline| bounded(deadline.after, deadline.bound).into_owned();
    let x = canvas.put(inner.x + 1, y, "dead-in", Style::new()).max(inner.x + NAME + 1);
    let text = match now {
        Some(now) => words(now),
        None => "its options cannot be read, so this is not known".to_owned(),
    };
    let x = canvas.put(x, y, &text, theme.muted);
    if let Some(then) = now.and(then) {
        let x = canvas.put(x, y, " → ", theme.muted);
        canvas.put(x, y, &words(then), theme.title);
    }
}
