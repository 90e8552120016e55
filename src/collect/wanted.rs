//! Sockets whose holders are looked for: a scan of all processes reads no more than it has to.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::ids::{Fd, Inode, Pid};

/// No descriptor has this number (`NR_OPEN` is far below).
const NONE: u32 = u32::MAX;
/// Processes with more descriptors are read last: the others are read to their ends whatever is found.
const MANY: u64 = 1024;

/// Inodes, and for each the descriptor under which it was found first.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    sockets: FxHashMap<Inode, AtomicU32>,
    unfound: AtomicUsize,
    /// Users that the sockets belong to: their processes are the most likely holders
    uids: FxHashSet<u32>,
}

impl Wanted {
    /// Sockets by inode, with the user that each belongs to.
    pub(crate) fn new(sockets: impl IntoIterator<Item = (Inode, Option<u32>)>) -> Self {
        let mut wanted = Self::default();
        for (inode, uid) in sockets {
            wanted.sockets.insert(inode, AtomicU32::new(NONE));
            wanted.uids.extend(uid);
        }
        wanted.unfound = AtomicUsize::new(wanted.sockets.len());
        wanted
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Whether a socket is wanted, which was found under this descriptor.
    pub(super) fn note(&self, inode: Inode, fd: Fd) -> bool {
        let Some(found) = self.sockets.get(&inode) else { return false };
        if found.compare_exchange(NONE, fd.0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.unfound.fetch_sub(1, Ordering::Relaxed);
        }
        true
    }

    /// Whether each has a holder.
    pub(super) fn are_found(&self) -> bool {
        self.unfound.load(Ordering::Relaxed) == 0
    }

    /// Inode and first descriptor of those that were found.
    pub(super) fn found(&self) -> impl Iterator<Item = (Inode, Fd)> + '_ {
        let found = self.sockets.iter().map(|(inode, fd)| (*inode, Fd(fd.load(Ordering::Relaxed))));
        found.filter(|(_, fd)| fd.0 != NONE)
    }

    /// Puts processes with few descriptors first, since those are read to their ends; then the most likely holders.
    pub(super) fn sort(&self, pids: &mut [Pid]) {
        pids.sort_by_cached_key(|pid| {
            // One that has vanished is no matter where. Before Linux 6.2 the size is 0: then the order is of no help.
            let directory = fs::metadata(format!("/proc/{pid}/fd"));
            let (count, uid) = directory.map_or((0, NONE), |directory| (directory.size(), directory.uid()));
            (count > MANY, !self.uids.contains(&uid), count, *pid)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;
    use crate::model::ids::{Fd, Inode};

    #[test]
    fn all_are_found_when_each_has_a_holder_and_the_first_descriptor_is_kept() {
        let wanted = Wanted::new([(Inode(7), None), (Inode(8), Some(0))]);
        assert!(!wanted.note(Inode(9), Fd(3)) && !wanted.are_found());
        assert!(wanted.note(Inode(7), Fd(3)) && wanted.note(Inode(7), Fd(4)) && !wanted.are_found());
        assert!(wanted.note(Inode(8), Fd(5)) && wanted.are_found());
        let mut found: Vec<_> = wanted.found().collect();
        found.sort_unstable();
        assert_eq!(found, [(Inode(7), Fd(3)), (Inode(8), Fd(5))]);
    }
}
