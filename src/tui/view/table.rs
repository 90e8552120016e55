//! The table of a view.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::canvas::Canvas;
use crate::fields::column::{Heading, Width};
use crate::fields::value::{Unit, Value};
use crate::model::liveness::Verdict;
use crate::text::cut::middle;
use crate::text::printable;
use crate::track::line::{Age, Sign};
use crate::track::table::{Order, Table};
use crate::track::views::View;
use crate::tui::screen::{MARGIN, Slot, slots};
use crate::tui::state::{Display, State};

/// What drawing a row needs: table, column slots and display settings.
struct VisibleRows<'a> {
    table: &'a Table,
    slots: Vec<Slot>,
    display: &'a Display,
}

pub(super) fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let Some(table) = state.table() else { return };
    let (theme, area) = (canvas.theme, canvas.area);
    let rows = VisibleRows { table, slots: slots(state, table, area), display: &state.display };
    for slot in &rows.slots {
        let column = &table.columns()[slot.column];
        cell(*slot, column.width, 0, (&title(column, &state.query.order), theme.title), canvas);
    }
    if table.is_empty() {
        canvas.put(area.x + MARGIN, 2, &nothing(state), theme.muted);
        return;
    }
    let page = area.height.saturating_sub(1);
    for (y, row) in (1..=page).zip(state.cursor.top..table.len()) {
        let (sign, age) = (table.sign(row), table.age(row));
        let full = theme.sign(sign);
        // A healthy row is coloured only in its glyph: a screen full of green would hide the others.
        let is_well = sign == Sign::Verdict(Verdict::Active);
        let style = match age {
            Age::Gone => theme.muted.add_modifier(Modifier::CROSSED_OUT),
            _ if is_well => Style::new(),
            _ => full,
        };
        line(&rows, row, y, style, canvas);
        let is_marked = table.id(row).is_some_and(|id| state.marked.contains(&id));
        let (mark, mark_style) = match age {
            _ if is_marked => ("*", theme.accent),
            Age::New => ("+", theme.well),
            Age::Gone => ("-", theme.muted),
            Age::Settled => (" ", Style::new()),
        };
        canvas.put(area.x, y, mark, mark_style);
        canvas.put(area.x + 1, y, glyph(sign), if age == Age::Gone { theme.muted } else { full });
        if row == state.cursor.row {
            canvas.select(y);
        }
    }
}

/// Text in place of an empty table.
fn nothing(state: &State) -> String {
    let none = state.view().count(0);
    if !state.query.typed.is_empty() {
        return format!("{none} that the filter lets through");
    }
    match state.view() {
        View::Changes => "no changes since the dashboard was opened".to_owned(),
        _ => none,
    }
}

fn glyph(sign: Sign) -> &'static str {
    match sign {
        Sign::Verdict(verdict) => verdict.glyph(),
        Sign::Alarm | Sign::Warning => "!",
        Sign::Plain | Sign::Muted => " ",
    }
}

/// Column title, with the sign of the sort order.
fn title<'a>(column: &'a Heading, order: &Order) -> Cow<'a, str> {
    match order {
        Order::By { column: by, descending } if *by == column.id => {
            format!("{}{}", column.title, if *descending { "▼" } else { "▲" }).into()
        }
        _ => Cow::Borrowed(column.title),
    }
}

/// Draws the cells of a row.
fn line(rows: &VisibleRows<'_>, row: usize, y: u16, style: Style, canvas: &mut Canvas<'_>) {
    let VisibleRows { table, slots, display } = rows;
    let mut slots = slots.iter().peekable();
    for (number, value) in table.cells(row).enumerate().take(table.columns().len()) {
        let Some(slot) = slots.next_if(|slot| slot.column == number) else { continue };
        let column = &table.columns()[number];
        let text = text(&value, column.unit, display);
        let is_end = matches!(value, Value::Endpoint { .. } | Value::Addr(_));
        let text = if is_end { middle(&text, slot.width) } else { Cow::Borrowed(&*text) };
        cell(*slot, column.width, y, (&text, style), canvas);
    }
}

/// Formatted value, with a host name for its address if one is known.
fn text<'a>(value: &'a Value<'_>, unit: Unit, display: &Display) -> Cow<'a, str> {
    let name =
        |addr: &std::net::IpAddr| display.names.get(&addr.to_canonical())?.as_deref().filter(|_| display.has_names);
    match value {
        Value::Endpoint { addr, port, .. } => match name(addr) {
            Some(name) => Cow::Owned(format!("{}:{port}", printable(name))),
            None => value.for_people(unit),
        },
        Value::Addr(addr) => match name(addr) {
            Some(name) => Cow::Owned(printable(name).into_owned()),
            None => value.for_people(unit),
        },
        _ => value.for_people(unit),
    }
}

/// Draws a cell into its column; cuts it if it is too wide.
fn cell(slot: Slot, width: Width, y: u16, (text, style): (&str, Style), canvas: &mut Canvas<'_>) {
    let area = canvas.area;
    let natural = text.width();
    let indent = if width == Width::Number { slot.width.saturating_sub(natural) } else { 0 };
    let start = slot.x.saturating_add(u16::try_from(indent).unwrap_or(u16::MAX));
    let room = u16::try_from(slot.width - indent).unwrap_or(u16::MAX);
    let column = Rect { width: area.width.min(start.saturating_sub(area.x).saturating_add(room)), ..area };
    let mut canvas = canvas.on(column);
    let end = canvas.put(start, y, text, style);
    if natural > usize::from(room) && end > start {
        canvas.put(end - 1, y, "…", style);
    }
}
