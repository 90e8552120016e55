//! A table for people: aligned, never wrapped, cut to the terminal.
//!
//! Widths are known only after the last row, so the text of the cells is buffered until then.

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
use crate::fields::tone::Tone;
use crate::model::counters::Population;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Tail};
use crate::text::counted;
use crate::text::cut::shorten;

/// Ends each cell in the buffer. Control characters are escaped before, so no cell contains it.
const END: u8 = 0;
/// Byte of the first tone; the others follow.
const FIRST_TONE: u8 = b'0';

/// Layout of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableLayout {
    /// Width of a line in cells; `None` if there is no terminal to fit
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
    layout: TableLayout,
}

impl TextTable {
    /// An empty table with these titles, their width rules and their importance.
    pub(crate) fn new(titles: Vec<(String, Width, u8)>, layout: TableLayout) -> Self {
        let naturals = titles.iter().map(|(title, ..)| if layout.header { title.width() } else { 0 }).collect();
        Self { titles, cells: Vec::new(), naturals, layout }
    }

    /// Adds a row. It needs as many cells as there are titles, free of control characters.
    pub(crate) fn push<'a>(&mut self, cells: impl Iterator<Item = (Tone, &'a str)>) {
        for ((tone, cell), natural) in cells.zip(&mut self.naturals) {
            *natural = (*natural).max(cell.width());
            encode(tone, cell, &mut self.cells);
        }
    }

    /// Writes header and rows, drops the rows, and returns how many columns were left out.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) -> usize {
        let demands: Vec<_> = std::iter::zip(&self.titles, &self.naturals)
            .map(|((_, width, importance), &natural)| Demand { natural, width: *width, importance: *importance })
            .collect();
        let widths = fit(&demands, self.layout.room);
        if self.layout.header {
            let titles: Vec<_> = self.titles.iter().map(|(title, ..)| (Tone::Plain, title.as_str())).collect();
            self.line(out, &titles, &widths, |_| self.layout.styles.title());
        }
        let cells = std::mem::take(&mut self.cells);
        // Each cell has its end mark, the last one too; without a mark there is no row.
        let mut cells = cells.split_inclusive(|&byte| byte == END).map(decode);
        let mut row = Vec::with_capacity(self.titles.len());
        loop {
            row.clear();
            row.extend(cells.by_ref().take(self.titles.len()));
            if row.len() < self.titles.len() {
                break;
            }
            self.line(out, &row, &widths, |tone| self.layout.styles.cell(tone));
        }
        widths.iter().filter(|width| width.is_none()).count()
    }

    fn line(&self, out: &mut Vec<u8>, cells: &[(Tone, &str)], widths: &[Option<usize>], style: impl Fn(Tone) -> Style) {
        let kept = cells.iter().zip(widths).zip(&self.titles);
        let mut kept = kept.filter_map(|((cell, width), (_, rule, _))| Some((*cell, (*width)?, *rule))).peekable();
        let mut owed = 0;
        while let Some(((tone, cell), width, rule)) = kept.next() {
            let (shown, cut) = shorten(cell, width);
            let used = shown.width() + usize::from(cut);
            let padding = width.saturating_sub(used);
            if rule == Width::Number {
                owed += padding;
            }
            out.extend(std::iter::repeat_n(b' ', owed));
            styled(out, style(tone), &[shown, if cut { "…" } else { "" }]);
            owed = if rule == Width::Number { 0 } else { padding };
            if kept.peek().is_some() {
                owed += GAP;
            }
        }
        out.push(b'\n');
    }
}

/// A cell as it is kept: its tone, its text, its end mark.
fn encode(tone: Tone, cell: &str, out: &mut Vec<u8>) {
    out.push(FIRST_TONE + tone as u8);
    out.extend_from_slice(cell.as_bytes());
    out.push(END);
}

fn decode(cell: &[u8]) -> (Tone, &str) {
    let cell = cell.strip_suffix(&[END]).unwrap_or(cell);
    let Some((tone, text)) = cell.split_first() else { return (Tone::Plain, "") };
    let tone = Tone::ALL.get(usize::from(tone.wrapping_sub(FIRST_TONE))).copied().unwrap_or_default();
    (tone, std::str::from_utf8(text).unwrap_or_default())
}

/// Writes `parts` in `style`. A plain style adds no escape sequence.
pub(crate) fn styled(out: &mut Vec<u8>, style: Style, parts: &[&str]) {
    out.extend_from_slice(style.render().to_string().as_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
    out.extend_from_slice(style.render_reset().to_string().as_bytes());
}

/// Encoder that lists rows as a table.
pub(crate) struct TableListing<'a> {
    columns: Vec<SocketColumn>,
    add_netns: bool,
    layout: TableLayout,
    table: Option<TextTable>,
    totals: bool,
    /// Number of TCP sockets in the namespaces, by their gauges
    population: Option<u64>,
    nothing: &'a Nothing<'a>,
}

/// Makes the line to print if there is no row, from the number of TCP sockets, if the gauges report it.
type Nothing<'a> = dyn Fn(Option<u64>) -> Option<String> + 'a;

impl<'a> TableListing<'a> {
    /// If `add_netns` is set and there are several namespaces, a column for them is added; if `totals` is set, a line
    /// of totals ends the table. `nothing` makes the line to print if there is no row.
    pub(crate) fn new(
        columns: Vec<SocketColumn>,
        add_netns: bool,
        layout: TableLayout,
        totals: bool,
        nothing: &'a Nothing<'a>,
    ) -> Self {
        Self { columns, add_netns, layout, table: None, totals, population: None, nothing }
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
        self.table = Some(TextTable::new(titles, self.layout));
        self.columns = columns;
        let populations = head.namespaces.iter().map(|namespace| namespace.sockstat.population());
        self.population = populations.map(|population| population.map(Population::tcp_sockets)).sum();
    }

    fn encode(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        for column in &self.columns {
            let value = column.value(row);
            encode(Tone::of(&value), &value.for_people(column.unit), out);
        }
    }

    fn emit(&mut self, encoded: &[u8], _: &mut Vec<u8>) {
        if let Some(table) = &mut self.table {
            table.push(encoded.split_inclusive(|&byte| byte == END).map(decode));
        }
    }

    fn tail(&mut self, tail: &Tail, listed: u64, out: &mut Vec<u8>) {
        let left_out = self.table.as_mut().map_or(0, |table| table.write(out));
        let last_line = if listed == 0 && tail.summary.total() == 0 {
            // Without a header, a program reads the output, and a line that is no row would mislead it.
            (self.nothing)(self.population).filter(|_| self.layout.header)
        } else {
            self.totals.then(|| totals(tail, listed, left_out))
        };
        if let Some(totals) = last_line {
            let (shown, cut) = shorten(&totals, self.layout.room.unwrap_or(usize::MAX));
            styled(out, self.layout.styles.muted(), &[shown, if cut { "…" } else { "" }]);
            out.push(b'\n');
        }
    }
}

/// Line of totals: "812 sockets: 700 established, 112 time-wait", with what is not shown.
fn totals(tail: &Tail, listed: u64, left_out: usize) -> String {
    let total = tail.summary.total();
    let mut states: Vec<_> = tail.summary.by_state().filter(|(_, count)| *count > 0).collect();
    states.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let states: Vec<_> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let mut text = format!("{}: {}", counted(total, "socket"), states.join(", "));
    if listed < total {
        // Writing to a String cannot fail.
        let _ = write!(text, "; {listed} listed");
    }
    if left_out > 0 {
        let _ = write!(text, "; {} left out for width", counted(left_out as u64, "column"));
    }
    text
}
