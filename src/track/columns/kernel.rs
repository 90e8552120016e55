//! Columns of the kernel view: sysctls, gauges and counters.

use std::sync::LazyLock;

use crate::fields::column::{Column, RowKind};
use crate::fields::id::ColumnId;
use crate::fields::value::{Unit, Value};
use crate::track::kernel_rows::KernelRow;

/// Default columns of the kernel view.
pub(crate) const COLUMNS: &[ColumnId] =
    &[ColumnId::Name, ColumnId::Value, ColumnId::Rate, ColumnId::MeanRate, ColumnId::Default, ColumnId::Meaning];

/// Function that reads the value of a column.
type OfKernelRow = for<'a> fn(&'a KernelRow) -> Value<'a>;

/// Row kind of the kernel view.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KernelValues {}

impl RowKind for KernelValues {
    type Of<'a> = &'a KernelRow;
    type Get = OfKernelRow;

    fn value<'a>(get: Self::Get, row: &Self::Of<'a>) -> Value<'a> {
        get(row)
    }
}

fn text(id: ColumnId, importance: u8, help: &'static str, get: OfKernelRow) -> Column<KernelValues> {
    Column::text(id, importance, help, get)
}

fn number(id: ColumnId, importance: u8, help: &'static str, get: OfKernelRow) -> Column<KernelValues> {
    Column::number(id, importance, help, get)
}

/// All columns of the kernel view.
pub(crate) static KERNEL: LazyLock<Vec<Column<KernelValues>>> = LazyLock::new(|| {
    vec![
        text(ColumnId::Name, 99, "as the kernel calls it", |number| Value::name(Some(&number.name))),
        number(ColumnId::Value, 98, "its value", |number| match &number.value {
            Some(text) => text.parse().map_or_else(|_| Value::name(Some(text)), Value::Number),
            None => Value::Absent,
        }),
        number(ColumnId::Rate, 75, "growth per second since the previous snapshot", |number| Value::number(number.now))
            .unit(Unit::Tenths),
        number(ColumnId::MeanRate, 70, "growth per second since the dashboard was opened", |number| {
            Value::number(number.since_start)
        })
        .unit(Unit::Tenths),
        number(ColumnId::Default, 60, "what the kernel starts with", |number| match number.default {
            "" => Value::Absent,
            default => default.parse().map_or_else(|_| Value::word(default), Value::Number),
        }),
        text(ColumnId::Kind, 30, "sysctl, gauge or counter", |number| Value::word(number.kind)),
        text(ColumnId::Scope, 40, "the namespace's own, or one for the whole host", |number| match number.scope {
            "" => Value::Absent,
            scope => Value::word(scope),
        }),
        text(ColumnId::Meaning, 80, "what it decides or counts", |number| Value::name(Some(&number.meaning)))
            .flexible(20),
        text(ColumnId::Netns, 97, "network namespace by name", |number| Value::name(Some(&number.namespace))),
    ]
});
