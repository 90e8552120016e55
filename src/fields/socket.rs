//! Columns of sockets: how a value is read from a row, or from each process that holds the socket.

use std::borrow::Cow;

use super::column::{Column, RowKind};
use super::value::Value;
use crate::model::holder::HolderKind;
use crate::model::keepalive::Keepalive;
use crate::model::options::MoreOptions;
use crate::model::owner::{Process, escaped};
use crate::model::row::Row;
use crate::model::tcp_info::Field;

/// Row kind of sockets in a snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sockets {}

/// A column of sockets.
pub(crate) type SocketColumn = Column<Sockets>;

/// Function that reads a column's value of one process.
pub(crate) type OfProcess = for<'a> fn(&'a Process) -> Value<'a>;

/// How a column reads its value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Get {
    /// From the row
    Row(for<'a> fn(&Row<'a>) -> Value<'a>),
    /// From the row, with a word for filters that differs from the cell
    Worded {
        /// The cell
        cell: for<'a> fn(&Row<'a>) -> Value<'a>,
        /// The word
        word: for<'a> fn(&Row<'a>) -> Value<'a>,
    },
    /// From a field of tcp_info
    Info(Field),
    /// From the keepalive values
    Keepalive(fn(&Keepalive) -> Option<u32>),
    /// From the options that were read
    Options(fn(&MoreOptions) -> Option<u32>),
    /// From each process that holds the socket
    Process {
        /// The cell's text for one process
        cell: OfProcess,
        /// What `stat --by` groups by
        group: OfProcess,
    },
    /// The descriptors of the socket in its processes
    Descriptors,
}

impl RowKind for Sockets {
    type Of<'a> = Row<'a>;
    type Get = Get;

    fn value<'a>(get: Get, row: &Self::Of<'a>) -> Value<'a> {
        match get {
            Get::Row(get) | Get::Worded { cell: get, .. } => get(row),
            Get::Info(field) => Value::number(row.socket.attributes.info.as_ref().and_then(|info| info.get(field))),
            Get::Keepalive(get) => Value::number(row.judged.and_then(|judged| get(&judged.keepalive))),
            Get::Options(get) => Value::number(row.options.and_then(|options| options.more.as_ref()).and_then(get)),
            Get::Process { cell, .. } => joined(row, cell),
            Get::Descriptors => descriptors(row),
        }
    }
}

impl SocketColumn {
    /// Value that `stat --by` groups a process by; absent if the column is not about processes.
    pub(crate) fn group_of<'a>(&self, process: &'a Process) -> Value<'a> {
        match self.get {
            Get::Process { group, .. } => named(group(process)),
            _ => Value::Absent,
        }
    }

    /// The word that a filter compares with.
    pub(crate) fn word_of<'a>(&self, row: &Row<'a>) -> Value<'a> {
        match self.get {
            Get::Worded { word, .. } => word(row),
            _ => self.value(row),
        }
    }

    /// Whether `is` holds for the value or, in a column of processes or descriptors, for that of any of them, in the
    /// form that `stat --by` groups by.
    pub(crate) fn any<'a>(&self, row: &Row<'a>, is: impl FnMut(Value<'a>) -> bool) -> bool {
        self.any_of(row, |_, group| group, is)
    }

    /// Whether `is` holds for the value, or for that of any process or descriptor, in the form that cells show.
    pub(crate) fn any_cell<'a>(&self, row: &Row<'a>, is: impl FnMut(Value<'a>) -> bool) -> bool {
        self.any_of(row, |cell, _| cell, is)
    }

    fn any_of<'a>(
        &self,
        row: &Row<'a>,
        pick: fn(OfProcess, OfProcess) -> OfProcess,
        mut is: impl FnMut(Value<'a>) -> bool,
    ) -> bool {
        match (self.get, row.holder.owners()) {
            (Get::Process { cell, group }, Some(owners)) => {
                let of = pick(cell, group);
                owners.processes().any(|process| is(of(process)))
            }
            (Get::Descriptors, Some(owners)) => owners.iter().any(|(_, fd)| is(Value::Number(fd.into()))),
            (Get::Process { .. } | Get::Descriptors, None) => is(Value::Absent),
            _ => is(self.value(row)),
        }
    }

    /// Calls `each` with each group of the row: one, or one for each distinct value among its processes.
    pub(crate) fn each_group<'a>(&self, row: &Row<'a>, mut each: impl FnMut(Value<'a>)) {
        let (Get::Process { group, .. }, Some(owners)) = (self.get, row.holder.owners()) else {
            return each(self.value(row));
        };
        let mut groups = Vec::new();
        for value in owners.processes().map(|process| named(group(process))) {
            if !groups.contains(&value) {
                groups.push(value.clone());
                each(value);
            }
        }
    }
}

fn named(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Name(name) => Value::Name(distinct(name)),
        value => value,
    }
}

fn descriptors(row: &Row<'_>) -> Value<'static> {
    let owners = row.holder.owners().into_iter();
    let fds: Vec<_> = owners.flat_map(|owners| owners.iter()).map(|(_, fd)| fd.to_string()).collect();
    if fds.is_empty() { Value::Absent } else { Value::Word(fds.join(",").into()) }
}

/// Values of all processes, each once, separated by commas; if no process holds the socket, the kind of its holder.
fn joined<'a>(row: &Row<'a>, cell: OfProcess) -> Value<'a> {
    let Some(owners) = row.holder.owners() else {
        return row.holder.kind().map_or(Value::Absent, Value::Holder);
    };
    let mut processes = owners.processes();
    if let (Some(only), None) = (processes.next(), processes.next()) {
        return match cell(only) {
            Value::Name(name) => Value::Name(part(name, only)),
            other => other,
        };
    }
    let mut parts: Vec<Cow<'a, str>> = Vec::new();
    for process in owners.processes() {
        let part = match cell(process) {
            Value::Absent => continue,
            Value::Name(name) => part(name, process),
            other => Cow::Owned(other.plain().into_owned()),
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    match parts.len() {
        0 => Value::Absent,
        1 => Value::Name(parts.swap_remove(0)),
        _ => Value::Name(parts.join(",").into()),
    }
}

/// A name in a list, in which a comma would split it in two. A label contains none of these characters any more.
fn part<'a>(name: Cow<'a, str>, process: &Process) -> Cow<'a, str> {
    const SEPARATORS: [char; 3] = [',', ';', '"'];
    if name.contains(SEPARATORS) && *name != process.label {
        return Cow::Owned(escaped(&name, &SEPARATORS).into_owned());
    }
    distinct(name)
}

/// A name that cannot be mistaken for a kind of holder: a process may call itself `(kernel)`.
fn distinct(name: Cow<'_, str>) -> Cow<'_, str> {
    if HolderKind::is_enclosed(&name) { Cow::Owned(escaped(&name, &['(', ')']).into_owned()) } else { name }
}
