//! `dead_in`: when the kernel gives up on a socket if nothing more comes from the peer (docs/kernel.md). The order of
//! the match follows the kernel's priorities: the state first, then the timer that it reports.

use super::wheel::{Span, Wheel};
use super::{Facts, retransmission, syn, window};
use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::sysctl::Sysctl;
use crate::model::timer::TimerKind;

/// `TCP_TIMEWAIT_LEN`.
const TIME_WAIT_MS: u64 = 60_000;
/// The kernel reports the silence of the peer and the time left of the timer in whole ticks, each rounded down.
const TICKS_MS: u64 = 8;
/// The minimum of `TCP_KEEPIDLE` and `TCP_KEEPINTVL`.
const LEAST_KEEPALIVE_MS: u64 = 1_000;

/// The deadline of one row.
pub(super) fn of(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let socket = facts.socket;
    match socket.state {
        TcpState::Listen | TcpState::Close | TcpState::BoundInactive => return Deadline::NOT_APPLICABLE,
        TcpState::TimeWait => return minisocket(socket, Mechanism::TimeWait, wheel),
        TcpState::FinWait2 if socket.is_minisocket() => return minisocket(socket, Mechanism::FinTimeout, wheel),
        TcpState::SynSent => return syn::connecting(facts, wheel),
        TcpState::SynRecv => return syn::handshaking(facts, wheel),
        TcpState::Established
        | TcpState::CloseWait
        | TcpState::FinWait1
        | TcpState::FinWait2
        | TcpState::Closing
        | TcpState::LastAck
        | TcpState::Unknown(_) => {}
    }
    match socket.timer.kind {
        TimerKind::Off | TimerKind::DelayedAck => Deadline::NEVER,
        // Keepalive was turned off between the dump and the reading of the options: the timer fires without effect.
        TimerKind::Keepalive if facts.keepalive.enabled == Some(false) => Deadline::NEVER,
        TimerKind::Keepalive => keepalive(facts, wheel),
        TimerKind::Retransmit => retransmission::deadline(facts, wheel),
        TimerKind::ZeroWindowProbe => window::deadline(facts, wheel),
        TimerKind::FinWait2 => fin_wait_2(facts),
        TimerKind::TimeWait => minisocket(socket, Mechanism::TimeWait, wheel),
        TimerKind::SynAck => syn::handshaking(facts, wheel),
        // A timer runs, or may run; all that is known is that it has not ended the socket yet.
        TimerKind::Unknown(_) | TimerKind::NotTold => Deadline::at_least(0, Mechanism::None),
    }
}

/// Deadline of a TIME-WAIT or FIN-WAIT-2 minisocket: its timer ends it.
fn minisocket(socket: &Socket, mechanism: Mechanism, wheel: Wheel) -> Deadline {
    if socket.timer.kind != TimerKind::TimeWait {
        return Deadline::at_least(0, mechanism);
    }
    wheel.pending(socket.timer.expires_ms.into(), TIME_WAIT_MS).deadline(mechanism)
}

/// Deadline of a full socket in FIN-WAIT-2 that its program has closed. The timer runs for the part of the timeout
/// above 60 s, and the minisocket that follows lives equally long (`tcp_keepalive_timer`, `tcp_time_wait`). Which
/// timeout applies, the sysctl's or `TCP_LINGER2`, cannot be read any more.
fn fin_wait_2(facts: &Facts<'_>) -> Deadline {
    let expires = u64::from(facts.socket.timer.expires_ms);
    let timeout = facts.sysctl(Sysctl::FinTimeout, 60) * 1_000;
    // With a timeout of 60 s or less, no minisocket follows.
    let minisocket = if timeout > TIME_WAIT_MS { expires } else { 0 };
    Deadline::at_least(expires + minisocket, Mechanism::FinTimeout)
}

/// Deadline while the keepalive timer runs: nothing is in flight (`tcp_keepalive_timer`).
fn keepalive(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let (socket, keepalive) = (facts.socket, facts.keepalive);
    let expires = u64::from(socket.timer.expires_ms);
    let (idle, unanswered) = (socket.idle_ms(), socket.probes_out());
    let (Some(Values { idle_ms, interval_ms, probes, user_timeout_ms }), Some(idle)) = (Values::of(keepalive), idle)
    else {
        return keepalive_at_least(keepalive, expires, idle, unanswered);
    };
    let set_for = if unanswered > 0 { interval_ms } else { idle_ms };
    let mut fires = wheel.pending(expires, set_for);
    if idle + expires < idle_ms {
        // The timer was set before the peer was last heard, or the idle time was raised since: it fires without effect
        // and is set again for the remaining time.
        let due = idle_ms - idle;
        fires = Span { earliest: due, latest: fires.latest.max(due) + wheel.lateness_ms(due - expires) };
    }
    let interval = wheel.after(Span::at(0), interval_ms);
    let (ends, mechanism) = if user_timeout_ms == 0 {
        (fires.plus(interval.times(probes.saturating_sub(unanswered))), Mechanism::Keepalive)
    } else {
        let least = u64::from(unanswered == 0);
        let silent = Span { earliest: idle + fires.earliest + TICKS_MS, latest: idle + fires.latest };
        (fires.plus(until(user_timeout_ms, silent, interval, least)), Mechanism::UserTimeout)
    };
    facts.ends(ends, mechanism)
}

/// Time from a firing at which the peer has been silent for `silent` to the first firing, at least `least` intervals
/// later, that finds the user timeout exceeded. With a user timeout, the kernel ignores the number of probes.
fn until(user_timeout_ms: u64, silent: Span, interval: Span, least: u64) -> Span {
    let firings =
        |silent: u64, interval: u64| user_timeout_ms.saturating_sub(silent).div_ceil(interval.max(1)).max(least);
    Span {
        earliest: interval.times(firings(silent.latest, interval.latest)).earliest,
        latest: interval.times(firings(silent.earliest, interval.earliest)).latest,
    }
}

/// Keepalive values, all known.
struct Values {
    idle_ms: u64,
    interval_ms: u64,
    probes: u64,
    user_timeout_ms: u64,
}

impl Values {
    fn of(keepalive: &Keepalive) -> Option<Self> {
        Some(Self {
            idle_ms: u64::from(keepalive.idle_s?) * 1_000,
            interval_ms: u64::from(keepalive.interval_s?) * 1_000,
            probes: keepalive.probes?.into(),
            user_timeout_ms: keepalive.user_timeout_ms?.into(),
        })
    }
}

/// Lower bound without the values: nothing ends the connection before the first probe is sent and an interval has
/// passed.
fn keepalive_at_least(keepalive: &Keepalive, expires: u64, idle: Option<u64>, unanswered: u64) -> Deadline {
    if unanswered > 0 {
        return Deadline::at_least(expires, Mechanism::Keepalive);
    }
    let least = keepalive.idle_s.or(keepalive.idle_at_least_s).map_or(0, |seconds| u64::from(seconds) * 1_000);
    let probe = expires.max(least.saturating_sub(idle.unwrap_or(least)));
    Deadline::at_least(probe + LEAST_KEEPALIVE_MS, Mechanism::Keepalive)
}
