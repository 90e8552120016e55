//! The last changes, in the order of time.

use std::collections::VecDeque;
use std::time::SystemTime;

use super::change::Change;

/// Changes that are kept.
pub(crate) const MOST_CHANGES: usize = 10_000;

/// The last changes, the newest last.
#[derive(Debug)]
pub struct ChangeLog {
    clock: fn(SystemTime) -> String,
    changes: VecDeque<Change>,
    /// How many there were in all, now and when this snapshot began
    count: u64,
    count_before: u64,
}

impl ChangeLog {
    /// Nothing has happened. `clock` writes the time of day.
    pub(super) fn new(clock: fn(SystemTime) -> String) -> Self {
        Self { clock, changes: VecDeque::new(), count: 0, count_before: 0 }
    }

    /// A snapshot begins.
    pub(super) fn begin(&mut self) {
        self.count_before = self.count;
    }

    /// The number of the next change, and its time of day.
    pub(super) fn stamp(&mut self, at: SystemTime) -> (u64, String) {
        self.count += 1;
        (self.count, (self.clock)(at))
    }

    /// Adds a change; the oldest goes where there are too many.
    pub(super) fn push(&mut self, change: Change) {
        if self.changes.len() >= MOST_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    /// The snapshot is over: what the kernel reported lies before what the snapshot has found.
    pub(super) fn end(&mut self) {
        let new = usize::try_from(self.count - self.count_before).unwrap_or(usize::MAX).min(self.changes.len());
        let from = self.changes.len() - new;
        self.changes.make_contiguous()[from..].sort_by_key(|change| change.at);
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
