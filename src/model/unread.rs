//! Reasons why a socket's options, and values derived from them, are unknown.

/// Reason why a value is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// The kernel keeps no options of a minisocket
    Minisocket,
    /// The socket is no connection
    NotConnected,
    /// The socket is no connection yet
    NotConnectedYet,
    /// In FIN-WAIT-2 the keepalive timer has another meaning
    FinWait2,
    /// This kernel does not report timers
    NoTimers,
    /// Another timer is pending
    OtherTimer,
    /// Its timers reveal whether keepalive is on, so its options were not read
    Unneeded,
    /// The user excluded reading of options
    Unwanted,
    /// /proc/net/tcp has no cookie to verify a descriptor by
    NoCookie,
    /// Its process is hidden
    Hidden,
    /// No process holds it
    NoProcess,
    /// It waits in an accept queue; no process holds it
    NotAccepted,
    /// Its process has closed it
    Orphan,
    /// Owners were not searched for
    UnknownProcess,
    /// Its process closed it during the snapshot
    Gone,
    /// The kernel failed with another error
    Failed,
    /// This kernel does not answer for the options of an MPTCP socket
    NoMptcpOptions,
    /// getsockopt(2) is refused
    NoGetsockopt,
    /// This program ran out of descriptors
    NoDescriptor,
    /// pidfd_getfd(2) is not available
    NoSystemCall,
    /// Its process's descriptors may not be read
    Forbidden,
    /// Its state is unknown to this program
    UnknownState,
}

impl Unread {
    /// Text of the reason, for users and for `unknown_because` in JSON. It completes "because …".
    pub fn reason(self) -> &'static str {
        match self {
            Self::Minisocket => "the kernel keeps no options of a minisocket",
            Self::NotConnected => "not connected",
            Self::NotConnectedYet => "not connected yet",
            Self::FinWait2 => "closed by its program; the timer is that of FIN-WAIT-2",
            Self::NoTimers => "this kernel does not report timers",
            Self::OtherTimer => "another timer hides the keepalive timer",
            Self::Unneeded => "its options were not read, since its timers tell whether keepalive is on",
            Self::Unwanted => "reading of options is turned off",
            Self::NoCookie => "/proc/net/tcp has no cookie to check a descriptor by",
            Self::Hidden => "its process is hidden from this user",
            Self::NoProcess => "no process holds it, so its options cannot be reached",
            Self::NotAccepted => "not accepted yet, so no process holds it",
            Self::Orphan => "closed by its program, so no process holds it",
            Self::UnknownProcess => "its process is not known",
            Self::Gone => "its process closed it meanwhile",
            Self::Failed => "the kernel failed to read its options",
            Self::NoMptcpOptions => "this kernel does not tell the options of MPTCP connections",
            Self::NoGetsockopt => "getsockopt(2) is refused by a seccomp profile or a security module",
            Self::NoDescriptor => "tcpulse ran out of descriptors",
            Self::NoSystemCall => "this kernel, or a seccomp profile, does not allow pidfd_getfd(2)",
            Self::Forbidden => "not permitted to read its process's descriptors",
            Self::UnknownState => "its state is not one this program knows",
        }
    }
}
