//! What is told of a process that holds sockets. Every file is opened below one descriptor of /proc/PID, so that a pid
//! given to another process meanwhile yields an error and never the other's name.

use std::ffi::OsStr;
use std::io::Read;

use procfs::process::{LimitValue, ProcState, Process as ProcDir};
use procfs::{ProcError, ProcResult, ProcessCGroups};

use super::refusals::{errno_of, is_short};
use crate::decode::{cgroup, status};
use crate::model::ids::Pid;
use crate::model::owner::{Process, label};

/// Longest /proc/PID/comm: 15 bytes, more for kernel threads.
const COMM_BYTES: u64 = 256;
/// /proc/PID/status is one to two KB long, and the user ids stand near its beginning.
const STATUS_BYTES: u64 = 16 * 1024;

/// Reads comm, exe, uid and cgroup. What is refused is absent.
///
/// # Errors
/// The process is gone, or this program has no descriptor or memory left to read with.
pub(crate) fn describe(process: &ProcDir, pid: Pid) -> ProcResult<Process> {
    let comm = read(process, "comm", COMM_BYTES)?;
    let comm = String::from_utf8_lossy(comm.strip_suffix(b"\n").unwrap_or(&comm)).into_owned();
    let uid = told(read(process, "status", STATUS_BYTES))?.and_then(|status| status::real_uid(&status));
    let cgroup = told(process.cgroups())?.and_then(|groups| cgroup_path(&groups));
    Ok(Process {
        pid,
        label: label(&comm, pid),
        comm,
        exe: told(process.exe())?.map(|path| path.to_string_lossy().into_owned()),
        uid,
        user: None,
        unit: cgroup.as_deref().and_then(cgroup::unit).map(str::to_owned),
        container: cgroup.as_deref().and_then(cgroup::container).map(str::to_owned),
        cgroup,
        descriptors: None,
    })
}

/// The beginning of a file of the process.
fn read(process: &ProcDir, file: &str, most_bytes: u64) -> ProcResult<Vec<u8>> {
    let mut bytes = Vec::new();
    process.open_relative(file)?.take(most_bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `RLIMIT_NOFILE`, the soft one; none where there is none, or it may not be read.
pub(crate) fn descriptor_limit(process: &ProcDir) -> Option<u64> {
    match process.limits().ok()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => Some(limit),
        LimitValue::Unlimited => None,
    }
}

/// What a file of the process says; `None` where it may not be read or makes no sense. Out of descriptors or memory it
/// would look the same as a process without a user.
fn told<T>(read: ProcResult<T>) -> ProcResult<Option<T>> {
    match read {
        Ok(told) => Ok(Some(told)),
        Err(ProcError::Io(error, path)) if is_short(errno_of(&error)) => Err(ProcError::Io(error, path)),
        Err(_) => Ok(None),
    }
}

/// The version 2 path, or that of systemd's own hierarchy where version 2 does not hold the process.
fn cgroup_path(groups: &ProcessCGroups) -> Option<String> {
    let version2 = groups.0.iter().find(|group| group.hierarchy == 0).map(|group| &group.pathname);
    let systemd = groups
        .0
        .iter()
        .find(|group| group.controllers.iter().any(|name| name == "name=systemd"))
        .map(|group| &group.pathname);
    version2.filter(|path| path.as_str() != "/").or(systemd).or(version2).cloned()
}

/// Id of the container that the process runs in, by its cgroup.
pub(crate) fn container_of(pid: Pid) -> Option<String> {
    let process = ProcDir::new(i32::try_from(pid.0).ok()?).ok()?;
    let groups = process.cgroups().ok()?;
    groups.0.iter().find_map(|group| cgroup::container(&group.pathname)).map(str::to_owned)
}

/// `comm[pid]` of a process of which no more may be seen; `None` where it is gone.
pub(crate) fn label_of(pid: Pid) -> Option<String> {
    let comm = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{}[{pid}]", String::from_utf8_lossy(comm.trim_ascii_end())))
}

/// Whether the process is a zombie: its descriptors are closed, so there is nothing to hide.
pub(crate) fn is_zombie(process: &ProcDir) -> bool {
    process
        .stat()
        .is_ok_and(|stat| stat.state().is_ok_and(|state| matches!(state, ProcState::Zombie | ProcState::Dead)))
}

/// A process that this one descends from, or this one.
#[derive(Debug)]
pub(crate) struct Ancestor {
    /// Process id
    pub pid: Pid,
    /// Its name
    pub comm: String,
    /// Whether its descriptors may be looked at
    pub is_readable: bool,
    /// `SSH_CONNECTION` of the environment it was started with; none where that may not be read
    pub ssh_connection: Option<String>,
}

/// This process, the one that started it, and so on to the first: as far as they may be looked at.
pub(crate) fn ancestors() -> Vec<Ancestor> {
    let mut found: Vec<Ancestor> = Vec::new();
    let mut next = ProcDir::myself().ok();
    while let Some(process) = next {
        let Ok(stat) = process.stat() else { break };
        let pid = Pid(stat.pid.cast_unsigned());
        // A pid that was given to another process meanwhile could lead in a circle.
        if found.iter().any(|known| known.pid == pid) {
            break;
        }
        let ssh_connection =
            process.environ().ok().and_then(|mut environ| environ.remove(OsStr::new("SSH_CONNECTION")));
        let ssh_connection = ssh_connection.map(|value| value.to_string_lossy().into_owned());
        let is_readable = process.fd_count().is_ok();
        found.push(Ancestor { pid, comm: stat.comm, is_readable, ssh_connection });
        next = (stat.ppid > 0).then(|| ProcDir::new(stat.ppid).ok()).flatten();
    }
    found
}
