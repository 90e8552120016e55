//! Finds network namespaces, their names, and the files by which they are entered.
//!
//! Searched are /proc/PID/ns/net, /run/netns and /run/docker/netns. A namespace that only a descriptor or a socket
//! keeps alive is not found (ARCHITECTURE.md, known gaps).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;
use rustix::io::Errno;

use super::error::CollectError;
use super::refusals::{Refusals, errno_of, is_gone};
use super::rights::{LOOK_AND_ENTER, READ_DESCRIPTORS};
use super::{owners, process};
use crate::model::address::NetnsId;
use crate::model::gap::{GapKind, Gaps};
use crate::model::ids::Pid;
use crate::model::rights::Capabilities;

/// Selection of network namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetnsChoice {
    /// All namespaces that can be found and entered
    All,
    /// The namespace of this process
    Current,
    /// A namespace by name, process id, container id or its beginning, or inode number
    Named(String),
}

/// A namespace that was found, not yet entered.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Inode number
    pub id: NetnsId,
    /// Display name
    pub name: String,
    /// File to enter the namespace by; `None` for the namespace of this process
    pub file: Option<NetnsFile>,
}

/// File that represents a namespace. It is opened only to enter, so that a thousand namespaces do not take a thousand
/// descriptors.
#[derive(Debug, Clone)]
pub(crate) struct NetnsFile {
    /// Path of the file
    pub path: PathBuf,
}

/// Finds the namespaces that `choice` selects.
///
/// # Errors
/// /proc is unreadable, or the named namespace does not exist.
pub(crate) fn find(choice: &NetnsChoice) -> Result<(Vec<Found>, Gaps), CollectError> {
    let own_path = Path::new("/proc/thread-self/ns/net");
    let own = inode(own_path).map_err(|source| CollectError::Proc { path: own_path.into(), source })?;
    let names = NamespaceNames::read(own);
    match choice {
        NetnsChoice::All => all(names),
        NetnsChoice::Current => Ok((vec![names.own()], Gaps::default())),
        NetnsChoice::Named(wanted) => Ok((vec![named(wanted, names)?], Gaps::default())),
    }
}

/// Names of namespaces, read once for all of them instead of once for each.
struct NamespaceNames {
    own: NetnsId,
    /// The namespace of pid 1; `None` if it cannot be determined
    host: Option<NetnsId>,
    /// Path, inode and name of each file of /run/netns
    labels: Vec<(PathBuf, NetnsId, String)>,
    /// Errors of reading /run/netns
    refused: Refusals,
}

impl NamespaceNames {
    fn read(own: NetnsId) -> Self {
        // A user who may not read pid 1 can still recognize the host's namespace: only there the host-wide sysctls are visible.
        let is_first = || fs::exists("/proc/sys/net/ipv4/tcp_mem").unwrap_or(false);
        let host = inode(&of_process(Pid(1))).ok().or_else(|| is_first().then_some(own));
        let mut refused = Refusals::default();
        let labels = named_files(RUN_NETNS, &mut refused);
        Self { own, host, labels, refused }
    }

    /// `host` for pid 1's namespace, else the name of its file, else the container's id, else the inode number.
    fn of(&self, id: NetnsId, label: Option<&str>, pid: Option<Pid>) -> String {
        if self.host == Some(id) {
            return "host".to_owned();
        }
        let known = || self.labels.iter().find(|(_, known, _)| *known == id).map(|(.., label)| label.as_str());
        let label = label.or_else(known).map(str::to_owned);
        label.or_else(|| pid.and_then(process::container_of)).unwrap_or_else(|| id.0.to_string())
    }

    /// The namespace of this process.
    fn own(&self) -> Found {
        Found { id: self.own, name: self.of(self.own, None, Some(Pid(std::process::id()))), file: None }
    }

    fn found(&self, id: NetnsId, label: Option<&str>, pid: Option<Pid>, path: PathBuf) -> Found {
        let file = (id != self.own).then_some(NetnsFile { path });
        Found { id, name: self.of(id, label, pid), file }
    }
}

