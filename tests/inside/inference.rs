//! What is inferred about keepalive without rights, as a pure function: a value, or bounds, that are true whatever the
//! program and the administrator did before.

use crate::diagnose::keepalive;
use crate::model::keepalive::{Keepalive, KeepaliveSource};
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::sysctl::{SYSCTLS, Sysctl, SysctlValue, Sysctls};
use crate::model::tcp_info::Field;
use crate::model::timer::{Timer, TimerKind};
use crate::model::unread::Unread;

use super::judgement::{info, socket};

/// Sysctls with this idle time, 75 s between probes, and 9 probes.
fn defaults(idle_s: i64) -> Sysctls {
    let path = |sysctl: Sysctl| SYSCTLS[sysctl as usize].path;
    Sysctls::read_with(|spec| {
        let known = [(Sysctl::KeepaliveTime, idle_s), (Sysctl::KeepaliveIntvl, 75), (Sysctl::KeepaliveProbes, 9)];
        known.iter().find(|(sysctl, _)| path(*sysctl) == spec.path).map(|(_, value)| SysctlValue::Number(*value))
    })
}

/// One reading of an idle connection.
#[derive(Clone, Copy)]
struct Reading {
    silent_ms: u64,
    expires_ms: u32,
    /// Bytes received: once there are some, the age of the connection proves nothing
    received: u64,
    probes: u64,
}

fn read(reading: Reading, sysctls: &Sysctls) -> Keepalive {
    let Reading { silent_ms, expires_ms, received, probes } = reading;
    let timer = Timer { kind: TimerKind::Keepalive, expires_ms, count: 0 };
    let fields = [
        (Field::LastDataRecv, silent_ms),
        (Field::LastAckRecv, silent_ms),
        (Field::BytesReceived, received),
        (Field::Probes, probes),
    ];
    let socket = socket(TcpState::Established, timer, Some(1), Some(info(&fields)));
    keepalive::of(&socket, None, Unread::Unneeded, sysctls)
}

fn bounds(keepalive: &Keepalive) -> (Option<u32>, Option<u32>, Option<u32>) {
    (keepalive.values.idle_s, keepalive.idle_at_least_s, keepalive.idle_at_most_s)
}

#[test]
fn a_timer_bounds_the_idle_time_unless_something_came() {
    let defaults = defaults(7_200);
    // The sum may be the age at which keepalive was turned on, and the idle time of then.
    let late = Reading { silent_ms: 3_000, expires_ms: 57_000, received: 0, probes: 0 };
    assert_eq!(bounds(&read(late, &defaults)), (None, Some(57), Some(7_200)));
    // The idle time may be the sysctl's, and that may be another since.
    let as_made = Reading { silent_ms: 1_000, expires_ms: 7_199_000, ..late };
    assert_eq!(bounds(&read(as_made, &defaults)), (None, Some(7_199), Some(7_200)));
    let new = Reading { silent_ms: 10, expires_ms: 7_199_990, ..late };
    assert_eq!(bounds(&read(new, &defaults)), (Some(7_200), None, None));
    // Something came, or a probe was answered, after which the timer runs for the interval.
    assert_eq!(bounds(&read(Reading { received: 1, ..late }, &defaults)), (None, None, None));
    assert_eq!(bounds(&read(Reading { probes: 1, ..late }, &defaults)), (None, None, None));
}

#[test]
fn a_socket_without_an_idle_time_of_its_own_follows_the_sysctl_so_both_are_possible() {
    for (timer, sysctl, expected) in [
        (7_200, 7_200, (Some(7_200), None, None)),
        (7_200, 60, (None, Some(60), Some(7_200))),
        (60, 7_200, (None, Some(60), Some(7_200))),
    ] {
        let reading = Reading { silent_ms: 10, expires_ms: timer * 1_000 - 10, received: 0, probes: 0 };
        assert_eq!(bounds(&read(reading, &defaults(sysctl))), expected, "timer for {timer} s, sysctl {sysctl}");
    }
    let reading = Reading { silent_ms: 1_000, expires_ms: 59_000, received: 0, probes: 0 };
    assert_eq!(bounds(&read(reading, &Sysctls::default())), (None, None, None));
}

#[test]
fn the_sysctls_say_nothing_of_interval_and_probes_since_a_program_may_set_only_those() {
    let seen = read(Reading { silent_ms: 60_000, expires_ms: 60_000, received: 0, probes: 0 }, &defaults(120));
    assert_eq!((seen.values.interval_s, seen.values.probes), (None, None));
    assert_eq!(seen.source, Some(KeepaliveSource::Inferred));
}

#[test]
fn whether_keepalive_is_on_is_not_known_of_a_connection_to_itself_or_behind_another_timer() {
    let mut row = socket(TcpState::Established, Timer::OFF, Some(1), None);
    let enabled = |row: &Socket| keepalive::of(row, None, Unread::Forbidden, &defaults(120)).values.enabled;
    assert_eq!(enabled(&row), Some(false));
    row.timer.kind = TimerKind::Retransmit;
    assert_eq!(enabled(&row), None);
    row.timer.kind = TimerKind::Off;
    row.remote = row.local;
    assert_eq!(enabled(&row), None);
}
