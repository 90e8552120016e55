//! User and privileges of this program, read from the kernel, so that no environment variable can forge them.

use std::os::unix::fs::MetadataExt;

use procfs::process::Process as ProcDir;
use rustix::process::{getegid, geteuid, getgid, getuid};
use rustix::thread::{CapabilitySet, capabilities};

/// Environment variables that a program with rights from its file still trusts: none of them names a file.
const HARMLESS: [&str; 7] = ["COLUMNS", "NO_COLOR", "TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE"];

/// Capabilities that give access to sockets and processes of other users.
const REACHING: CapabilitySet = CapabilitySet::NET_ADMIN
    .union(CapabilitySet::SYS_PTRACE)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::DAC_OVERRIDE);

/// User and privileges that this program runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Real user id: the user who started it
    pub uid: u32,
    /// Effective user id: the user whose rights it has
    pub euid: u32,
    /// Whether its rights exceed those of the real user: effective root, another effective user or group, or a capability
    pub is_privileged: bool,
    /// Whether its user ids are those of the host, not of a user namespace, in which anybody may be root
    pub is_of_host: bool,
    /// `AT_SECURE` is set, and the program was not started by root: it has rights from its file (set-user-ID,
    /// set-group-ID, file capabilities), or a security module gave it another domain
    pub has_rights_of_file: bool,
}

impl Caller {
    /// Reads the ids and capabilities of this process.
    pub(crate) fn find() -> Self {
        let (uid, euid) = (getuid(), geteuid());
        let reaches = |set: CapabilitySet| set.intersects(REACHING);
        // capget(2) of the own process does not fail. If it did, the rights would count as privileged.
        let is_capable = capabilities(None).map_or(true, |sets| reaches(sets.effective));
        Self {
            uid: uid.as_raw(),
            euid: euid.as_raw(),
            is_privileged: euid.is_root() || euid != uid || getegid() != getgid() || is_capable,
            is_of_host: user_namespace().is_none_or(|inode| inode == FIRST_USER_NAMESPACE),
            has_rights_of_file: !uid.is_root() && is_secure_mode(),
        }
    }

    /// Whether root of the host started it.
    pub(crate) fn is_root(&self) -> bool {
        self.uid == 0 && self.is_of_host
    }
}

/// `PROC_USER_INIT_INO`: the inode of the first user namespace, the same on every kernel since 3.8.
const FIRST_USER_NAMESPACE: u64 = 0xefff_fffd;

/// Inode of the user namespace; `None` on a kernel without user namespaces.
fn user_namespace() -> Option<u64> {
    std::fs::metadata("/proc/self/ns/user").ok().map(|metadata| metadata.ino())
}

/// User id at login (`/proc/PID/loginuid`), which su and sudo do not change; `None` without a login or without audit.
pub(crate) fn login_uid() -> Option<u32> {
    const UNSET: u32 = u32::MAX;
    ProcDir::myself().ok()?.loginuid().ok().filter(|&uid| uid != UNSET)
}

/// Name of the controlling terminal below /dev, such as `pts/3`; `None` without one.
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

/// Removes every environment variable that is not known to be harmless, because it may name a file or a server: `HOME`,
/// `XDG_CONFIG_HOME`, `TZ` and others. The rights of the program's file must not be used to read what the caller names.
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
    fn a_program_with_rights_of_its_file_is_recognised() {
        // tests/e2e/privilege.rs covers a program with rights from its file.
        assert!(!is_secure_mode());
        let caller = Caller::find();
        assert!(!caller.has_rights_of_file && caller.is_privileged >= caller.is_root(), "{caller:?}");
    }
}
