//! `dead_in`: when the kernel gives up on a socket if nothing more comes from the peer (docs/kernel.md). The order of
//! the match follows the kernel's priorities: the state first, then the timer that it reports.

use super::retransmission::REFUSED;
use super::wheel::{Span, Wheel};
use super::{Facts, retransmission, syn, window};
use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::routes::Doubt;
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::sysctl::Sysctl;
use crate::model::time::Millis;
use crate::model::timer::TimerKind;

/// `TCP_TIMEWAIT_LEN`.
const TIME_WAIT: Millis = Millis::new(60_000);
/// The kernel reports the silence of the peer and the time left of the timer in whole ticks, each rounded down.
const TICKS: Millis = Millis::new(8);
/// The minimum of `TCP_KEEPIDLE` and `TCP_KEEPINTVL`.
const LEAST_KEEPALIVE: Millis = Millis::new(1_000);

/// The deadline of one row.
pub(super) fn of(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let socket = facts.socket;
    match socket.state {
        TcpState::Listen | TcpState::Close | TcpState::BoundInactive => return Deadline::NOT_APPLICABLE,
        TcpState::TimeWait => return minisocket(socket, Mechanism::TimeWait, wheel),
        TcpState::FinWait2 if socket.is_minisocket() => return minisocket(socket, Mechanism::FinTimeout, wheel),
        // With TCP_FASTOPEN_CONNECT the SYN waits for the first write. A keepalive timer has no effect in this state.
        TcpState::SynSent if matches!(socket.timer.kind, TimerKind::Off | TimerKind::Keepalive) => {
            return Deadline::NEVER;
        }
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
    // MPTCP ends a closed connection by a timer of its own, a minute after the close, which no field shows. The program has
    // not closed it if its options could be read.
    if facts.may_be_mptcp && facts.options.is_none() {
        return Deadline::at_least(Millis::ZERO, Mechanism::None);
    }
    match socket.timer.kind {
        TimerKind::Off | TimerKind::DelayedAck => Deadline::NEVER,
        // Keepalive was turned off between the dump and the reading of the options: the timer fires without effect.
        TimerKind::Keepalive if facts.keepalive.values.enabled == Some(false) => Deadline::NEVER,
        TimerKind::Keepalive => keepalive(facts, wheel),
        TimerKind::Retransmit => retransmission::deadline(facts, wheel),
        TimerKind::ZeroWindowProbe => window::deadline(facts, wheel),
        TimerKind::FinWait2 => fin_wait_2(facts),
        TimerKind::TimeWait => minisocket(socket, Mechanism::TimeWait, wheel),
        TimerKind::SynAck => syn::handshaking(facts, wheel),
        // A timer runs, or may run; all that is known is that it has not ended the socket yet.
        TimerKind::Unknown(_) | TimerKind::NotTold => Deadline::at_least(Millis::ZERO, Mechanism::None),
    }
}

/// Deadline of a TIME-WAIT or FIN-WAIT-2 minisocket: its timer ends it.
fn minisocket(socket: &Socket, mechanism: Mechanism, wheel: Wheel) -> Deadline {
    if socket.timer.kind != TimerKind::TimeWait {
        return Deadline::at_least(Millis::ZERO, mechanism);
    }
    wheel.pending(socket.timer.left(), TIME_WAIT).deadline(mechanism)
}

/// Deadline of a full socket in FIN-WAIT-2 that its program has closed. The timer runs for the part of the timeout
/// above 60 s, and the minisocket that follows lives equally long (`tcp_keepalive_timer`, `tcp_time_wait`). Which
/// timeout applies, the sysctl's or `TCP_LINGER2`, cannot be read any more.
fn fin_wait_2(facts: &Facts<'_>) -> Deadline {
    let expires = facts.socket.timer.left();
    let timeout = Millis::new(facts.sysctl(Sysctl::FinTimeout, 60)) * 1_000;
    // With a timeout of 60 s or less, no minisocket follows. The sysctl may have been changed since the timer was set.
    let minisocket = expires.min(timeout - TIME_WAIT);
    Deadline::at_least(expires + minisocket, Mechanism::FinTimeout)
}

/// Deadline while the keepalive timer runs: nothing is in flight (`tcp_keepalive_timer`).
fn keepalive(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let (socket, keepalive) = (facts.socket, facts.keepalive);
    let expires = socket.timer.left();
    let (idle, unanswered) = (socket.idle(), socket.probes_out());
    let (Some(Values { idle: idle_time, interval, probes, user_timeout }), Some(idle)) = (Values::of(keepalive), idle)
    else {
        return keepalive_at_least(keepalive, expires, idle, unanswered);
    };
    let due = idle_time + wheel.lateness(idle_time) + (interval + wheel.lateness(interval)) * unanswered;
    // If the times do not add up, keepalive was turned on again meanwhile, or the idle time was changed: then the timer
    // runs for that.
    let adds_up = (idle_time + interval * unanswered..=due + TICKS).contains(&(idle + expires + TICKS));
    // After an answered probe the timer runs for the interval, with no probe out.
    let set_for = match (adds_up, unanswered) {
        (true, 0) => idle_time.max(interval),
        (true, _) => interval,
        (false, _) => idle_time.max(interval).max(idle + expires),
    };
    let mut fires = wheel.pending(expires, set_for);
    if idle + expires < idle_time {
        // The timer was set before the peer was last heard, or the idle time was raised since: it fires without effect
        // and is set again for the remaining time.
        let due = idle_time - idle;
        fires = Span { earliest: due, latest: fires.latest.max(due) + wheel.lateness(due - expires) };
    }
    let is_refused = (expires <= REFUSED && idle + expires > due + TICKS) || facts.doubt.is_some_and(Doubt::refuses);
    let interval = wheel.after(Span::at(Millis::ZERO), interval);
    // With a user timeout, the kernel ignores the number of probes, but for one that must be out.
    let (mechanism, counted) = if user_timeout == Millis::ZERO {
        (Mechanism::Keepalive, probes.saturating_sub(unanswered))
    } else {
        (Mechanism::UserTimeout, u64::from(unanswered == 0))
    };
    if is_refused {
        // Probes that this host refuses are not counted, and are tried again twice a second.
        let by_probes = fires.earliest + interval.earliest * counted;
        return Deadline::at_least(by_probes.max(user_timeout - (idle + TICKS)), mechanism);
    }
    let ends = if user_timeout == Millis::ZERO {
        fires.plus(interval.times(counted))
    } else {
        let silent = Span { earliest: idle + fires.earliest + TICKS, latest: idle + fires.latest };
        fires.plus(until(user_timeout, silent, interval, counted))
    };
    facts.ends(ends, mechanism)
}

/// Time from a firing at which the peer has been silent for `silent` to the first firing, at least `least` intervals
/// later, that finds the user timeout exceeded. With a user timeout, the kernel ignores the number of probes.
fn until(user_timeout: Millis, silent: Span, interval: Span, least: u64) -> Span {
    let firings =
        |silent: Millis, interval: Millis| (user_timeout - silent).get().div_ceil(interval.get().max(1)).max(least);
    Span {
        earliest: interval.times(firings(silent.latest, interval.latest)).earliest,
        latest: interval.times(firings(silent.earliest, interval.earliest)).latest,
    }
}

/// Keepalive values, all known.
struct Values {
    idle: Millis,
    interval: Millis,
    probes: u64,
    user_timeout: Millis,
}

impl Values {
    fn of(keepalive: &Keepalive) -> Option<Self> {
        Some(Self {
            idle: Millis::from_secs(keepalive.values.idle_s?),
            interval: Millis::from_secs(keepalive.values.interval_s?),
            probes: keepalive.values.probes?.into(),
            user_timeout: keepalive.values.user_timeout_ms?.into(),
        })
    }
}

/// Lower bound without the values: nothing ends the connection before the first probe is sent and an interval has
/// passed.
fn keepalive_at_least(keepalive: &Keepalive, expires: Millis, idle: Option<Millis>, unanswered: u64) -> Deadline {
    if unanswered > 0 {
        return Deadline::at_least(expires, Mechanism::Keepalive);
    }
    let least = keepalive.values.idle_s.or(keepalive.idle_at_least_s).map_or(Millis::ZERO, Millis::from_secs);
    let probe = expires.max(least - idle.unwrap_or(least));
    let interval = keepalive.values.interval_s.map_or(LEAST_KEEPALIVE, Millis::from_secs);
    Deadline::at_least(probe + interval, Mechanism::Keepalive)
}
