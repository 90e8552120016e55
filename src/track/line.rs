//! What a row of a view is apart from its cells: its identity, its sign, and whether it came or went a moment ago.

use crate::model::address::NetnsId;
use crate::model::liveness::Verdict;

/// Identity of a row within its view; the same in the next snapshot, wherever the row stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId {
    /// Where its socket is; 0 for a row that is no socket
    pub netns: NetnsId,
    /// The socket's cookie, or any number of the view's own
    pub key: u64,
}

impl RowId {
    /// A row that is no socket.
    pub fn other(key: u64) -> Self {
        Self { netns: NetnsId(0), key }
    }
}

/// The sign of a row: how urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Nothing
    Plain,
    /// Something cannot wait
    Alarm,
    /// Something should not stay as it is
    Warning,
    /// It is there for completeness
    Muted,
    /// What is thought of a socket
    Verdict(Verdict),
}

impl Sign {
    /// Rank for sorting: the lowest is shown first.
    pub fn urgency(self) -> u8 {
        match self {
            Self::Alarm => 0,
            Self::Warning => 1,
            Self::Plain => 4,
            Self::Muted => 5,
            Self::Verdict(verdict) => match verdict {
                Verdict::Probing | Verdict::Retransmitting | Verdict::SilentWindow => 0,
                Verdict::Stalled | Verdict::PeerClosed | Verdict::HalfClosed => 1,
                Verdict::Unguarded => 2,
                Verdict::Unknown | Verdict::Connecting | Verdict::Handshaking | Verdict::Unaccepted => 3,
                Verdict::Active | Verdict::Guarded => 4,
                Verdict::Closing | Verdict::TimeWait | Verdict::Listening | Verdict::Bound => 5,
            },
        }
    }
}

/// Whether a row came or went a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Age {
    /// Neither
    #[default]
    Settled,
    /// It was not there a moment ago
    New,
    /// It is not there any more
    Gone,
}
