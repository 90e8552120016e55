//! Constructors of the columns of sockets, one for each kind.

use super::column::Column;
use super::id::ColumnId;
use super::socket::{Get, OfProcess, SocketColumn};
use super::value::Value;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::tcp_info::Field;

/// A field of tcp_info, if the kernel reported it.
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

/// A column with a value of each process that holds the socket; each value is a group.
pub(super) fn of_process(id: ColumnId, importance: u8, help: &'static str, of: OfProcess) -> SocketColumn {
    shown_as(id, importance, help, of, of).flexible(12)
}

/// A column of processes whose cells show another value than the one that groups are made by.
pub(super) fn shown_as(
    id: ColumnId,
    importance: u8,
    help: &'static str,
    cell: OfProcess,
    group: OfProcess,
) -> SocketColumn {
    Column::text(id, importance, help, Get::Process { cell, group }).grouped().list().needs(Needs::OWNERS)
}
