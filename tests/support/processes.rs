//! Processes that hold sockets, with any name.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use nix::sched::{CloneFlags, unshare};

use super::netns::{Netns, User};

/// Whether /proc lists other users' processes to nobody. If mounted with hidepid=2, it does not.
pub fn are_listed_to_nobody(netns: &Netns) -> bool {
    netns.command("test", User::Nobody).args(["-e", "/proc/1"]).status().unwrap().success()
}

/// Runs `work` with /proc mounted with this hidepid; `None` if the mount is refused.
pub fn with_hidepid<R: Send>(hidepid: u32, work: impl FnOnce() -> R + Send) -> Option<R> {
    let in_mount_namespace = || {
        // Affects only this thread and the children that it starts.
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let option = format!("hidepid={hidepid}");
        let mount = |arguments: &[&str]| Command::new("mount").args(arguments).status().unwrap().success();
        // A new mount, since remounting /proc would change it for the whole pid namespace.
        (mount(&["--make-rprivate", "/"]) && mount(&["-t", "proc", "-o", &option, "proc", "/proc"])).then(work)
    };
    thread::scope(|scope| scope.spawn(in_mount_namespace).join().unwrap_or_else(|panic| resume_unwind(panic)))
}

/// A process that sleeps until this value is dropped.
pub struct Sleeper {
    child: Child,
    /// Directory of its executable, if it has a name of its own
    directory: Option<PathBuf>,
}

impl Sleeper {
    /// Starts a process in the namespace that holds `sockets`, each by one descriptor.
    pub fn holding(netns: &Netns, sockets: &[&dyn AsRawFd]) -> Self {
        Self::of(User::Root, netns, sockets)
    }

    /// Starts such a process as another user.
    pub fn of(user: User, netns: &Netns, sockets: &[&dyn AsRawFd]) -> Self {
        let mut command = netns.command("sleep", user);
        Self { child: start(&mut command, sockets), directory: None }
    }

    /// Starts such a process in the test's namespace, under a name of any bytes except `/` and NUL.
    pub fn named(name: &[u8], sockets: &[&dyn AsRawFd]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("tcpulse-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let program = directory.join(OsStr::from_bytes(name));
        // A process is named after the path by which it is executed, not after the target of the link.
        symlink("/bin/sleep", &program).unwrap();
        Self { child: start(&mut Command::new(program), sockets), directory: Some(directory) }
    }

    /// Starts a process with this many descriptors below that of `socket`.
    pub fn crowded(netns: &Netns, descriptors: usize, socket: &dyn AsRawFd) -> Self {
        let null = fs::File::open("/dev/null").unwrap();
        let sockets: Vec<&dyn AsRawFd> = vec![&null; descriptors];
        let mut command = netns.command("sleep", User::Root);
        // The number is the same in each process, as after a fork, and above all that other tests have open at this moment.
        put_at(&mut command, socket, RawFd::try_from(2 * descriptors).unwrap());
        Self { child: start(&mut command, &sockets), directory: None }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(directory) = &self.directory {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

/// Gives the command a descriptor of the socket with this number.
#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn put_at(command: &mut Command, socket: &dyn AsRawFd, number: RawFd) {
    let fd = socket.as_raw_fd();
    let put = move || {
        // SAFETY: the caller's socket outlives the call, which returns after exec.
        let socket = unsafe { BorrowedFd::borrow_raw(fd) };
        nix::fcntl::fcntl(socket, nix::fcntl::FcntlArg::F_DUPFD(number)).map(drop).map_err(Into::into)
    };
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(put) };
}

#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn start(command: &mut Command, sockets: &[&dyn AsRawFd]) -> Child {
    let fds: Vec<RawFd> = sockets.iter().map(|socket| socket.as_raw_fd()).collect();
    let inherit = move || {
        for &fd in &fds {
            // SAFETY: the caller's sockets outlive the call, which returns after exec.
            let socket = unsafe { BorrowedFd::borrow_raw(fd) };
            // A duplicate is not closed at exec, and no other child of the test inherits it. It is leaked, so that it stays open.
            std::mem::forget(nix::unistd::dup(socket.as_fd())?);
        }
        Ok(())
    };
    // SAFETY: the closure makes only system calls and allocates nothing.
    unsafe { command.pre_exec(inherit) };
    command.arg("600").stdin(Stdio::null()).spawn().unwrap()
}
