//! State carried from one snapshot to the next.

use super::kept::Kept;
use crate::collect::host::Stopwatch;
use crate::diagnose::sightings::Sightings;
use crate::model::socket::SocketId;

/// What is carried from one snapshot to the next, where there are several: two sights tell more than one.
#[derive(Debug)]
pub struct Watched {
    pub(super) sightings: Sightings,
    pub(super) clock: Stopwatch,
    pub(super) kept: Kept,
}

impl Default for Watched {
    fn default() -> Self {
        Self { sightings: Sightings::default(), clock: Stopwatch::start(), kept: Kept::default() }
    }
}

impl Watched {
    /// The options of these sockets were changed: what was read of them before is forgotten.
    pub fn forget_options(&mut self, sockets: &[SocketId]) {
        self.kept.forget_options(sockets);
    }
}
