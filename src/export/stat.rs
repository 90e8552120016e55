//! Counts by one or more columns, which replace a pipe through awk.

use std::io::{self, Write};

use rustc_hash::FxHashMap;
use serde::{Serialize, Serializer};

use super::csv;
use super::table::{TableLayout, TextTable, styled};
use super::wire::{self, Document, Joined, Members, Origin, Preamble, WireEnd, first_line, later_line, write_line};
use crate::fields::column::Width;
use crate::fields::id::ColumnId;
use crate::fields::socket::{Get, SocketColumn};
use crate::fields::tone::Tone;
use crate::fields::value::Value;
use crate::model::holder::HolderKind;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};

/// Format of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
    /// One JSON object per line
    Ndjson,
    /// CSV after RFC 4180
    Csv,
}

/// Format of the counts, and how many of them to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatOptions {
    /// Format
    pub format: StatFormat,
    /// Layout of tables
    pub layout: TableLayout,
    /// Whether a table ends with totals
    pub totals: bool,
    /// Maximum number of groups
    pub limit: Option<u64>,
}

/// The sink that counts.
#[derive(Debug)]
pub(crate) struct Stat<W> {
    output: W,
    by: Vec<SocketColumn>,
    format: StatFormat,
    layout: TableLayout,
    totals: bool,
    limit: Option<u64>,
    head: Option<Head>,
    counts: FxHashMap<Vec<GroupKey>, u64>,
}

/// Value of a group in one column. It stays typed, so that JSON writes numbers as numbers and names unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum GroupKey {
    Number(u64),
    Holder(HolderKind),
    Text(String, Tone),
    Absent,
}

impl GroupKey {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Absent => Self::Absent,
            Value::Number(number) => Self::Number(*number),
            Value::Holder(holder) => Self::Holder(*holder),
            Value::Name(name) => Self::Text(name.to_string(), Tone::Plain),
            other => Self::Text(other.plain().into_owned(), Tone::of(other)),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Holder(holder) => Value::Holder(*holder),
            Self::Text(text, _) => Value::name(Some(text)),
            Self::Absent => Value::Absent,
        }
    }

    fn tone(&self) -> Tone {
        match self {
            Self::Text(_, tone) => *tone,
            Self::Number(_) | Self::Holder(_) => Tone::Plain,
            Self::Absent => Tone::Muted,
        }
    }
}

/// A group: its value in each column counted by, and its number of rows.
type CountedGroup = (Vec<GroupKey>, u64);

impl<W: Write> Stat<W> {
    /// Counts rows for each distinct combination of values of the columns `by`.
    pub(crate) fn new(output: W, by: Vec<SocketColumn>, options: StatOptions) -> Self {
        let StatOptions { format, layout, totals, limit } = options;
        Self { output, by, format, layout, totals, limit, head: None, counts: FxHashMap::default() }
    }

    /// Whether rows are counted by state alone. Then the summary has the counts, including the zeros.
    fn by_state_alone(&self) -> bool {
        self.by.len() == 1 && self.by[0].id == ColumnId::State
    }

