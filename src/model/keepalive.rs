//! What is known about a socket's keepalive, and from where.

use super::unread::Unread;

/// Where the values come from, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepaliveSource {
    /// Read from the socket with getsockopt(2)
    Socket,
    /// Told by the timers; what they do not tell is absent
    Inferred,
    /// On by the timer, which runs as long as the namespace's `tcp_keepalive_time`: idle time, interval and probes are
    /// taken to be the sysctls'
    Sysctl,
}

impl KeepaliveSource {
    /// Every one, the best first.
    pub const ALL: [Self; 3] = [Self::Socket, Self::Inferred, Self::Sysctl];

    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Inferred => "inferred",
            Self::Sysctl => "sysctl",
        }
    }
}

/// The five options of tcp(7) and socket(7) that decide when a silent peer is noticed: all of a socket, or as far as they are
/// known or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeepaliveValues<Flag = bool, Number = u32> {
    /// `SO_KEEPALIVE`
    pub enabled: Flag,
    /// `TCP_KEEPIDLE` in seconds: silence before the first probe
    pub idle_s: Number,
    /// `TCP_KEEPINTVL` in seconds: time between probes
    pub interval_s: Number,
    /// `TCP_KEEPCNT`: unanswered probes that end the connection
    pub probes: Number,
    /// `TCP_USER_TIMEOUT` in milliseconds, 0 for none
    pub user_timeout_ms: Number,
}

/// The same, each known or not.
pub(crate) type SomeKeepaliveValues = KeepaliveValues<Option<bool>, Option<u32>>;

/// Keepalive of one socket. What is not known is `None`, and `unknown_because` says why.
///
/// Idle time, interval and probes are known where they were read from the socket, whether keepalive is on or off; where
/// its timers leave one number; and where the source is the sysctls. Columns, filters, sorting and JSON all take these
/// fields, so that none of them shows or compares what another calls unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keepalive {
    /// `SO_KEEPALIVE`
    pub enabled: Option<bool>,
    /// `TCP_KEEPIDLE` in seconds: silence before the first probe
    pub idle_s: Option<u32>,
    /// Least that `TCP_KEEPIDLE` can be, where only bounds are known
    pub idle_at_least_s: Option<u32>,
    /// Most that `TCP_KEEPIDLE` can be, where only bounds are known
    pub idle_at_most_s: Option<u32>,
    /// `TCP_KEEPINTVL` in seconds: time between probes
    pub interval_s: Option<u32>,
    /// `TCP_KEEPCNT`: unanswered probes that end the connection
    pub probes: Option<u32>,
    /// `TCP_USER_TIMEOUT` in milliseconds, 0 for none
    pub user_timeout_ms: Option<u32>,
    /// Where this is from; `None` where nothing is known
    pub source: Option<KeepaliveSource>,
    /// Why something is not known
    pub unknown_because: Option<Unread>,
}

impl Keepalive {
    /// Nothing is known, for this reason.
    pub fn unknown(because: Unread) -> Self {
        Self { unknown_because: Some(because), ..Self::default() }
    }

    /// Whether the values were read from the socket itself, so that a deadline made of them can be exact.
    pub fn is_read(&self) -> bool {
        self.source == Some(KeepaliveSource::Socket)
    }
}
