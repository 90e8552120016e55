//! The rows of any view: identity, sign and packed cells of each, in the order in which they are shown.

use rustc_hash::FxHashMap;
use unicode_width::UnicodeWidthStr;

use super::line::{Age, RowId, Sign};
use super::pack::{Dictionary, pack, pack_known, unpack, width};
use crate::fields::column::Heading;
use crate::fields::id::ColumnId;
use crate::fields::value::Value;
use crate::model::address::{Cookie, NetnsId};
use crate::model::socket::SocketId;

/// How rows are ordered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Order {
    /// Most urgent first
    #[default]
    Alarm,
    /// By a column
    By {
        /// The column
        column: ColumnId,
        /// From large to small
        descending: bool,
    },
}

/// One row without its cells: 16 bytes.
#[derive(Debug, Clone, Copy)]
struct RowHead {
    key: u64,
    /// Offset of its cells
    offset: u32,
    /// Index of its namespace
    space: u16,
    sign: Sign,
    age: Age,
}

/// The rows of a view.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The columns: first those shown, then those that only identify a row
    pub headings: Vec<Heading>,
    /// Number of columns shown
    pub shown: usize,
    /// Width of the widest cell of each column
    pub naturals: Vec<usize>,
    spaces: Vec<NetnsId>,
    heads: Vec<RowHead>,
    bytes: Vec<u8>,
    dictionary: Dictionary,
    has_cookies: bool,
    /// Number of rows that are gone
    gone: usize,
}

impl Table {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// Number of rows that are not gone.
    pub(crate) fn there(&self) -> usize {
        self.heads.len() - self.gone
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Identity of a row.
    pub(crate) fn id(&self, row: usize) -> Option<RowId> {
        self.heads.get(row).map(|head| self.id_of(head))
    }

    fn id_of(&self, head: &RowHead) -> RowId {
        RowId { netns: self.spaces.get(usize::from(head.space)).copied().unwrap_or(NetnsId(0)), key: head.key }
    }

    /// Index of the row with this identity.
    pub(crate) fn position(&self, id: RowId) -> Option<usize> {
        let is_it = |head: &RowHead| head.key == id.key && self.id_of(head) == id;
        self.heads.iter().position(is_it)
    }

    /// The socket of a row, if it still exists and has a cookie.
    pub(crate) fn socket(&self, row: usize) -> Option<SocketId> {
        let id = self.id(row)?;
        let is_there = self.has_cookies && self.age(row) != Age::Gone;
        is_there.then_some(SocketId { netns: id.netns, cookie: Some(Cookie(id.key)) })
    }

    /// The sign of a row.
    pub(crate) fn sign(&self, row: usize) -> Sign {
        self.heads.get(row).map_or(Sign::Plain, |head| head.sign)
    }

    /// Whether a row came or went a moment ago.
    pub(crate) fn age(&self, row: usize) -> Age {
        self.heads.get(row).map_or(Age::Settled, |head| head.age)
    }

    /// All cells of a row, including those that are not shown.
    pub(crate) fn cells(&self, row: usize) -> impl Iterator<Item = Value<'_>> {
        let start = self.heads.get(row).map_or(self.bytes.len(), |head| head.offset as usize);
        let mut rest = self.bytes.get(start..).unwrap_or_default();
        self.headings.iter().map(move |_| unpack(&mut rest, &self.dictionary))
    }

    /// The cell of a row in this column.
    pub(crate) fn cell(&self, row: usize, id: ColumnId) -> Option<Value<'_>> {
        self.headings.iter().zip(self.cells(row)).find(|(heading, _)| heading.id == id).map(|(_, value)| value)
    }

    /// The columns shown.
    pub(crate) fn columns(&self) -> &[Heading] {
        &self.headings[..self.shown.min(self.headings.len())]
    }

    /// Widens columns to their previous width. They never shrink, so that the layout stays from one snapshot to the
    /// next.
    pub(crate) fn keep_widths(&mut self, before: &Self) {
        if self.columns() == before.columns() {
            for (natural, known) in self.naturals.iter_mut().zip(&before.naturals) {
                *natural = (*natural).max(*known);
            }
        }
    }
}

/// Builds a table.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    table: Table,
    /// Rows to be placed behind an anchor row once the order is known
    behind: Vec<(Option<RowId>, RowHead)>,
}

