//! The judgement as a pure function: any row, however odd, has one verdict, and a deadline that keeps its promises.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnose::{Facts, Judge, keepalive};
use crate::export::connection::Connections;
use crate::export::csv::line;
use crate::export::json::Json;
use crate::fields::table::column_called;
use crate::fields::value::SortKey;
use crate::filter::{Filter, Names};
use crate::model::address::{Cookie, Endpoint, Family, NetnsId};
use crate::model::congestion::KernelName;
use crate::model::counters::{Counters, SockStat};
use crate::model::holder::Holder;
use crate::model::ids::Inode;
use crate::model::keepalive::{Keepalive, KeepaliveSource, KeepaliveValues, SomeKeepaliveValues};
use crate::model::liveness::{Bound, Deadline, Liveness, Mechanism, Verdict};
use crate::model::namespace::{Namespace, Source};
use crate::model::options::SocketOptions;
use crate::model::routes::{Doubt, Routes};
use crate::model::row::{Judged, Row};
use crate::model::socket::{Attributes, Queues, Socket, SocketId, Ulp};
use crate::model::state::TcpState;
use crate::model::sysctl::{SysctlValue, Sysctls};
use crate::model::tcp_info::{FIELDS, Field, Shape, TcpInfo};
use crate::model::time::Millis;
use crate::model::timer::{Timer, TimerKind};
use crate::model::unread::Unread;
use crate::text::reason;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::Value;

const TIMERS: [TimerKind; 10] = [
    TimerKind::Off,
    TimerKind::Retransmit,
    TimerKind::Keepalive,
    TimerKind::FinWait2,
    TimerKind::TimeWait,
    TimerKind::ZeroWindowProbe,
    TimerKind::DelayedAck,
    TimerKind::SynAck,
    TimerKind::Unknown(9),
    TimerKind::NotTold,
];

/// Fields that a judgement may depend on.
const JUDGED_BY: [Field; 23] = [
    Field::CaState,
    Field::Retransmits,
    Field::Probes,
    Field::Backoff,
    Field::Options,
    Field::Unacked,
    Field::SndSsthresh,
    Field::PacingRate,
    Field::DataSegsOut,
    Field::Notsent,
    Field::SndCwnd,
    Field::MinRtt,
    Field::Rto,
    Field::Sacked,
    Field::Retrans,
    Field::LastDataSent,
    Field::LastDataRecv,
    Field::LastAckRecv,
    Field::Rtt,
    Field::BytesReceived,
    Field::SndWnd,
    Field::TotalRtoRecoveries,
    Field::TotalRtoTime,
];

pub(super) fn judge() -> Judge {
    Judge { hz: 250, active_within: Millis::from_secs(60) }
}

pub(super) fn socket(state: TcpState, timer: Timer, inode: Option<u32>, info: Option<TcpInfo>) -> Socket {
    let end = |port| Endpoint { addr: IpAddr::V4(Ipv4Addr::LOCALHOST), port };
    Socket {
        id: SocketId { netns: NetnsId(1), cookie: Some(Cookie(1)) },
        family: Family::Ipv4,
        state,
        local: end(1),
        remote: end(2),
        interface: None,
        uid: None,
        inode: inode.map(Inode),
        queues: Queues::Bytes { recv: 0, send: 0 },
        timer,
        attributes: Attributes { info: info.map(Box::new), ..Attributes::default() },
    }
}

/// tcp_info with these fields and all others 0.
pub(super) fn info(fields: &[(Field, u64)]) -> TcpInfo {
    let mut values = [0; FIELDS.len()];
    for &(field, value) in fields {
        values[field as usize] = value;
    }
    sent(&values, 280)
}

