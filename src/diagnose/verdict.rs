//! Verdict of a row (docs/json.md): decided by the state, then the timer, then how recently the peer was heard.
//! ARCHITECTURE.md lists what a new verdict needs.

use super::Facts;
use super::window::Window;
use crate::model::liveness::Verdict;
use crate::model::state::TcpState;
use crate::model::time::Millis;
use crate::model::timer::TimerKind;

/// Number of retransmissions from which data counts as overdue.
const OVERDUE: u64 = 2;

/// Verdict of a row.
pub(super) fn of(facts: &Facts<'_>, active_within: Millis) -> Verdict {
    let socket = facts.socket;
    match socket.state {
        TcpState::Established if socket.inode.is_none() => Verdict::Unaccepted,
        TcpState::Established => established(facts, active_within),
        TcpState::SynSent => Verdict::Connecting,
        TcpState::SynRecv => Verdict::Handshaking,
        TcpState::FinWait2 if !socket.is_minisocket() && !socket.is_orphan() => Verdict::HalfClosed,
        TcpState::FinWait1 | TcpState::FinWait2 | TcpState::LastAck | TcpState::Closing => Verdict::Closing,
        TcpState::TimeWait => Verdict::TimeWait,
        TcpState::CloseWait => Verdict::PeerClosed,
        TcpState::Listen => Verdict::Listening,
        TcpState::Close | TcpState::BoundInactive => Verdict::Bound,
        TcpState::Unknown(_) => Verdict::Unknown,
    }
}

fn established(facts: &Facts<'_>, active_within: Millis) -> Verdict {
    let socket = facts.socket;
    match socket.timer.kind {
        TimerKind::Keepalive if socket.probes_out() > 0 => return Verdict::Probing,
        TimerKind::Retransmit if socket.retransmits() >= OVERDUE => return Verdict::Retransmitting,
        TimerKind::ZeroWindowProbe => match shut(facts) {
            Some(verdict) => return verdict,
            None if socket.probes_out() >= OVERDUE => return Verdict::Retransmitting,
            None => {}
        },
        _ => {}
    }
    let is_active = socket.idle().is_some_and(|idle| idle <= active_within);
    // Data in flight has a retransmission deadline, so a dead peer is noticed without keepalive.
    let in_flight = matches!(socket.timer.kind, TimerKind::Retransmit | TimerKind::ZeroWindowProbe);
    match facts.keepalive.values.enabled {
        _ if is_active => Verdict::Active,
        Some(true) => Verdict::Guarded,
        Some(false) if in_flight => Verdict::Guarded,
        Some(false) if tells_keepalive(socket.timer.kind) => Verdict::Unguarded,
        Some(false) | None => Verdict::Unknown,
    }
}

/// Whether the reported timer proves that keepalive is on or off. A timer unknown to this program proves nothing.
fn tells_keepalive(kind: TimerKind) -> bool {
    matches!(kind, TimerKind::Off | TimerKind::DelayedAck | TimerKind::Keepalive)
}

/// Verdict on a zero window: the peer does not read, or it is gone. `None` if the window is open and this host cannot
/// send.
fn shut(facts: &Facts<'_>) -> Option<Verdict> {
    let Some(info) = facts.socket.attributes.info.as_deref() else {
        return Some(if facts.socket.timer.count > 1 { Verdict::SilentWindow } else { Verdict::Stalled });
    };
    match Window::of(facts, info) {
        window if window.is_open => None,
        window if window.is_silent => Some(Verdict::SilentWindow),
        _ => Some(Verdict::Stalled),
    }
}
