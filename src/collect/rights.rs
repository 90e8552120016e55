//! Capabilities of this process, so that a remedy names only those that are missing.

use rustix::thread::{CapabilitySet, capabilities};

use crate::model::gap::Remedy;
use crate::model::rights::Capabilities;

/// Capabilities needed to read other users' descriptors.
pub(crate) const READ_DESCRIPTORS: Capabilities = Capabilities::SYS_PTRACE.union(Capabilities::DAC_READ_SEARCH);

/// Capabilities needed to find the namespace of another user's process and to enter it.
pub(crate) const LOOK_AND_ENTER: Capabilities = Capabilities::SYS_PTRACE.union(Capabilities::SYS_ADMIN);

/// The effective capabilities of the calling thread; empty if capget(2) fails.
pub(crate) fn effective() -> Capabilities {
    let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let known = [
        (CapabilitySet::DAC_READ_SEARCH, Capabilities::DAC_READ_SEARCH),
        (CapabilitySet::NET_ADMIN, Capabilities::NET_ADMIN),
        (CapabilitySet::SYS_ADMIN, Capabilities::SYS_ADMIN),
        (CapabilitySet::SYS_PTRACE, Capabilities::SYS_PTRACE),
    ];
    known.into_iter().filter(|(theirs, _)| held.contains(*theirs)).map(|(_, ours)| ours).collect()
}

/// Remedy for a refused operation that these capabilities would have permitted.
pub(crate) fn remedy(needed: Capabilities) -> Remedy {
    let missing = needed - effective();
    if missing.is_empty() {
        return Remedy::None;
    }
    Remedy::Grant { missing, is_root: rustix::process::geteuid().is_root() }
}
