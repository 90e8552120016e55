//! The zero-window probe timer (`tcp_probe_timer`): data waits for the peer's window to open, or for this host to be able
//! to send.

use super::retransmission::REFUSED;
use super::wheel::{Span, Wheel};
use super::{Facts, retransmission};
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::routes::Doubt;
use crate::model::sysctl::Sysctl;
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::time::Millis;

/// Deadline while the zero-window probe timer runs.
pub(super) fn deadline(facts: &Facts<'_>, wheel: Wheel) -> Deadline {
    let mechanism = Mechanism::WindowProbe;
    let expires = facts.socket.timer.left();
    let (Some(info), Some(user_timeout)) =
        (facts.socket.attributes.info.as_deref(), facts.keepalive.values.user_timeout_ms.map(Millis::from))
    else {
        return Deadline::at_least(expires, mechanism);
    };
    let window = Window::of(facts, info);
    if window.cannot_send() {
        return window.where_sends_fail(expires, user_timeout, wheel);
    }
    let ends = window.simulate(wheel.pending(expires, window.interval() + window.pacing), wheel);
    if user_timeout > Millis::ZERO {
        return within_user_timeout(&window, ends, expires, user_timeout, wheel);
    }
    if window.is_orphan {
        return ends.at_most(Mechanism::OrphanRetries);
    }
    // Nothing shows yet that the peer is gone: it may answer the probes for ever. Or the program's settings are not known.
    if !window.is_silent || !facts.keepalive.is_read() {
        return Deadline::at_least(ends.earliest, mechanism);
    }
    ends.deadline(mechanism)
}

/// Deadline with a user timeout: the connection ends by it or by the number of probes, whichever comes first. An answer
/// resets the number of probes, but not the time, which counts from the first probe; the kernel does not report when
/// that was sent.
fn within_user_timeout(window: &Window, probes: Span, expires: Millis, user_timeout: Millis, wheel: Wheel) -> Deadline {
    let mechanism = Mechanism::UserTimeout;
    if !window.begun() {
        let time = wheel.after(wheel.pending(expires, window.interval()), user_timeout);
        return if probes.earliest < time.earliest {
            Deadline::at_least(probes.earliest, Mechanism::WindowProbe)
        } else {
            time.deadline(mechanism)
        };
    }
    if window.unanswered == 0 {
        // The back-off may be that of retransmissions before the window shut, with no probe sent yet.
        return wheel.after(wheel.pending(expires, window.interval()), user_timeout).at_most(mechanism);
    }
    let time = wheel.pending(user_timeout.max(expires), user_timeout);
    if window.is_silent && probes.latest < time.latest {
        return probes.at_most(Mechanism::WindowProbe);
    }
    time.at_most(mechanism)
}

/// A zero window and the probes sent to it.
pub(super) struct Window {
    unanswered: u64,
    backoff: u64,
    rto: Millis,
    rto_max: Millis,
    /// Upper bound of the time by which pacing postpones a probe
    pacing: Millis,
    retries: u64,
    is_orphan: bool,
    /// The window is open: data that this host could not send waits for the next try
    pub(super) is_open: bool,
    doubt: Option<Doubt>,
    /// A probe is out that a live peer would have answered
    pub(super) is_silent: bool,
}

impl Window {
    /// `TCP_RTO_MIN`: the shortest time between probes.
    const RTO_MIN: Millis = Millis::new(200);
    /// `net.ipv4.tcp_invalid_ratelimit`: a peer answers a probe no sooner than this after it answered another.
    const RATELIMIT: Millis = Millis::new(500);
    /// Maximum number of doublings of the interval.
    const MOST_DOUBLINGS: u64 = 10;

