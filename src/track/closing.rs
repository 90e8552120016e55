//! Why a socket is over, as far as its last counters and verdict show: the kernel does not tell.

use crate::model::liveness::Verdict;
use crate::model::socket::Socket;
use crate::model::state::TcpState;

/// Verdicts that come and go for a reason; the calm ones only tell how long ago the peer was heard.
pub(super) fn is_trouble(verdict: Verdict) -> bool {
    verdict.is_silent() || verdict == Verdict::Stalled
}

pub(super) const RESTS: &str = "closed in order: TIME-WAIT keeps the port";

/// What the program of a socket that is over most likely got to see. The kernel does not tell.
pub(super) fn guess(
    state: TcpState,
    verdict: Option<Verdict>,
    is_destroyed: bool,
    last: Option<&Socket>,
) -> &'static str {
    // The last counters say it; without them, what was thought of it last.
    let is_silent = match last {
        Some(socket) => socket.probes_out() > 0 || socket.retransmits() > 0,
        None => verdict.is_some_and(Verdict::is_silent),
    };
    match (state, verdict) {
        _ if is_destroyed => "ECONNABORTED: destroyed from here",
        (TcpState::SynSent, _) => "was not connected yet when last seen",
        (TcpState::SynRecv, _) => "was in its handshake when last seen",
        (TcpState::Listen, _) => "listens no more",
        (TcpState::Established | TcpState::CloseWait, _) if is_silent && last.is_some() => {
            "ETIMEDOUT: the kernel gave up on the peer"
        }
        (TcpState::Established | TcpState::CloseWait, _) if is_silent => "ETIMEDOUT, or closed or reset",
        (TcpState::LastAck | TcpState::Closing | TcpState::TimeWait, _) => "closed in order",
        (TcpState::FinWait1 | TcpState::FinWait2, _) => "closed by our side",
        (TcpState::CloseWait, _) => "closed by the peer, then by our side",
        _ => "closed or reset",
    }
}
