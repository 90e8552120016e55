//! Who runs this program, and with whose rights: what the kernel says, which no environment can forge.

use std::os::unix::fs::MetadataExt;

use procfs::process::Process as ProcDir;
use rustix::process::{getegid, geteuid, getgid, getuid};
use rustix::thread::{CapabilitySet, capabilities};

/// Environment variables that a program with the rights of its file still believes: none of them names a file.
const HARMLESS: [&str; 7] = ["COLUMNS", "NO_COLOR", "TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE"];

/// Capabilities that reach sockets and processes of others.
const REACHING: CapabilitySet = CapabilitySet::NET_ADMIN
    .union(CapabilitySet::SYS_PTRACE)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::DAC_OVERRIDE);

/// Who runs this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Real user id: whoever started it
    pub uid: u32,
    /// Effective user id: whose rights it has
    pub euid: u32,
    /// Whether its rights reach further than those of the real user: effective root, another effective user, or a capability
    pub is_privileged: bool,
    /// Whether its user ids are those of the host, and not of a user namespace, in which anybody may be root
    pub is_of_host: bool,
    /// `AT_SECURE`, and not started by root: it has rights from its file (set-user-ID, set-group-ID, file capabilities), or a
    /// security module gave it another domain
    pub has_rights_of_file: bool,
}

impl Caller {
    /// Asks the kernel.
    pub(crate) fn find() -> Self {
        let (uid, euid) = (getuid(), geteuid());
        let reaches = |set: CapabilitySet| set.intersects(REACHING);
        // capget(2) of the own process does not fail; if it did, the rights would not be known to be harmless.
        let is_capable = capabilities(None).map_or(true, |sets| reaches(sets.effective));
        Self {
            uid: uid.as_raw(),
            euid: euid.as_raw(),
            is_privileged: euid.is_root() || euid != uid || getegid() != getgid() || is_capable,
            is_of_host: user_namespace().is_none_or(|inode| inode == FIRST_USER_NAMESPACE),
            has_rights_of_file: !uid.is_root() && is_secure_mode(),
        }
    }

    /// Whether the host's root itself started it.
    pub(crate) fn is_root(&self) -> bool {
        self.uid == 0 && self.is_of_host
    }
}

/// `PROC_USER_INIT_INO`: the inode of the first user namespace, the same on every kernel since 3.8.
const FIRST_USER_NAMESPACE: u64 = 0xefff_fffd;

/// Inode of the user namespace; none on a kernel without them.
fn user_namespace() -> Option<u64> {
    std::fs::metadata("/proc/self/ns/user").ok().map(|metadata| metadata.ino())
}

/// Who logged in (`/proc/PID/loginuid`), whatever user they have become since; none without a login, or without audit.
pub(crate) fn login_uid() -> Option<u32> {
    const UNSET: u32 = u32::MAX;
    ProcDir::myself().ok()?.loginuid().ok().filter(|&uid| uid != UNSET)
}

/// Name of the controlling terminal below /dev, such as `pts/3`; none without one.
pub(crate) fn terminal() -> Option<String> {
    let (major, minor) = ProcDir::myself().ok()?.stat().ok()?.tty_nr();
    match (major, minor) {
        (0, _) => None,
        (4, minor @ 0..64) => Some(format!("tty{minor}")),
        (4, minor) => Some(format!("ttyS{}", minor - 64)),
        // Unix 98 pseudo-terminals (Documentation/admin-guide/devices.txt).
        (major @ 136..=143, minor) => Some(format!("pts/{}", (major - 136) * 256 + minor)),
        (major, minor) => Some(format!("{major}:{minor}")),
    }
}

/// `AT_SECURE`: the kernel started the program in secure-execution mode (ld.so(8)).
#[allow(unsafe_code, reason = "getauxval(3) has no safe wrapper, and /proc/self/auxv may not be read in that mode")]
fn is_secure_mode() -> bool {
    // SAFETY: no pointers; the value of AT_SECURE is a number, not an address.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Removes every variable from the environment that may name a file or a server: `HOME`, `XDG_CONFIG_HOME`, `TZ` and all that
/// is not known to be harmless. For a program that has rights of its file: they are not to be lent to who set the variables.
#[allow(unsafe_code, reason = "the environment is shared by all threads")]
pub(crate) fn forget_environment() {
    for (name, _) in std::env::vars_os() {
        if !HARMLESS.iter().any(|harmless| name == *harmless) {
            // SAFETY: called before the program starts its first thread.
            unsafe { std::env::remove_var(name) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, is_secure_mode};

    #[test]
    fn a_program_without_rights_of_its_file_is_told_from_one_with_them() {
        // Of one with them: tests/e2e/privilege.rs.
        assert!(!is_secure_mode());
        let caller = Caller::find();
        assert!(!caller.has_rights_of_file && caller.is_privileged >= caller.is_root(), "{caller:?}");
    }
}
