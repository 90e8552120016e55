//! What is kept from one snapshot to the next, where there are several.

use super::cached::Cached;
use crate::collect::host::Stopwatch;
use crate::diagnose::sightings::Sightings;
use crate::model::socket::SocketId;

/// Kept from one snapshot to the next: what is dear to find out is not asked for anew, and two sights of a timer tell more than
/// one.
#[derive(Debug)]
pub struct Cache {
    pub(super) sightings: Sightings,
    pub(super) clock: Stopwatch,
    pub(super) cached: Cached,
}

/// A cache, and whether the snapshot shows all that is kept in it.
#[derive(Debug)]
pub struct CacheUse<'a> {
    pub(super) cache: &'a mut Cache,
    pub(super) is_part: bool,
}

impl CacheUse<'_> {
    pub(super) fn reborrow(&mut self) -> CacheUse<'_> {
        CacheUse { cache: self.cache, is_part: self.is_part }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self { sightings: Sightings::default(), clock: Stopwatch::start(), cached: Cached::default() }
    }
}

impl Cache {
    /// For a snapshot of all that is looked at again and again: what it does not show is forgotten.
    pub fn whole(&mut self) -> CacheUse<'_> {
        CacheUse { cache: self, is_part: false }
    }

    /// For a snapshot of a part of it: what it does not show is not forgotten, and of what it shows the options are read anew.
    pub fn part(&mut self) -> CacheUse<'_> {
        CacheUse { cache: self, is_part: true }
    }

    /// The options of these sockets were changed: what was read of them before is forgotten.
    pub(crate) fn forget_options(&mut self, sockets: &[SocketId]) {
        self.cached.forget_options(sockets);
    }
}
