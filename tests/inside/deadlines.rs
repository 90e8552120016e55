//! Deadlines of connections that an option, a sysctl or this host itself makes end at other times than usual. Each was
//! seen to end so on Linux 6.18.

use crate::diagnose::Facts;
use crate::diagnose::syn::most_patient;
use crate::model::keepalive::{Keepalive, KeepaliveValues};
use crate::model::liveness::{Bound, Deadline, Mechanism};
use crate::model::options::SocketOptions;
use crate::model::routes::Doubt;
use crate::model::socket::{Queues, Socket};
use crate::model::state::TcpState;
use crate::model::sysctl::{SYSCTLS, Sysctl, SysctlValue, Sysctls};
use crate::model::tcp_info::Field;
use crate::model::time::Millis;
use crate::model::timer::{Timer, TimerKind};
use crate::model::unread::Unread;

use super::judgement::{info, judge, known, socket};

const NONE_SET: u32 = 0;

fn with(values: &[(Sysctl, i64)]) -> Sysctls {
    Sysctls::read_with(|spec| {
        let is = |sysctl: Sysctl| SYSCTLS[sysctl as usize].path == spec.path;
        values.iter().find(|(sysctl, _)| is(*sysctl)).map(|(_, value)| SysctlValue::Number(*value))
    })
}

fn row(state: TcpState, kind: TimerKind, expires_ms: u32, fields: &[(Field, u64)]) -> Socket {
    socket(state, Timer { kind, expires_ms, count: 0 }, Some(1), Some(info(fields)))
}

fn facts<'a>(socket: &'a Socket, keepalive: &'a Keepalive, sysctls: &'a Sysctls) -> Facts<'a> {
    Facts { socket, keepalive, options: None, sysctls, doubt: None, may_be_mptcp: socket.is_mptcp() }
}

fn said(facts: &Facts<'_>) -> (Bound, u64) {
    let Deadline { bound, after, .. } = judge().liveness(facts).deadline;
    (bound, after.map_or(u64::MAX, Millis::get))
}

fn options(syncnt: Option<u32>) -> SocketOptions {
    let keepalive = KeepaliveValues { enabled: false, idle_s: 1, interval_s: 1, probes: 1, user_timeout_ms: 0 };
    SocketOptions {
        keepalive,
        syncnt,
        defer_accept_s: Some(0),
        rto_max_ms: Some(120_000),
        thin_linear: Some(false),
        dontroute: false,
        more: None,
    }
}

/// Data in flight, retransmitted as often as the back-off says.
fn in_flight(retransmits: u64) -> Vec<(Field, u64)> {
    let rto = 200 << retransmits;
    vec![
        (Field::Rto, rto),
        (Field::Retransmits, retransmits),
        (Field::Backoff, retransmits),
        (Field::Retrans, retransmits.min(1)),
        (Field::TotalRetrans, if retransmits > 0 { retransmits + 1 } else { 0 }),
        (Field::Unacked, 1),
        (Field::SndWnd, 65_536),
        (Field::TotalRtoTime, if retransmits > 0 { rto - 200 } else { 0 }),
        (Field::TotalRtoRecoveries, retransmits.min(1)),
        (Field::Options, 2),
    ]
}

fn and(fields: &[(Field, u64)], more: &[(Field, u64)]) -> Vec<(Field, u64)> {
    [fields, more].concat()
}

#[test]
fn a_peer_that_answers_probes_and_does_not_read_is_given_up_once_it_falls_silent() {
    let fields = [(Field::Rto, 200), (Field::Backoff, 4), (Field::LastAckRecv, 10), (Field::LastDataRecv, 10)];
    let stalled = row(TcpState::Established, TimerKind::ZeroWindowProbe, 3_000, &fields);
    let (read, sysctls) = (known(60, 10, 6, NONE_SET), with(&[(Sysctl::Retries2, 4)]));
    let deadline = judge().liveness(&facts(&stalled, &read, &sysctls)).deadline;
    assert_eq!((deadline.bound, deadline.mechanism), (Bound::AtLeast, Mechanism::WindowProbe));
    // Four probes, 3.2 s apart.
    assert_eq!(deadline.after, Some(Millis::new(3_000 + 4 * 3_200)));
    // A probe that waits for the neighbour counts as sent; without carrier a full queue may refuse it.
    let doubted = |doubt| said(&Facts { doubt: Some(doubt), ..facts(&stalled, &read, &sysctls) });
    assert_eq!(doubted(Doubt::Neighbour), (Bound::AtLeast, 3_000 + 4 * 3_200));
    assert_eq!(doubted(Doubt::Carrier), (Bound::AtLeast, 3_000 + 4 * 200));
}

