//! What one sight of the keepalive timer says of the idle time (`TCP_KEEPIDLE`) that it was set for, as bounds.

use crate::model::socket::Socket;
use crate::model::tcp_info::{Field, TcpInfo};

/// Times are told in ticks of up to 10 ms, cut, and two of them are added up.
pub(super) const ROUNDING_MS: u64 = 20;

/// What `TCP_KEEPIDLE` can be, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdleBounds {
    /// Not less
    pub at_least_s: u32,
    /// Not more, where something says so
    pub at_most_s: Option<u32>,
}

impl IdleBounds {
    /// Bounds in milliseconds, rounding allowed for, to the whole seconds between them.
    pub(super) fn from_ms(at_least: u64, at_most: Option<u64>) -> Self {
        let at_least_s = u32::try_from(at_least.saturating_sub(ROUNDING_MS).div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
        let at_most_s = at_most.map(|ms| u32::try_from((ms + ROUNDING_MS) / 1_000).unwrap_or(u32::MAX));
        // Where they contradict each other the program has set it anew, and only the timer as it is now tells.
        Self { at_least_s, at_most_s: at_most_s.filter(|&seconds| seconds >= at_least_s) }
    }

    /// Both known, and the same.
    pub(super) fn exact(self) -> Option<u32> {
        self.at_most_s.filter(|&seconds| seconds == self.at_least_s)
    }

    pub(super) fn allow(self, seconds: u32) -> bool {
        seconds >= self.at_least_s && self.at_most_s.is_none_or(|most| seconds <= most)
    }

    /// What both allow; the newer where they contradict each other, since then the program has set it anew.
    pub(super) fn narrowed(self, earlier: Self) -> Self {
        let at_least_s = self.at_least_s.max(earlier.at_least_s);
        let at_most_s = match (self.at_most_s, earlier.at_most_s) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        if at_most_s.is_some_and(|most| most < at_least_s) { self } else { Self { at_least_s, at_most_s } }
    }
}

/// What one sight of the timer tells: of the time that it was set for, which is the idle time unless a sysctl was changed
/// since.
///
/// Until a probe is sent it is never set for longer than the idle time, so that is at least what is left of it; after an
/// answered probe it runs for the interval, which may be longer than the idle time. And where nothing has come from the
/// peer since it was set, it fires when the idle time has passed since then, or later where the program turned keepalive on
/// only after a while: so the idle time is at most what the peer is silent for plus what is left. That nothing has come, an
/// answer to a probe included, is sure only of a connection on which nothing ever came.
pub(super) fn idle_bounds(socket: &Socket) -> IdleBounds {
    let expires = u64::from(socket.timer.expires_ms);
    let info = socket.attributes.info.as_deref();
    // While a probe is out the silence is longer than the idle time was when it went; what that is now nobody tells.
    match socket.idle_ms() {
        Some(idle) if socket.probes_out() == 0 && info.is_some_and(|info| is_untouched(info, idle)) => {
            IdleBounds::from_ms(expires, Some(idle + expires))
        }
        _ => IdleBounds::from_ms(0, None),
    }
}

/// Whether nothing has come since the handshake: then the time since data last came is the age of the connection.
fn is_untouched(info: &TcpInfo, idle: u64) -> bool {
    info.get(Field::BytesReceived) == Some(0)
        && info.get(Field::LastDataRecv).is_some_and(|age| age <= idle + ROUNDING_MS)
}
