//! Gives up what this program does not need, before it reads anything from outside: capabilities, the right to gain others,
//! and, where it only reads, the system calls that change something. What a kernel does not offer stays as it is; the
//! verbose version says so.

use std::collections::BTreeMap;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_no_new_privs};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// The capabilities that some command needs (docs/rights.md).
const NEEDED: CapabilitySet = CapabilitySet::NET_ADMIN
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::SYS_PTRACE)
    .union(CapabilitySet::DAC_READ_SEARCH);

/// What a command does beyond reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deeds {
    /// Nothing
    Reads,
    /// It changes or destroys sockets
    Acts,
    /// It may also write files where the user wants them
    Writes,
}

/// Gives up what these deeds do not need.
pub(crate) fn confine(deeds: Deeds) {
    // Each of these fails only where a kernel lacks it or a security module refuses; the program then runs as it is.
    let _ = set_no_new_privs(true);
    let kept = if deeds == Deeds::Writes { NEEDED.union(CapabilitySet::DAC_OVERRIDE) } else { NEEDED };
    if let Ok(held) = capabilities(None)
        && !held.permitted.is_empty()
    {
        let (permitted, effective) = (held.permitted & kept, held.effective & kept);
        let _ = set_capabilities(None, CapabilitySets { permitted, effective, inheritable: CapabilitySet::empty() });
        // It will hold descriptors of others.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    if deeds == Deeds::Reads
        && let Some(filter) = filter()
    {
        let _ = seccompiler::apply_filter_all_threads(&filter);
    }
}

/// Whether the system calls of this thread are filtered, by this program or by a container.
pub(crate) fn is_filtered() -> bool {
    std::fs::read_to_string("/proc/thread-self/status")
        .is_ok_and(|status| status.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "2"])))
}

/// Refuses with EPERM what a command that only reads never does; `None` on an architecture that has no filter.
fn filter() -> Option<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = NEVER.iter().map(|&call| (call, Vec::new())).collect();
    let openings: &[(i64, u8)] = &[
        (libc::SYS_openat, 2),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_open, 1),
    ];
    for &(call, flags) in openings {
        rules.insert(call, writings(flags)?);
    }
    rules.insert(libc::SYS_setsockopt, options_of_connections()?);
    let architecture = std::env::consts::ARCH.try_into().ok()?;
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refused, architecture).ok()?.try_into().ok()
}

/// System calls that change files, processes or the system, or run programs.
const NEVER: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_openat2,
    libc::SYS_truncate,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_mknodat,
    libc::SYS_fchmodat,
    libc::SYS_fchmod,
    libc::SYS_fchownat,
    libc::SYS_fchown,
    libc::SYS_setxattr,
    libc::SYS_utimensat,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_sethostname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_pidfd_send_signal,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
];

/// Rules for a call whose argument of this number has the flags of open(2): it would write.
fn writings(argument: u8) -> Option<Vec<SeccompRule>> {
    let is_set = |flag: i32| {
        let flag = u64::from(flag.cast_unsigned());
        rule(&[condition(argument, SeccompCmpOp::MaskedEq(flag), flag)?])
    };
    [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC].into_iter().map(is_set).collect()
}

/// Rules for setsockopt(2): it would change a connection. Netlink sockets have their own levels, and a receive timeout.
fn options_of_connections() -> Option<Vec<SeccompRule>> {
    let is = |argument, value: i32| condition(argument, SeccompCmpOp::Eq, u64::from(value.cast_unsigned()));
    Some(vec![
        rule(&[is(1, libc::IPPROTO_TCP)?])?,
        rule(&[is(1, libc::IPPROTO_MPTCP)?])?,
        rule(&[is(1, libc::SOL_SOCKET)?, is(2, libc::SO_KEEPALIVE)?])?,
    ])
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Option<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value).ok()
}

fn rule(conditions: &[SeccompCondition]) -> Option<SeccompRule> {
    SeccompRule::new(conditions.to_vec()).ok()
}
