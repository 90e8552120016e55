//! Counts by one or more columns: what people used to pipe through awk.

use std::io::{self, Write};

use rustc_hash::FxHashMap;

use super::csv;
use super::json::{Json, key};
use super::snapshot::{gaps, line, preamble};
use super::table::{Look, Table, styled};
use crate::fields::column::{Column, Width};
use crate::fields::value::Value;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};

/// How the counts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatFormat {
    /// For people
    Table,
    /// One object
    Json,
    /// One object a line
    Ndjson,
    /// RFC 4180
    Csv,
}

/// The sink that counts.
#[derive(Debug)]
pub struct Stat<W> {
    output: W,
    by: Vec<Column>,
    format: StatFormat,
    look: Look,
    totals: bool,
    limit: Option<u64>,
    head: Option<Head>,
    counts: FxHashMap<Vec<Option<String>>, u64>,
}

/// A group: what it has in each column counted by, and how many rows.
type Group = (Vec<Option<String>>, u64);

impl<W: Write> Stat<W> {
    /// Counts rows for each distinct combination of what `by` gives.
    pub fn new(output: W, by: Vec<Column>, format: StatFormat, look: Look, totals: bool, limit: Option<u64>) -> Self {
        Self { output, by, format, look, totals, limit, head: None, counts: FxHashMap::default() }
    }

    /// Counting by state alone needs no table: the summary has it, and has the zeros.
    fn by_state_alone(&self) -> bool {
        self.by.len() == 1 && self.by[0].is_called("state")
    }

    /// Largest first; groups of one size by name, states in their own order.
    fn groups(&mut self, tail: &Tail) -> Vec<Group> {
        let mut groups: Vec<Group> = if self.by_state_alone() {
            tail.summary.by_state().map(|(state, count)| (vec![Some(state.to_string())], count)).collect()
        } else {
            let mut groups: Vec<_> = std::mem::take(&mut self.counts).into_iter().collect();
            groups.sort_unstable();
            groups
        };
        groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        groups.truncate(self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX));
        groups
    }

    fn table(&self, groups: &[Group], tail: &Tail, out: &mut Vec<u8>) {
        let titles = self.by.iter().map(|column| (column.title.to_string(), Width::Flexible(8), column.importance));
        let count = ("COUNT".to_owned(), Width::Number, u8::MAX);
        let mut table = Table::new(titles.chain([count]).collect(), self.look);
        for (keys, count) in groups {
            let count = count.to_string();
            let keys = keys.iter().map(|key| key.as_deref().unwrap_or(crate::text::DASH));
            table.push(keys.chain([count.as_str()]));
        }
        table.write(out);
        if self.totals {
            styled(out, self.look.styles.muted(), &[&format!("{} sockets", tail.summary.total())]);
            out.push(b'\n');
        }
    }

    fn json(&self, head: &Head, groups: &[Group], tail: &Tail, out: &mut Vec<u8>) {
        let mut json = Json::new(out);
        json.object();
        json.key(key!("type")).string("stat");
        preamble(&mut json, head);
        self.by_member(&mut json);
        json.key(key!("groups")).array();
        for group in groups {
            json.line_break();
            json.object();
            self.group_members(&mut json, group);
            json.end_object();
        }
        json.end_array();
        tail_members(&mut json, tail);
        json.end_object();
        out.push(b'\n');
    }

    fn ndjson(&self, head: &Head, groups: &[Group], tail: &Tail, out: &mut Vec<u8>) {
        line(out, "stat", |json| {
            preamble(json, head);
            self.by_member(json);
        });
        groups.iter().for_each(|group| line(out, "group", |json| self.group_members(json, group)));
        line(out, "summary", |json| tail_members(json, tail));
    }

    fn csv(&self, groups: &[Group], out: &mut Vec<u8>) {
        let count = Value::word("count");
        if self.look.header {
            csv::line(out, self.by.iter().map(|column| Value::Word(column.key().into())).chain([count]));
        }
        for (keys, count) in groups {
            let keys = keys.iter().map(|key| Value::name(key.as_deref()));
            csv::line(out, keys.chain([Value::Number(*count)]));
        }
    }

    fn by_member(&self, json: &mut Json<'_>) {
        json.key(key!("by")).array();
        self.by.iter().for_each(|column| json.string(&column.key()));
        json.end_array();
    }

    fn group_members(&self, json: &mut Json<'_>, (keys, count): &Group) {
        for (column, key) in self.by.iter().zip(keys) {
            json.foreign_key(&column.key()).optional_string(key.as_deref());
        }
        json.key(key!("count")).number(*count);
    }
}

fn tail_members(json: &mut Json<'_>, tail: &Tail) {
    json.key(key!("total")).number(tail.summary.total());
    json.key(key!("gaps"));
    gaps(json, &tail.gaps);
    json.key(key!("elapsed_ms")).decimal(tail.elapsed.as_secs_f64() * 1000.0);
}

impl<W: Write> Sink for Stat<W> {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.head = Some(head.clone());
        self.counts.clear();
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        if !self.by_state_alone() {
            count(&self.by, row, &mut Vec::with_capacity(self.by.len()), &mut self.counts);
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

/// Adds the row to each combination of its groups: a socket that three processes hold counts for each of the three.
fn count(
    by: &[Column],
    row: &Row<'_>,
    key: &mut Vec<Option<String>>,
    counts: &mut FxHashMap<Vec<Option<String>>, u64>,
) {
    let Some((column, rest)) = by.split_first() else {
        *counts.entry(key.clone()).or_default() += 1;
        return;
    };
    column.each_group(row, |value| {
        key.push(match value {
            Value::Absent => None,
            value => Some(value.plain().into_owned()),
        });
        count(rest, row, key, counts);
        key.pop();
    });
}
