//! How the tables define their columns: a constructor for each kind, and what a column is refined with.

use std::borrow::Cow;

use super::column::{Column, Get, Kind, OfProcess, Width, Words};
use super::value::{Unit, Value};
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::tcp_info::Field;

/// A field of tcp_info, where the kernel gave it.
pub(super) fn info(row: &Row<'_>, field: Field) -> Option<u64> {
    row.socket.attributes.info.as_ref()?.get(field)
}

/// A column of text.
pub(super) fn text(
    name: &'static str,
    title: &'static str,
    importance: u8,
    help: &'static str,
    get: for<'a> fn(&Row<'a>) -> Value<'a>,
) -> Column {
    Column {
        name: Cow::Borrowed(name),
        title: Cow::Borrowed(title),
        unit: Unit::None,
        importance,
        width: Width::Text,
        kind: Kind::Text,
        is_flag: false,
        needs: Needs::empty(),
        groups: false,
        help,
        get: Get::Row(get),
    }
}

/// A column of numbers.
pub(super) fn number(
    name: &'static str,
    title: &'static str,
    importance: u8,
    help: &'static str,
    get: for<'a> fn(&Row<'a>) -> Value<'a>,
) -> Column {
    Column { width: Width::Number, kind: Kind::Number, ..text(name, title, importance, help, get) }
}

/// A column of what the processes that hold the socket have; each value is a group.
pub(super) fn of_process(
    name: &'static str,
    title: &'static str,
    importance: u8,
    help: &'static str,
    of: OfProcess,
) -> Column {
    Column { get: Get::Process { cell: of, group: of }, ..text(name, title, importance, help, |_| Value::Absent) }
        .grouped()
        .flexible(12)
        .needs(Needs::OWNERS)
}

impl Column {
    pub(super) fn grouped(self) -> Self {
        Self { groups: true, ..self }
    }

    pub(super) fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    pub(super) fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    pub(super) fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn flag(self) -> Self {
        Self { is_flag: true, ..self }
    }

    pub(super) fn word(self, words: Words) -> Self {
        self.kind(Kind::Word(words))
    }

    pub(super) fn flexible(self, least: u8) -> Self {
        Self { width: Width::Flexible(least), ..self }
    }

    pub(super) fn with_process(self, cell: OfProcess, group: OfProcess) -> Self {
        Self { get: Get::Process { cell, group }, ..self }.grouped().flexible(20).needs(Needs::OWNERS)
    }
}
