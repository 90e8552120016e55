//! Everything known of one socket, for people: every column that has a value, in the groups of the table.

use super::id::ColumnId;
use super::socket::SocketColumn;
use super::table::{ColumnGroup, column_of};
use super::value::{Unit, Value};
use crate::model::row::Row;

/// A title, and name and value of each of its lines.
pub(crate) type SheetSection = (&'static str, Vec<(String, String)>);

/// Every column of these groups that has a value.
pub(crate) fn sections(groups: &[ColumnGroup], row: &Row<'_>) -> Vec<SheetSection> {
    let lines = |columns: &[SocketColumn]| columns.iter().filter_map(|column| line(column, row)).collect();
    let sections = groups.iter().map(|(title, columns)| (*title, lines(columns)));
    sections.filter(|(_, lines): &SheetSection| !lines.is_empty()).collect()
}

/// Verdict, state and both ends.
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

/// Name and value with its unit; `None` where there is no value, or tcp_info counted nothing.
fn line(column: &SocketColumn, row: &Row<'_>) -> Option<(String, String)> {
    let value = column.value(row);
    // The reason stands above all else.
    let is_nothing = matches!(column.id, ColumnId::Info(_)) && value == Value::Number(0);
    if value == Value::Absent || is_nothing || column.id == ColumnId::Reason {
        return None;
    }
    let text = value.for_people(column.unit);
    let unit = match (column.unit, &value) {
        (Unit::Bytes, Value::Number(_)) => " bytes",
        _ => "",
    };
    Some((column.name().to_owned(), format!("{text}{unit}")))
}
