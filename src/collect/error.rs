//! What can go wrong while asking, in the words that the user reads.

use std::io;
use std::path::PathBuf;

use crate::decode::netlink::Errno;

/// A failure that leaves nothing to show. What merely leaves something out is a gap.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A directory or file of /proc that everything depends on
    #[error("cannot read {}: {source}; tcpulse needs /proc mounted and readable", path.display())]
    Proc {
        /// The path
        path: PathBuf,
        /// Why
        source: io::Error,
    },
    /// The user named a namespace that is not there
    #[error("no network namespace '{0}'; choose current, all, a process id, or one of: {1}")]
    UnknownNetns(String, String),
    /// The user named a process that is not there
    #[error("no process {0}: it is gone, or hidden from this user")]
    NoProcess(u32),
    /// The user named a namespace that may not be entered
    #[error("cannot enter network namespace '{name}': {source}; run as root or grant CAP_SYS_ADMIN")]
    Enter {
        /// As the user wrote it
        name: String,
        /// Why
        source: io::Error,
    },
    /// sock_diag was asked for by name and is not to be had
    #[error(
        "sock_diag is not available in namespace '{netns}': {refusal}; --source procfs reads /proc/net/tcp instead"
    )]
    SockDiag {
        /// Name of the namespace
        netns: String,
        /// Why
        refusal: Refusal,
    },
    /// /proc/net/tcp cannot be read either
    #[error("cannot read /proc/net/tcp in namespace '{netns}': {source}")]
    ProcNetTcp {
        /// Name of the namespace
        netns: String,
        /// Why
        source: io::Error,
    },
    /// The worker that enters a namespace died
    #[error("the worker for network namespace '{0}' could not be run")]
    Worker(String),
}

/// Why the kernel would not speak sock_diag with us.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No netlink socket
    #[error("cannot open a netlink socket ({0})")]
    Socket(io::Error),
    /// The request was answered by an error
    #[error("the kernel refuses the request ({})", io::Error::from_raw_os_error(.0.0))]
    Request(Errno),
    /// Sending or receiving failed
    #[error("the netlink socket fails ({0})")]
    Transport(io::Error),
}

impl Refusal {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        let errno = match self {
            Self::Request(errno) => Some(errno.0),
            Self::Socket(error) | Self::Transport(error) => error.raw_os_error(),
        };
        match errno.map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::NOENT) => "load the kernel module tcp_diag",
            Some(rustix::io::Errno::PERM | rustix::io::Errno::ACCESS) => {
                "allow NETLINK_SOCK_DIAG in the seccomp or SELinux profile"
            }
            _ => "none on a kernel without sock_diag (gVisor, WSL 1, CONFIG_INET_DIAG off)",
        }
    }
}
