//! Reads small untrusted files, such as a configuration or /etc/services, completely and without blocking. A FIFO, a
//! device, an endless or a very large file gives an error, not a hang or exhausted memory.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Size limit: 1 MiB.
pub(crate) const MOST_BYTES: u64 = 1 << 20;

/// Reason why a file was not read. Each message completes "cannot be read: ".
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// open(2) or read(2) failed
    #[error("{0}")]
    Failed(#[from] io::Error),
    /// A FIFO, a device, a directory
    #[error("it is a {0}, and only a regular file is read")]
    NotRegular(&'static str),
    /// More than [`MOST_BYTES`]
    #[error("it is larger than 1 MiB")]
    TooLarge,
}

/// Content and owner of a file.
#[derive(Debug)]
pub(crate) struct SmallFile {
    /// Complete content
    pub bytes: Vec<u8>,
    /// User and permission bits
    pub owner: Owner,
}

/// User and permission bits of a file or directory, which decide who may write to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    uid: u32,
    /// Permission bits
    mode: u32,
}

impl Owner {
    /// Whether only root may write. If an access control list lets others write, the group's write bit is set (acl(5)).
    pub(crate) fn is_root_alone(self) -> bool {
        const GROUP_OR_OTHERS: u32 = 0o022;
        self.uid == 0 && self.mode & GROUP_OR_OTHERS == 0
    }

    fn of(metadata: &Metadata) -> Self {
        Self { uid: metadata.uid(), mode: metadata.mode() }
    }
}

/// Reads the user and permission bits of a file or directory.
///
/// # Errors
/// The path does not exist, or stat(2) is refused.
pub(crate) fn owner(path: &Path) -> io::Result<Owner> {
    fs::metadata(path).map(|metadata| Owner::of(&metadata))
}

/// Reads a regular file of at most [`MOST_BYTES`].
///
/// # Errors
/// The file cannot be opened or read, is no regular file, or is larger.
pub(crate) fn read(path: &Path) -> Result<SmallFile, Unreadable> {
    // Checked before the open, since opening some devices has side effects, and after it, since the file may have been replaced.
    check(&fs::metadata(path)?)?;
    // Without O_NONBLOCK, opening a FIFO waits for a writer.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let metadata = file.metadata()?;
    check(&metadata)?;
    let mut bytes = Vec::new();
    // The file may grow during the read.
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    Ok(SmallFile { bytes, owner: Owner::of(&metadata) })
}

fn check(metadata: &Metadata) -> Result<(), Unreadable> {
    let kind = metadata.file_type();
    if !kind.is_file() {
        return Err(Unreadable::NotRegular(match kind {
            kind if kind.is_dir() => "directory",
            kind if kind.is_fifo() => "FIFO",
            kind if kind.is_socket() => "socket",
            _ => "device",
        }));
    }
    if metadata.len() > MOST_BYTES { Err(Unreadable::TooLarge) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, Unreadable, read};
    use std::fs::File;
    use std::path::Path;

    #[test]
    fn only_small_regular_files_are_read_and_nothing_is_waited_for() {
        let directory = std::env::temp_dir().join(format!("tcpulse-small-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = |name: &str| directory.join(name);
        std::fs::write(path("small"), "x").unwrap();
        File::create(path("just")).unwrap().set_len(MOST_BYTES).unwrap();
        File::create(path("large")).unwrap().set_len(MOST_BYTES + 1).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(&path("small")).unwrap().bytes, b"x");
        assert_eq!(read(&path("just")).unwrap().bytes.len() as u64, MOST_BYTES);
        assert!(matches!(read(&path("large")), Err(Unreadable::TooLarge)));
        assert!(matches!(read(&path("fifo")), Err(Unreadable::NotRegular("FIFO"))));
        assert!(matches!(read(&directory), Err(Unreadable::NotRegular("directory"))));
        assert!(matches!(read(Path::new("/dev/zero")), Err(Unreadable::NotRegular("device"))));
        assert!(matches!(read(&path("none")), Err(Unreadable::Failed(_))));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_file_of_the_kernel_that_claims_no_length_is_read_whole() {
        assert!(!read(Path::new("/proc/self/status")).unwrap().bytes.is_empty());
    }
}
