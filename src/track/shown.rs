//! The rows that were shown last, and which of them are gone since: those stay for a moment, marked.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::line::RowId;
use super::query::Query;
use super::table::Table;

/// So long a row is marked as new, or kept as gone.
pub(super) const MARKED: Duration = Duration::from_secs(2);

/// The rows that were shown last.
#[derive(Debug, Default)]
pub struct ShownRows {
    /// What was asked for, and what was shown
    pub(super) last: Option<(Query, Arc<Table>)>,
    /// When those that are gone went
    gone: FxHashMap<RowId, Duration>,
}

impl ShownRows {
    /// A snapshot begins.
    pub(super) fn begin(&mut self, now: Duration) {
        self.gone.retain(|_, since| now.saturating_sub(*since) < MARKED);
    }

    /// A row is gone.
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

    /// The table that was shown.
    pub(super) fn table(&self) -> Option<&Table> {
        self.last.as_ref().map(|(_, table)| &**table)
    }
}