/// tcp_info of `size_bytes` as the kernel fills it; a value that is too wide is cut.
fn sent(values: &[u64], size_bytes: usize) -> TcpInfo {
    let mut bytes = [0; 280];
    for (value, field) in values.iter().zip(FIELDS) {
        let value = match field.shape {
            Shape::MicrosAsMillis => value * 1000,
            Shape::Bits { shift, len } => u64::from(bytes[field.offset]) | (value & ((1 << len) - 1)) << shift,
            _ => *value,
        };
        let width = field.shape.width();
        let low = if cfg!(target_endian = "big") { 8 - width } else { 0 };
        bytes[field.offset..field.offset + width].copy_from_slice(&value.to_ne_bytes()[low..low + width]);
    }
    TcpInfo::from_kernel(&bytes[..size_bytes])
}

pub(super) fn known(idle_s: u32, interval_s: u32, probes: u32, user_timeout_ms: u32) -> Keepalive {
    Keepalive {
        values: KeepaliveValues { enabled: true, idle_s, interval_s, probes, user_timeout_ms }.known(),
        source: Some(KeepaliveSource::Socket),
        ..Keepalive::default()
    }
}

fn judged(socket: &Socket, keepalive: &Keepalive, sysctls: &Sysctls, doubt: Option<Doubt>) -> Liveness {
    judge().liveness(&Facts { socket, keepalive, options: None, sysctls, doubt, may_be_mptcp: socket.is_mptcp() })
}

pub(super) fn sysctls(numbers: &[i64]) -> Sysctls {
    let mut numbers = numbers.iter().cycle();
    Sysctls::read_with(|_| numbers.next().map(|number| SysctlValue::Number(*number)))
}

pub(super) fn namespace(sysctls: &Sysctls) -> Namespace {
    Namespace {
        id: NetnsId(1),
        name: String::new(),
        source: Source::SockDiag,
        sysctls: sysctls.clone(),
        sockstat: SockStat::default(),
        counters: Counters::default(),
        routes: Routes::default(),
        hides_mptcp: false,
        interfaces: Vec::new(),
    }
}

/// The connection as `--json` writes it.
fn json(row: &Row<'_>) -> Value {
    let mut out = Vec::new();
    let mut json = Json::new(&mut out);
    json.object();
    Connections::default().members(&mut json, row);
    json.end_object();
    serde_json::from_slice(&out).unwrap()
}

struct NoNames;

impl Names for NoNames {}

fn any_info() -> impl Strategy<Value = Option<TcpInfo>> {
    let number = prop_oneof![0_u64..20, 0_u64..200_000, any::<u32>().prop_map(u64::from)];
    let values = proptest::collection::vec(number, FIELDS.len());
    let forgotten = proptest::sample::subsequence(JUDGED_BY.to_vec(), 0..=JUDGED_BY.len());
    proptest::option::of((values, 0_usize..=280, forgotten).prop_map(|(values, size_bytes, forgotten)| {
        let mut info = sent(&values, size_bytes);
        forgotten.into_iter().for_each(|field| info.forget(field));
        info
    }))
}

fn any_state() -> impl Strategy<Value = TcpState> {
    proptest::sample::select([TcpState::ALL.as_slice(), &[TcpState::Unknown(14)]].concat())
}

fn any_socket() -> impl Strategy<Value = Socket> {
    let expires = prop_oneof![0_u32..100_000, any::<u32>()];
    let timer = (proptest::sample::select(TIMERS.to_vec()), expires, any::<u8>())
        .prop_map(|(kind, expires_ms, count)| Timer { kind, expires_ms, count });
    (any_state(), timer, proptest::option::of(1_u32..9), any_info())
        .prop_map(|(state, timer, inode, info)| socket(state, timer, inode, info))
}

