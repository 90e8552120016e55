//! Which network namespaces there are, under which names, and how to get into them.
//!
//! Looked for in /proc/PID/ns/net, /run/netns and /run/docker/netns; one that only a descriptor or a socket keeps alive
//! is not found (ARCHITECTURE.md, known gaps).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::CollectError;
use super::{owners, process};
use crate::model::address::NetnsId;
use crate::model::gap::{Gap, Gaps};

/// Which namespaces the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetnsChoice {
    /// All that can be found and entered
    All,
    /// The one this process is in
    Current,
    /// A name, a process id, a container id or its beginning, or an inode number
    Named(String),
}

/// A namespace that was found, not yet entered.
#[derive(Debug)]
pub struct Found {
    /// Inode number
    pub id: NetnsId,
    /// Name for people
    pub name: String,
    /// How to get in; `None` for the one we are in
    pub door: Option<Door>,
}

/// A file that stands for a namespace. It is opened only to go in, so that a thousand namespaces do not take a thousand
/// descriptors.
#[derive(Debug)]
pub struct Door {
    /// The file
    pub path: PathBuf,
}

/// Finds what `choice` asks for.
///
/// # Errors
/// /proc is unreadable, or the named namespace does not exist.
pub fn find(choice: &NetnsChoice) -> Result<(Vec<Found>, Gaps), CollectError> {
    let own_path = Path::new("/proc/thread-self/ns/net");
    let own = inode(own_path).map_err(|source| CollectError::Proc { path: own_path.into(), source })?;
    match choice {
        NetnsChoice::All => all(own),
        NetnsChoice::Current => {
            let name = name(own, own, None, Some(std::process::id()));
            Ok((vec![Found { id: own, name, door: None }], Gaps::default()))
        }
        NetnsChoice::Named(wanted) => Ok((vec![named(wanted, own)?], Gaps::default())),
    }
}

fn all(own: NetnsId) -> Result<(Vec<Found>, Gaps), CollectError> {
    let mut found = vec![Found { id: own, name: name(own, own, None, Some(std::process::id())), door: None }];
    let mut gaps = Gaps::default();
    add_named(&mut found, own, RUN_NETNS);
    let mut hidden = 0;
    for pid in owners::pids()? {
        let path = of_process(pid);
        match inode(&path) {
            Ok(id) if is_new(&found, id) => {
                found.push(Found { id, name: name(id, own, None, Some(pid)), door: Some(Door { path }) });
            }
            Ok(_) => {}
            Err(error) => hidden += u64::from(error.kind() == io::ErrorKind::PermissionDenied),
        }
    }
    // After the processes, which tell which container a namespace belongs to: Docker's own file names do not.
    add_named(&mut found, own, RUN_DOCKER_NETNS);
    if hidden > 0 {
        gaps.add(Gap {
            what: "namespaces of processes",
            why: "permission denied".to_owned(),
            count: hidden,
            remedy: "run as root or grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
        });
    }
    Ok((found, gaps))
}

/// Adds the namespaces that files in `directory` stand for.
fn add_named(found: &mut Vec<Found>, own: NetnsId, directory: &str) {
    for (path, label) in named_files(directory) {
        let Ok(id) = inode(&path) else { continue };
        if is_new(found, id) && is_namespace(&path) {
            found.push(Found { id, name: name(id, own, Some(&label), None), door: Some(Door { path }) });
        }
    }
}

fn named(wanted: &str, own: NetnsId) -> Result<Found, CollectError> {
    let file = Path::new(RUN_NETNS).join(wanted);
    if !wanted.contains('/') && is_namespace(&file) {
        let id = inode(&file).map_err(|source| CollectError::Enter { name: wanted.to_owned(), source })?;
        return Ok(Found { id, name: name(id, own, Some(wanted), None), door: door(id, own, &file) });
    }
    if let Ok(pid) = wanted.parse::<u32>() {
        let path = of_process(pid);
        match inode(&path) {
            Ok(id) => return Ok(Found { id, name: name(id, own, None, Some(pid)), door: door(id, own, &path) }),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(CollectError::Enter { name: wanted.to_owned(), source: error });
            }
            Err(_) => {}
        }
    }
    let (found, _) = all(own)?;
    let known = found.iter().map(|namespace| namespace.name.clone()).collect::<Vec<_>>().join(", ");
    found.into_iter().find(|namespace| answers_to(namespace, wanted)).ok_or_else(|| match wanted.parse() {
        Ok(pid) => CollectError::NoProcess(pid),
        Err(_) => CollectError::UnknownNetns(wanted.to_owned(), known),
    })
}

/// A container may be named by the beginning of its id, as docker(1) shows it.
fn answers_to(namespace: &Found, wanted: &str) -> bool {
    const SHORT_ID: usize = 12;
    namespace.name == wanted
        || namespace.id.0.to_string() == wanted
        || wanted.len() >= SHORT_ID && namespace.name.len() == 64 && namespace.name.starts_with(wanted)
}

/// `host` for pid 1's, else the name of a file that stands for it, else the container's id, else the inode number.
fn name(id: NetnsId, own: NetnsId, label: Option<&str>, pid: Option<u32>) -> String {
    let host = match inode(&of_process(1)) {
        Ok(host) => host == id,
        // Who may not look at pid 1 can still tell the host's first namespace: the host-wide sysctls show only there.
        Err(_) => id == own && fs::exists("/proc/sys/net/ipv4/tcp_mem").unwrap_or(false),
    };
    if host {
        return "host".to_owned();
    }
    let label = label.map(str::to_owned).or_else(|| {
        let mut files = named_files(RUN_NETNS).into_iter();
        files.find(|(path, _)| inode(path).is_ok_and(|known| known == id)).map(|(_, label)| label)
    });
    label.or_else(|| pid.and_then(process::container_of)).unwrap_or_else(|| id.0.to_string())
}

/// Where ip-netns(8) keeps namespaces.
const RUN_NETNS: &str = "/run/netns";
/// Where Docker does, by names of its own.
const RUN_DOCKER_NETNS: &str = "/run/docker/netns";

/// The files of a directory that keeps namespaces, with their names.
fn named_files(directory: &str) -> Vec<(PathBuf, String)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| (entry.path(), entry.file_name().to_string_lossy().into_owned()))
        .collect();
    files.sort();
    files
}

fn of_process(pid: u32) -> PathBuf {
    format!("/proc/{pid}/ns/net").into()
}

fn inode(path: &Path) -> io::Result<NetnsId> {
    fs::metadata(path).map(|metadata| NetnsId(metadata.ino()))
}

fn is_new(found: &[Found], id: NetnsId) -> bool {
    found.iter().all(|known| known.id != id)
}

/// A name left over in /run/netns after its namespace is gone is a plain file.
fn is_namespace(path: &Path) -> bool {
    const NSFS_MAGIC: i64 = 0x6e73_6673;
    #[allow(clippy::useless_conversion, reason = "f_type has another width on other architectures")]
    rustix::fs::statfs(path).is_ok_and(|fs| i64::from(fs.f_type) == NSFS_MAGIC)
}

fn door(id: NetnsId, own: NetnsId, path: &Path) -> Option<Door> {
    (id != own).then(|| Door { path: path.to_owned() })
}
