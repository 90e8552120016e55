//! `dead_in`: when the kernel gives up on a socket if nothing more comes from the peer (KERNEL.md 8). The order of the
//! match is that of the kernel's own priorities: state first, then the timer that it shows.

use super::wheel::{Span, Wheel};
use super::{Facts, retransmission};
use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::sysctl::Sysctl;
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::timer::TimerKind;

/// `TCP_TIMEWAIT_LEN`.
const TIME_WAIT_MS: u64 = 60_000;
/// Times of the peer and of the timer are each told in whole ticks, cut.
const TICKS_MS: u64 = 8;
/// The least that `TCP_KEEPIDLE` and `TCP_KEEPINTVL` can be set to.
const LEAST_KEEPALIVE_MS: u64 = 1_000;

/// The deadline of one row.
pub fn of(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let socket = facts.socket;
    match socket.state {
        TcpState::Listen | TcpState::Close | TcpState::BoundInactive => return Deadline::NOT_APPLICABLE,
        TcpState::TimeWait => return minisocket(socket, Mechanism::TimeWait, wheel),
        TcpState::FinWait2 if socket.is_minisocket() => return minisocket(socket, Mechanism::FinTimeout, wheel),
        TcpState::SynSent => return retransmission::connecting(facts, wheel),
        TcpState::SynRecv => return handshaking(facts, wheel),
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
        // Turned off between the dump and the look at its options: the timer fires in vain.
        TimerKind::Keepalive if facts.keepalive.enabled == Some(false) => Deadline::NEVER,
        TimerKind::Keepalive => keepalive(facts, wheel),
        TimerKind::Retransmit => retransmission::deadline(facts, wheel),
        TimerKind::ZeroWindowProbe => zero_window(facts, wheel),
        TimerKind::FinWait2 => fin_wait_2(facts),
        TimerKind::TimeWait => minisocket(socket, Mechanism::TimeWait, wheel),
        TimerKind::SynAck => handshaking(facts, wheel),
        // Something runs, or may run, of which nothing is known but that it has not ended the socket yet.
        TimerKind::Unknown(_) | TimerKind::NotTold => Deadline::at_least(0, Mechanism::None),
    }
}

/// TIME-WAIT and FIN-WAIT-2 minisockets: the timer is the end.
fn minisocket(socket: &Socket, mechanism: Mechanism, wheel: Wheel) -> Deadline {
    if socket.timer.kind != TimerKind::TimeWait {
        return Deadline::at_least(0, mechanism);
    }
    wheel.pending(socket.timer.expires_ms.into(), TIME_WAIT_MS).deadline(mechanism)
}

/// A full socket in FIN-WAIT-2 whose program has closed it: the timer runs for what the timeout is above 60 s, and the
/// minisocket that follows lives as long again (`tcp_keepalive_timer`, `tcp_time_wait`). By which timeout, the sysctl's
/// or `TCP_LINGER2`, cannot be seen any more.
fn fin_wait_2(facts: &Facts<'_>) -> Deadline {
    let expires = u64::from(facts.socket.timer.expires_ms);
    let timeout = facts.sysctl(Sysctl::FinTimeout, 60) * 1_000;
    // With a timeout of 60 s or less there is no minisocket after it.
    let minisocket = if timeout > TIME_WAIT_MS { expires } else { 0 };
    Deadline::at_least(expires + minisocket, Mechanism::FinTimeout)
}

