//! The judgement of a row: is the peer still there, and when would the kernel give up on it (PRODUCT.md 5, KERNEL.md 8).

macro_rules! verdicts {
    ($($verdict:ident $name:literal $glyph:literal $meaning:literal;)*) => {
        /// What a row is judged to be. Every row gets exactly one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Verdict {
            $(#[doc = $meaning] $verdict,)*
        }

        impl Verdict {
            /// Every verdict, the order that of PRODUCT.md 5.
            pub const ALL: &'static [Self] = &[$(Self::$verdict,)*];

            /// The word used everywhere.
            pub fn name(self) -> &'static str {
                match self { $(Self::$verdict => $name,)* }
            }

            /// One cell wide.
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
    Unknown "unknown" "?" "quiet; whether keepalive guards it could not be seen";
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
    /// Whether the peer owes an answer, and has been asked for it more than once.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Probing | Self::Retransmitting | Self::SilentWindow)
    }
}

/// What the number in [`Deadline`] says about the time that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Within 0.3 s and 2 %
    Exact,
    /// Not later
    AtMost,
    /// Not earlier
    AtLeast,
    /// No running timer would end it
    Never,
    /// No connection, so no peer
    NotApplicable,
}

impl Bound {
    /// Every one, in the order of the help.
    pub const ALL: [Self; 5] = [Self::Exact, Self::AtMost, Self::AtLeast, Self::Never, Self::NotApplicable];

    /// The word used in JSON.
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

/// What in the kernel would end the connection.
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
    /// Nothing
    None,
}

impl Mechanism {
    /// Every one, in the order of the help.
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

    /// The word used in JSON.
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

/// `dead_in`: the time from the snapshot until the kernel gives up on the socket, if from then on nothing more arrives
/// from the peer and the program does nothing more with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// Milliseconds; `None` for never and not applicable
    pub ms: Option<u64>,
    /// What the number means
    pub bound: Bound,
    /// What ends it
    pub mechanism: Mechanism,
}

impl Deadline {
    /// No running timer would end it.
    pub const NEVER: Self = Self { ms: None, bound: Bound::Never, mechanism: Mechanism::None };
    /// Not a connection.
    pub const NOT_APPLICABLE: Self = Self { ms: None, bound: Bound::NotApplicable, mechanism: Mechanism::None };

    /// Not earlier than in `ms`.
    pub fn at_least(ms: u64, mechanism: Mechanism) -> Self {
        Self { ms: Some(ms), bound: Bound::AtLeast, mechanism }
    }
}

/// The judgement of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// What it is
    pub verdict: Verdict,
    /// When it ends
    pub deadline: Deadline,
    /// Where only a bound is sure: when it most likely ends, by the namespace's sysctls for what could not be read, and
    /// without losses before this silence
    pub likely_ms: Option<u64>,
}
