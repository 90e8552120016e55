//! Network namespaces for tests.

use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

/// A namespace that exists as long as this value and the sockets created in it.
pub struct Netns {
    file: File,
}

/// User that runs a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    Root,
    Nobody,
}

pub const NOBODY: u32 = 65534;

impl Netns {
    /// Creates a namespace with its loopback up.
    pub fn new() -> Self {
        let file = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let namespace = Self { file: file.join().unwrap() };
        namespace.ip("link set lo up");
        namespace
    }

    /// Its inode number, as tcpulse prints it.
    pub fn inode(&self) -> u64 {
        self.file.metadata().unwrap().ino()
    }

    /// A path that refers to the namespace, for ip and mount.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// Runs `work` in the namespace, on a separate thread.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                setns(&self.file, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Command that runs a program in the namespace.
    pub fn command(&self, program: &str, user: User) -> Command {
        let mut command = Command::new(program);
        enter_before_exec(&mut command, self.file.as_raw_fd(), user);
        command
    }

    /// Runs ip(8) in the namespace.
    pub fn ip(&self, arguments: &str) {
        let output = self.command("ip", User::Root).args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Whether this kernel has the sysctl.
    pub fn has_sysctl(&self, name: &str) -> bool {
        let path = format!("/proc/sys/net/{name}");
        self.run(|| std::fs::exists(path)).unwrap()
    }

    /// Sets a sysctl of the namespace.
    pub fn sysctl(&self, name: &str, value: &str) {
        let path = format!("/proc/sys/net/{name}");
        self.run(|| std::fs::write(path, value)).unwrap();
    }
}

/// Calls setns and, for nobody, setuid in the child.
#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn enter_before_exec(command: &mut Command, namespace: RawFd, user: User) {
    let enter = move || {
        // SAFETY: the descriptor is open in the parent, which waits for the child's exec.
        let namespace = unsafe { std::os::fd::BorrowedFd::borrow_raw(namespace) };
        setns(namespace, CloneFlags::CLONE_NEWNET)?;
        if user == User::Nobody {
            let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
            setgroups(&[gid])?;
            setresgid(gid, gid, gid)?;
            setresuid(uid, uid, uid)?;
        }
        Ok(())
    };
    // SAFETY: the closure makes only system calls, which are async-signal-safe, and allocates nothing.
    unsafe { command.pre_exec(enter) };
}
