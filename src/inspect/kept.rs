//! What is dear to find out and seldom changes, kept from one snapshot to the next: who holds which socket, and options
//! that were read. On a host with 100,000 sockets the one takes 170 ms, the other 6 us a socket.

use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::error::CollectError;
use crate::collect::host::Stopwatch;
use crate::collect::owners;
use crate::collect::users::Users;
use crate::model::gap::Gaps;
use crate::model::needs::Needs;
use crate::model::options::SocketOptions;
use crate::model::owner::OwnerTable;
use crate::model::socket::SocketId;

/// A scan is good for so many times as long as it took: to look for owners takes at most this part of a core.
const SCANS: u32 = 40;
/// Options are read again at every so many-th look: a program that changes them later is seen to have done so then.
const LOOKS: u32 = 8;

/// Owners and options.
#[derive(Debug, Default)]
pub(super) struct Kept {
    owners: Option<KeptOwners>,
    options: FxHashMap<SocketId, KeptOptions>,
    look: u32,
}

#[derive(Debug)]
struct KeptOwners {
    table: OwnerTable,
    gaps: Gaps,
    at: Duration,
    took: Duration,
    has_limits: bool,
    /// Inodes that nobody was found to hold
    nobodys: FxHashSet<u32>,
}

#[derive(Debug, Clone, Copy)]
struct KeptOptions {
    options: SocketOptions,
    /// The look that they were read in, and the last that asked for them
    read: u32,
    asked: u32,
}

/// The owners of one snapshot.
#[derive(Debug)]
pub(super) struct Owners {
    kept: KeptOwners,
    /// They were looked for before this snapshot
    is_old: bool,
}

impl Owners {
    pub(super) fn table(&self) -> &OwnerTable {
        &self.kept.table
    }

    pub(super) fn gaps(&self) -> Gaps {
        self.kept.gaps.clone()
    }

    /// Whether somebody may hold a socket all the same whose holder is not among them: it is newer.
    pub(super) fn may_lack(&self, inode: Option<u32>) -> bool {
        self.is_old && !self.knows_nobody_of(inode)
    }

    /// Whether everybody was looked through for it, and nobody holds it.
    pub(super) fn knows_nobody_of(&self, inode: Option<u32>) -> bool {
        inode.is_some_and(|inode| self.kept.nobodys.contains(&inode))
    }

    /// For the next snapshot; looked for anew at `now` where there is `newer`, which has nobody for these inodes.
    pub(super) fn keep(self, kept: &mut Kept, newer: Option<(Scanned, Duration)>, nobodys: FxHashSet<u32>) {
        let mut owners = self.kept;
        if let Some((scanned, at)) = newer {
            (owners.table, owners.gaps, owners.took) = (scanned.table, scanned.gaps, scanned.took);
            (owners.at, owners.nobodys) = (at, nobodys);
        }
        kept.owners = Some(owners);
    }
}

/// A look through all processes.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) table: OwnerTable,
    gaps: Gaps,
    took: Duration,
}

/// Looks through all processes.
pub(super) fn scan(users: &mut Users, needs: Needs) -> Result<Scanned, CollectError> {
    let stopwatch = Stopwatch::start();
    let (table, gaps) = owners::scan(users, needs.contains(Needs::LIMITS))?;
    Ok(Scanned { table, gaps, took: stopwatch.elapsed() })
}

/// The owners, as they were kept or looked for anew.
pub(super) fn owners(
    kept: Option<(&mut Kept, Duration)>,
    users: &mut Users,
    needs: Needs,
) -> Result<Owners, CollectError> {
    let has_limits = needs.contains(Needs::LIMITS);
    let at = kept.as_ref().map_or(Duration::ZERO, |(_, now)| *now);
    let old = kept.and_then(|(kept, now)| {
        kept.owners
            .take()
            .filter(|owners| owners.has_limits == has_limits && now.saturating_sub(owners.at) < owners.took * SCANS)
    });
    if let Some(kept) = old {
        return Ok(Owners { kept, is_old: true });
    }
    let Scanned { table, gaps, took } = scan(users, needs)?;
    let kept = KeptOwners { table, gaps, at, took, has_limits, nobodys: FxHashSet::default() };
    Ok(Owners { kept, is_old: false })
}

impl Kept {
    /// A look at all sockets begins: options that the last one did not ask for are forgotten.
    pub(super) fn begin(&mut self) {
        let last = self.look;
        self.options.retain(|_, options| options.asked == last);
        self.look += 1;
    }

    /// Options that were read a short time ago.
    pub(super) fn options(&mut self, id: SocketId, more: bool) -> Option<SocketOptions> {
        let look = self.look;
        let known = self.options.get_mut(&id).filter(|known| known.options.more.is_some() >= more)?;
        known.asked = look;
        (look - known.read < LOOKS).then_some(known.options)
    }

    /// Keeps what was read just now.
    pub(super) fn note_options(&mut self, id: SocketId, options: SocketOptions) {
        self.options.insert(id, KeptOptions { options, read: self.look, asked: self.look });
    }

    pub(super) fn forget_options(&mut self, sockets: &[SocketId]) {
        for id in sockets {
            self.options.remove(id);
        }
    }
}