fn any_options() -> impl Strategy<Value = Option<SocketOptions>> {
    let options = (any::<bool>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<Option<u32>>());
    proptest::option::of(options.prop_map(|(enabled, idle_s, interval_s, probes, user_timeout_ms, syncnt)| {
        SocketOptions {
            keepalive: KeepaliveValues { enabled, idle_s, interval_s, probes, user_timeout_ms },
            syncnt,
            defer_accept_s: syncnt,
            rto_max_ms: syncnt,
            thin_linear: syncnt.map(|count| count % 2 == 0),
            dontroute: false,
            more: None,
        }
    }))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    /// Whatever is known of keepalive, and from which source, a cell, CSV, JSON, the sort key and a filter have the
    /// same values; a value that is not known is a dash, empty, null, last, and matches no comparison.
    #[test]
    fn every_way_to_look_at_keepalive_shows_the_same_values(
        source in proptest::option::of(proptest::sample::select(KeepaliveSource::ALL.to_vec())),
        enabled in any::<Option<bool>>(),
        values in [proptest::option::of(1_u32..40_000), proptest::option::of(1_u32..40_000), proptest::option::of(1_u32..128)],
        is_hidden in any::<bool>(),
    ) {
        let [idle_s, interval_s, probes] = values;
        let known_values = SomeKeepaliveValues { enabled, idle_s, interval_s, probes, user_timeout_ms: None };
        let keepalive = Keepalive { values: known_values, source, ..Keepalive::default() };
        let socket = socket(TcpState::Established, Timer { kind: TimerKind::Off, expires_ms: 0, count: 0 }, Some(1), None);
        let sysctls = Sysctls::default();
        let (namespace, liveness) = (namespace(&sysctls), judged(&socket, &keepalive, &sysctls, None));
        let judged = Judged { keepalive, liveness, doubt: None };
        let row = Row {
            taken_at: std::time::SystemTime::UNIX_EPOCH,
            socket: &socket, namespace: &namespace, interface: None, user: None, cgroup: None,
            holder: if is_hidden { Holder::Hidden } else { Holder::NotAsked }, options: None, judged: Some(&judged),
        };
        let json = json(&row)["keepalive"].clone();
        let matches = |filter: &str| Filter::parse(filter, &NoNames).unwrap().matches(&row);
        for (name, key, value, unit) in [
            ("keepidle", "idle_s", idle_s, "s"), ("keepintvl", "interval_s", interval_s, "s"), ("keepcnt", "probes", probes, ""),
        ] {
            let column = column_called(name).unwrap();
            let cell = column.value(&row);
            let shown = value.map_or("—".to_owned(), |value| format!("{value}{unit}"));
            prop_assert_eq!(cell.for_people(column.unit), shown);
            let mut csv = Vec::new();
            line(&mut csv, [cell.clone()].into_iter());
            prop_assert_eq!(std::str::from_utf8(&csv).unwrap().trim(), value.map_or(String::new(), |value| value.to_string()));
            prop_assert_eq!(&json[key], &value.map_or(Value::Null, Value::from));
            prop_assert_eq!(cell.sort_key(), value.map_or(SortKey::Absent, |value| SortKey::Number(value.into())));
            let of = |comparison: &str, value: u32| matches(&format!("{name} {comparison} {value}{unit}"));
            let asked = value.unwrap_or(75);
            for comparison in ["=", ">=", "<="] {
                prop_assert_eq!(of(comparison, asked), value.is_some(), "{} {}", name, comparison);
            }
            prop_assert_eq!(of(">", 0), value.is_some());
            prop_assert_eq!(of("<", 50_000), value.is_some());
            prop_assert_eq!(matches(&format!("{name} in {{1{unit}-50000{unit}}}")), value.is_some());
            prop_assert_eq!(matches(&format!("{name} = none")), value.is_none());
            prop_assert!(!of("=", asked + 1));
        }
        let column = column_called("keepalive").unwrap();
        let cell = column.value(&row).for_people(column.unit).into_owned();
        let part = |value: Option<u32>, unit| value.map_or("?".to_owned(), |value| format!("{value}{unit}"));
        let known = values.iter().any(Option::is_some);
        let expected = match enabled {
            None => "—".to_owned(),
            Some(false) => "off".to_owned(),
            Some(true) if !known => "on?".to_owned(),
            Some(true) => {
                let sign = if source == Some(KeepaliveSource::Sysctl) { "~" } else { "" };
                format!("{sign}{}/{}/{}", part(idle_s, "s"), part(interval_s, "s"), part(probes, ""))
            }
        };
        prop_assert_eq!(cell, expected);
        prop_assert_eq!(&json["enabled"], &enabled.map_or(Value::Null, Value::from));
        for (word, is) in [("on", enabled == Some(true)), ("off", enabled == Some(false)), ("unknown", enabled.is_none()), ("none", enabled.is_none())] {
            prop_assert_eq!(matches(&format!("keepalive = {word}")), is, "{}", word);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 20_000, ..ProptestConfig::default() })]

    /// Nothing that a kernel could report makes it panic, hang, contradict itself, or lack a sentence.
    #[test]
    fn any_row_has_one_verdict_a_sound_deadline_and_a_sentence(
        socket in any_socket(),
        options in any_options(),
        numbers in proptest::collection::vec(prop_oneof![0_i64..20, 0_i64..200_000, any::<i64>()], 25),
        doubt in proptest::sample::select(vec![None, Some(Doubt::Carrier), Some(Doubt::Neighbour)]),
    ) {
        let sysctls = sysctls(&numbers);
        let keepalive = keepalive::of(&socket, options.as_ref(), Unread::Unneeded, &sysctls);
        let facts = Facts { socket: &socket, keepalive: &keepalive, options: options.as_ref(), sysctls: &sysctls, doubt, may_be_mptcp: false };
        let liveness = judge().liveness(&facts);
        let deadline = liveness.deadline;
        let timeless = matches!(deadline.bound, Bound::Never | Bound::NotApplicable);
        prop_assert_eq!(deadline.after.is_none(), timeless);
        let connection = socket.state.is_connection();
        prop_assert_eq!(deadline.bound == Bound::NotApplicable, !connection);
        if liveness.verdict == Verdict::Unguarded {
            prop_assert_eq!(deadline.bound, Bound::Never);
        }
        if deadline.bound == Bound::Exact && !socket.is_minisocket() {
            prop_assert_eq!(keepalive.source, Some(KeepaliveSource::Socket), "exact of values that were not read");
        }
        let namespace = namespace(&sysctls);
        let judged = Judged { keepalive, liveness, doubt: None };
        let row = Row {
            taken_at: std::time::SystemTime::UNIX_EPOCH,
            socket: &socket, namespace: &namespace, interface: None, user: None, cgroup: None, holder: Holder::NotAsked,
            options: options.as_ref(), judged: Some(&judged),
        };
        prop_assert!(reason::sentence(&row).len() > 5);
        prop_assert!(reason::endings(&row).iter().all(|(what, gets)| !what.is_empty() && !gets.is_empty()));
    }

    /// More probes, or longer intervals, never bring the end nearer.
    #[test]
    fn the_deadline_of_keepalive_grows_with_probes_and_interval(
        idle_s in 1_u32..32_768, interval_s in 1_u32..32_767, probes in 1_u32..127, user_timeout in prop_oneof![Just(0_u32), any::<u32>()],
        silent in 0_u64..100_000_000, expires_ms in 0_u32..32_767_000, unanswered in 0_u64..127,
    ) {
        let timer = Timer { kind: TimerKind::Keepalive, expires_ms, count: 0 };
        let fields = [(Field::LastDataRecv, silent), (Field::LastAckRecv, silent), (Field::Probes, unanswered)];
        let socket = socket(TcpState::Established, timer, Some(1), Some(info(&fields)));
        // Both bounds, since the deadline may switch from one to the other.
        let earliest = |keepalive: Keepalive| {
            let assumed = Keepalive { source: Some(KeepaliveSource::Sysctl), ..keepalive };
            judged(&socket, &assumed, &Sysctls::default(), None).deadline.after.unwrap()
        };
        let now = earliest(known(idle_s, interval_s, probes, 0));
        prop_assert!(earliest(known(idle_s, interval_s, probes + 1, 0)) >= now);
        prop_assert!(earliest(known(idle_s, interval_s + 1, probes, 0)) >= now);
        prop_assert!(earliest(known(idle_s + 1, interval_s, probes, 0)) >= now);
        prop_assert!(now >= Millis::from(expires_ms));
        prop_assert!(earliest(known(idle_s, interval_s, probes, user_timeout)) >= Millis::from(expires_ms));
    }

    /// If no timer runs, nothing ends the connection.
    #[test]
    fn without_a_timer_it_never_ends(
        state in proptest::sample::select(vec![TcpState::Established, TcpState::CloseWait, TcpState::FinWait2]),
        info in any_info(), options in any_options(),
    ) {
        let socket = socket(state, Timer::OFF, Some(1), info);
        let sysctls = Sysctls::default();
        let keepalive = keepalive::of(&socket, options.as_ref(), Unread::Unneeded, &sysctls);
        prop_assert_eq!(judged(&socket, &keepalive, &sysctls, None).deadline.bound, Bound::Never);
    }

    /// MPTCP ends a closed connection by a timer that no field shows; one whose options were read is not closed.
    #[test]
    fn a_subflow_without_a_timer_lives_for_ever_only_if_its_program_holds_it(info in any_info(), options in any_options()) {
        let mut socket = socket(TcpState::Established, Timer::OFF, Some(1), info);
        socket.attributes.ulp = Some(Ulp { name: KernelName::new(b"mptcp").unwrap(), mptcp: None, tls: None });
        let sysctls = Sysctls::default();
        let keepalive = keepalive::of(&socket, options.as_ref(), Unread::Unneeded, &sysctls);
        let facts = Facts { socket: &socket, keepalive: &keepalive, options: options.as_ref(), sysctls: &sysctls, doubt: None, may_be_mptcp: true };
        let deadline = judge().liveness(&facts).deadline;
        let expected = if options.is_some() { Deadline::NEVER } else { Deadline::at_least(Millis::ZERO, Mechanism::None) };
        prop_assert_eq!(deadline, expected);
    }

    /// An exact end by the retransmission timer is not before the timer fires.
    #[test]
    fn an_end_is_never_said_to_come_before_the_timer_that_brings_it(
        (rto, expires_ms) in (1_u32..120_000).prop_flat_map(|rto| (Just(u64::from(rto)), 0..=rto)), retransmits in 0_u64..16, since in 0_u64..1_000_000,
        user_timeout in prop_oneof![Just(0_u32), 1_u32..2_000_000],
    ) {
        let fields = [
            (Field::Rto, rto), (Field::Retransmits, retransmits), (Field::Backoff, retransmits), (Field::Retrans, retransmits.min(1)),
            (Field::TotalRetrans, retransmits),
            (Field::TotalRtoTime, since), (Field::TotalRtoRecoveries, 1), (Field::SndWnd, 1),
        ];
        let timer = Timer { kind: TimerKind::Retransmit, expires_ms, count: 0 };
        let socket = socket(TcpState::Established, timer, Some(1), Some(info(&fields)));
        let sysctls = Sysctls::default();
        let deadline = judged(&socket, &known(60, 10, 6, user_timeout), &sysctls, None).deadline;
        prop_assert!(deadline.after.unwrap() >= Millis::from(expires_ms));
    }
}