impl Builder {
    /// A builder for these columns, of which the first `shown` are shown and the others only identify a row. `like` is
    /// the previous table: this one is likely to be as large.
    pub(crate) fn new(headings: Vec<Heading>, shown: usize, has_cookies: bool, like: Option<&Table>) -> Self {
        let naturals = headings.iter().map(|heading| heading.title.width()).collect();
        let (mut heads, mut bytes) = (Vec::new(), Vec::new());
        if let Some(like) = like {
            // Growth by doubling would reserve twice the memory needed.
            heads.reserve_exact(like.heads.len() + like.heads.len() / 16);
            bytes.reserve_exact(like.bytes.len() + like.bytes.len() / 16);
        }
        let table = Table {
            headings,
            shown,
            naturals,
            spaces: Vec::new(),
            heads,
            bytes,
            dictionary: Dictionary::default(),
            has_cookies,
            gone: 0,
        };
        Self { table, behind: Vec::new() }
    }

    /// The columns; each row needs a cell for every one.
    pub(crate) fn headings(&self) -> &[Heading] {
        &self.table.headings
    }

    /// Begins a row; its cells follow.
    pub(crate) fn row(&mut self, id: RowId, sign: Sign, age: Age) {
        let table = &mut self.table;
        let space = table.spaces.iter().position(|known| *known == id.netns).unwrap_or_else(|| {
            table.spaces.push(id.netns);
            table.spaces.len() - 1
        });
        let (space, offset) = (u16::try_from(space).unwrap_or(u16::MAX), table.bytes.len() as u32);
        table.gone += usize::from(age == Age::Gone);
        table.heads.push(RowHead { key: id.key, offset, space, sign, age });
    }

    /// Adds the next cell of the row, for the column with this number.
    pub(crate) fn cell(&mut self, column: usize, value: &Value<'_>) {
        let Table { headings, naturals, dictionary, bytes, .. } = &mut self.table;
        let (Some(heading), Some(natural)) = (headings.get(column), naturals.get_mut(column)) else { return };
        if let Some(number) = value.text().and_then(|text| dictionary.number(&text)) {
            *natural = (*natural).max(dictionary.width(number));
            return pack_known(number, bytes);
        }
        *natural = (*natural).max(width(value, heading.unit));
        pack(value, dictionary, bytes);
    }

    /// Copies a row from another table with the same columns, to stand behind the row `anchor`, or first if there is
    /// none.
    pub(crate) fn take_over_behind(&mut self, anchor: Option<RowId>, other: &Table, row: usize, age: Age) {
        let Some(id) = other.id(row) else { return };
        self.row(id, other.sign(row), age);
        other.cells(row).enumerate().for_each(|(column, value)| self.cell(column, &value));
        self.behind.extend(self.table.heads.pop().map(|head| (anchor, head)));
    }

    /// Sorts the rows and returns the table. The sort is stable.
    pub(crate) fn finish(mut self, order: &Order, is_urgency_first: bool) -> Table {
        match order {
            Order::Alarm if is_urgency_first => self.table.heads.sort_by_key(|head| head.sign.urgency()),
            Order::Alarm => {}
            Order::By { column, descending } => self.sort_by(*column, *descending),
        }
        if !self.behind.is_empty() {
            self.put_behind();
        }
        self.table
    }

    fn put_behind(&mut self) {
        let mut behind: FxHashMap<Option<RowId>, Vec<RowHead>> = FxHashMap::default();
        for (anchor, head) in std::mem::take(&mut self.behind) {
            behind.entry(anchor).or_default().push(head);
        }
        let mut heads = behind.remove(&None).unwrap_or_default();
        for head in &self.table.heads {
            heads.push(*head);
            heads.extend(behind.remove(&Some(self.table.id_of(head))).unwrap_or_default());
        }
        // Rows whose anchor is not in this table come last.
        heads.extend(behind.into_values().flatten());
        self.table.heads = heads;
    }

    fn sort_by(&mut self, id: ColumnId, descending: bool) {
        let Some(column) = self.table.headings.iter().position(|heading| heading.id == id) else { return };
        let key = |row| self.table.cells(row).nth(column).map(|value| value.sort_key());
        let mut keyed: Vec<_> = (0..self.table.heads.len()).map(|row| (key(row), row)).collect();
        keyed.sort_by(|(one, _), (other, _)| match (one, other) {
            (Some(one), Some(other)) => one.compare(other, descending),
            _ => std::cmp::Ordering::Equal,
        });
        self.table.heads = keyed.into_iter().map(|(_, row)| self.table.heads[row]).collect();
    }
}