fn requested(listeners: &[SocketOptions], sysctls: &Sysctls) -> Option<(Bound, u64)> {
    answered(0, 1_000, listeners, sysctls)
}

/// A request whose SYN was answered again this many times.
fn answered(count: u8, expires_ms: u32, listeners: &[SocketOptions], sysctls: &Sysctls) -> Option<(Bound, u64)> {
    let most = most_patient(listeners.iter().map(Some), sysctls)?;
    let timer = Timer { kind: TimerKind::SynAck, expires_ms, count };
    let request = socket(TcpState::SynRecv, timer, None, None);
    let keepalive = Keepalive::unknown(Unread::NotConnectedYet);
    Some(said(&Facts { options: Some(&most), ..facts(&request, &keepalive, sysctls) }))
}

#[test]
fn a_request_waits_as_long_as_the_most_patient_of_its_listeners_lets_it() {
    let sysctls = with(&[(Sysctl::SynackRetries, 1), (Sysctl::SynRetries, 3), (Sysctl::RtoMax, 1_000)]);
    let within = |listeners: &[SocketOptions]| {
        let (bound, ms) = requested(listeners, &sysctls).unwrap();
        assert_eq!(bound, Bound::AtMost);
        ms
    };
    // One retransmission: 1 s and 2 s. TCP_RTO_MAX_MS shortens neither.
    let once = SocketOptions { rto_max_ms: Some(1_000), ..options(Some(1)) };
    assert!((3_000..3_400).contains(&within(&[once])));
    // A SYN that came again was answered without a timeout: the last timer of 2 s may still be to come.
    let again = answered(1, 900, &[once], &sysctls).unwrap();
    assert!(again.0 == Bound::AtMost && (2_900..3_300).contains(&again.1), "{again:?}");
    let last = answered(1, 1_900, &[once], &sysctls).unwrap();
    assert!(last.0 == Bound::AtMost && (1_900..2_300).contains(&last.1), "{last:?}");
    // The number of the sysctl reads like none.
    assert!(within(&[options(Some(3))]) >= 15_000);
    assert!(within(&[once, options(Some(4))]) >= 31_000);
    assert_eq!(within(&[once, options(Some(4))]), within(&[options(Some(4)), once]));
    let deferring = SocketOptions { defer_accept_s: Some(7), ..once };
    assert_eq!(requested(&[once, deferring], &sysctls).unwrap(), (Bound::AtLeast, 1_000));
    assert!(most_patient([Some(&once), None].into_iter(), &sysctls).is_none(), "one could not be read");
    assert!(most_patient([].into_iter(), &sysctls).is_none());
}

#[test]
fn the_user_timeout_of_an_orphan_cannot_be_read_so_any_firing_may_be_its_last() {
    let unknown = Keepalive::unknown(Unread::NotConnected);
    let sysctls = with(&[(Sysctl::OrphanRetries, 2)]);
    for (kind, fields) in [
        (TimerKind::Retransmit, in_flight(2)),
        (TimerKind::ZeroWindowProbe, vec![(Field::Rto, 200), (Field::Backoff, 2), (Field::Probes, 2)]),
    ] {
        let orphan = Socket { inode: None, ..row(TcpState::FinWait1, kind, 300, &fields) };
        let liveness = judge().liveness(&facts(&orphan, &unknown, &sysctls));
        assert_eq!((liveness.deadline.bound, liveness.deadline.after), (Bound::AtLeast, Some(Millis::new(300))));
        assert!(liveness.likely > liveness.deadline.after, "{kind:?}: most have none");
    }
}

