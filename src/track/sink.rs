//! Sink that records the changes of one snapshot, without making rows of a view.

use std::io;
use std::time::Duration;

use super::tracker::Tracker;
use crate::model::gap::GapKind;
use crate::model::namespace::Namespace;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};

/// The sink of one snapshot. Afterwards, [`Tracker::changes`] holds the changes it found.
#[derive(Debug)]
pub struct ChangeSink<'a> {
    tracker: &'a mut Tracker,
    at: Duration,
    namespaces: Vec<Namespace>,
}

impl<'a> ChangeSink<'a> {
    /// A sink for a snapshot that begins at `at`, by a clock that runs on from one snapshot to the next.
    pub fn new(tracker: &'a mut Tracker, at: Duration) -> Self {
        Self { tracker, at, namespaces: Vec::new() }
    }
}

impl Sink for ChangeSink<'_> {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.namespaces.clone_from(&head.namespaces);
        self.tracker.begin(self.at, head.taken_at);
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.tracker.add(row);
        Ok(())
    }

    fn tail(&mut self, tail: &Tail) -> io::Result<()> {
        let is_whole = !tail.gaps.iter().any(|gap| gap.kind == GapKind::Sockets);
        self.tracker.end(Vec::new(), &self.namespaces, is_whole);
        Ok(())
    }
}
