//! Whether keepalive is on, and with which values: from the socket's options where they were read, else from what its
//! timer tells (KERNEL.md 2).

use super::sightings::Remembered;
use crate::model::keepalive::{Keepalive, KeepaliveSource};
use crate::model::options::SocketOptions;
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::sysctl::{Sysctl, Sysctls};
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::timer::TimerKind;

/// Times are told in ticks of up to 10 ms, cut, and two of them are added up.
const ROUNDING_MS: u64 = 20;

/// Whether a look at the descriptor could tell more than the row does: where the timer is keepalive's, hides keepalive's,
/// or has to do with options that shorten it; and of listeners, whose values their connections inherit.
pub fn asks_options(socket: &Socket) -> bool {
    match socket.state {
        TcpState::Listen => true,
        TcpState::Established
        | TcpState::CloseWait
        | TcpState::FinWait1
        | TcpState::FinWait2
        | TcpState::Closing
        | TcpState::LastAck
        | TcpState::SynSent => !matches!(socket.timer.kind, TimerKind::Off | TimerKind::DelayedAck),
        TcpState::SynRecv | TcpState::TimeWait | TcpState::Close | TcpState::BoundInactive | TcpState::Unknown(_) => {
            false
        }
    }
}

/// The keepalive of a socket. `unread` says why its options were not to be had.
pub fn of(
    socket: &Socket,
    options: Option<&SocketOptions>,
    unread: &'static str,
    remembered: Option<&Remembered>,
    sysctls: &Sysctls,
) -> Keepalive {
    if let Some(options) = options {
        return read(options);
    }
    if socket.is_minisocket() {
        return Keepalive::unknown("the kernel keeps no options of a minisocket");
    }
    match (socket.state, socket.timer.kind) {
        (TcpState::Close | TcpState::BoundInactive, _) => Keepalive::unknown("not connected"),
        (TcpState::Listen, _) => Keepalive::unknown(unread),
        (TcpState::SynRecv | TcpState::SynSent, _) => Keepalive::unknown("not connected yet"),
        (_, TimerKind::Off | TimerKind::DelayedAck) => {
            // The values are set while it is off too, and no timer tells them.
            Keepalive {
                enabled: Some(false),
                source: Some(KeepaliveSource::Inferred),
                unknown_because: Some(unread),
                ..Keepalive::default()
            }
        }
        (_, TimerKind::Keepalive) => on(socket, unread, remembered, sysctls),
        (_, TimerKind::FinWait2) => Keepalive::unknown("closed by its program; the timer is that of FIN-WAIT-2"),
        (_, TimerKind::NotTold) => Keepalive::unknown("this kernel does not tell timers"),
        (_, TimerKind::Retransmit | TimerKind::ZeroWindowProbe) => hidden(unread, remembered),
        (_, TimerKind::TimeWait | TimerKind::SynAck | TimerKind::Unknown(_)) => {
            Keepalive::unknown("another timer hides the keepalive timer")
        }
    }
}

fn read(options: &SocketOptions) -> Keepalive {
    Keepalive {
        enabled: Some(options.keepalive),
        idle_s: Some(options.keepidle_s),
        interval_s: Some(options.keepintvl_s),
        probes: Some(options.keepcnt),
        user_timeout_ms: Some(options.user_timeout_ms),
        source: Some(KeepaliveSource::Socket),
        ..Keepalive::default()
    }
}

/// Another timer is pending; what was seen while none was still holds, unless the program changed it.
fn hidden(unread: &'static str, remembered: Option<&Remembered>) -> Keepalive {
    match remembered.and_then(|remembered| remembered.enabled) {
        Some(enabled) => Keepalive {
            enabled: Some(enabled),
            source: Some(KeepaliveSource::Inferred),
            unknown_because: Some(unread),
            ..Keepalive::default()
        },
        None => Keepalive::unknown(unread),
    }
}

/// The timer says that it is on, and something of how it was set.
fn on(socket: &Socket, unread: &'static str, remembered: Option<&Remembered>, sysctls: &Sysctls) -> Keepalive {
    let seen = idle_bounds(socket);
    let bounds = remembered.map_or(seen, |remembered| seen.narrowed(remembered.idle));
    let interval_s = remembered.and_then(|remembered| remembered.interval_s);
    let exact = bounds.exact();
    let inferred = Keepalive {
        enabled: Some(true),
        idle_s: exact,
        // Less than a second no socket has.
        idle_at_least_s: Some(bounds.at_least_s).filter(|&seconds| exact.is_none() && seconds > 1),
        idle_at_most_s: bounds.at_most_s.filter(|_| exact.is_none()),
        interval_s,
        source: Some(KeepaliveSource::Inferred),
        unknown_because: Some(unread),
        ..Keepalive::default()
    };
    // A timer that runs to the very moment that the sysctl says was most likely set by it.
    let sysctl = sysctls.number(Sysctl::KeepaliveTime).and_then(|seconds| u32::try_from(seconds).ok());
    let runs_as_the_sysctl_says = sysctl.is_some_and(|seconds| bounds.allow(seconds) && runs_for(socket, seconds));
    if runs_as_the_sysctl_says && interval_s.is_none() {
        return Keepalive { user_timeout_ms: None, ..assumed(&inferred, sysctls) };
    }
    inferred
}

/// The same with everything that is not known taken from the namespace's sysctls: what a program gets that sets nothing.
pub fn assumed(keepalive: &Keepalive, sysctls: &Sysctls) -> Keepalive {
    let number = |sysctl| sysctls.number(sysctl).and_then(|value| u32::try_from(value).ok());
    Keepalive {
        idle_s: keepalive.idle_s.or_else(|| number(Sysctl::KeepaliveTime)),
        interval_s: keepalive.interval_s.or_else(|| number(Sysctl::KeepaliveIntvl)),
        probes: keepalive.probes.or_else(|| number(Sysctl::KeepaliveProbes)),
        user_timeout_ms: keepalive.user_timeout_ms.or(Some(0)),
        source: Some(KeepaliveSource::Sysctl),
        idle_at_least_s: None,
        idle_at_most_s: None,
        ..*keepalive
    }
}

/// What `TCP_KEEPIDLE` can be, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleBounds {
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

    fn allow(self, seconds: u32) -> bool {
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

/// Whether the timer was set for so many seconds when the peer was last heard.
fn runs_for(socket: &Socket, seconds: u32) -> bool {
    socket.idle_ms().is_some_and(|idle| {
        (idle + u64::from(socket.timer.expires_ms)).abs_diff(u64::from(seconds) * 1_000) <= ROUNDING_MS
    })
}