/// The keepalive timer runs: nothing is in flight (`tcp_keepalive_timer`).
fn keepalive(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let (socket, keepalive) = (facts.socket, facts.keepalive);
    let expires = u64::from(socket.timer.expires_ms);
    let info = socket.attributes.info.as_deref();
    let idle = info.and_then(TcpInfo::idle_ms);
    let unanswered = info.and_then(|info| info.get(Field::Probes)).unwrap_or(socket.timer.count.into());
    let (Some(Values { idle_ms, interval_ms, probes, user_timeout_ms }), Some(idle)) = (Values::of(keepalive), idle)
    else {
        return keepalive_at_least(keepalive, expires, idle, unanswered);
    };
    let set_for = if unanswered > 0 { interval_ms } else { idle_ms };
    let mut fires = wheel.pending(expires, set_for);
    if unanswered == 0 && idle + expires < idle_ms {
        // It was set before the peer was last heard: it fires in vain and is set again for the rest.
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
    if keepalive.is_read() { ends.deadline(mechanism) } else { Deadline::at_least(ends.earliest, mechanism) }
}

/// How long after a firing at which the peer is `silent` so long the first one comes, at least `least` intervals later,
/// that finds the user timeout passed. The number of probes is not looked at.
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

/// What is sure without the values: before a first probe has gone out and an interval has passed nothing ends it.
fn keepalive_at_least(keepalive: &Keepalive, expires: u64, idle: Option<u64>, unanswered: u64) -> Deadline {
    if unanswered > 0 {
        return Deadline::at_least(expires, Mechanism::Keepalive);
    }
    let least = keepalive.idle_s.or(keepalive.idle_at_least_s).map_or(0, |seconds| u64::from(seconds) * 1_000);
    let probe = expires.max(least.saturating_sub(idle.unwrap_or(least)));
    Deadline::at_least(probe + LEAST_KEEPALIVE_MS, Mechanism::Keepalive)
}

/// Data waits for the peer's window to open (`tcp_probe_timer`).
fn zero_window(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let mechanism = Mechanism::WindowProbe;
    let expires = u64::from(facts.socket.timer.expires_ms);
    let (Some(info), Some(user_timeout)) =
        (facts.socket.attributes.info.as_deref(), facts.keepalive.user_timeout_ms.map(u64::from))
    else {
        return Deadline::at_least(expires, mechanism);
    };
    let window = Window::of(facts, info);
    if window.cannot_send() {
        // Sends that fail are tried again twice a second, and counted all the same.
        let tries = window.retries.saturating_sub(window.unanswered);
        return Deadline::at_least(
            if window.is_open { expires } else { expires + tries * window.least_ms() },
            mechanism,
        );
    }
    if user_timeout > 0 {
        // It counts from the first probe, also where the peer answers, and when that was is not told.
        return if window.begun() {
            wheel.pending(user_timeout.max(expires), user_timeout).at_most(Mechanism::UserTimeout)
        } else {
            wheel.after(wheel.pending(expires, window.interval_ms()), user_timeout).deadline(Mechanism::UserTimeout)
        };
    }
    if window.is_answered() && window.begun() && facts.keepalive.is_read() {
        return Deadline::NEVER;
    }
    let ends = window.simulate(expires, wheel);
    if window.is_orphan {
        return ends.at_most(Mechanism::OrphanRetries);
    }
    // Nothing says yet that the peer is not there; or it is not known what the program set.
    if !window.is_silent || !facts.keepalive.is_read() {
        return Deadline::at_least(ends.earliest, mechanism);
    }
    ends.deadline(mechanism)
}

/// A shut window and the probes that knock at it.
pub(super) struct Window {
    unanswered: u64,
    backoff: u64,
    rto_ms: u64,
    rto_max_ms: u64,
    retries: u64,
    is_orphan: bool,
    /// It is not shut at all: what could not be sent waits for the next try
    pub(super) is_open: bool,
    is_doubtful: bool,
    /// A probe is out that a peer that is there would have answered
    pub(super) is_silent: bool,
}

impl Window {
    /// `TCP_RTO_MIN`, below which probes do not follow each other.
    const RTO_MIN_MS: u64 = 200;
    /// `TCP_RESOURCE_PROBE_INTERVAL`, between tries that this host could not send.
    const FAILED_MS: u64 = 500;
    /// `net.ipv4.tcp_invalid_ratelimit`: a peer answers a probe no sooner than this after it answered another.
    const RATELIMIT_MS: u64 = 500;
    /// The interval doubles so often at most.
    const MOST_DOUBLINGS: u64 = 10;

    pub(super) fn of(facts: &Facts<'_>, info: &TcpInfo) -> Self {
        let rto_max_ms = retransmission::rto_max_ms(facts);
        let mut window = Self {
            unanswered: info.get(Field::Probes).unwrap_or(facts.socket.timer.count.into()),
            backoff: info.get(Field::Backoff).unwrap_or(0),
            rto_ms: info.get(Field::Rto).unwrap_or(Self::RTO_MIN_MS).max(Self::RTO_MIN_MS),
            rto_max_ms,
            retries: facts.tries(Sysctl::Retries2, 15),
            is_orphan: facts.socket.is_orphan(),
            is_open: info.get(Field::SndWnd).is_some_and(|window| window > 0),
            is_doubtful: facts.doubt.is_some(),
            is_silent: false,
        };
        window.is_silent = window.silence(facts.socket.timer.expires_ms.into(), info);
        if window.is_orphan {
            window.retries = retransmission::orphan_retries(facts, window.interval_ms(), rto_max_ms);
        }
        window
    }

    /// Whether a probe has gone out since the window shut.
    fn begun(&self) -> bool {
        self.unanswered > 0 || self.backoff > 0
    }

    /// Whether the peer has answered all probes so far.
    fn is_answered(&self) -> bool {
        self.unanswered == 0
    }

    /// Whether this host does not get its probes out: the interval does not double, or there is a reason to doubt it.
    fn cannot_send(&self) -> bool {
        self.is_open || self.backoff < self.unanswered.min(self.retries) || self.is_doubtful
    }

    /// The least that lies between two tries.
    fn least_ms(&self) -> u64 {
        self.rto_ms.min(Self::FAILED_MS)
    }

    /// Whether one of the last two probes has been out for long enough, and was not one of those that a peer leaves
    /// unanswered since it answered another a moment before.
    fn silence(&self, expires_ms: u64, info: &TcpInfo) -> bool {
        const GRACE_MS: u64 = 100;
        let grace = GRACE_MS + 2 * info.get(Field::Rtt).unwrap_or(0).div_ceil(1_000);
        let heard_ago = info.idle_ms().unwrap_or(0);
        let last_ago = self.interval_ms().saturating_sub(expires_ms);
        let before_ago = last_ago + self.interval_ms() / 2;
        let is_telling = |ago: u64| ago >= grace && heard_ago.saturating_sub(ago) > Self::RATELIMIT_MS;
        match self.unanswered {
            0 => false,
            1 => is_telling(last_ago),
            2 => is_telling(last_ago) || is_telling(before_ago),
            _ => true,
        }
    }

    /// `tcp_probe0_when`.
    fn interval_ms(&self) -> u64 {
        (self.rto_ms << self.backoff.min(Self::MOST_DOUBLINGS)).min(self.rto_max_ms)
    }

    /// Probes until none is left.
    fn simulate(&self, expires: u64, wheel: Wheel) -> Span {
        let mut fires = wheel.pending(expires, self.interval_ms());
        let mut at = Self { ..*self };
        while at.unanswered < at.retries {
            at.unanswered += 1;
            at.backoff = (at.backoff + 1).min(at.retries.max(at.backoff));
            fires = wheel.after(fires, at.interval_ms());
        }
        fires
    }
}

/// A SYN-ACK is out (`reqsk_timer_handler`). A crowded queue and `TCP_DEFER_ACCEPT` change the number of tries.
fn handshaking(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    const FIRST_MS: u64 = 1_000;
    let mechanism = Mechanism::SynackRetries;
    let expires = u64::from(facts.socket.timer.expires_ms);
    if facts.socket.timer.kind != TimerKind::SynAck {
        return Deadline::at_least(expires, mechanism);
    }
    let rto_max = retransmission::rto_max_ms(facts);
    let retries = facts.tries(Sysctl::SynackRetries, 5);
    let sent = u64::from(facts.socket.timer.count);
    let interval = |tries: u64| (FIRST_MS << tries.min(20)).min(rto_max);
    if expires > interval(sent) {
        // Timeouts without a SYN-ACK: the listener waits for data (TCP_DEFER_ACCEPT), or the host could not send.
        return Deadline::at_least(expires, mechanism);
    }
    let mut fires = wheel.pending(expires, interval(sent));
    for tries in sent + 1..=retries {
        fires = wheel.after(fires, interval(tries));
    }
    fires.at_most(mechanism)
}
