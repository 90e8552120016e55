//! Log of the last changes, in order of time.

use std::collections::VecDeque;
use std::time::SystemTime;

use super::change::Change;

/// Maximum number of changes in the log.
pub(crate) const MOST_CHANGES: usize = 10_000;

/// The last changes, the newest last.
#[derive(Debug)]
pub struct ChangeLog {
    clock: fn(SystemTime) -> String,
    changes: VecDeque<Change>,
    /// Number of changes ever logged, now and when this snapshot began
    count: u64,
    count_before: u64,
}

impl ChangeLog {
    /// An empty log. `clock` formats a time of day.
    pub(super) fn new(clock: fn(SystemTime) -> String) -> Self {
        Self { clock, changes: VecDeque::new(), count: 0, count_before: 0 }
    }

    /// Begins a snapshot.
    pub(super) fn begin(&mut self) {
        self.count_before = self.count;
    }

    /// The number of the next change, and its formatted time.
    pub(super) fn stamp(&mut self, at: SystemTime) -> (u64, String) {
        self.count += 1;
        (self.count, (self.clock)(at))
    }

    /// Adds a change. If the log is full, the oldest one is dropped.
    pub(super) fn push(&mut self, change: Change) {
        if self.changes.len() >= MOST_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    /// Ends the snapshot: sorts its changes by time, since the kernel's reports may be older than what the snapshot
    /// found.
    pub(super) fn end(&mut self) {
        let new = usize::try_from(self.count - self.count_before).unwrap_or(usize::MAX).min(self.changes.len());
        let from = self.changes.len() - new;
        self.changes.make_contiguous()[from..].sort_by_key(|change| change.at);
    }

    /// All changes, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter()
    }

    /// Number of changes in the log.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether the log is empty.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