fn all(names: NamespaceNames) -> Result<(Vec<Found>, Gaps), CollectError> {
    let mut unread = Refusals::default();
    let mut found = vec![names.own()];
    let mut known: FxHashSet<_> = [names.own].into_iter().collect();
    let mut refused = Refusals::default();
    for (path, id, label) in &names.labels {
        if known.insert(*id) {
            found.push(names.found(*id, Some(label), None, path.clone()));
        }
    }
    for pid in owners::pids()? {
        let path = of_process(pid);
        match inode(&path) {
            Ok(id) => {
                if known.insert(id) {
                    found.push(names.found(id, None, Some(pid), path));
                }
            }
            Err(error) if is_gone(errno_of(&error)) => {}
            Err(error) => refused.note(errno_of(&error), || process::label_of(pid)),
        }
    }
    // After the processes, which reveal the container that a namespace belongs to; Docker's file names do not.
    for (path, id, label) in named_files(RUN_DOCKER_NETNS, &mut unread) {
        if known.insert(id) {
            found.push(names.found(id, Some(&label), None, path));
        }
    }
    let mut gaps = refused.gaps(GapKind::NamespacesOfProcesses, READ_DESCRIPTORS);
    unread.extend(names.refused);
    gaps.extend(unread.gaps(GapKind::Namespaces, Capabilities::DAC_READ_SEARCH));
    Ok((found, gaps))
}

fn named(wanted: &str, names: NamespaceNames) -> Result<Found, CollectError> {
    // Works even if the directory may be searched but not listed.
    let file = Path::new(RUN_NETNS).join(wanted);
    if !wanted.contains('/') && is_namespace(&file).unwrap_or(false) {
        let id = inode(&file).map_err(|error| CollectError::enter(wanted, error, LOOK_AND_ENTER))?;
        return Ok(names.found(id, Some(wanted), None, file));
    }
    if let Ok(pid) = wanted.parse::<Pid>() {
        let path = of_process(pid);
        match inode(&path) {
            Ok(id) => return Ok(names.found(id, None, Some(pid), path)),
            Err(error) if is_gone(errno_of(&error)) => {}
            Err(error) => return Err(CollectError::enter(wanted, error, LOOK_AND_ENTER)),
        }
    }
    let (found, _) = all(names)?;
    let known = found.iter().map(|namespace| namespace.name.clone()).collect::<Vec<_>>().join(", ");
    found.into_iter().find(|namespace| answers_to(namespace, wanted)).ok_or_else(|| match wanted.parse() {
        Ok(pid) => CollectError::NoProcess(pid),
        Err(_) => CollectError::UnknownNetns(wanted.to_owned(), known),
    })
}

/// Whether `wanted` names the namespace. A container may be named by the beginning of its id, as docker(1) prints it.
fn answers_to(namespace: &Found, wanted: &str) -> bool {
    const SHORT_ID: usize = 12;
    namespace.name == wanted
        || namespace.id.0.to_string() == wanted
        || wanted.len() >= SHORT_ID && namespace.name.len() == 64 && namespace.name.starts_with(wanted)
}

/// Directory of the namespaces of ip-netns(8).
const RUN_NETNS: &str = "/run/netns";
/// Directory of Docker's namespaces, under names of its own.
const RUN_DOCKER_NETNS: &str = "/run/docker/netns";

/// Path, inode and name of each namespace in a directory. A file left behind by a deleted namespace is a plain file and
/// is skipped.
fn named_files(directory: &str, refused: &mut Refusals) -> Vec<(PathBuf, NetnsId, String)> {
    let mut files = Vec::new();
    let mut note = |errno: Errno, path: &Path| {
        if !is_gone(errno) {
            refused.note(errno, || Some(path.display().to_string()));
        }
    };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            note(errno_of(&error), Path::new(directory));
            return files;
        }
    };
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => {
                note(errno_of(&error), Path::new(directory));
                continue;
            }
        };
        let label = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match is_namespace(&path).and_then(|is_it| if is_it { inode(&path).map(Some) } else { Ok(None) }) {
            Ok(id) => files.extend(id.map(|id| (path, id, label))),
            Err(error) => note(errno_of(&error), &path),
        }
    }
    files.sort();
    files
}

fn of_process(pid: Pid) -> PathBuf {
    format!("/proc/{pid}/ns/net").into()
}

fn inode(path: &Path) -> io::Result<NetnsId> {
    fs::metadata(path).map(|metadata| NetnsId(metadata.ino()))
}

fn is_namespace(path: &Path) -> io::Result<bool> {
    const NSFS_MAGIC: i64 = 0x6e73_6673;
    #[allow(clippy::useless_conversion, reason = "f_type has another width on other architectures")]
    let is_it = rustix::fs::statfs(path).map(|fs| i64::from(fs.f_type) == NSFS_MAGIC)?;
    Ok(is_it)
}