#[test]
fn an_orphan_whose_neighbour_is_lost_may_never_reach_the_maximum_timeout() {
    // A look before its program closed it read that it has no user timeout.
    let read = known(60, 10, 6, NONE_SET);
    let sysctls = with(&[(Sysctl::OrphanRetries, 0), (Sysctl::RtoMax, 1_000)]);
    let fields = and(&in_flight(2), &[(Field::Rto, 1_000)]);
    let orphan = Socket { inode: None, ..row(TcpState::FinWait1, TimerKind::Retransmit, 300, &fields) };
    let at_most = |doubt| {
        let (bound, after) = said(&Facts { doubt, ..facts(&orphan, &read, &sysctls) });
        assert_eq!(bound, Bound::AtMost);
        after
    };
    assert!(at_most(None) < 1_000, "at the maximum there are no retries");
    // 0.2 + 0.4 + 0.8 + 6 * 1 s, of which a second has passed.
    assert!((6_400..12_000).contains(&at_most(Some(Doubt::OnLink))));
}

#[test]
fn a_timer_that_pacing_may_postpone_is_not_exact() {
    let (read, sysctls) = (known(60, 10, 6, NONE_SET), with(&[(Sysctl::Retries2, 3)]));
    let paced = [(Field::PacingRate, 5_000), (Field::SndMss, 1_448), (Field::SndCwnd, 10)];
    let bound = |more: &[(Field, u64)]| {
        let fields = and(&and(&in_flight(0), &paced), more);
        let queues = Queues::Bytes { recv: 0, send: 8_000 };
        let socket = Socket { queues, ..row(TcpState::Established, TimerKind::Retransmit, 100, &fields) };
        said(&facts(&socket, &read, &sysctls))
    };
    assert_eq!(bound(&[(Field::DataSegsOut, 3)]).0, Bound::Exact, "the first ten segments are not paced");
    assert_eq!(bound(&[(Field::DataSegsOut, 20), (Field::PacingRate, 5_000_000)]).0, Bound::Exact);
    let (slow, after) = bound(&[(Field::DataSegsOut, 20)]);
    assert_eq!(slow, Bound::AtLeast);
    assert!((3_100..7_000).contains(&after), "{after}");
    assert_eq!(
        bound(&[(Field::DataSegsOut, 20), (Field::PacingRate, 5_000_000), (Field::Notsent, 4_000)]).0,
        Bound::AtLeast
    );
}

#[test]
fn the_first_six_timeouts_of_a_thin_stream_do_not_double() {
    let (read, sysctls) = (known(60, 10, 6, NONE_SET), with(&[(Sysctl::Retries2, 5)]));
    let thin = SocketOptions { thin_linear: Some(true), ..options(None) };
    let judged = |fields: &[(Field, u64)], options: &SocketOptions| {
        let socket = row(TcpState::Established, TimerKind::Retransmit, 100, fields);
        said(&Facts { options: Some(options), ..facts(&socket, &read, &sysctls) })
    };
    // 12.6 s after the first timeout: at the firing of 14.3 s, or, after six of 0.23 s, at that of 15.6 s.
    let initial = and(&in_flight(0), &[(Field::Rto, 230), (Field::SndSsthresh, 0x7fff_ffff), (Field::Options, 0)]);
    let (bound, plain) = judged(&initial, &options(None));
    assert!((bound, plain > 12_600) == (Bound::Exact, true), "{bound:?} {plain}");
    let (bound, least) = judged(&initial, &thin);
    assert!(bound == Bound::AtLeast && least <= plain, "{bound:?} {least}");
    // Three retransmissions without back-off: a thin stream, or a host that cannot send.
    let linear = and(
        &in_flight(0),
        &[
            (Field::Retransmits, 3),
            (Field::Retrans, 1),
            (Field::TotalRetrans, 4),
            (Field::TotalRtoTime, 500),
            (Field::TotalRtoRecoveries, 1),
        ],
    );
    assert_eq!(judged(&linear, &options(None)).0, Bound::AtLeast);
    let (bound, exact) = judged(&linear, &thin);
    assert!(bound == Bound::Exact && (12_100..14_500).contains(&exact), "{bound:?} {exact}");
    // By the sysctl, too; more than three packets are not thin.
    let by_sysctl = with(&[(Sysctl::Retries2, 5), (Sysctl::ThinLinear, 1)]);
    let many = and(&linear, &[(Field::Unacked, 4)]);
    for (fields, expected) in [(&linear, Bound::Exact), (&many, Bound::AtLeast)] {
        let socket = row(TcpState::Established, TimerKind::Retransmit, 100, fields);
        assert_eq!(said(&Facts { options: Some(&options(None)), ..facts(&socket, &read, &by_sysctl) }).0, expected);
    }
}

