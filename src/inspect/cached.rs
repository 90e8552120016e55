//! Cache of data that is expensive to collect and seldom changes: owners of sockets, and their options. With 100,000
//! sockets a scan of owners takes 170 ms, and options take 6 us a socket.

use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::collect::error::CollectError;
use crate::collect::host::Stopwatch;
use crate::collect::owners::{self, ScanRequest};
use crate::collect::users::Users;
use crate::collect::wanted::Wanted;
use crate::model::gap::Gaps;
use crate::model::holder::Holder;
use crate::model::ids::Inode;
use crate::model::needs::Needs;
use crate::model::options::SocketOptions;
use crate::model::owner::{Held, OwnerTable};
use crate::model::sequence::Sequence;
use crate::model::socket::{Socket, SocketId};

/// Lifetime of a scan, as a multiple of its duration: scans take at most 1/300 of a core.
const SCANS: u32 = 300;
/// Lifetime of a scan if there are new sockets, as a multiple of its duration.
const SCANS_FOR_NEW: u32 = 10;
/// Snapshots after which options are read again: a change by their process is noticed by then.
const LOOKS: u32 = 60;

/// Cached owners and options.
#[derive(Debug, Default)]
pub(super) struct Cached {
    owners: Option<CachedOwners>,
    sockets: Sequence<SeenSocket>,
    look: u32,
}

/// Cached data of one socket.
#[derive(Debug)]
struct SeenSocket {
    /// Its owners, by the scan of this number
    held: Held,
    scan: u32,
    options: Option<Box<CachedOptions>>,
}

#[derive(Debug)]
struct CachedOwners {
    table: OwnerTable,
    gaps: Gaps,
    at: Duration,
    took: Duration,
    has_limits: bool,
    /// Number of the scan, counted up
    scan: u32,
    /// Inodes of sockets for which no owner was found
    ownerless: FxHashSet<Inode>,
}

#[derive(Debug, Clone, Copy)]
struct CachedOptions {
    options: SocketOptions,
    /// Number of the snapshot from which they are read again
    until: u32,
}

/// The owners used by one snapshot.
#[derive(Debug)]
pub(super) struct FoundOwners {
    owners: CachedOwners,
    /// They were found before this snapshot
    is_old: bool,
}

impl FoundOwners {
    /// The result of a scan that is not cached.
    pub(super) fn scanned(Scanned { table, gaps, took }: Scanned) -> Self {
        let (at, has_limits, ownerless) = (Duration::ZERO, false, FxHashSet::default());
        Self { owners: CachedOwners { table, gaps, at, took, has_limits, scan: 0, ownerless }, is_old: false }
    }

    pub(super) fn table(&self) -> &OwnerTable {
        &self.owners.table
    }

    pub(super) fn gaps(&self) -> Gaps {
        self.owners.gaps.clone()
    }

    /// Whether a process may hold the socket nevertheless, so that a further scan is worthwhile.
    pub(super) fn is_unsettled(&self, holder: &Holder<'_>, inode: Option<Inode>) -> bool {
        let may_be = match holder {
            Holder::Kernel => true,
            // Some processes are hidden; but the owner may be a readable process that is newer than the cached scan.
            Holder::Hidden => self.is_old,
            _ => false,
        };
        may_be && !self.knows_nobody_of(inode)
    }

    /// Whether no process holds the socket while this scan is cached: it existed when all processes were scanned.
    pub(super) fn is_ownerless(&self, holder: &Holder<'_>, inode: Option<Inode>) -> bool {
        holder.owners().is_none() && (!self.is_old || self.knows_nobody_of(inode))
    }

    /// Whether it is too early to scan all processes again. Until then the owners of new sockets are unknown.
    pub(super) fn is_recent(&self, now: Duration) -> bool {
        self.is_old && now.saturating_sub(self.owners.at) < self.owners.took * SCANS_FOR_NEW
    }

    /// Whether a scan for this socket has found no owner.
    fn knows_nobody_of(&self, inode: Option<Inode>) -> bool {
        inode.is_some_and(|inode| self.owners.ownerless.contains(&inode))
    }