    /// The groups, largest first; groups of equal size by name, states in their own order.
    fn groups(&mut self, tail: &Tail) -> Vec<CountedGroup> {
        let mut groups: Vec<CountedGroup> = if self.by_state_alone() {
            tail.summary.by_state().map(|(state, count)| (vec![GroupKey::of(&Value::State(state))], count)).collect()
        } else {
            let mut groups: Vec<_> = std::mem::take(&mut self.counts).into_iter().collect();
            groups.sort_unstable();
            groups
        };
        groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        groups.truncate(self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX));
        groups
    }

    fn table(&self, groups: &[CountedGroup], tail: &Tail, out: &mut Vec<u8>) {
        let titles = self.by.iter().map(|column| (column.title.to_owned(), Width::Flexible(8), column.importance));
        let count = ("COUNT".to_owned(), Width::Number, u8::MAX);
        let mut table = TextTable::new(titles.chain([count]).collect(), self.layout);
        for (keys, count) in groups {
            let cell = |(key, column): (&GroupKey, &SocketColumn)| {
                let value = key.value();
                let tone = if *count == 0 { Tone::Muted } else { key.tone() };
                (tone, value.for_people(column.unit).into_owned())
            };
            let mut cells: Vec<_> = keys.iter().zip(&self.by).map(cell).collect();
            cells.push((if *count == 0 { Tone::Muted } else { Tone::Plain }, count.to_string()));
            table.push(cells.iter().map(|(tone, cell)| (*tone, cell.as_str())));
        }
        table.write(out);
        if self.totals {
            styled(out, self.layout.styles.muted(), &[&format!("{} sockets", tail.summary.total())]);
            out.push(b'\n');
        }
    }

    fn json(&self, head: &Head, groups: &[CountedGroup], tail: &Tail, out: &mut Vec<u8>) {
        let members = Joined { before: Preamble::of(head), after: self.wire_by() };
        wire::open(out, &Document { r#type: "stat", members });
        out.extend_from_slice(b",\"groups\":[");
        for (index, group) in groups.iter().enumerate() {
            out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
            wire::write(out, &self.wire_group(group));
        }
        out.extend_from_slice(b"],");
        wire::close(out, &WireTotal::of(tail));
        out.push(b'\n');
    }

    fn ndjson(&self, head: &Head, groups: &[CountedGroup], tail: &Tail, out: &mut Vec<u8>) {
        let origin = Origin::of(head);
        write_line(out, &first_line("stat", head, Joined { before: Preamble::of(head), after: self.wire_by() }));
        groups.iter().for_each(|group| write_line(out, &later_line("group", &origin, self.wire_group(group))));
        write_line(out, &later_line("summary", &origin, WireTotal::of(tail)));
    }

    fn csv(&self, groups: &[CountedGroup], out: &mut Vec<u8>) {
        let count = Value::word("count");
        if self.layout.header {
            csv::line(out, self.by.iter().map(|column| Value::Word(column.key().into())).chain([count]));
        }
        for (keys, count) in groups {
            let cells = self.by.iter().zip(keys).map(|(column, key)| csv::number_or_nothing(column, key.value()));
            csv::line(out, cells.chain([Value::Number(*count)]));
        }
    }

    fn wire_by(&self) -> WireBy {
        WireBy { by: self.by.iter().map(|column| column.key()).collect() }
    }

    fn wire_group<'a>(&self, (keys, count): &'a CountedGroup) -> Joined<Members<String, &'a GroupKey>, WireCount> {
        let values = self.by.iter().map(|column| column.key()).zip(keys).collect();
        Joined { before: values, after: WireCount { count: *count } }
    }
}

impl Serialize for GroupKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Holder(holder) => serializer.serialize_str(&holder.enclosed()),
            Self::Text(text, _) => serializer.serialize_str(text),
            Self::Absent => serializer.serialize_none(),
        }
    }
}

/// The columns that were counted by.
#[derive(Debug, Serialize)]
struct WireBy {
    by: Vec<String>,
}

/// Number of sockets of a group.
#[derive(Debug, Serialize)]
struct WireCount {
    count: u64,
}

/// What follows the groups.
#[derive(Debug, Serialize)]
struct WireTotal<'a> {
    total: u64,
    #[serde(flatten)]
    end: WireEnd<'a>,
}

impl<'a> WireTotal<'a> {
    fn of(tail: &'a Tail) -> Self {
        Self { total: tail.summary.total(), end: WireEnd::of(tail) }
    }
}

impl<W: Write> Sink for Stat<W> {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.head = Some(head.clone());
        self.counts.clear();
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        if !self.by_state_alone() {
            count(&self.by, row, &mut self.counts);
        }
        Ok(())
    }

    fn tail(&mut self, tail: &Tail) -> io::Result<()> {
        let groups = self.groups(tail);
        let mut out = Vec::new();
        match (self.format, &self.head) {
            (StatFormat::Json, Some(head)) => self.json(head, &groups, tail, &mut out),
            (StatFormat::Ndjson, Some(head)) => self.ndjson(head, &groups, tail, &mut out),
            (StatFormat::Csv, _) => self.csv(&groups, &mut out),
            _ => self.table(&groups, tail, &mut out),
        }
        self.output.write_all(&out)?;
        self.output.flush()
    }
}

/// Adds the row to each of its groups: a socket that three processes hold counts for each of the three.
fn count(by: &[SocketColumn], row: &Row<'_>, counts: &mut FxHashMap<Vec<GroupKey>, u64>) {
    // Columns of processes are read together: the name and the pid of one process, not of any two.
    let of_processes = by.iter().all(|column| matches!(column.get, Get::Process { .. }));
    if let (true, Some(owners)) = (of_processes && by.len() > 1, row.holder.owners()) {
        let mut groups: Vec<Vec<GroupKey>> = owners
            .processes()
            .map(|process| by.iter().map(|column| column.group_of(process)).map(|value| GroupKey::of(&value)).collect())
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups.into_iter().for_each(|group| *counts.entry(group).or_default() += 1);
        return;
    }
    combine(by, row, &mut Vec::with_capacity(by.len()), counts);
}

/// Adds the row to each combination of its values in the columns.
fn combine(by: &[SocketColumn], row: &Row<'_>, key: &mut Vec<GroupKey>, counts: &mut FxHashMap<Vec<GroupKey>, u64>) {
    let Some((column, rest)) = by.split_first() else {
        *counts.entry(key.clone()).or_default() += 1;
        return;
    };
    column.each_group(row, |value| {
        key.push(GroupKey::of(&value));
        combine(rest, row, key, counts);
        key.pop();
    });
}
