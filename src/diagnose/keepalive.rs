//! Whether keepalive is on, and with which values: from the socket's options if they were read, else inferred from its
//! timer (docs/kernel.md).

use super::idle::idle_bounds;
use crate::model::keepalive::{Keepalive, KeepaliveSource, SomeKeepaliveValues};
use crate::model::options::SocketOptions;
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::sysctl::{Sysctl, Sysctls};
use crate::model::timer::TimerKind;
use crate::model::unread::Unread;

/// Whether reading the socket's options through its descriptor can add to what the row shows. It can if the timer is
/// keepalive's, hides keepalive's, or depends on options that shorten it; for a subflow of MPTCP, whose program may
/// have closed it; and for listeners, whose values their connections inherit.
pub(crate) fn asks_options(socket: &Socket) -> bool {
    match socket.state {
        TcpState::Listen => true,
        TcpState::Established
        | TcpState::CloseWait
        | TcpState::FinWait1
        | TcpState::FinWait2
        | TcpState::Closing
        | TcpState::LastAck
        | TcpState::SynSent => {
            socket.is_mptcp() || !matches!(socket.timer.kind, TimerKind::Off | TimerKind::DelayedAck)
        }
        TcpState::SynRecv | TcpState::TimeWait | TcpState::Close | TcpState::BoundInactive | TcpState::Unknown(_) => {
            false
        }
    }
}

/// Keepalive of a socket. `unread` is the reason why its options could not be read.
pub(crate) fn of(socket: &Socket, options: Option<&SocketOptions>, unread: Unread, sysctls: &Sysctls) -> Keepalive {
    if let Some(options) = options {
        return read(options);
    }
    if socket.is_minisocket() {
        return Keepalive::unknown(Unread::Minisocket);
    }
    match (socket.state, socket.timer.kind) {
        (TcpState::Close | TcpState::BoundInactive, _) => Keepalive::unknown(Unread::NotConnected),
        (TcpState::Listen, _) => Keepalive::unknown(unread),
        (TcpState::SynRecv | TcpState::SynSent, _) => Keepalive::unknown(Unread::NotConnectedYet),
        // Connected to itself: such a connection is never armed with keepalive, whether it is on or not.
        (_, TimerKind::Off | TimerKind::DelayedAck) if socket.local == socket.remote => Keepalive::unknown(unread),
        // The values can be set while keepalive is off, and no timer shows them.
        (_, TimerKind::Off | TimerKind::DelayedAck) => off(unread),
        (_, TimerKind::Keepalive) => on(socket, unread, sysctls),
        (_, TimerKind::FinWait2) => Keepalive::unknown(Unread::FinWait2),
        (_, TimerKind::NotTold) => Keepalive::unknown(Unread::NoTimers),
        (_, TimerKind::Retransmit | TimerKind::ZeroWindowProbe) => Keepalive::unknown(unread),
        (_, TimerKind::TimeWait | TimerKind::SynAck | TimerKind::Unknown(_)) => Keepalive::unknown(Unread::OtherTimer),
    }
}

fn read(options: &SocketOptions) -> Keepalive {
    Keepalive { values: options.keepalive.known(), source: Some(KeepaliveSource::Socket), ..Keepalive::default() }
}

/// Keepalive that is off: no timer runs.
fn off(unread: Unread) -> Keepalive {
    Keepalive {
        values: SomeKeepaliveValues { enabled: Some(false), ..SomeKeepaliveValues::default() },
        source: Some(KeepaliveSource::Inferred),
        unknown_because: Some(unread),
        ..Keepalive::default()
    }
}

/// Keepalive inferred from its running timer: it is on, with bounds on its idle time. No reading of a timer leaves one
/// value only, and none is remembered: a program may have changed it, or turned keepalive off and on, between two.
fn on(socket: &Socket, unread: Unread, sysctls: &Sysctls) -> Keepalive {
    // A socket that sets no idle time has the sysctl's, whatever the sysctl was when the timer was set.
    let bounds = idle_bounds(socket).or(number(sysctls, Sysctl::KeepaliveTime));
    let exact = bounds.exact();
    Keepalive {
        values: SomeKeepaliveValues { enabled: Some(true), idle_s: exact, ..SomeKeepaliveValues::default() },
        // The minimum of every socket is 1 s, so a lower bound of 1 s adds nothing.
        idle_at_least_s: Some(bounds.at_least_s).filter(|&seconds| exact.is_none() && seconds > 1),
        idle_at_most_s: bounds.at_most_s.filter(|_| exact.is_none()),
        source: Some(KeepaliveSource::Inferred),
        unknown_because: Some(unread),
    }
}

fn number(sysctls: &Sysctls, sysctl: Sysctl) -> Option<u32> {
    sysctls.number(sysctl).and_then(|value| u32::try_from(value).ok())
}

/// `keepalive` with every unknown value taken from the namespace's sysctls, as for a program that sets none.
pub(crate) fn assumed(keepalive: &Keepalive, sysctls: &Sysctls) -> Keepalive {
    let number = |sysctl| number(sysctls, sysctl);
    Keepalive {
        values: SomeKeepaliveValues {
            enabled: keepalive.values.enabled,
            idle_s: keepalive.values.idle_s.or_else(|| number(Sysctl::KeepaliveTime)),
            interval_s: keepalive.values.interval_s.or_else(|| number(Sysctl::KeepaliveIntvl)),
            probes: keepalive.values.probes.or_else(|| number(Sysctl::KeepaliveProbes)),
            user_timeout_ms: keepalive.values.user_timeout_ms.or(Some(0)),
        },
        source: Some(KeepaliveSource::Sysctl),
        idle_at_least_s: None,
        idle_at_most_s: None,
        ..*keepalive
    }
}