/// State left by a peer that vanished in the middle of a recovery: the limit counts from before the first timeout of
/// this silence, and no field reports from when.
#[test]
fn nothing_is_exact_of_a_silence_that_began_in_a_recovery() {
    let timer = Timer { kind: TimerKind::Retransmit, expires_ms: 100, count: 0 };
    let plain = [(Field::Rto, 400), (Field::SndWnd, 1), (Field::TotalRtoRecoveries, 1)];
    let bound = |more: &[(Field, u64)], user_timeout| {
        let fields = [plain.as_slice(), more].concat();
        let socket = socket(TcpState::Established, timer, Some(1), Some(info(&fields)));
        judged(&socket, &known(60, 10, 6, user_timeout), &Sysctls::default(), None).deadline.bound
    };
    assert_eq!(bound(&[], 5_000), Bound::Exact);
    for user_timeout in [0, 5_000] {
        for odd in [
            &[(Field::Backoff, 4)][..],
            &[(Field::CaState, 3)],
            &[(Field::Sacked, 7)],
            &[(Field::SndWnd, 0)],
            &[(Field::Retransmits, 1), (Field::Backoff, 1), (Field::Retrans, 1), (Field::TotalRtoRecoveries, 2)],
        ] {
            assert_eq!(bound(odd, user_timeout), Bound::AtLeast, "{odd:?}");
        }
    }
}

