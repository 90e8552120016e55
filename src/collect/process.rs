//! Describes a process that holds sockets. Every file is opened relative to one descriptor of /proc/PID, so that a
//! reused pid gives an error and never the name of another process.

use std::ffi::OsStr;
use std::io::Read;

use procfs::process::{LimitValue, ProcState, Process as ProcDir};
use procfs::{ProcError, ProcResult, ProcessCGroups};

use super::refusals::{errno_of, is_short};
use crate::decode::{cgroup, status};
use crate::model::ids::Pid;
use crate::model::owner::{Process, label};

/// Bytes read from /proc/PID/comm. A name has at most 15 bytes, that of a kernel thread more.
const COMM_BYTES: u64 = 256;
/// Bytes read from /proc/PID/status. The file has one to two KB, with the user ids near its beginning.
const STATUS_BYTES: u64 = 16 * 1024;

/// Reads comm, exe, uid and cgroup. A value that may not be read is absent.
///
/// # Errors
/// The process has ended, or this program has no descriptor or memory left.
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

/// Reads at most `most_bytes` from the beginning of a file of the process.
fn read(process: &ProcDir, file: &str, most_bytes: u64) -> ProcResult<Vec<u8>> {
    let mut bytes = Vec::new();
    process.open_relative(file)?.take(most_bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Soft limit of open descriptors (`RLIMIT_NOFILE`); `None` if there is no limit, or it may not be read.
pub(crate) fn descriptor_limit(process: &ProcDir) -> Option<u64> {
    match process.limits().ok()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => Some(limit),
        LimitValue::Unlimited => None,
    }
}

/// Value of a file of the process; `None` if it may not be read or is malformed. A lack of descriptors or memory stays
/// an error: otherwise the process would appear to have no user.
fn told<T>(read: ProcResult<T>) -> ProcResult<Option<T>> {
    match read {
        Ok(told) => Ok(Some(told)),
        Err(ProcError::Io(error, path)) if is_short(errno_of(&error)) => Err(ProcError::Io(error, path)),
        Err(_) => Ok(None),
    }
}

/// The cgroup version 2 path. If that is the root, the path in systemd's own version 1 hierarchy takes precedence.
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

/// `comm[pid]` of a process whose other files may not be read; `None` if it has ended.
pub(crate) fn label_of(pid: Pid) -> Option<String> {
    let comm = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{}[{pid}]", String::from_utf8_lossy(comm.trim_ascii_end())))
}

/// Whether the process is a zombie. Its descriptors are closed, so no sockets are hidden.
pub(crate) fn is_zombie(process: &ProcDir) -> bool {
    process
        .stat()
        .is_ok_and(|stat| stat.state().is_ok_and(|state| matches!(state, ProcState::Zombie | ProcState::Dead)))
}

/// This process or one of its ancestors.
#[derive(Debug)]
pub(crate) struct Ancestor {
    /// Process id
    pub pid: Pid,
    /// Its name
    pub comm: String,
    /// Whether its descriptors may be read
    pub is_readable: bool,
    /// `SSH_CONNECTION` of the environment it was started with; `None` if that may not be read
    pub ssh_connection: Option<String>,
}

/// This process, its parent, and so on to the first process, as far as their /proc/PID/stat may be read.
pub(crate) fn ancestors() -> Vec<Ancestor> {
    let mut found: Vec<Ancestor> = Vec::new();
    let mut next = ProcDir::myself().ok();
    while let Some(process) = next {
        let Ok(stat) = process.stat() else { break };
        let pid = Pid(stat.pid.cast_unsigned());
        // A reused pid could lead in a circle.
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