#[test]
fn if_sends_fail_the_user_timeout_counts_from_when_the_data_was_sent() {
    let (read, sysctls) = (known(60, 10, 6, 4_000), Sysctls::default());
    let failed = and(&in_flight(2), &[(Field::Retrans, 0), (Field::LastDataSent, 10)]);
    let socket = row(TcpState::Established, TimerKind::Retransmit, 500, &failed);
    let (bound, after) = said(&facts(&socket, &read, &sysctls));
    // 0.6 s since the first timeout, and one to three timeouts of 0.2 s before it.
    assert_eq!(bound, Bound::AtLeast);
    assert!((2_700..=3_200).contains(&after), "{after}");
    // Kernels before 6.7 do not report the time; the intervals may have been half a second.
    let mut old = info(&failed);
    old.forget(Field::TotalRtoTime);
    let socket = Socket {
        attributes: crate::model::socket::Attributes { info: Some(Box::new(old)), ..socket.attributes.clone() },
        ..socket
    };
    let (bound, older) = said(&facts(&socket, &read, &sysctls));
    assert!(bound == Bound::AtLeast && older <= after, "{older}");
}

#[test]
fn a_probe_that_a_full_queue_refuses_is_not_counted() {
    let sysctls = Sysctls::default();
    let judged = |probes: u64, silent: u64, expires_ms: u32, user_timeout_ms: u32| {
        let fields = [(Field::LastDataRecv, silent), (Field::LastAckRecv, silent), (Field::Probes, probes)];
        let socket = row(TcpState::Established, TimerKind::Keepalive, expires_ms, &fields);
        said(&facts(&socket, &known(2, 1, 3, user_timeout_ms), &sysctls))
    };
    assert_eq!(judged(0, 1_700, 300, NONE_SET).0, Bound::Exact);
    assert_eq!(judged(0, 5_000, 300, NONE_SET), (Bound::AtLeast, 3_300));
    assert_eq!(judged(1, 2_700, 300, NONE_SET).0, Bound::Exact);
    assert_eq!(judged(1, 3_300, 300, NONE_SET), (Bound::AtLeast, 2_300));
    // The user timeout ends it at any of these tries.
    assert_eq!(judged(1, 3_300, 300, 4_000), (Bound::AtLeast, 692));
}

#[test]
fn a_link_that_went_down_may_refuse_packets_for_a_moment() {
    let sysctls = with(&[(Sysctl::SynRetries, 3), (Sysctl::SynLinearTimeouts, 1)]);
    let read = known(2, 1, 3, NONE_SET);
    let idle = [(Field::LastDataRecv, 1_000), (Field::LastAckRecv, 1_000)];
    let probed = row(TcpState::Established, TimerKind::Keepalive, 1_000, &idle);
    let connecting = row(TcpState::SynSent, TimerKind::Retransmit, 100, &[(Field::Rto, 1_000)]);
    for (socket, least) in [(probed, 4_000), (connecting, 2_100)] {
        let facts = facts(&socket, &read, &sysctls);
        assert_eq!(said(&facts).0, Bound::Exact);
        for doubt in [Doubt::Carrier, Doubt::Queue] {
            assert_eq!(said(&Facts { doubt: Some(doubt), ..facts }), (Bound::AtLeast, least));
        }
    }
}

#[test]
fn a_syn_that_a_full_queue_refuses_is_counted_without_back_off() {
    let sysctls = with(&[(Sysctl::SynRetries, 3), (Sysctl::SynLinearTimeouts, 1)]);
    let judged = |retrans| {
        let fields = [
            (Field::Rto, 1_000),
            (Field::Retransmits, 2),
            (Field::Retrans, retrans),
            (Field::TotalRetrans, 2),
            (Field::Backoff, retrans),
        ];
        let socket = row(TcpState::SynSent, TimerKind::Retransmit, 100, &fields);
        said(&facts(&socket, &known(60, 10, 6, NONE_SET), &sysctls))
    };
    assert_eq!(judged(1).0, Bound::Exact);
    assert_eq!(judged(0), (Bound::AtLeast, 1_100));
}

