//! Sockets whose owners a process scan searches for, so that it reads no more descriptors than necessary.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::ids::{Fd, Inode, Pid};

/// No descriptor has this number (`NR_OPEN` is far below).
const NONE: u32 = u32::MAX;
/// Processes with more descriptors are read last. The others are always read completely.
const MANY: u64 = 1024;

/// Inodes of the wanted sockets, each with the descriptor under which it was first found.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    sockets: FxHashMap<Inode, AtomicU32>,
    unfound: AtomicUsize,
    /// Users that the sockets belong to; their processes most likely hold them
    uids: FxHashSet<u32>,
}

impl Wanted {
    /// Takes the inode of each socket and the user that it belongs to.
    pub(crate) fn new(sockets: impl IntoIterator<Item = (Inode, Option<u32>)>) -> Self {
        let mut wanted = Self::default();
        for (inode, uid) in sockets {
            wanted.sockets.insert(inode, AtomicU32::new(NONE));
            wanted.uids.extend(uid);
        }
        wanted.unfound = AtomicUsize::new(wanted.sockets.len());
        wanted
    }

    /// Whether no socket is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Records the descriptor under which a socket was found. Returns whether the socket is wanted.
    pub(super) fn note(&self, inode: Inode, fd: Fd) -> bool {
        let Some(found) = self.sockets.get(&inode) else { return false };
        if found.compare_exchange(NONE, fd.0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.unfound.fetch_sub(1, Ordering::Relaxed);
        }
        true
    }

    /// Whether an owner of every socket has been found.
    pub(super) fn are_found(&self) -> bool {
        self.unfound.load(Ordering::Relaxed) == 0
    }

    /// Inode and first descriptor of the sockets found so far.
    pub(super) fn found(&self) -> impl Iterator<Item = (Inode, Fd)> + '_ {
        let found = self.sockets.iter().map(|(inode, fd)| (*inode, Fd(fd.load(Ordering::Relaxed))));
        found.filter(|(_, fd)| fd.0 != NONE)
    }

    /// Sorts processes with few descriptors first, since those are read completely, and the most likely owners before others.
    pub(super) fn sort(&self, pids: &mut [Pid]) {
        pids.sort_by_cached_key(|pid| {
            // The place of a process that has ended does not matter. Before Linux 6.2 the size is 0, and the order does not help.
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
