//! Mount namespace with the test's own /dev and /etc: a program in it has another journal, another policy, and tcpulse
//! with rights from its file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::netns::{NOBODY, Netns, User};
use super::program::TCPULSE;

/// Directory with the /dev and /etc, which exists as long as this value.
pub struct Host {
    directory: PathBuf,
}

/// User that runs tcpulse, and its rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    Root,
    Nobody,
    /// nobody, and the file has these capabilities
    Capabilities(&'static str),
    /// nobody, and the file is root's and set-user-ID
    SetUserId,
}

impl Host {
    /// Creates /dev and /etc without files, so that there is no journal.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("tcpulse-host-{}-{number}", std::process::id()));
        for below in ["dev", "etc/tcpulse", "bin"] {
            fs::create_dir_all(directory.join(below)).unwrap();
        }
        for below in ["", "dev", "etc", "etc/tcpulse", "bin"] {
            fs::set_permissions(directory.join(below), fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { directory }
    }

    /// Path of the file that the host has as /dev/log.
    pub fn log(&self) -> PathBuf {
        self.directory.join("dev/log")
    }

    /// Path of the file that the host has as /etc/NAME.
    pub fn etc(&self, name: &str) -> PathBuf {
        self.directory.join("etc").join(name)
    }

    /// Writes the host's policy, owned by root and writable only by root.
    pub fn policy(&self, text: &str) -> PathBuf {
        let path = self.etc("tcpulse/policy.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        path
    }

    /// Command that runs tcpulse in this host and network namespace. The caller adds the arguments.
    pub fn command(&self, netns: &Netns, rights: Rights) -> Command {
        let right = match rights {
            Rights::Capabilities(names) => format!("setcap {names}+ep bin/tcpulse"),
            Rights::SetUserId => "chmod 4755 bin/tcpulse".to_owned(),
            Rights::Root | Rights::Nobody => ":".to_owned(),
        };
        // A separate file system, since that of the test may ignore rights of files.
        let copy = format!("mount -t tmpfs -o mode=755 none bin\ncp {TCPULSE} bin/tcpulse\n{right}");
        let nobody = format!("exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \"$tcpulse\" \"$@\"");
        let run = match rights {
            Rights::Root => format!("shift\nexec {TCPULSE} \"$@\""),
            _ => format!("{copy}\ntcpulse=$1/bin/tcpulse\nshift\n{nobody}"),
        };
        let script = format!("set -e\ncd \"$1\"\nmount --bind dev /dev\nmount --bind etc /etc\n{run}\n");
        let mut command = netns.command("unshare", User::Root);
        command.args(["-m", "sh", "-c", &script, "sh"]).arg(&self.directory);
        command.env_remove("COLUMNS").env_remove("NO_COLOR").env("TERM", "xterm").stdin(Stdio::null());
        command
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Whether files can be given capabilities here. If not, the test is noted as skipped.
pub fn can_set_capabilities(test: &str) -> bool {
    let probe = std::env::temp_dir().join(format!("tcpulse-setcap-{}-{test}", std::process::id()));
    fs::write(&probe, "").unwrap();
    let set = |path: &Path| Command::new("setcap").arg("cap_net_admin+ep").arg(path).output();
    let can = set(&probe).is_ok_and(|output| output.status.success());
    fs::remove_file(&probe).unwrap();
    if !can {
        super::skip::skip(test, "setcap (libcap2-bin) is missing, or files may have no capabilities here");
    }
    can
}
