//! What a column is.

use std::borrow::Cow;

use super::value::{Unit, Value};
use crate::model::address::Side;
use crate::model::keepalive::Keepalive;
use crate::model::needs::Needs;
use crate::model::options::MoreOptions;
use crate::model::owner::{Process, escaped};
use crate::model::row::Row;

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Column {
    /// As typed after `-o`, `--sort` and `--by`
    pub name: Cow<'static, str>,
    /// As printed above the column: the name in capitals, so that it can be typed
    pub title: Cow<'static, str>,
    /// Unit of its numbers
    pub unit: Unit,
    /// What is left out first where the terminal is too narrow: the lowest
    pub importance: u8,
    /// How it may be squeezed
    pub width: Width,
    /// What a filter compares it with
    pub kind: Kind,
    /// Whether its numbers are 0 and 1
    pub is_flag: bool,
    /// What has to be asked for
    pub needs: Needs,
    /// Whether `stat --by` takes it
    pub groups: bool,
    /// One line of help
    pub help: &'static str,
    /// Where the value comes from
    pub get: Get,
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// As wide as its widest cell, text
    Text,
    /// As wide as its widest cell, set to the right
    Number,
    /// As wide as its widest cell where there is room, cut down to this many cells where there is not
    Flexible(u8),
}

/// What somebody who filters by a column may compare it with.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text, equal letter by letter
    Text,
    /// Text of which less is enough: whether what was typed (first) stands for what is there (second)
    Short(fn(&str, &str) -> bool),
    /// One of these words
    Word(Words),
    /// One of these words, which the cell does not show as they are
    WordFor(Words, for<'a> fn(&Row<'a>) -> Value<'a>),
    /// A number in the column's unit
    Number,
    /// A time that may never come
    Deadline,
    /// A number in hexadecimal digits
    Hexadecimal,
    /// An address with port
    End(Side),
    /// An address or a prefix
    Address(Side),
    /// A port
    Port(Side),
}

impl Kind {
    /// Whether it is compared with numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Deadline)
    }
}

/// The words that a column knows, in the order of the help.
pub type Words = fn() -> Vec<&'static str>;

/// What a process has in a column.
pub type OfProcess = for<'a> fn(&'a Process) -> Value<'a>;

/// How a column takes its value from a row.
#[derive(Debug, Clone, Copy)]
pub enum Get {
    /// From the row
    Row(for<'a> fn(&Row<'a>) -> Value<'a>),
    /// From the field of tcp_info with this index
    Info(usize),
    /// From what is known of keepalive
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
    /// The descriptors that the processes have for the socket
    Descriptors,
}

/// A name or a word of ours as it is compared: in any case, with `_` or `-`.
pub fn folded(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
}

/// There is one column of each name.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Column {
    /// Whether `name`, in any case and with `_` for `-`, means this column: by its name, or by its key.
    pub fn is_called(&self, name: &str) -> bool {
        let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
        let mut typed = name.bytes().map(fold);
        let is_name = typed.by_ref().take(self.name.len()).eq(self.name.bytes());
        is_name && (typed.len() == 0 || typed.eq(self.unit.suffix().bytes().map(fold)))
    }

    /// The key of its values where they stand without a unit (CSV): with the unit in the key.
    pub fn key(&self) -> String {
        self.unit.key_of(&self.name)
    }

    /// The value for one cell.
    pub fn value<'a>(&self, row: &Row<'a>) -> Value<'a> {
        match self.get {
            Get::Row(get) => get(row),
            Get::Info(index) => Value::number(row.socket.attributes.info.as_ref().and_then(|info| info.at(index))),
            Get::Keepalive(get) => Value::number(row.judged.and_then(|judged| get(&judged.keepalive))),
            Get::Options(get) => Value::number(row.options.and_then(|options| options.more.as_ref()).and_then(get)),
            Get::Process { cell, .. } => joined(row, cell),
            Get::Descriptors => descriptors(row),
        }
    }

    /// What `stat --by` groups a process under; absent for a column that is not about processes.
    pub fn group_of<'a>(&self, process: &'a Process) -> Value<'a> {
        match self.get {
            Get::Process { group, .. } => group(process),
            Get::Row(_) | Get::Info(_) | Get::Keepalive(_) | Get::Options(_) | Get::Descriptors => Value::Absent,
        }
    }

    /// Whether `is` holds for the value, or, where processes or descriptors have one each, for any of theirs, as
    /// `stat --by` groups by them.
    pub fn any<'a>(&self, row: &Row<'a>, is: impl FnMut(Value<'a>) -> bool) -> bool {
        self.any_of(row, |_, group| group, is)
    }

    /// The same of values as cells show them.
    pub fn any_cell<'a>(&self, row: &Row<'a>, is: impl FnMut(Value<'a>) -> bool) -> bool {
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

    /// Hands over each group that the row belongs to: one, or one for each distinct value among its processes.
    pub fn each_group<'a>(&self, row: &Row<'a>, mut each: impl FnMut(Value<'a>)) {
        let (Get::Process { group, .. }, Some(owners)) = (self.get, row.holder.owners()) else {
            return each(self.value(row));
        };
        let mut groups = Vec::new();
        for value in owners.processes().map(group) {
            if !groups.contains(&value) {
                groups.push(value.clone());
                each(value);
            }
        }
    }
}

fn descriptors(row: &Row<'_>) -> Value<'static> {
    let owners = row.holder.owners().into_iter();
    let fds: Vec<_> = owners.flat_map(|owners| owners.iter()).map(|(_, fd)| fd.to_string()).collect();
    if fds.is_empty() { Value::Absent } else { Value::Word(fds.join(",").into()) }
}

/// The values of all processes, each once, with commas between; where no process holds the socket, what does.
fn joined<'a>(row: &Row<'a>, cell: OfProcess) -> Value<'a> {
    let Some(owners) = row.holder.owners() else {
        return row.holder.name().map_or(Value::Absent, |holder| Value::Word(format!("({holder})").into()));
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

/// A name among others: a comma in it would make two of it, and parentheses around it something that is no process. A label
/// has none of these any more.
fn part<'a>(name: Cow<'a, str>, process: &Process) -> Cow<'a, str> {
    const SEPARATORS: [char; 3] = [',', ';', '"'];
    let has_structure = name.contains(SEPARATORS) || (name.starts_with('(') && name.ends_with(')'));
    if has_structure && *name != process.label {
        return Cow::Owned(escaped(&name, &[',', ';', '"', '(', ')']).into_owned());
    }
    name
}
