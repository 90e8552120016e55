//! What is inferred about keepalive without rights, as a pure function: a value, or bounds, that are true whatever the
//! program and the administrator did before.

use crate::diagnose::keepalive;
use crate::diagnose::sightings::Sightings;
use crate::model::keepalive::{Keepalive, KeepaliveSource};
use crate::model::state::TcpState;
use crate::model::sysctl::{SYSCTLS, Sysctl, SysctlValue, Sysctls};
use crate::model::tcp_info::Field;
use crate::model::time::Millis;
use crate::model::timer::{Timer, TimerKind};
use crate::model::unread::Unread;

use super::judgement::{info, judge, socket};

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
    now_ms: u64,
    silent_ms: u64,
    expires_ms: u32,
    /// Bytes received: once there are some, the age of the connection proves nothing
    received: u64,
    probes: u64,
}

fn read(sightings: &mut Sightings, reading: Reading, sysctls: &Sysctls) -> Keepalive {
    let Reading { now_ms, silent_ms, expires_ms, received, probes } = reading;
    let timer = Timer { kind: TimerKind::Keepalive, expires_ms, count: 0 };
    let fields = [
        (Field::LastDataRecv, silent_ms),
        (Field::LastAckRecv, silent_ms),
        (Field::BytesReceived, received),
        (Field::Probes, probes),
    ];
    let socket = socket(TcpState::Established, timer, Some(1), Some(info(&fields)));
    sightings.begin();
    let remembered = sightings.take(&socket, Millis::new(now_ms), judge().wheel(), sysctls);
    keepalive::of(&socket, None, Unread::Unneeded, remembered, sysctls)
}

/// Reads an idle connection at `now_ms`, whose timer has `expires_ms` left.
fn look(sightings: &mut Sightings, received: u64, now_ms: u64, silent_ms: u64, expires_ms: u32) -> Keepalive {
    read(sightings, Reading { now_ms, silent_ms, expires_ms, received, probes: 0 }, &defaults(7_200))
}

fn bounds(keepalive: &Keepalive) -> (Option<u32>, Option<u32>, Option<u32>) {
    (keepalive.values.idle_s, keepalive.idle_at_least_s, keepalive.idle_at_most_s)
}

#[test]
fn a_timer_that_was_seen_to_fire_gives_the_exact_idle_time() {
    let mut sightings = Sightings::default();
    // No lower bound of 5 s: a probe may have been answered, after which the timer runs for the interval.
    assert_eq!(bounds(&look(&mut sightings, 1, 0, 2_000, 5_000)), (None, None, None));
    // The timer fired at 5 s, when the peer had been silent for 7 s of 10, and was set again for the remaining time.
    assert_eq!(look(&mut sightings, 1, 6_000, 8_000, 2_000).values.idle_s, Some(10));
    assert_eq!(look(&mut sightings, 1, 6_500, 8_500, 1_500).values.idle_s, Some(10));
}

#[test]
fn what_was_known_of_a_timer_is_forgotten_when_the_program_sets_it_anew() {
    let mut sightings = Sightings::default();
    assert_eq!(bounds(&look(&mut sightings, 0, 0, 10, 7_000_000)), (None, Some(7_000), Some(7_200)));
    assert_eq!(bounds(&look(&mut sightings, 0, 2_000, 2_010, 58_000)), (None, Some(58), Some(7_200)));
    assert_eq!(bounds(&look(&mut sightings, 0, 4_000, 4_010, 96_000)), (None, Some(96), Some(7_200)));
}

#[test]
fn a_socket_without_an_idle_time_of_its_own_follows_the_sysctl_so_both_are_possible() {
    for (timer, sysctl, expected) in [
        (7_200, 7_200, (Some(7_200), None, None)),
        (7_200, 60, (None, Some(60), Some(7_200))),
        (60, 7_200, (None, Some(60), Some(7_200))),
    ] {
        let reading = Reading { now_ms: 0, silent_ms: 10, expires_ms: timer * 1_000 - 10, received: 0, probes: 0 };
        let seen = read(&mut Sightings::default(), reading, &defaults(sysctl));
        assert_eq!(bounds(&seen), expected, "timer for {timer} s, sysctl {sysctl}");
    }
    let unreadable = Sysctls::default();
    let reading = Reading { now_ms: 0, silent_ms: 1_000, expires_ms: 59_000, received: 0, probes: 0 };
    assert_eq!(bounds(&read(&mut Sightings::default(), reading, &unreadable)), (None, None, None));
}

#[test]
fn an_exact_idle_time_is_doubted_once_the_sysctl_is_changed() {
    let mut sightings = Sightings::default();
    look(&mut sightings, 1, 0, 2_000, 5_000);
    assert_eq!(look(&mut sightings, 1, 6_000, 8_000, 2_000).values.idle_s, Some(10));
    let changed = Reading { now_ms: 6_500, silent_ms: 8_500, expires_ms: 1_500, received: 1, probes: 0 };
    assert_eq!(bounds(&read(&mut sightings, changed, &defaults(300))), (None, Some(10), Some(300)));
}

#[test]
fn the_sysctls_say_nothing_of_interval_and_probes_since_a_program_may_set_only_those() {
    for (probes, received, idle_s) in [(0, 0, Some(120)), (0, 1, None), (1, 0, None)] {
        let reading = Reading { now_ms: 0, silent_ms: 60_000, expires_ms: 60_000, received, probes };
        let seen = read(&mut Sightings::default(), reading, &defaults(120));
        assert_eq!((seen.values.interval_s, seen.values.probes), (None, None));
        assert_eq!(seen.source, Some(KeepaliveSource::Inferred));
        assert_eq!(seen.values.idle_s, idle_s, "{probes} probes out, {received} bytes received");
    }
}

#[test]
fn a_timer_that_is_late_was_not_set_again() {
    let mut sightings = Sightings::default();
    look(&mut sightings, 1, 0, 2_000, 5_000);
    // It should have fired a second ago; the wheel has not.
    assert_eq!(look(&mut sightings, 1, 6_000, 8_000, 0).values.idle_s, None);
    // A full queue of this host refused the probe, which is tried again after half a second.
    assert_eq!(look(&mut sightings, 1, 6_600, 8_600, 400).values.idle_s, None);
}