    /// Caches the owners for the next snapshot; a `newer` scan, with its time, replaces them. `ownerless` are the sockets
    /// without an owner: all of them, or, if `is_part`, only those that the snapshot covered.
    pub(super) fn keep(
        self,
        cached: &mut Cached,
        newer: Option<(Scanned, Duration)>,
        ownerless: FxHashSet<Inode>,
        is_part: bool,
    ) {
        let mut owners = self.owners;
        if let Some((scanned, at)) = newer {
            (owners.table, owners.gaps, owners.took) = (scanned.table, scanned.gaps, scanned.took);
            (owners.at, owners.scan) = (at, owners.scan.wrapping_add(1));
        }
        // Drop inodes that no longer exist: under churn the set would grow for ever.
        if is_part {
            owners.ownerless.extend(ownerless);
        } else {
            owners.ownerless = ownerless;
        }
        cached.owners = Some(owners);
    }
}

/// Result of a scan of all processes.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) table: OwnerTable,
    pub(super) gaps: Gaps,
    took: Duration,
}

/// Scans all processes, or as many as needed to find the owners of the wanted sockets. A series of snapshots uses one thread.
pub(super) fn scan(
    users: &mut Users,
    needs: Needs,
    is_watched: bool,
    wanted: Option<&Wanted>,
) -> Result<Scanned, CollectError> {
    let stopwatch = Stopwatch::start();
    let request = ScanRequest { limits: needs.contains(Needs::LIMITS), in_parallel: !is_watched, wanted };
    let (table, gaps) = owners::scan(users, request)?;
    Ok(Scanned { table, gaps, took: stopwatch.elapsed() })
}

/// The owners, from the cache or from a new scan.
pub(super) fn owners(
    cached: Option<(&mut Cached, Duration)>,
    users: &mut Users,
    needs: Needs,
) -> Result<FoundOwners, CollectError> {
    let has_limits = needs.contains(Needs::LIMITS);
    let is_watched = cached.is_some();
    let at = cached.as_ref().map_or(Duration::ZERO, |(_, now)| *now);
    let before = cached.and_then(|(cached, now)| Some((cached.owners.take()?, now)));
    let number = before.as_ref().map_or(0, |(owners, _)| owners.scan.wrapping_add(1));
    let is_good = |(owners, now): &(CachedOwners, Duration)| {
        owners.has_limits >= has_limits && now.saturating_sub(owners.at) < owners.took * SCANS
    };
    if let Some((owners, _)) = before.filter(is_good) {
        return Ok(FoundOwners { owners, is_old: true });
    }
    let Scanned { table, gaps, took } = scan(users, needs, is_watched, None)?;
    let owners = CachedOwners { table, gaps, at, took, has_limits, scan: number, ownerless: FxHashSet::default() };
    Ok(FoundOwners { owners, is_old: false })
}

impl Cached {
    /// Begins a snapshot of all sockets: drops sockets that the last one did not contain.
    pub(super) fn begin(&mut self) {
        self.sockets.end(|_, _| ());
        self.sockets.begin();
        self.look += 1;
    }

    /// Owner of a socket of the current snapshot. While the scan is unchanged, the owner found before is reused.
    pub(super) fn holder<'a>(&mut self, socket: &Socket, owners: Option<&'a FoundOwners>) -> Holder<'a> {
        let scan = owners.map_or(0, |owners| owners.owners.scan);
        let unknown = || SeenSocket { held: Held::default(), scan: scan.wrapping_sub(1), options: None };
        let seen = self.sockets.meet(socket.id, unknown);
        Holder::of_with(socket, owners.map(FoundOwners::table), |table, inode| {
            let Some((seen, _)) = seen else { return table.of(inode) };
            if seen.scan != scan {
                (seen.held, seen.scan) = (table.held(inode), scan);
            }
            table.owners(seen.held)
        })
    }

    /// Cached options, if they are recent.
    pub(super) fn options(&mut self, id: SocketId, more: bool) -> Option<SocketOptions> {
        let look = self.look;
        let known = self.sockets.get_mut(id)?.options.as_ref()?;
        let is_fresh = look < known.until;
        (is_fresh && known.options.more.is_some() >= more).then_some(known.options)
    }

    /// Caches options that were just read.
    pub(super) fn note_options(&mut self, id: SocketId, options: SocketOptions) {
        let look = self.look;
        if let Some(seen) = self.sockets.get_mut(id) {
            // Spread the expiry, so that options first read in one snapshot are not all read again in one.
            let spread = id.cookie.map_or(LOOKS, |cookie| 1 + cookie.0 as u32 % LOOKS);
            let until = look + if seen.options.is_none() { spread } else { LOOKS };
            seen.options = Some(Box::new(CachedOptions { options, until }));
        }
    }

    pub(super) fn forget_options(&mut self, sockets: &[SocketId]) {
        for id in sockets {
            if let Some(seen) = self.sockets.get_mut(*id) {
                seen.options = None;
            }
        }
    }
}
