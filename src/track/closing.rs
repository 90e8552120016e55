//! Why a socket is over, as far as its last counters and verdict show: the kernel does not tell.

use crate::model::liveness::Verdict;
use crate::model::socket::Socket;
use crate::model::state::TcpState;

/// Verdicts that come and go for a reason; the calm ones only tell how long ago the peer was heard.
pub(super) fn is_trouble(verdict: Verdict) -> bool {
    verdict.is_silent() || verdict == Verdict::Stalled
}

/// Why a socket is most likely over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Destroyed from here: its program gets ECONNABORTED
    Destroyed,
    /// It was in SYN-SENT when it was last seen
    NotConnected,
    /// It was in SYN-RECV when it was last seen
    Handshake,
    /// It was a listener
    ListensNoMore,
    /// The kernel gave up on the peer: its program gets ETIMEDOUT
    TimedOut,
    /// The peer was silent, and nothing tells whether the kernel gave up
    WasSilent,
    /// Both ends closed it, this one first: its TIME-WAIT keeps the port
    TimeWait,
    /// Both ends closed it
    InOrder,
    /// This side closed it first
    ByUs,
    /// The peer closed it, then this side
    ByPeerThenUs,
    /// Nothing tells which
    ClosedOrReset,
}

impl CloseReason {
    /// What a socket in this state most likely ended of; `last` is the socket as the kernel destroyed it.
    pub(super) fn guess(state: TcpState, verdict: Option<Verdict>, is_destroyed: bool, last: Option<&Socket>) -> Self {
        // The last counters say it; without them, what was thought of it last.
        let is_silent = match last {
            Some(socket) => socket.probes_out() > 0 || socket.retransmits() > 0,
            None => verdict.is_some_and(Verdict::is_silent),
        };
        match state {
            _ if is_destroyed => Self::Destroyed,
            TcpState::SynSent => Self::NotConnected,
            TcpState::SynRecv => Self::Handshake,
            TcpState::Listen => Self::ListensNoMore,
            TcpState::Established | TcpState::CloseWait if is_silent && last.is_some() => Self::TimedOut,
            TcpState::Established | TcpState::CloseWait if is_silent => Self::WasSilent,
            TcpState::LastAck | TcpState::Closing | TcpState::TimeWait => Self::InOrder,
            TcpState::FinWait1 | TcpState::FinWait2 => Self::ByUs,
            TcpState::CloseWait => Self::ByPeerThenUs,
            _ => Self::ClosedOrReset,
        }
    }
}
