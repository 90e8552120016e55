//! Paths of version 2 cgroups by id. The id from sock_diag is the inode of the cgroup's directory. No system call turns
//! it into a path without CAP_DAC_READ_SEARCH, so the tree is walked once, when the first path is requested.

use std::fs;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use procfs::process::Process;
use rustc_hash::FxHashMap;

/// Paths below the cgroup2 mount, once the tree has been walked.
#[derive(Debug, Default)]
pub(crate) struct Cgroups {
    paths: Option<FxHashMap<u64, String>>,
}

impl Cgroups {
    /// The path below the mount, `/` for the root; `None` if the cgroup has been removed or is not visible in this mount.
    pub(crate) fn path(&mut self, id: u64) -> Option<&str> {
        self.paths.get_or_insert_with(walk).get(&id).map(String::as_str)
    }
}

/// The id of the cgroup with this path below the mount.
pub(crate) fn id(path: &str) -> Option<u64> {
    let directory = mount_point()?.join(path.trim_start_matches('/'));
    fs::metadata(directory).ok().map(|metadata| metadata.ino())
}

fn walk() -> FxHashMap<u64, String> {
    let mut paths = FxHashMap::default();
    let Some(mount) = mount_point() else { return paths };
    if let Ok(root) = fs::metadata(&mount) {
        paths.insert(root.ino(), "/".to_owned());
    }
    let mut pending = vec![mount.clone()];
    while let Some(directory) = pending.pop() {
        // A cgroup that is removed during the walk has no sockets left to label.
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let path = entry.path();
                paths.insert(entry.ino(), below(&mount, &path));
                pending.push(path);
            }
        }
    }
    paths
}

fn below(mount: &Path, path: &Path) -> String {
    format!("/{}", path.strip_prefix(mount).unwrap_or(path).display())
}

fn mount_point() -> Option<PathBuf> {
    let mounts = Process::myself().ok()?.mountinfo().ok()?;
    mounts.into_iter().find(|mount| mount.fs_type == "cgroup2").map(|mount| mount.mount_point)
}
