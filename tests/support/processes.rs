//! Processes that hold sockets, with any name.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::netns::{Netns, User};

/// Sleeps until this value is dropped.
pub struct Sleeper {
    child: Child,
    /// Where its program lies, if it was copied to have a name of its own
    copy: Option<PathBuf>,
}

impl Sleeper {
    /// A process in the namespace that holds `sockets`, each by one descriptor.
    pub fn holding(netns: &Netns, sockets: &[&dyn AsRawFd]) -> Self {
        let mut command = netns.command("sleep", User::Root);
        Self { child: start(&mut command, sockets), copy: None }
    }

    /// The same, in the namespace of the test, under a name that may hold any bytes but `/` and NUL.
    pub fn named(name: &[u8], sockets: &[&dyn AsRawFd]) -> Self {
        let directory = std::env::temp_dir().join(format!("tcpulse-test-{}-{}", std::process::id(), name.len()));
        fs::create_dir_all(&directory).unwrap();
        let program = directory.join(OsStr::from_bytes(name));
        fs::copy("/bin/sleep", &program).unwrap();
        Self { child: start(&mut Command::new(program), sockets), copy: Some(directory) }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(directory) = &self.copy {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn start(command: &mut Command, sockets: &[&dyn AsRawFd]) -> Child {
    let fds: Vec<RawFd> = sockets.iter().map(|socket| socket.as_raw_fd()).collect();
    let inherit = move || {
        for &fd in &fds {
            // SAFETY: the caller's sockets outlive the call, which returns after exec.
            let socket = unsafe { BorrowedFd::borrow_raw(fd) };
            // A duplicate is not closed at exec, and no other child of the test gets it. It stays open, being leaked.
            std::mem::forget(nix::unistd::dup(socket.as_fd())?);
        }
        Ok(())
    };
    // SAFETY: the closure makes only system calls and allocates nothing.
    unsafe { command.pre_exec(inherit) };
    command.arg("600").stdin(Stdio::null()).spawn().unwrap()
}
