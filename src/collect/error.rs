//! Errors of data collection, with the messages that the user reads.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

use super::refusals::{self, errno_of};
use crate::decode::netlink;
use crate::model::gap::Remedy;
use crate::model::rights::Capabilities;

/// Failure that leaves no data to show. If only some of the data is missing, a gap is reported instead.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A directory or file of /proc that is indispensable
    #[error("cannot read {}: {source}; {}", path.display(), proc_remedy(source))]
    Proc {
        /// The path
        path: PathBuf,
        /// Cause
        source: io::Error,
    },
    /// The user named a namespace that does not exist
    #[error("no network namespace '{0}'; choose current, all, a process id, or one of: {1}")]
    UnknownNetns(String, String),
    /// The user named a process that does not exist
    #[error("no process {0}: it is gone, or hidden from this user")]
    NoProcess(u32),
    /// The user named a namespace that cannot be entered
    #[error("cannot enter network namespace '{name}': {source}{}", .remedy.after_cause())]
    Enter {
        /// As the user wrote it
        name: String,
        /// Cause
        source: io::Error,
        /// Remedy for the user
        remedy: Remedy,
    },
    /// The namespace ended, or its name now belongs to another one
    #[error("network namespace '{0}' ended during the snapshot")]
    Ended(String),
    /// The user requested sock_diag, which is not available
    #[error("sock_diag is not available in namespace '{netns}': {refusal}")]
    SockDiag {
        /// Name of the namespace
        netns: String,
        /// Cause
        refusal: Refusal,
    },
    /// /proc/net/tcp, the last source, cannot be read
    #[error("cannot read /proc/net/tcp in namespace '{netns}': {source}")]
    ProcNetTcp {
        /// Name of the namespace
        netns: String,
        /// Cause
        source: io::Error,
    },
    /// The thread that enters a namespace could not be started, or panicked
    #[error("the worker for network namespace '{0}' could not be run")]
    Worker(String),
}

impl CollectError {
    /// Error for a namespace that cannot be entered without the capabilities `needed`.
    pub(super) fn enter(name: &str, source: io::Error, needed: Capabilities) -> Self {
        let remedy = refusals::remedy(errno_of(&source), needed);
        Self::Enter { name: name.to_owned(), source, remedy }
    }
}

fn proc_remedy(error: &io::Error) -> Cow<'static, str> {
    let errno = errno_of(error);
    let remedy = refusals::is_short(errno).then(|| refusals::remedy(errno, Capabilities::empty()).phrase()).flatten();
    remedy.unwrap_or(Cow::Borrowed("tcpulse needs /proc mounted and readable"))
}

/// Reason why sock_diag is not available.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No netlink socket can be opened
    #[error("cannot open a netlink socket ({0})")]
    Socket(io::Error),
    /// The kernel answered the request with an error
    #[error("the kernel refuses the request ({})", io::Error::from_raw_os_error(.0.0))]
    Request(netlink::Errno),
    /// Sending or receiving failed
    #[error("the netlink socket fails ({0})")]
    Transport(io::Error),
}

impl Refusal {
    /// Remedy for the user.
    pub fn remedy(&self) -> Remedy {
        let errno = match self {
            Self::Request(errno) => Some(errno.0),
            Self::Socket(error) | Self::Transport(error) => error.raw_os_error(),
        };
        match errno.map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => Remedy::Do("load the kernel module tcp_diag"),
            Some(Errno::PERM | Errno::ACCESS) => {
                Remedy::Do("allow NETLINK_SOCK_DIAG in the seccomp or SELinux profile")
            }
            Some(errno) if refusals::is_short(errno) => refusals::remedy(errno, Capabilities::empty()),
            // gVisor, WSL 1, a kernel without CONFIG_INET_DIAG: sock_diag does not exist there.
            _ => Remedy::None,
        }
    }
}
