//! Cache that is carried from one snapshot to the next.

use super::cached::Cached;
use crate::collect::host::Stopwatch;
use crate::model::socket::SocketId;

/// State carried from one snapshot to the next, so that expensive data is not collected again.
#[derive(Debug)]
pub struct Cache {
    pub(super) clock: Stopwatch,
    pub(super) cached: Cached,
}

/// A cache, and whether the snapshot covers only a part of its sockets.
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
        Self { clock: Stopwatch::start(), cached: Cached::default() }
    }
}

impl Cache {
    /// For a snapshot of all watched sockets: sockets that it does not contain are removed from the cache.
    pub fn whole(&mut self) -> CacheUse<'_> {
        CacheUse { cache: self, is_part: false }
    }

    /// For a snapshot of a part of them: sockets that it does not contain stay in the cache, and options are read again.
    pub fn part(&mut self) -> CacheUse<'_> {
        CacheUse { cache: self, is_part: true }
    }

    /// Drops the cached options of sockets whose options were changed.
    pub(crate) fn forget_options(&mut self, sockets: &[SocketId]) {
        self.cached.forget_options(sockets);
    }
}
