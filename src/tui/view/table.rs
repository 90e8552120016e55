//! The connections.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::put;
use crate::fields::column::{Column, Width};
use crate::fields::layout::{Demand, GAP, fit};
use crate::model::liveness::Verdict;
use crate::tui::sight::Sight;
use crate::tui::state::{Order, State};
use crate::tui::theme::Theme;

/// Cells before the first column: the verdict's sign stands there.
const MARGIN: u16 = 2;

pub(super) fn draw(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let Some(sight) = &state.sight else { return };
    let grid = Grid::new(sight, area);
    let titles = grid.columns.iter().map(|column| title(column, &state.wanted.order));
    grid.line(buffer, 0, titles, theme.title());
    if sight.lines.is_empty() {
        let why = if state.typed.is_empty() { "" } else { " that the filter lets through" };
        put(buffer, area, area.x + MARGIN, 2, &format!("{}{why}", sight.wanted.view.count(0)), theme.muted());
        return;
    }
    let page = area.height.saturating_sub(1);
    for (y, (row, line)) in (1..=page).zip(sight.lines.iter().enumerate().skip(state.top)) {
        let style = line.verdict.map_or(Style::new(), |verdict| theme.verdict(verdict));
        // What is well says so by its sign alone: a screen of green rows would hide the others.
        let is_well = line.verdict == Some(Verdict::Active);
        grid.line(buffer, y, line.cells().map(Cow::Borrowed), if is_well { Style::new() } else { style });
        put(buffer, area, area.x, y, line.verdict.map_or(" ", Verdict::glyph), style);
        if row == state.row {
            buffer.set_style(Rect { y: area.y + y, height: 1, ..area }, theme.selected());
        }
    }
}

/// A title with the sign of the order.
fn title<'a>(column: &'a Column, order: &Order) -> Cow<'a, str> {
    match order {
        Order::By { column: by, descending } if by == column => {
            format!("{}{}", column.title, if *descending { "▼" } else { "▲" }).into()
        }
        _ => Cow::Borrowed(&column.title),
    }
}

/// Columns with their widths, in a part of the screen.
struct Grid<'a> {
    area: Rect,
    columns: &'a [Column],
    widths: Vec<Option<usize>>,
}

impl<'a> Grid<'a> {
    fn new(sight: &'a Sight, area: Rect) -> Self {
        let columns = &sight.wanted.columns;
        let demands: Vec<_> = std::iter::zip(columns, &sight.naturals)
            // A title may get the sign of the order.
            .map(|(column, natural)| Demand {
                natural: (*natural).max(column.title.width() + 1),
                width: column.width,
                importance: column.importance,
            })
            .collect();
        let room = usize::from(area.width.saturating_sub(MARGIN));
        Self { area, columns, widths: fit(&demands, Some(room)) }
    }

    /// Writes a cell under each column that has room, cut where it has too little.
    fn line<'b>(&self, buffer: &mut Buffer, y: u16, texts: impl Iterator<Item = Cow<'b, str>>, style: Style) {
        let mut x = self.area.x + MARGIN;
        for ((column, text), width) in self.columns.iter().zip(texts).zip(&self.widths) {
            let Some(width) = *width else { continue };
            let natural = text.width();
            let indent = if column.width == Width::Number { width.saturating_sub(natural) } else { 0 };
            let start = put(buffer, self.area, x, y, &" ".repeat(indent), style);
            let room = u16::try_from(width - indent).unwrap_or(u16::MAX);
            let cell = Rect { width: self.area.width.min((start - self.area.x).saturating_add(room)), ..self.area };
            let end = put(buffer, cell, start, y, &text, style);
            if natural > usize::from(room) && end > start {
                put(buffer, cell, end - 1, y, "…", style);
            }
            x = x.saturating_add(u16::try_from(width + GAP).unwrap_or(u16::MAX));
        }
    }
}
