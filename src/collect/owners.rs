//! Which process holds which socket: one readlink for each descriptor of each process, and no allocation for any.
//!
//! This is the dearest thing the program does (1.7 µs a descriptor), so nobody calls it who does not need owners.

use std::ffi::CStr;
use std::fs::{self, File};
use std::mem::MaybeUninit;
use std::os::unix::fs::MetadataExt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use procfs::process::Process as ProcDir;
use rustix::fs::{OFlags, RawDir, readlinkat_raw};

use super::error::CollectError;
use super::process;
use super::users::Users;
use crate::model::gap::{Gap, Gaps};
use crate::model::owner::{Holding, OpenDescriptors, OwnerTable, Process};

const DIRENT_BYTES: usize = 32 * 1024;
/// `socket:[4294967295]` is 19 bytes long; a longer link is no socket.
const LINK_BYTES: usize = 24;

/// Processes for each thread, at least: to begin one takes as long as to look through a few.
const PROCESSES_A_THREAD: usize = 8;
/// More would wait for each other's locks in the kernel.
const MOST_THREADS: usize = 4;

/// Looks through every process; with `limits` also at how many descriptors each may open, and with `beside` on all
/// processors: it takes less time, and not less of them. Those that may not be looked into are a gap; those that vanish
/// meanwhile are not.
///
/// # Errors
/// /proc cannot be listed.
pub fn scan(users: &mut Users, limits: bool, beside: bool) -> Result<(OwnerTable, Gaps), CollectError> {
    let pids = pids()?;
    let most = if beside { thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS) } else { 1 };
    let scans = scan_all(&pids, limits, most.min(pids.len().div_ceil(PROCESSES_A_THREAD)));
    let mut hidden: u64 = scans.iter().map(|scan| scan.hidden).sum();
    let mut found: Vec<_> = scans.into_iter().flat_map(|scan| scan.found).collect();
    // Whichever thread came to it: a socket's processes stand in the same order each time.
    found.sort_unstable_by_key(|(process, _)| process.pid);
    let (mut processes, mut holdings) = (Vec::with_capacity(found.len()), Vec::new());
    for (mut process, held) in found {
        process.user = process.uid.and_then(|uid| users.name(uid)).map(str::to_owned);
        let number = processes.len() as u32;
        holdings.extend(held.into_iter().map(|(inode, fd)| Holding { inode, process: number, fd }));
        processes.push(process);
    }
    let mut gaps = Gaps::default();
    if hidden > 0 {
        gaps.add(Gap {
            what: "process owners",
            why: "permission denied".to_owned(),
            count: hidden,
            remedy: "run as root or grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
        });
    }
    for gap in [hidden_pids(), outer_processes()].into_iter().flatten() {
        hidden += 1;
        gaps.add(gap);
    }
    Ok((OwnerTable::new(processes, holdings, hidden), gaps))
}

/// Each thread takes the next process that none has taken.
fn scan_all(pids: &[u32], limits: bool, threads: usize) -> Vec<Scan> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut scan = Scan::new(limits);
        while let Some(pid) = pids.get(next.fetch_add(1, Ordering::Relaxed)) {
            scan.process(*pid);
        }
        scan
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            // Whom the kernel gives no thread does it alone.
            .filter_map(|_| thread::Builder::new().name("owners".to_owned()).spawn_scoped(scope, work).ok())
            .collect();
        let mut scans = vec![work()];
        scans.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
        scans
    })
}

