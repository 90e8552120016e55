//! A row of a view apart from its cells: its identity, its sign, and whether it came or went a moment ago.

use crate::model::address::NetnsId;
use crate::model::liveness::Verdict;

/// Identity of a row within its view, which stays the same in later snapshots wherever the row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId {
    /// Network namespace of its socket; 0 for a row that is no socket
    pub netns: NetnsId,
    /// The socket's cookie, or a number that the view chooses
    pub key: u64,
}

impl RowId {
    /// Identity of a row that is no socket.
    pub fn other(key: u64) -> Self {
        Self { netns: NetnsId(0), key }
    }
}

/// The sign of a row: how urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// No sign
    Plain,
    /// It needs attention at once
    Alarm,
    /// It should not stay as it is
    Warning,
    /// It is listed for completeness
    Muted,
    /// Verdict on a socket
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
    /// It came a moment ago
    New,
    /// It is gone
    Gone,
}
