//! Why a socket is gone, guessed from its last counters and verdict, since the kernel does not report it.

use crate::model::liveness::Verdict;
use crate::model::socket::Socket;
use crate::model::state::TcpState;

/// Whether a change to or from this verdict is logged. Calm verdicts only show how long ago the peer was heard.
pub(super) fn is_trouble(verdict: Verdict) -> bool {
    verdict.is_silent() || verdict == Verdict::Stalled
}

/// Most likely reason why a socket is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Destroyed by this program: its owner gets ECONNABORTED
    Destroyed,
    /// It was in SYN-SENT when it was last seen
    NotConnected,
    /// It was in SYN-RECV when it was last seen
    Handshake,
    /// It was a listener
    ListensNoMore,
    /// The kernel gave up on the peer: the owner gets ETIMEDOUT
    TimedOut,
    /// The peer was silent; nothing shows whether the kernel gave up
    WasSilent,
    /// Both ends closed it, this one first: its TIME-WAIT holds the port
    TimeWait,
    /// Both ends closed it
    InOrder,
    /// This side closed it first
    ByUs,
    /// The peer closed it first, then this side
    ByPeerThenUs,
    /// Closed or reset; nothing shows which
    ClosedOrReset,
}

impl CloseReason {
    /// The most likely reason why a socket in this state ended; `last` is the socket as the kernel destroyed it.
    pub(super) fn guess(state: TcpState, verdict: Option<Verdict>, is_destroyed: bool, last: Option<&Socket>) -> Self {
        // The last counters decide; without them, the last verdict.
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
