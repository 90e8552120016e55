//! How many descriptors this process may open (`RLIMIT_NOFILE`).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept free for short use: a scan of processes, a netlink socket, /proc files, the journal.
const RESERVE: usize = 64;

/// Raises the soft limit to the hard one. The soft default of 1024 is for programs that use select(2).
pub(crate) fn raise() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // A container's seccomp profile may refuse this. Then the soft limit stays, and what does not fit is reported as a gap.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Number of descriptors that may stay open: at most `most` and half of the limit above the reserve, at least one.
pub(crate) fn room_for(most: usize) -> usize {
    let limit =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    most.min(limit.saturating_sub(RESERVE) / 2).max(1)
}