#[test]
fn a_retransmission_that_never_left_makes_the_limit_count_from_the_send() {
    let (read, sysctls) = (known(60, 10, 6, 4_000), Sysctls::default());
    let said = |total| {
        let fields = and(&in_flight(2), &[(Field::TotalRetrans, total)]);
        said(&facts(&row(TcpState::Established, TimerKind::Retransmit, 100, &fields), &read, &sysctls))
    };
    // A tail-loss probe and two timeouts.
    let (bound, exact) = said(3);
    assert_eq!(bound, Bound::Exact);
    assert!(matches!(said(2), (Bound::AtLeast, least) if least + 200 <= exact), "{:?}", said(2));
    assert_eq!(said(9).0, Bound::AtLeast, "earlier retransmissions hide whether one failed");
    // One that waits in the queue of this host is not sent again either.
    let socket = row(TcpState::Established, TimerKind::Retransmit, 100, &in_flight(0));
    let facts = Facts { doubt: Some(Doubt::Backlog), ..facts(&socket, &read, &sysctls) };
    let Deadline { bound, after, .. } = judge().liveness(&facts).deadline;
    assert!(bound == Bound::AtLeast && after <= Some(Millis::new(4_000)), "{after:?}");
}

#[test]
fn a_connect_that_waits_for_the_first_write_ends_by_no_timer() {
    let socket = row(TcpState::SynSent, TimerKind::Off, 0, &[(Field::Rto, 1_000)]);
    assert_eq!(said(&facts(&socket, &known(60, 10, 6, 4_000), &Sysctls::default())).0, Bound::Never);
}

#[test]
fn a_keepalive_timer_that_was_set_anew_is_late_like_the_idle_time() {
    let (read, sysctls) = (known(60, 1, 3, NONE_SET), Sysctls::default());
    let bound = |silent_ms| {
        let fields = [(Field::LastDataRecv, silent_ms), (Field::LastAckRecv, silent_ms), (Field::Probes, 1)];
        let timer = Timer { kind: TimerKind::Keepalive, expires_ms: 500, count: 1 };
        let socket = socket(TcpState::Established, timer, Some(1), Some(info(&fields)));
        said(&facts(&socket, &read, &sysctls)).0
    };
    assert_eq!(bound(60_600), Bound::Exact);
    assert_eq!(bound(90_000), Bound::AtLeast, "turned off and on again with a probe out");
}

#[test]
fn a_neighbour_that_does_not_answer_may_end_what_cannot_be_read_before_its_timer() {
    let unknown = Keepalive::unknown(Unread::NotConnected);
    let socket = row(TcpState::Established, TimerKind::Retransmit, 500, &in_flight(2));
    let sysctls = Sysctls::default();
    let facts = facts(&socket, &unknown, &sysctls);
    assert_eq!(said(&facts), (Bound::AtLeast, 500));
    assert_eq!(said(&Facts { doubt: Some(Doubt::Neighbour), ..facts }), (Bound::AtLeast, 0));
}

#[test]
fn the_second_half_of_a_fin_timeout_is_that_of_todays_sysctl() {
    let orphan = Socket { inode: None, ..row(TcpState::FinWait2, TimerKind::FinWait2, 50_000, &[]) };
    let unknown = Keepalive::unknown(Unread::FinWait2);
    for (timeout, least) in [(30, 50_000), (65, 55_000), (120, 100_000)] {
        assert_eq!(said(&facts(&orphan, &unknown, &with(&[(Sysctl::FinTimeout, timeout)]))), (Bound::AtLeast, least));
    }
}

#[test]
fn a_timer_that_runs_for_a_long_interval_is_late_like_one() {
    // Idle time 1 s, interval 300 s; a probe was answered 290 s ago.
    let fields = [(Field::LastDataRecv, 290_000), (Field::LastAckRecv, 290_000)];
    let socket = row(TcpState::Established, TimerKind::Keepalive, 10_000, &fields);
    assert_eq!(said(&facts(&socket, &known(1, 300, 1, 1_000), &Sysctls::default())).0, Bound::AtLeast);
}
