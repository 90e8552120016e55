//! Finds the processes that hold each socket: one readlink(2) for each descriptor of each process, without allocation.
//!
//! This is the most expensive operation of the program (1.7 µs a descriptor). Call it only if owners are needed.

use std::ffi::CStr;
use std::fs::{self, File};
use std::mem::MaybeUninit;
use std::os::unix::fs::MetadataExt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use procfs::process::Process as ProcDir;
use rustix::fs::{OFlags, RawDir, readlinkat_raw};
use rustix::io::Errno;

use super::error::CollectError;
use super::process;
use super::refusals::{Refusals, errno_of, is_denied, is_gone};
use super::rights::READ_DESCRIPTORS;
use super::threads::processors;
use super::users::Users;
use super::wanted::Wanted;
use crate::model::gap::{Gap, GapKind, Gaps, Remedy};
use crate::model::ids::{Fd, Inode, Pid};
use crate::model::owner::{Holding, OpenDescriptors, OwnerTable, Process};

const DIRENT_BYTES: usize = 32 * 1024;
/// `socket:[4294967295]` is 19 bytes long; a longer link is no socket.
const LINK_BYTES: usize = 24;

/// Minimum number of processes for each thread: starting a thread takes as long as scanning a few processes.
const PROCESSES_A_THREAD: usize = 8;
/// Maximum number of threads. More would wait for each other's locks in the kernel.
const MOST_THREADS: usize = 4;
/// Descriptors of each process that are read even if all owners are known: a socket that processes share was mostly
/// opened early, before the fork.
const ALWAYS_READ: u64 = 1024;

/// Options of a process scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScanRequest<'a> {
    /// Count the descriptors of each process and read their limit
    pub limits: bool,
    /// Scan on several threads: less elapsed time, but no less processor time
    pub in_parallel: bool,
    /// Search only for the owners of these sockets
    pub wanted: Option<&'a Wanted>,
}

/// Scans the descriptors of every process. A process that may not be read is a gap; one that ends during the scan is not.
///
/// # Errors
/// /proc cannot be listed.
pub(crate) fn scan(users: &mut Users, request: ScanRequest<'_>) -> Result<(OwnerTable, Gaps), CollectError> {
    let mut pids = pids()?;
    if let Some(wanted) = request.wanted {
        wanted.sort(&mut pids);
    }
    let most = if request.in_parallel { processors().min(MOST_THREADS) } else { 1 };
    let scans = scan_all(&pids, request, most.min(pids.len().div_ceil(PROCESSES_A_THREAD)));
    let (mut found, mut refused) = (Vec::new(), Refusals::default());
    for scan in scans {
        found.extend(scan.found);
        refused.extend(scan.refused);
    }
    // Makes the order of a socket's processes independent of which thread scanned them.
    found.sort_unstable_by_key(|(process, _)| process.pid);
    let (mut processes, mut holdings) = (Vec::with_capacity(found.len()), Vec::new());
    for (mut process, held) in found {
        process.user = process.uid.and_then(|uid| users.name(uid)).map(str::to_owned);
        let number = processes.len() as u32;
        holdings.extend(held.into_iter().map(|(inode, fd)| Holding { inode, process: number, fd }));
        processes.push(process);
    }
    let mut hidden = refused.count();
    let mut gaps = refused.gaps(GapKind::ProcessOwners, READ_DESCRIPTORS);
    for gap in [hidden_pids(), outer_processes()].into_iter().flatten() {
        hidden += 1;
        gaps.add(gap);
    }
    Ok((OwnerTable::new(processes, holdings, hidden), gaps))
}

/// Scans all processes. Each thread takes the next process that no thread has taken yet.
fn scan_all(pids: &[Pid], request: ScanRequest<'_>, threads: usize) -> Vec<Scan> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut scan = Scan::default();
        let mut dirents = vec![MaybeUninit::uninit(); DIRENT_BYTES];
        while let Some(pid) = pids.get(next.fetch_add(1, Ordering::Relaxed)) {
            scan.process(*pid, request, &mut dirents);
        }
        scan
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            // If no thread can be spawned, this one scans alone.
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
pub(crate) fn pids() -> Result<Vec<Pid>, CollectError> {
    let failed = |source| CollectError::Proc { path: "/proc".into(), source };
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").map_err(failed)? {
        pids.extend(entry.map_err(failed)?.file_name().to_str().and_then(|name| name.parse::<Pid>().ok()));
    }
    if pids.is_empty() {
        return Err(failed(std::io::Error::new(std::io::ErrorKind::NotFound, "no process in it, not even this one")));
    }
    Ok(pids)
}

/// Gap if /proc is mounted with hidepid=2, which does not list other users' processes. Otherwise pid 1 is always listed.
fn hidden_pids() -> Option<Gap> {
    let remedy = Remedy::Do("run as root, or as a member of the group in the mount's gid option");
    let gap = || Gap::new(GapKind::ProcessList, "/proc is mounted with hidepid or subset=pid", remedy);
    (!fs::exists("/proc/1").unwrap_or(true)).then(gap)
}