/// Each state, timer and knowledge of keepalive, with its verdict (docs/json.md).
#[test]
fn every_combination_has_the_verdict_of_the_table() {
    let is = |enabled| Keepalive {
        values: SomeKeepaliveValues { enabled: Some(enabled), ..SomeKeepaliveValues::default() },
        ..Keepalive::default()
    };
    let (on, off) = (is(true), is(false));
    let hidden = Keepalive::default();
    let row = |state, kind, fields: &[(Field, u64)]| {
        socket(state, Timer { kind, expires_ms: 100, count: 0 }, Some(1), Some(info(fields)))
    };
    let quiet = [(Field::LastDataRecv, 90_000), (Field::LastAckRecv, 90_000)];
    let and = |more: &[(Field, u64)]| [quiet.as_slice(), more].concat();
    let established = TcpState::Established;
    let verdict = |socket: &Socket, keepalive| judged(socket, keepalive, &Sysctls::default(), None).verdict;
    for (socket, keepalive, expected) in [
        (row(established, TimerKind::Keepalive, &[]), &on, Verdict::Active),
        (row(established, TimerKind::Off, &[]), &off, Verdict::Active),
        (row(established, TimerKind::Keepalive, &quiet), &on, Verdict::Guarded),
        (row(established, TimerKind::Off, &quiet), &off, Verdict::Unguarded),
        (row(established, TimerKind::Retransmit, &quiet), &hidden, Verdict::Unknown),
        (row(established, TimerKind::Retransmit, &quiet), &on, Verdict::Guarded),
        (row(established, TimerKind::Keepalive, &and(&[(Field::Probes, 1)])), &on, Verdict::Probing),
        (row(established, TimerKind::Keepalive, &[(Field::Probes, 1)]), &on, Verdict::Probing),
        (row(established, TimerKind::Retransmit, &[(Field::Retransmits, 2)]), &hidden, Verdict::Retransmitting),
        (row(established, TimerKind::Retransmit, &[(Field::Retransmits, 1)]), &hidden, Verdict::Active),
        (row(established, TimerKind::ZeroWindowProbe, &[(Field::Backoff, 3)]), &hidden, Verdict::Stalled),
        (row(established, TimerKind::ZeroWindowProbe, &and(&[(Field::Probes, 3)])), &hidden, Verdict::SilentWindow),
        (row(TcpState::CloseWait, TimerKind::Keepalive, &[]), &on, Verdict::PeerClosed),
        (row(TcpState::FinWait2, TimerKind::Off, &[]), &off, Verdict::HalfClosed),
        (row(TcpState::FinWait1, TimerKind::Retransmit, &[]), &hidden, Verdict::Closing),
        (row(TcpState::SynSent, TimerKind::Retransmit, &[]), &hidden, Verdict::Connecting),
        (row(TcpState::SynRecv, TimerKind::SynAck, &[]), &hidden, Verdict::Handshaking),
        (row(TcpState::TimeWait, TimerKind::TimeWait, &[]), &hidden, Verdict::TimeWait),
        (row(TcpState::Listen, TimerKind::Off, &[]), &off, Verdict::Listening),
        (row(TcpState::BoundInactive, TimerKind::Off, &[]), &hidden, Verdict::Bound),
    ] {
        assert_eq!(verdict(&socket, keepalive), expected, "{:?} {:?}", socket.state, socket.timer);
    }
    let orphan = Socket { inode: None, ..row(TcpState::FinWait2, TimerKind::FinWait2, &[]) };
    assert_eq!(verdict(&orphan, &hidden), Verdict::Closing);
    let queued = Socket { inode: None, ..row(established, TimerKind::Off, &[]) };
    assert_eq!(verdict(&queued, &off), Verdict::Unaccepted);
}
