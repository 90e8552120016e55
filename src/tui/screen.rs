//! Layout of the screen, for drawing, for the mouse and for the size of a page.
//!
//! ```text
//! ┌ header: host, silent connections, counts with sparklines     ┐
//! │ tabs of the views                       snapshot interval    │
//! │ status: what is listed, filter, marks, result of an action   │
//! │ column titles                                                │
//! │ rows, detail or help; over them a list, question or form     │
//! │ filter box or file name, while it is open                    │
//! └ footer: keys of the current mode, what could not be seen     ┘
//! ```

use ratatui::layout::{Constraint, Layout, Rect};
use unicode_width::UnicodeWidthStr;

use super::state::{Mode, State};
use crate::fields::column::Heading;
use crate::fields::id::ColumnId;
use crate::fields::layout::{Demand, GAP, fit};
use crate::track::table::Table;
use crate::track::views::{VIEWS, View, is_end, squeezed};

/// Cells before the first column, for the mark (marked, new or closed) and the verdict's glyph.
pub(crate) const MARGIN: u16 = 3;
/// With fewer rows than this the status line is dropped; with still fewer, the tabs.
const ROWS_FOR_STATUS: u16 = 12;
const ROWS_FOR_TABS: u16 = 8;

/// Areas of the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Areas {
    /// Host and gauges
    pub header: Rect,
    /// Tabs of the views
    pub tabs: Rect,
    /// What is listed, and results of actions
    pub status: Rect,
    /// Titles and rows
    pub body: Rect,
    /// Filter box or file name
    pub prompt: Rect,
    /// Keys
    pub footer: Rect,
}

/// The part of a terminal of this size that is drawn, columns first. The limit is above any real screen. Two frames are
/// held in memory: a terminal may claim 65535 by 65535 cells, for which they took 400 GB.
pub(crate) fn drawn((columns, rows): (u16, u16)) -> (u16, u16) {
    const MOST_COLUMNS: u16 = 2_000;
    const MOST_CELLS: u32 = 400_000;
    let columns = columns.min(MOST_COLUMNS);
    let most_rows = MOST_CELLS / u32::from(columns.max(1));
    (columns, rows.min(u16::try_from(most_rows).unwrap_or(u16::MAX)))
}

/// The areas for the current state.
pub(crate) fn areas(state: &State) -> Areas {
    let (columns, rows) = state.display.size;
    let prompt = match state.mode {
        Mode::Typing(_) => 3,
        Mode::Saving(_) => 2,
        _ => 0,
    };
    let parts = [
        Constraint::Length(1),
        Constraint::Length(u16::from(rows >= ROWS_FOR_TABS)),
        Constraint::Length(u16::from(rows >= ROWS_FOR_STATUS)),
        Constraint::Min(0),
        Constraint::Length(prompt),
        Constraint::Length(1),
    ];
    let [header, tabs, status, body, prompt, footer] = Layout::vertical(parts).areas(Rect::new(0, 0, columns, rows));
    Areas { header, tabs, status, body, prompt, footer }
}

/// Number of rows that fit.
pub(crate) fn page(state: &State) -> usize {
    usize::from(areas(state).body.height.saturating_sub(1)).max(1)
}

/// Column that fits: its index, start and width.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// Index in the table's columns
    pub column: usize,
    /// First cell
    pub x: u16,
    /// Width in cells
    pub width: usize,
}

/// Least width of an address column while host names are shown. It is fixed, so that the layout does not change as
/// names, which are longer than addresses, arrive.
fn room_for_names(state: &State, column: &Heading) -> usize {
    const NAME_CELLS: usize = 30;
    if state.display.has_names && is_end(column) { NAME_CELLS } else { 0 }
}

/// The columns that fit, with their places.
pub(crate) fn slots(state: &State, table: &Table, area: Rect) -> Vec<Slot> {
    let demands: Vec<_> = std::iter::zip(table.columns(), &table.naturals)
        // One more cell, for the sign of the sort order.
        .map(|(column, natural)| Demand {
            natural: (*natural).max(column.title.width() + 1).max(room_for_names(state, column)),
            width: squeezed(column, state.display.is_wide),
            importance: column.importance,
        })
        .collect();
    let room = usize::from(area.width.saturating_sub(MARGIN));
    let mut x = area.x + MARGIN;
    let widths = fit(&demands, Some(room)).into_iter().enumerate();
    let placed = widths.filter_map(|(column, width)| Some((column, width?))).map(|(column, width)| {
        let slot = Slot { column, x, width };
        x = x.saturating_add(u16::try_from(width + GAP).unwrap_or(u16::MAX));
        slot
    });
    placed.collect()
}

/// The tabs: view, first cell, label. If not all labels fit, only the current view's tab shows its name.
pub(crate) fn tabs(state: &State) -> Vec<(View, u16, String)> {
    let room = usize::from(state.display.size.0);
    let full: usize = VIEWS.iter().map(|spec| spec.name.len() + 4).sum();
    let mut x = 0;
    let labels = VIEWS.iter().enumerate().map(|(index, spec)| {
        let number = index + 1;
        let label = if full <= room || spec.view == state.view() {
            format!(" {number} {} ", spec.name)
        } else {
            format!(" {number} ")
        };
        let start = x;
        x += u16::try_from(label.width()).unwrap_or(0);
        (spec.view, start, label)
    });
    labels.collect()
}

/// What a mouse position hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hit {
    /// A view's tab
    Tab(View),
    /// A column's title
    Title(ColumnId),
    /// A row
    Row(usize),
}

/// The tab, title or row at this cell.
pub(crate) fn hit(state: &State, x: u16, y: u16) -> Option<Hit> {
    let areas = areas(state);
    if areas.tabs.height > 0 && y == areas.tabs.y {
        let is_in = |(_, start, label): &&(View, u16, String)| x >= *start && usize::from(x - *start) < label.width();
        return tabs(state).iter().find(is_in).map(|(view, ..)| Hit::Tab(*view));
    }
    if y < areas.body.y || y >= areas.body.bottom() {
        return None;
    }
    let table = state.table()?;
    if y > areas.body.y {
        return Some(Hit::Row(state.cursor.top + usize::from(y - areas.body.y - 1)));
    }
    let slots = slots(state, table, areas.body);
    let slot = slots.iter().find(|slot| x >= slot.x && usize::from(x - slot.x) < slot.width + GAP)?;
    table.columns().get(slot.column).map(|column| Hit::Title(column.id))
}