/// Gap if this process is in its own pid namespace (a container on the host's network): /proc lacks the processes outside.
fn outer_processes() -> Option<Gap> {
    /// `PROC_PID_INIT_INO`: the inode of the first pid namespace, the same on every kernel since 3.8.
    const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;
    let remedy = Remedy::Do("run in the host's pid namespace (docker --pid=host, hostPID)");
    let gap = || Gap::new(GapKind::OuterProcesses, "a container's /proc does not show them", remedy);
    let own = fs::metadata("/proc/self/ns/pid").ok()?.ino();
    (own != FIRST_PID_NAMESPACE).then(gap)
}

/// Inode and descriptor of each socket of a process.
type HeldSockets = Vec<(Inode, Fd)>;

/// Results of one thread.
#[derive(Default)]
struct Scan {
    /// Processes that hold sockets
    found: Vec<(Process, HeldSockets)>,
    refused: Refusals,
}

/// Open descriptors of one process.
#[derive(Default)]
struct OpenedFiles {
    sockets: HeldSockets,
    /// Descriptors of any kind
    count: u64,
    /// Error that stopped the scan of the process. The kernel may list the descriptors and yet refuse their links: the
    /// process's user may read the directory, but the links need ptrace rights
    refused: Option<Errno>,
}

impl Scan {
    fn process(&mut self, pid: Pid, request: ScanRequest<'_>, dirents: &mut [MaybeUninit<u8>]) {
        if let Err(errno) = self.try_process(pid, request, dirents)
            && !is_gone(errno)
        {
            self.refused.note(errno, || process::label_of(pid));
        }
    }

    fn try_process(
        &mut self,
        pid: Pid,
        request: ScanRequest<'_>,
        dirents: &mut [MaybeUninit<u8>],
    ) -> Result<(), Errno> {
        let process = ProcDir::new(pid.0.cast_signed()).map_err(|error| errno(&error))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = match process.open_relative_flags("fd", flags).map_err(|error| errno(&error)) {
            Ok(directory) => directory,
            Err(errno) if is_denied(errno) && process::is_zombie(&process) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        let OpenedFiles { sockets, count, refused } = descriptors(&directory, request, dirents);
        if !sockets.is_empty() {
            let mut described = process::describe(&process, pid).map_err(|error| errno(&error))?;
            let limit = || process::descriptor_limit(&process);
            described.descriptors = request.limits.then(|| OpenDescriptors { open: count, limit: limit() });
            self.found.push((described, sockets));
        }
        refused.map_or(Ok(()), Err)
    }
}

/// Finds the descriptors of a process that are wanted sockets.
fn descriptors(directory: &File, request: ScanRequest<'_>, dirents: &mut [MaybeUninit<u8>]) -> OpenedFiles {
    let ScanRequest { wanted, limits, .. } = request;
    let mut opened = OpenedFiles::default();
    let (mut is_asked, mut is_counted_only) = (false, false);
    let mut entries = RawDir::new(directory, dirents);
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(errno) => {
                opened.refused = Some(errno).filter(|errno| !is_gone(*errno));
                break;
            }
        };
        let Some(fd) = number(entry.file_name().to_bytes()).map(Fd) else { continue };
        opened.count += 1;
        // If all owners are known, a process that holds none of the sockets so far is not read to its end.
        let is_idle = !is_asked && opened.count > ALWAYS_READ && opened.sockets.is_empty();
        if let Some(wanted) = wanted.filter(|wanted| is_idle && wanted.are_found()) {
            (is_asked, is_counted_only) = (true, !shares(directory, wanted));
        }
        if is_counted_only {
            if limits {
                continue;
            }
            break;
        }
        match socket_inode(directory, entry.file_name()) {
            Ok(Some(inode)) if wanted.is_none_or(|wanted| wanted.note(inode, fd)) => opened.sockets.push((inode, fd)),
            // No wanted socket, or closed since it was listed.
            Ok(_) | Err(Errno::NOENT) => {}
            Err(errno) => {
                opened.refused = Some(errno);
                break;
            }
        }
    }
    opened
}

/// Whether the process has one of the sockets under the descriptor number of its first owner: a fork keeps the numbers
/// of shared descriptors.
fn shares(directory: &File, wanted: &Wanted) -> bool {
    wanted.found().any(|(inode, fd)| {
        let mut digits = itoa::Buffer::new();
        let mut name = digits.format(fd.0).as_bytes().to_vec();
        name.push(0);
        let name = CStr::from_bytes_with_nul(&name);
        name.is_ok_and(|name| matches!(socket_inode(directory, name), Ok(Some(found)) if found == inode))
    })
}

/// Error number of a procfs error.
fn errno(error: &procfs::ProcError) -> Errno {
    match error {
        procfs::ProcError::PermissionDenied(_) => Errno::ACCESS,
        procfs::ProcError::NotFound(_) => Errno::NOENT,
        procfs::ProcError::Io(error, _) => errno_of(error),
        procfs::ProcError::Incomplete(_) | procfs::ProcError::InternalError(_) | procfs::ProcError::Other(_) => {
            Errno::IO
        }
    }
}

fn socket_inode(directory: &File, name: &CStr) -> Result<Option<Inode>, Errno> {
    let mut link = [MaybeUninit::uninit(); LINK_BYTES];
    let (target, _) = readlinkat_raw(directory, name, &mut link)?;
    let inode = target.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]")).and_then(number);
    Ok(inode.map(Inode))
}

/// Parses decimal digits modulo 2^32, like the kernel's 32-bit inode of a socket (docs/kernel.md 1).
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
