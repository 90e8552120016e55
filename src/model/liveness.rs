//! Judgement of a row: whether the peer is alive, and when the kernel would give up on it (docs/kernel.md 4).

use super::time::Millis;

macro_rules! verdicts {
    ($($verdict:ident $name:literal $glyph:literal $meaning:literal;)*) => {
        /// Verdict on a row. Every row gets exactly one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Verdict {
            $(#[doc = $meaning] $verdict,)*
        }

        impl Verdict {
            /// Every verdict, in the order of the help.
            pub const ALL: &'static [Self] = &[$(Self::$verdict,)*];

            /// Name in every output.
            pub fn name(self) -> &'static str {
                match self { $(Self::$verdict => $name,)* }
            }

            /// Symbol of one terminal cell.
            pub fn glyph(self) -> &'static str {
                match self { $(Self::$verdict => $glyph,)* }
            }

            /// One line of help.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$verdict => $meaning,)* }
            }
        }
    };
}

verdicts! {
    Active "active" "●" "heard from the peer a short time ago, and nothing is overdue";
    Guarded "guarded" "○" "quiet; a dead peer would be noticed, in dead-in";
    Unguarded "unguarded" "◌" "quiet; nothing would ever notice a dead peer";
    Unknown "unknown" "?" "quiet; whether keepalive is on could not be determined";
    Probing "probing" "◔" "keepalive probes are out and unanswered";
    Retransmitting "retransmitting" "◑" "data is out, retransmitted at least twice, and unanswered";
    Stalled "stalled" "▣" "the peer answers but keeps its window at zero: alive, not reading";
    SilentWindow "silent-window" "◕" "zero-window probes go unanswered";
    Connecting "connecting" "↗" "SYN-SENT: the peer has not answered yet";
    Handshaking "handshaking" "↘" "SYN-RECV: the peer has not confirmed our answer yet";
    Unaccepted "unaccepted" "⇥" "established, waiting in a listener's accept queue";
    PeerClosed "peer-closed" "⊗" "CLOSE-WAIT: the peer has closed, our program has not";
    HalfClosed "half-closed" "⊘" "FIN-WAIT-2 still held by our program: it shut down writing and waits";
    Closing "closing" "↓" "our side has closed: the kernel finishes it";
    TimeWait "time-wait" "·" "TIME-WAIT: over, the port rests";
    Listening "listening" "·" "a listener";
    Bound "bound" "·" "bound to a port, not connected";
}

impl Verdict {
    /// Whether the peer owes an answer that was requested more than once.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Probing | Self::Retransmitting | Self::SilentWindow)
    }
}

/// Precision of the time in a [`Deadline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Accurate within 0.3 s and 2 %
    Exact,
    /// The connection ends no later
    AtMost,
    /// The connection ends no earlier
    AtLeast,
    /// No running timer would end the connection
    Never,
    /// Not a connection, so there is no peer
    NotApplicable,
}

impl Bound {
    /// Every bound, in the order of the help.
    pub const ALL: [Self; 5] = [Self::Exact, Self::AtMost, Self::AtLeast, Self::Never, Self::NotApplicable];

    /// Name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::AtMost => "at_most",
            Self::AtLeast => "at_least",
            Self::Never => "never",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// Kernel mechanism that would end the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// Unanswered keepalive probes
    Keepalive,
    /// `TCP_USER_TIMEOUT`
    UserTimeout,
    /// Unanswered retransmissions: tcp_retries2
    Retransmission,
    /// Unanswered zero-window probes: tcp_retries2
    WindowProbe,
    /// tcp_syn_retries or `TCP_SYNCNT`
    SynRetries,
    /// tcp_synack_retries
    SynackRetries,
    /// tcp_orphan_retries
    OrphanRetries,
    /// tcp_fin_timeout or `TCP_LINGER2`
    FinTimeout,
    /// The 60 s of TIME-WAIT
    TimeWait,
    /// No mechanism
    None,
}

impl Mechanism {
    /// Every mechanism, in the order of the help.
    pub const ALL: [Self; 10] = [
        Self::Keepalive,
        Self::UserTimeout,
        Self::Retransmission,
        Self::WindowProbe,
        Self::SynRetries,
        Self::SynackRetries,
        Self::OrphanRetries,
        Self::FinTimeout,
        Self::TimeWait,
        Self::None,
    ];

    /// Name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keepalive => "keepalive",
            Self::UserTimeout => "user-timeout",
            Self::Retransmission => "retransmission",
            Self::WindowProbe => "window-probe",
            Self::SynRetries => "syn-retries",
            Self::SynackRetries => "synack-retries",
            Self::OrphanRetries => "orphan-retries",
            Self::FinTimeout => "fin-timeout",
            Self::TimeWait => "time-wait",
            Self::None => "none",
        }
    }
}

/// `dead_in`: time from the snapshot until the kernel gives up on the socket, if nothing more arrives from the peer and
/// the owner does nothing more with the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// Time from the snapshot; `None` for never and not applicable
    pub after: Option<Millis>,
    /// Precision of the number
    pub bound: Bound,
    /// Mechanism that ends the connection
    pub mechanism: Mechanism,
}

impl Deadline {
    /// Deadline if no running timer would end the connection.
    pub const NEVER: Self = Self { after: None, bound: Bound::Never, mechanism: Mechanism::None };
    /// Deadline of a socket that is not a connection.
    pub const NOT_APPLICABLE: Self = Self { after: None, bound: Bound::NotApplicable, mechanism: Mechanism::None };

    /// Deadline of a connection that ends no earlier than after this time.
    pub fn at_least(after: Millis, mechanism: Mechanism) -> Self {
        Self { after: Some(after), bound: Bound::AtLeast, mechanism }
    }
}

/// Verdict and deadline of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// Verdict
    pub verdict: Verdict,
    /// Deadline
    pub deadline: Deadline,
    /// Most likely time to the end, if only a bound is certain. It assumes the namespace's sysctls for
    /// unread values, and no losses before this silence
    pub likely: Option<Millis>,
}
