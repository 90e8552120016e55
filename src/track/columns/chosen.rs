//! The columns chosen for a view, typed by the kind of its rows.

use super::changes::Changes;
use super::groups::Groups;
use super::kernel::KernelValues;
use super::sockets::{MovingSockets, TELLING};
use crate::fields::column::{Column, Heading, RowKind};
use crate::fields::id::ColumnId;
use crate::track::line::{Age, RowId, Sign};
use crate::track::query::Query;
use crate::track::table::{Builder, Table};
use crate::track::views::{Catalogue, View};

/// Columns by kind of row: a row of another kind cannot be passed to them.
#[derive(Debug)]
pub(crate) enum Chosen {
    Sockets(Vec<Column<MovingSockets>>),
    Groups(Vec<Column<Groups>>),
    Kernel(Vec<Column<KernelValues>>),
    Changes(Vec<Column<Changes>>),
}

/// A row without its cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineHead {
    pub(crate) id: RowId,
    pub(crate) sign: Sign,
    pub(crate) age: Age,
}

/// The columns of the view, and the builder of the table for its rows. If there are several namespaces, a column for
/// them is added. `like` is the previous table.
pub(crate) fn chosen(query: &Query, is_of_several: bool, like: Option<&Table>) -> (Chosen, Builder) {
    let choice = ColumnPick { query, is_of_several, like };
    match query.view.spec().catalogue {
        Catalogue::Sockets(all) => choice.of(all, TELLING, Chosen::Sockets),
        Catalogue::Groups(all) => choice.of(all, &[ColumnId::Filter], Chosen::Groups),
        Catalogue::Kernel(all) => choice.of(all, &[], Chosen::Kernel),
        Catalogue::Changes(all) => choice.of(all, &[], Chosen::Changes),
    }
}

struct ColumnPick<'a> {
    query: &'a Query,
    is_of_several: bool,
    like: Option<&'a Table>,
}

impl ColumnPick<'_> {
    /// `telling` are the columns that identify a row. They are added even if they are not shown.
    fn of<K: RowKind>(
        &self,
        all: &[Column<K>],
        telling: &[ColumnId],
        kind: fn(Vec<Column<K>>) -> Chosen,
    ) -> (Chosen, Builder) {
        let find = |id: ColumnId| all.iter().find(|column| column.id == id).copied();
        let weighed = |heading: &Heading| find(heading.id).map(|column| column.importance(heading.importance));
        let mut columns: Vec<_> = self.query.columns.iter().filter_map(weighed).collect();
        if let Some(netns) = find(ColumnId::Netns).filter(|netns| self.is_of_several && !columns.contains(netns)) {
            // Among several namespaces, addresses mean nothing without theirs, so it matters nearly as much.
            let importance = if self.query.view == View::Changes { netns.importance } else { 97 };
            columns.insert(0, netns.importance(importance));
        }
        let shown = columns.len();
        for column in telling.iter().filter_map(|id| find(*id)) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let headings = columns.iter().map(|column| column.heading).collect();
        (kind(columns), Builder::new(headings, shown, self.query.view.has_sockets(), self.like))
    }
}

/// Adds one row to the table.
pub(crate) fn push<K: RowKind>(builder: &mut Builder, columns: &[Column<K>], line: LineHead, row: &K::Of<'_>) {
    builder.row(line.id, line.sign, line.age);
    for (number, column) in columns.iter().enumerate() {
        builder.cell(number, &column.value(row));
    }
}
