//! A table for people: aligned, never wrapped, cut to the terminal.
//!
//! Widths are known only when the last row is, so the text of the cells is kept in one buffer until then.

use std::fmt::Write;

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::list::Encoder;
use super::style::Styles;
use crate::fields::column::Width;
use crate::fields::id::ColumnId;
use crate::fields::layout::{Demand, GAP, fit};
use crate::fields::socket::SocketColumn;
use crate::fields::table::column_of;
use crate::model::counters::Population;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Tail};
use crate::text::cut::shorten;

/// Ends each cell in the buffer. Control characters are escaped before, so no cell holds one.
const END: u8 = 0;

/// How the table is to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Cells in a line; `None` where there is no terminal to fit
    pub room: Option<usize>,
    /// Whether the first line names the columns
    pub header: bool,
    /// Colours
    pub styles: Styles,
}

/// A table that is being filled.
#[derive(Debug)]
pub(crate) struct TextTable {
    titles: Vec<(String, Width, u8)>,
    cells: Vec<u8>,
    naturals: Vec<usize>,
    look: Look,
}

impl TextTable {
    /// Titles with their width rules and importance.
    pub(crate) fn new(titles: Vec<(String, Width, u8)>, look: Look) -> Self {
        let naturals = titles.iter().map(|(title, ..)| if look.header { title.width() } else { 0 }).collect();
        Self { titles, cells: Vec::new(), naturals, look }
    }

    /// Adds a row; as many cells as there are titles, free of control characters.
    pub(crate) fn push<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        for (cell, natural) in cells.zip(&mut self.naturals) {
            *natural = (*natural).max(cell.width());
            self.cells.extend_from_slice(cell.as_bytes());
            self.cells.push(END);
        }
    }

    /// Writes header and rows, forgets the rows, and says how many columns found no room.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) -> usize {
        let demands: Vec<_> = std::iter::zip(&self.titles, &self.naturals)
            .map(|((_, width, importance), &natural)| Demand { natural, width: *width, importance: *importance })
            .collect();
        let widths = fit(&demands, self.look.room);
        if self.look.header {
            let titles: Vec<_> = self.titles.iter().map(|(title, ..)| title.as_str()).collect();
            self.line(out, &titles, &widths, |_| self.look.styles.title());
        }
        let cells = std::mem::take(&mut self.cells);
        // Each cell ends, the last one too: where there is none, there is no row.
        let cells = cells.split_inclusive(|&byte| byte == END).map(|cell| cell.strip_suffix(&[END]).unwrap_or(cell));
        let mut cells = cells.map(|cell| std::str::from_utf8(cell).unwrap_or_default());
        let mut row = Vec::with_capacity(self.titles.len());
        loop {
            row.clear();
            row.extend(cells.by_ref().take(self.titles.len()));
            if row.len() < self.titles.len() {
                break;
            }
            self.line(out, &row, &widths, |cell| self.look.styles.cell(cell));
        }
        widths.iter().filter(|width| width.is_none()).count()
    }

    fn line(&self, out: &mut Vec<u8>, cells: &[&str], widths: &[Option<usize>], style: impl Fn(&str) -> Style) {
        let kept = cells.iter().zip(widths).zip(&self.titles);
        let mut kept = kept.filter_map(|((cell, width), (_, rule, _))| Some((*cell, (*width)?, *rule))).peekable();
        let mut owed = 0;
        while let Some((cell, width, rule)) = kept.next() {
            let (shown, cut) = shorten(cell, width);
            let used = shown.width() + usize::from(cut);
            let padding = width.saturating_sub(used);
            if rule == Width::Number {
                owed += padding;
            }
            out.extend(std::iter::repeat_n(b' ', owed));
            styled(out, style(cell), &[shown, if cut { "…" } else { "" }]);
            owed = if rule == Width::Number { 0 } else { padding };
            if kept.peek().is_some() {
                owed += GAP;
            }
        }
        out.push(b'\n');
    }
}

