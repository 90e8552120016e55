//! All values of one socket for people: every column that has a value, in the groups of the table.

use super::id::ColumnId;
use super::socket::SocketColumn;
use super::table::{ColumnGroup, column_of};
use super::tone::Tone;
use super::value::{Unit, Value};
use crate::model::row::Row;

/// Section of the sheet: its title and its lines.
pub(crate) type SheetSection = (&'static str, Vec<SheetLine>);

/// Line of the sheet.
#[derive(Debug, Clone)]
pub(crate) struct SheetLine {
    /// Name of the column
    pub name: &'static str,
    /// Its value with the unit
    pub value: String,
    /// Its tone
    pub tone: Tone,
}

/// Sections of these groups, with every column that has a value.
pub(crate) fn sections(groups: &[ColumnGroup], row: &Row<'_>) -> Vec<SheetSection> {
    let lines = |columns: &[SocketColumn]| columns.iter().filter_map(|column| line(column, row)).collect();
    let sections = groups.iter().map(|(title, columns)| (*title, lines(columns)));
    sections.filter(|(_, lines): &SheetSection| !lines.is_empty()).collect()
}

/// Heading of the sheet: verdict, state and both ends.
pub(crate) fn heading(row: &Row<'_>) -> String {
    let cell =
        |id| column_of(id).map_or_else(String::new, |column| column.value(row).for_people(column.unit).into_owned());
    let glyph = row.judged.map_or("", |judged| judged.liveness.verdict.glyph());
    let mut ends = cell(ColumnId::Local);
    if row.socket.state.is_connection() {
        ends = format!("{ends} -> {}", cell(ColumnId::Peer));
    }
    format!("{glyph} {}  {}  {ends}", cell(ColumnId::Verdict), cell(ColumnId::State))
}

/// Name, and value with its unit; `None` if there is no value, or if a field of tcp_info is 0.
fn line(column: &SocketColumn, row: &Row<'_>) -> Option<SheetLine> {
    let value = column.value(row);
    // The reason is printed above the sections.
    let is_nothing = matches!(column.id, ColumnId::Info(_)) && value == Value::Number(0);
    if value == Value::Absent || is_nothing || column.id == ColumnId::Reason {
        return None;
    }
    let text = value.for_people(column.unit);
    let unit = match (column.unit, &value) {
        (Unit::Bytes, Value::Number(_)) => " bytes",
        _ => "",
    };
    Some(SheetLine { name: column.name(), value: format!("{text}{unit}"), tone: Tone::of(&value) })
}
