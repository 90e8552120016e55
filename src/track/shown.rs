//! The rows shown last, and which of them are gone since: those stay for a moment, marked.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::line::RowId;
use super::query::Query;
use super::table::Table;

/// How long a row is marked as new, or kept as gone.
pub(super) const MARKED: Duration = Duration::from_secs(2);

/// The rows shown last.
#[derive(Debug, Default)]
pub struct ShownRows {
    /// The last query, and the table shown for it
    pub(super) last: Option<(Query, Arc<Table>)>,
    /// Rows that are gone, and when they went
    gone: FxHashMap<RowId, Duration>,
}

impl ShownRows {
    /// Begins a snapshot: drops rows that went longer ago than they are kept.
    pub(super) fn begin(&mut self, now: Duration) {
        self.gone.retain(|_, since| now.saturating_sub(*since) < MARKED);
    }

    /// Marks a row as gone.
    pub(super) fn lose(&mut self, row: RowId, now: Duration) {
        self.gone.insert(row, now);
    }

    /// Whether the row went a moment ago.
    pub(super) fn is_gone(&self, id: RowId) -> bool {
        self.gone.contains_key(&id)
    }

    /// Whether any row went a moment ago.
    pub(super) fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// The table shown last.
    pub(super) fn table(&self) -> Option<&Table> {
        self.last.as_ref().map(|(_, table)| &**table)
    }
}
