//! How the tables define the columns of sockets: a constructor for each kind.

use super::column::Column;
use super::id::ColumnId;
use super::socket::{Get, OfProcess, SocketColumn};
use super::value::Value;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::tcp_info::Field;

/// A field of tcp_info, where the kernel gave it.
pub(super) fn info(row: &Row<'_>, field: Field) -> Option<u64> {
    row.socket.attributes.info.as_ref()?.get(field)
}

/// A column of text.
pub(super) fn text(
    id: ColumnId,
    importance: u8,
    help: &'static str,
    get: for<'a> fn(&Row<'a>) -> Value<'a>,
) -> SocketColumn {
    Column::text(id, importance, help, Get::Row(get))
}

/// A column of numbers.
pub(super) fn number(
    id: ColumnId,
    importance: u8,
    help: &'static str,
    get: for<'a> fn(&Row<'a>) -> Value<'a>,
) -> SocketColumn {
    Column::number(id, importance, help, Get::Row(get))
}

/// A column of what the processes that hold the socket have; each value is a group.
pub(super) fn of_process(id: ColumnId, importance: u8, help: &'static str, of: OfProcess) -> SocketColumn {
    shown_as(id, importance, help, of, of).flexible(12)
}

/// The same, where cells show something else than groups are made by.
pub(super) fn shown_as(
    id: ColumnId,
    importance: u8,
    help: &'static str,
    cell: OfProcess,
    group: OfProcess,
) -> SocketColumn {
    Column::text(id, importance, help, Get::Process { cell, group }).grouped().list().needs(Needs::OWNERS)
}
