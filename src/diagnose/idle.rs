//! Bounds on the idle time (`TCP_KEEPIDLE`) that the keepalive timer was set for, inferred from one reading of the
//! timer.

use crate::model::socket::Socket;
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::time::Millis;

/// The kernel reports times in ticks of up to 10 ms, rounded down, and two of them are added up.
const ROUNDING: Millis = Millis::new(20);

/// Range of possible values of `TCP_KEEPIDLE`, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdleBounds {
    /// Lower bound, included
    pub at_least_s: u32,
    /// Upper bound, included, if one is known
    pub at_most_s: Option<u32>,
}

impl IdleBounds {
    /// Converts bounds to the whole seconds between them, with tolerance for rounding.
    pub(super) fn from_times(at_least: Millis, at_most: Option<Millis>) -> Self {
        let at_least_s = (at_least - ROUNDING).whole_seconds_up().max(1);
        let at_most_s = at_most.map(|time| (time + ROUNDING).whole_seconds());
        // If the bounds contradict each other, the program has set a new value, and only the current timer counts.
        Self { at_least_s, at_most_s: at_most_s.filter(|&seconds| seconds >= at_least_s) }
    }

    /// The value, if both bounds agree.
    pub(super) fn exact(self) -> Option<u32> {
        self.at_most_s.filter(|&seconds| seconds == self.at_least_s)
    }

    /// The smallest range that also contains `seconds`; without a value, any may be true.
    pub(super) fn or(self, seconds: Option<u32>) -> Self {
        let Some(seconds) = seconds else { return Self { at_least_s: 1, at_most_s: None } };
        Self {
            at_least_s: self.at_least_s.min(seconds.max(1)),
            at_most_s: self.at_most_s.map(|most| most.max(seconds)),
        }
    }
}

/// Bounds on the idle time from one reading of the timer. They hold for the time that the timer was set for, which is
/// the idle time unless a sysctl was changed since.
///
/// Lower bound: until a probe is sent, the timer is never set for longer than the idle time, so the idle time is at
/// least what is left of the timer. After an answered probe it runs for the interval, which may be longer than the idle
/// time. Upper bound: if nothing has come from the peer since the timer was set, it fires once the peer has been silent
/// for the idle time, or later if the program turned keepalive on only after a while; so the idle time is at most the
/// silence so far plus what is left. Only a connection on which nothing ever came is sure to have received nothing
/// since, answers to probes included.
pub(super) fn idle_bounds(socket: &Socket) -> IdleBounds {
    let expires = socket.timer.left();
    let info = socket.attributes.info.as_deref();
    // While a probe is out, the silence is longer than the idle time was when it was sent; its current value is
    // unknown.
    match socket.idle() {
        Some(idle) if socket.probes_out() == 0 && info.is_some_and(|info| is_untouched(info, idle)) => {
            IdleBounds::from_times(expires, Some(idle + expires))
        }
        _ => IdleBounds::from_times(Millis::ZERO, None),
    }
}

/// Whether nothing has come since the handshake: then the time since data last came is the age of the connection.
fn is_untouched(info: &TcpInfo, idle: Millis) -> bool {
    info.get(Field::BytesReceived) == Some(0)
        && info.millis(Field::LastDataRecv).is_some_and(|age| age <= idle + ROUNDING)
}
