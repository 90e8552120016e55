//! What of the kernel this program can use here and now, each with the reason where it cannot.

use std::fs::File;
use std::io;

use nix::sched::{CloneFlags, setns};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use super::destroy_events;
use super::diag::DiagSocket;
use super::discovery::NetnsChoice;
use super::error::Refusal;
use super::rights::{READ_DESCRIPTORS, effective};
use crate::model::address::NetnsId;
use crate::model::rights::Capabilities;

/// An interface of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interface {
    /// sock_diag: the rows
    SockDiag,
    /// `SOCK_DESTROY`: `kill`
    Destroy,
    /// Destroy events: connections that come and go between two snapshots
    DestroyEvents,
    /// pidfd_getfd(2): options of sockets, and `set`
    PidfdGetfd,
    /// Descriptors of other users' processes: owners
    OthersDescriptors,
    /// setns(2): network namespaces of others
    Namespaces,
}

impl Interface {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::SockDiag,
        Self::Destroy,
        Self::DestroyEvents,
        Self::PidfdGetfd,
        Self::OthersDescriptors,
        Self::Namespaces,
    ];

    /// Why it cannot be used; `None` if it can.
    pub(crate) fn lacks(self) -> Option<Lack> {
        match self {
            Self::SockDiag => diag().err().map(Lack::Refused),
            Self::Destroy => match diag().map(|mut diag| diag.knows_destroy()) {
                Err(refusal) => Some(Lack::Refused(refusal)),
                Ok(false) => Some(Lack::NotBuilt("CONFIG_INET_DIAG_DESTROY")),
                Ok(true) => missing(Capabilities::NET_ADMIN),
            },
            Self::DestroyEvents => {
                destroy_events::listen(&NetnsChoice::Current, |_| true).is_empty().then_some(Lack::Unavailable)
            }
            Self::PidfdGetfd => own_descriptor().err().map(Lack::System),
            Self::OthersDescriptors => missing(READ_DESCRIPTORS),
            Self::Namespaces => {
                enter_own().err().map(|error| missing(Capabilities::SYS_ADMIN).unwrap_or(Lack::System(error)))
            }
        }
    }
}

/// Why an interface cannot be used.
#[derive(Debug)]
pub(crate) enum Lack {
    /// sock_diag refuses
    Refused(Refusal),
    /// The kernel was built without this option
    NotBuilt(&'static str),
    /// These capabilities are missing
    Capabilities(Capabilities),
    /// A system call failed
    System(io::Error),
    /// The kernel does not offer it
    Unavailable,
}

fn missing(needed: Capabilities) -> Option<Lack> {
    let missing = needed - effective();
    (!missing.is_empty()).then_some(Lack::Capabilities(missing))
}

fn diag() -> Result<DiagSocket, Refusal> {
    DiagSocket::open(NetnsId(0))
}

/// Duplicates a descriptor of this process through a pidfd.
fn own_descriptor() -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let file = File::open("/proc/self/status")?;
    let own = pidfd_open(getpid(), PidfdFlags::empty())?;
    pidfd_getfd(own, file.as_raw_fd(), PidfdGetfdFlags::empty())?;
    Ok(())
}

/// Enters the network namespace that this thread is in.
fn enter_own() -> io::Result<()> {
    Ok(setns(File::open("/proc/thread-self/ns/net")?, CloneFlags::CLONE_NEWNET)?)
}
