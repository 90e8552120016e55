//! What is dear to find out and seldom changes, kept from one snapshot to the next: who holds which socket, and options
//! that were read. On a host with 100,000 sockets the one takes 170 ms, the other 6 us a socket.

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

/// A scan is good for so many times as long as it took: to look for owners takes at most this part of a core.
const SCANS: u32 = 300;
/// The same where there are new sockets.
const SCANS_FOR_NEW: u32 = 10;
/// Options are read again at every so many-th look: a program that changes them later is seen to have done so then.
const LOOKS: u32 = 60;

/// Owners and options.
#[derive(Debug, Default)]
pub(super) struct Cached {
    owners: Option<CachedOwners>,
    sockets: Sequence<SeenSocket>,
    look: u32,
}

/// What is kept of a socket.
#[derive(Debug)]
struct SeenSocket {
    /// Who holds it by the scan of this number
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
    /// Counts up from scan to scan
    scan: u32,
    /// Inodes that nobody was found to hold
    nobodys: FxHashSet<Inode>,
}

#[derive(Debug, Clone, Copy)]
struct CachedOptions {
    options: SocketOptions,
    /// The look from which on they are read again
    until: u32,
}

/// The owners of one snapshot.
#[derive(Debug)]
pub(super) struct FoundOwners {
    owners: CachedOwners,
    /// They were looked for before this snapshot
    is_old: bool,
}

impl FoundOwners {
    /// Those that a scan of all processes found, which nobody keeps.
    pub(super) fn scanned(Scanned { table, gaps, took }: Scanned) -> Self {
        let (at, has_limits, nobodys) = (Duration::ZERO, false, FxHashSet::default());
        Self { owners: CachedOwners { table, gaps, at, took, has_limits, scan: 0, nobodys }, is_old: false }
    }

    pub(super) fn table(&self) -> &OwnerTable {
        &self.owners.table
    }

    pub(super) fn gaps(&self) -> Gaps {
        self.owners.gaps.clone()
    }

    /// Whether somebody may hold a socket all the same, so that it is worth to look again.
    pub(super) fn is_unsettled(&self, holder: &Holder<'_>, inode: Option<Inode>) -> bool {
        let may_be = match holder {
            Holder::Kernel => true,
            // Some processes are hidden; but it may belong to one that is not, and newer than what was kept.
            Holder::Hidden => self.is_old,
            _ => false,
        };
        may_be && !self.knows_nobody_of(inode)
    }

    /// Whether nobody holds it for as long as this is kept: all were looked through while it was there.
    pub(super) fn is_nobodys(&self, holder: &Holder<'_>, inode: Option<Inode>) -> bool {
        holder.owners().is_none() && (!self.is_old || self.knows_nobody_of(inode))
    }

    /// Whether it is too early to look through all processes again: new sockets wait for their holders then.
    pub(super) fn is_recent(&self, now: Duration) -> bool {
        self.is_old && now.saturating_sub(self.owners.at) < self.owners.took * SCANS_FOR_NEW
    }

    /// Whether everybody was looked through for it, and nobody holds it.
    fn knows_nobody_of(&self, inode: Option<Inode>) -> bool {
        inode.is_some_and(|inode| self.owners.nobodys.contains(&inode))
    }

    /// For the next snapshot; looked for anew at that time where there is `newer`. Nobody holds the inodes `nobodys`, which
    /// are all of the kind that were seen, but where only a part was looked at.
    pub(super) fn keep(
        self,
        cached: &mut Cached,
        newer: Option<(Scanned, Duration)>,
        nobodys: FxHashSet<Inode>,
        is_part: bool,
    ) {
        let mut owners = self.owners;
        if let Some((scanned, at)) = newer {
            (owners.table, owners.gaps, owners.took) = (scanned.table, scanned.gaps, scanned.took);
            (owners.at, owners.scan) = (at, owners.scan.wrapping_add(1));
        }
        // Of those that are not there any more nothing is kept: under churn it would grow for ever.
        if is_part {
            owners.nobodys.extend(nobodys);
        } else {
            owners.nobodys = nobodys;
        }
        cached.owners = Some(owners);
    }
}

/// A look through all processes.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) table: OwnerTable,
    pub(super) gaps: Gaps,
    took: Duration,
}

/// Looks through all processes, or as far as it takes to find the holders of the sockets that are wanted. On one thread
/// for whoever does so again and again.
pub(super) fn scan(
    users: &mut Users,
    needs: Needs,
    is_watched: bool,
    wanted: Option<&Wanted>,
) -> Result<Scanned, CollectError> {
    let stopwatch = Stopwatch::start();
    let request = ScanRequest { limits: needs.contains(Needs::LIMITS), beside: !is_watched, wanted };
    let (table, gaps) = owners::scan(users, request)?;
    Ok(Scanned { table, gaps, took: stopwatch.elapsed() })
}

/// The owners, as they were kept or looked for anew.
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
    let owners = CachedOwners { table, gaps, at, took, has_limits, scan: number, nobodys: FxHashSet::default() };
    Ok(FoundOwners { owners, is_old: false })
}

impl Cached {
    /// A look at all sockets begins: those that the last one did not show are forgotten.
    pub(super) fn begin(&mut self) {
        self.sockets.end(|_, _| ());
        self.sockets.begin();
        self.look += 1;
    }

    /// In whose hands a socket is that the look has come to: where it was found before is where it is found again.
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

    /// Options that were read a short time ago.
    pub(super) fn options(&mut self, id: SocketId, more: bool) -> Option<SocketOptions> {
        let look = self.look;
        let known = self.sockets.get_mut(id)?.options.as_ref()?;
        let is_fresh = look < known.until;
        (is_fresh && known.options.more.is_some() >= more).then_some(known.options)
    }

    /// Keeps what was read just now.
    pub(super) fn note_options(&mut self, id: SocketId, options: SocketOptions) {
        let look = self.look;
        if let Some(seen) = self.sockets.get_mut(id) {
            // Those that were first read in one look are not all read again in one.
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
