//! Keepalive of a socket, and the source of its values.

use super::unread::Unread;

/// Source of keepalive values, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepaliveSource {
    /// Read from the socket with getsockopt(2)
    Socket,
    /// Inferred from the timers; values that they do not reveal are absent
    Inferred,
    /// Keepalive is on by the timer, which runs for the namespace's `tcp_keepalive_time`: idle time, interval and
    /// probes are assumed to be those of the sysctls
    Sysctl,
}

impl KeepaliveSource {
    /// Every source, the best first.
    pub const ALL: [Self; 3] = [Self::Socket, Self::Inferred, Self::Sysctl];

    /// Name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Inferred => "inferred",
            Self::Sysctl => "sysctl",
        }
    }
}

/// The five options of tcp(7) and socket(7) that decide when a silent peer is detected: all of them, or those that are
/// known or requested.
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

impl KeepaliveValues {
    /// The values, all known.
    pub(crate) fn known(self) -> SomeKeepaliveValues {
        KeepaliveValues {
            enabled: Some(self.enabled),
            idle_s: Some(self.idle_s),
            interval_s: Some(self.interval_s),
            probes: Some(self.probes),
            user_timeout_ms: Some(self.user_timeout_ms),
        }
    }
}

/// Keepalive values, each of which may be unknown.
pub type SomeKeepaliveValues = KeepaliveValues<Option<bool>, Option<u32>>;

/// Keepalive of one socket. An unknown value is `None`, and `unknown_because` holds the reason.
///
/// Idle time, interval and probes are known if they were read from the socket, whether keepalive is on or off; if its
/// timers leave only one possible number; or if the source is the sysctls. Columns, filters, sorting and JSON all use
/// these fields, so that they agree on what is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keepalive {
    /// The values, as far as they are known
    pub values: SomeKeepaliveValues,
    /// Minimum of `TCP_KEEPIDLE` in seconds, if only bounds are known
    pub idle_at_least_s: Option<u32>,
    /// Maximum of `TCP_KEEPIDLE` in seconds, if only bounds are known
    pub idle_at_most_s: Option<u32>,
    /// Source of the values; `None` if nothing is known
    pub source: Option<KeepaliveSource>,
    /// Reason why a value is unknown
    pub unknown_because: Option<Unread>,
}

impl Keepalive {
    /// Unknown keepalive, with the reason.
    pub fn unknown(because: Unread) -> Self {
        Self { unknown_because: Some(because), ..Self::default() }
    }

    /// Whether the values were read from the socket itself, so that a deadline computed from them can be exact.
    pub fn is_read(&self) -> bool {
        self.source == Some(KeepaliveSource::Socket)
    }
}