/// Ids of all processes that /proc lists.
///
/// # Errors
/// /proc cannot be listed.
pub fn pids() -> Result<Vec<u32>, CollectError> {
    let failed = |source| CollectError::Proc { path: "/proc".into(), source };
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").map_err(failed)? {
        pids.extend(entry.map_err(failed)?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    if pids.is_empty() {
        return Err(failed(std::io::Error::new(std::io::ErrorKind::NotFound, "no process in it, not even this one")));
    }
    Ok(pids)
}

/// /proc mounted with hidepid=2 does not even list other users' processes; pid 1 is never missing otherwise.
fn hidden_pids() -> Option<Gap> {
    (!fs::exists("/proc/1").unwrap_or(true)).then(|| Gap {
        what: "process list",
        why: "/proc is mounted with hidepid".to_owned(),
        count: 1,
        remedy: "run as root, or as a member of the group in the mount's gid option",
    })
}

/// In a pid namespace of its own (a container on the host's network) /proc does not show the processes outside.
fn outer_processes() -> Option<Gap> {
    /// `PROC_PID_INIT_INO`: the inode of the first pid namespace, the same on every kernel since 3.8.
    const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;
    let own = fs::metadata("/proc/self/ns/pid").ok()?.ino();
    (own != FIRST_PID_NAMESPACE).then(|| Gap {
        what: "processes outside this pid namespace",
        why: "a container's /proc does not show them".to_owned(),
        count: 1,
        remedy: "run in the host's pid namespace (docker --pid=host, hostPID)",
    })
}

/// What one thread has found.
struct Scan {
    /// Processes that hold sockets, with inode and descriptor of each
    found: Vec<(Process, Vec<(u32, u32)>)>,
    hidden: u64,
    dirents: Vec<MaybeUninit<u8>>,
    limits: bool,
}

/// What one process has open.
#[derive(Default)]
struct Opened {
    /// Inode and descriptor of each socket
    sockets: Vec<(u32, u32)>,
    /// Descriptors of any kind
    count: u64,
    /// The kernel refused to tell what the descriptors are, which it may do although it lists them (the directory is
    /// readable by its owner, the links need ptrace rights)
    refused: bool,
}

impl Scan {
    fn new(limits: bool) -> Self {
        Self { found: Vec::new(), hidden: 0, dirents: vec![MaybeUninit::uninit(); DIRENT_BYTES], limits }
    }

    fn process(&mut self, pid: u32) {
        let Ok(process) = ProcDir::new(pid.cast_signed()) else { return };
        let directory = match process.open_relative_flags("fd", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC) {
            Ok(directory) => directory,
            Err(procfs::ProcError::PermissionDenied(_)) if process::is_zombie(&process) => return,
            Err(procfs::ProcError::PermissionDenied(_)) => {
                self.hidden += 1;
                return;
            }
            Err(_) => return,
        };
        let Opened { sockets, count, mut refused } = self.descriptors(&directory);
        if !sockets.is_empty() {
            match process::describe(&process, pid) {
                Ok(mut described) => {
                    let limit = || process::descriptor_limit(&process);
                    described.descriptors = self.limits.then(|| OpenDescriptors { open: count, limit: limit() });
                    self.found.push((described, sockets));
                }
                Err(error) => refused = !matches!(error, procfs::ProcError::NotFound(_)) && !is_gone(&error),
            }
        }
        self.hidden += u64::from(refused);
    }

    /// Notes each descriptor that is a socket.
    fn descriptors(&mut self, directory: &File) -> Opened {
        let mut opened = Opened::default();
        let mut entries = RawDir::new(directory, &mut self.dirents);
        while let Some(Ok(entry)) = entries.next() {
            let Some(fd) = number(entry.file_name().to_bytes()) else { continue };
            opened.count += 1;
            match socket_inode(directory, entry.file_name()) {
                Ok(Some(inode)) => opened.sockets.push((inode, fd)),
                Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => {
                    opened.refused = true;
                    break;
                }
                Ok(None) | Err(_) => {}
            }
        }
        opened
    }
}

/// ESRCH, which procfs does not tell apart.
fn is_gone(error: &procfs::ProcError) -> bool {
    let gone = Some(rustix::io::Errno::SRCH.raw_os_error());
    matches!(error, procfs::ProcError::Io(error, _) if error.raw_os_error() == gone)
}

fn socket_inode(directory: &File, name: &CStr) -> rustix::io::Result<Option<u32>> {
    let mut link = [MaybeUninit::uninit(); LINK_BYTES];
    let (target, _) = readlinkat_raw(directory, name, &mut link)?;
    let inode = target.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]")).and_then(number);
    Ok(inode)
}

/// Decimal digits; wraps like the kernel's own 32-bit inode of a socket (KERNEL.md 7.14).
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0_u32, |value, digit| value.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn inodes_wrap_like_the_kernels() {
        assert_eq!(number(b"123456"), Some(123_456));
        assert_eq!(number(b"4294967297"), Some(1));
        assert_eq!((number(b""), number(b".."), number(b"12a")), (None, None, None));
    }
}