    pub(super) fn of(facts: &Facts<'_>, info: &TcpInfo) -> Self {
        let rto_max = retransmission::rto_max(facts);
        let mut window = Self {
            unanswered: facts.socket.probes_out(),
            backoff: info.get(Field::Backoff).unwrap_or(0),
            rto: info.millis(Field::Rto).unwrap_or_default().max(Self::RTO_MIN),
            rto_max,
            pacing: retransmission::pacing_delay(facts.socket, info),
            retries: facts.tries(Sysctl::Retries2, 15),
            is_orphan: facts.socket.is_orphan(),
            is_open: info.get(Field::SndWnd).is_some_and(|window| window > 0),
            doubt: facts.doubt.filter(|doubt| doubt.is_present()),
            is_silent: false,
        };
        window.is_silent = window.silence(facts.socket.timer.left(), info);
        if window.is_orphan {
            window.retries = retransmission::orphan_retries(facts, window.interval(), rto_max);
        }
        window
    }

    /// Whether a probe was sent since the window shut.
    fn begun(&self) -> bool {
        self.unanswered > 0 || self.backoff > 0
    }

    /// Whether this host fails to send its probes: the interval does not double, or the facts give a reason to doubt
    /// it.
    fn cannot_send(&self) -> bool {
        self.is_open || self.backoff < self.unanswered.min(self.retries) || self.doubt.is_some()
    }

    /// Lower bound if this host cannot send. A queue that is full (`tcp_write_wakeup` above 0) is tried again twice a
    /// second, and each try counts as a probe. Without a route the tries double their distance like probes that go out;
    /// the back-off counts only those. If a send succeeds after all, retransmission takes longer than any of this.
    fn where_sends_fail(&self, expires: Millis, user_timeout: Millis, wheel: Wheel) -> Deadline {
        let mechanism = Mechanism::WindowProbe;
        let tries = self.rto.min(REFUSED) * self.retries.saturating_sub(self.unanswered);
        if user_timeout > Millis::ZERO || self.is_orphan {
            // The user timeout counts from the first firing.
            let left = if self.begun() { Millis::ZERO } else { tries.min(user_timeout) };
            return Deadline::at_least(expires + left, mechanism);
        }
        let doubles = self.backoff >= self.unanswered.min(self.retries);
        // While the neighbour is looked for, a probe waits for it, and counts as sent.
        let waits = self.doubt == Some(Doubt::Neighbour) && !self.is_open;
        let has_no_route = self.doubt.is_none() && self.is_open && self.unanswered > 0;
        if doubles && (waits || has_no_route) {
            return Deadline::at_least(
                self.simulate(wheel.pending(expires, self.interval()), wheel).earliest,
                mechanism,
            );
        }
        Deadline::at_least(expires + tries, mechanism)
    }

    /// Whether one of the last two probes has been unanswered for long enough. A probe does not count if the peer
    /// answered another one a moment before: its rate limit then leaves this one unanswered.
    fn silence(&self, expires: Millis, info: &TcpInfo) -> bool {
        const GRACE: Millis = Millis::new(100);
        let grace = GRACE + Millis::from_micros_up(info.get(Field::Rtt).unwrap_or(0)) * 2;
        let heard_ago = info.idle().unwrap_or_default();
        let last_ago = self.interval() - expires;
        let before_ago = last_ago + self.interval().halved(1);
        let is_telling = |ago: Millis| ago >= grace && heard_ago - ago > Self::RATELIMIT;
        match self.unanswered {
            0 => false,
            1 => is_telling(last_ago),
            2 => is_telling(last_ago) || is_telling(before_ago),
            _ => true,
        }
    }

    /// Time until the next probe (`tcp_probe0_when`).
    fn interval(&self) -> Millis {
        self.rto.doubled(self.backoff.min(Self::MOST_DOUBLINGS)).min(self.rto_max)
    }

    /// Simulates probes, of which the next is sent when the timer fires, until none is left.
    fn simulate(&self, mut fires: Span, wheel: Wheel) -> Span {
        let mut at = Self { ..*self };
        while at.unanswered < at.retries {
            at.unanswered += 1;
            at.backoff = (at.backoff + 1).min(at.retries.max(at.backoff));
            fires = wheel.after(fires, at.interval());
        }
        fires
    }
}
