//! Why a socket's options, and what follows from them, are not known.

/// The reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// The kernel keeps none of a minisocket
    Minisocket,
    /// It is no connection
    NotConnected,
    /// It is no connection yet
    NotConnectedYet,
    /// In FIN-WAIT-2 the keepalive timer is another
    FinWait2,
    /// This kernel does not tell timers
    NoTimers,
    /// Another timer is pending
    OtherTimer,
    /// Its timers tell whether keepalive is on, so it was not asked
    Unneeded,
    /// The user did not want it asked
    Unwanted,
    /// /proc/net/tcp has no cookie to check a descriptor by
    NoCookie,
    /// Its process is hidden
    Hidden,
    /// No process holds it
    NoProcess,
    /// It waits in an accept queue, where no process holds it
    NotAccepted,
    /// Its program has closed it
    Orphan,
    /// Nobody looked for its process
    UnknownProcess,
    /// Its process closed it meanwhile
    Gone,
    /// The kernel failed
    Failed,
    /// getsockopt(2) is refused
    NoGetsockopt,
    /// This program ran out of descriptors
    NoDescriptor,
    /// There is no pidfd_getfd(2)
    NoSystemCall,
    /// Its process's descriptors may not be looked at
    Forbidden,
    /// Its state is unknown to this program
    UnknownState,
}

impl Unread {
    /// The same for people, and for `unknown_because` in JSON; it reads well after "because".
    pub fn reason(self) -> &'static str {
        match self {
            Self::Minisocket => "the kernel keeps no options of a minisocket",
            Self::NotConnected => "not connected",
            Self::NotConnectedYet => "not connected yet",
            Self::FinWait2 => "closed by its program; the timer is that of FIN-WAIT-2",
            Self::NoTimers => "this kernel does not tell timers",
            Self::OtherTimer => "another timer hides the keepalive timer",
            Self::Unneeded => "its options were not read, since its timers tell whether keepalive is on",
            Self::Unwanted => "its options were not to be read (--no-sockopts, --no-processes)",
            Self::NoCookie => "/proc/net/tcp has no cookie to check a descriptor by",
            Self::Hidden => "its process is hidden from this user",
            Self::NoProcess => "no process holds it, so its options cannot be reached",
            Self::NotAccepted => "not accepted yet, so no process holds it",
            Self::Orphan => "closed by its program, so no process holds it",
            Self::UnknownProcess => "its process is not known",
            Self::Gone => "its process closed it meanwhile",
            Self::Failed => "the kernel failed to read its options",
            Self::NoGetsockopt => "getsockopt(2) is refused by a seccomp profile or a security module",
            Self::NoDescriptor => "tcpulse ran out of descriptors",
            Self::NoSystemCall => "this kernel, or a seccomp profile, does not let descriptors be looked at",
            Self::Forbidden => "not permitted to look at its process's descriptors",
            Self::UnknownState => "its state is not one this program knows",
        }
    }
}