/// Writes `parts` in `style`, and nothing else where the style is plain.
pub(crate) fn styled(out: &mut Vec<u8>, style: Style, parts: &[&str]) {
    out.extend_from_slice(style.render().to_string().as_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
    out.extend_from_slice(style.render_reset().to_string().as_bytes());
}

/// The table of connections.
pub(crate) struct TableListing<'a> {
    columns: Vec<SocketColumn>,
    add_netns: bool,
    look: Look,
    table: Option<TextTable>,
    totals: bool,
    /// TCP sockets of the namespaces, by their gauges
    population: Option<u64>,
    nothing: &'a Nothing<'a>,
}

/// What to say where there is no row, given how many TCP sockets there are, where the gauges say so.
type Nothing<'a> = dyn Fn(Option<u64>) -> Option<String> + 'a;

impl<'a> TableListing<'a> {
    /// With `add_netns` a column for the namespace is put in where there is more than one; with `totals` a line of
    /// totals ends the table. `nothing` is asked what to say where there is no row.
    pub(crate) fn new(
        columns: Vec<SocketColumn>,
        add_netns: bool,
        look: Look,
        totals: bool,
        nothing: &'a Nothing<'a>,
    ) -> Self {
        Self { columns, add_netns, look, table: None, totals, population: None, nothing }
    }
}

impl Encoder for TableListing<'_> {
    fn head(&mut self, head: &Head, _: &mut Vec<u8>) {
        let mut columns = std::mem::take(&mut self.columns);
        if std::mem::take(&mut self.add_netns) && head.namespaces.len() > 1 {
            columns.extend(column_of(ColumnId::Netns));
            columns.rotate_right(1);
        }
        let titles = columns.iter().map(|column| (column.title.to_owned(), column.width, column.importance)).collect();
        self.table = Some(TextTable::new(titles, self.look));
        self.columns = columns;
        let populations = head.namespaces.iter().map(|namespace| namespace.sockstat.population());
        self.population = populations.map(|population| population.map(Population::tcp_sockets)).sum();
    }

    fn encode(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        for column in &self.columns {
            out.extend_from_slice(column.value(row).for_people(column.unit).as_bytes());
            out.push(END);
        }
    }

    fn emit(&mut self, encoded: &[u8], _: &mut Vec<u8>) {
        if let Some(table) = &mut self.table {
            let cells = encoded.strip_suffix(&[END]).unwrap_or(encoded);
            table.push(cells.split(|&byte| byte == END).map(|cell| std::str::from_utf8(cell).unwrap_or_default()));
        }
    }

    fn tail(&mut self, tail: &Tail, listed: u64, out: &mut Vec<u8>) {
        let left_out = self.table.as_mut().map_or(0, |table| table.write(out));
        let last_line = if listed == 0 && tail.summary.total() == 0 {
            // Without a header a program reads it: no line is a row.
            (self.nothing)(self.population).filter(|_| self.look.header)
        } else {
            self.totals.then(|| totals(tail, listed, left_out))
        };
        if let Some(totals) = last_line {
            let (shown, cut) = shorten(&totals, self.look.room.unwrap_or(usize::MAX));
            styled(out, self.look.styles.muted(), &[shown, if cut { "…" } else { "" }]);
            out.push(b'\n');
        }
    }
}

/// "812 sockets: 700 established, 112 time-wait", and what of it is not shown.
fn totals(tail: &Tail, listed: u64, left_out: usize) -> String {
    let total = tail.summary.total();
    let mut states: Vec<_> = tail.summary.by_state().filter(|(_, count)| *count > 0).collect();
    states.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let states: Vec<_> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let mut text = format!("{total} socket{}: {}", if total == 1 { "" } else { "s" }, states.join(", "));
    if listed < total {
        // Writing to a String cannot fail.
        let _ = write!(text, "; {listed} listed");
    }
    if left_out > 0 {
        let _ = write!(text, "; {left_out} column{} left out for width", if left_out == 1 { "" } else { "s" });
    }
    text
}
