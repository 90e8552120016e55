//! The cases, made from few dimensions: what happens, over which family, with which congestion control.

use super::case::{Act, Case, Opening, Setting};
use crate::support::frame::IcmpError;
use crate::support::link::{keepalive, user_timeout};
use crate::support::path::{Breach, Family};
use crate::support::relay::Passage;

use Act::{
    Close, Fill, Icmp, PeerShutdown, PeerWrite, Reset, Set, ShutdownWrite, Silence, Sysctl, ToPeer, ToUs, Window, Write,
};

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// Few retries: the kernel gives up after seconds.
const RETRIES: &[(&str, &str)] = &[("ipv4/tcp_retries2", "3"), ("ipv4/tcp_orphan_retries", "2")];
const SYN: &[(&str, &str)] = &[("ipv4/tcp_syn_retries", "2"), ("ipv4/tcp_syn_linear_timeouts", "1")];
/// `TCP_RTO_MAX_MS`, and the sysctl that came with it (Linux 6.15).
const RTO_MAX: (&str, &str) = ("ipv4/tcp_rto_max_ms", "120000");
const TCP_RTO_MAX_MS: i32 = 44;

fn tcp(name: i32, value: i32) -> Setting {
    (libc::IPPROTO_TCP, name, value)
}

fn socket(name: i32, value: i32) -> Setting {
    (libc::SOL_SOCKET, name, value)
}

fn delayed(ms: u64) -> Passage {
    Passage { delay: std::time::Duration::from_millis(ms), ..Passage::OPEN }
}

/// Every case. The congestion controls are those that the kernel offers.
pub(crate) fn cases(controls: &[&'static str]) -> Vec<Case> {
    let mut all = Vec::new();
    for family in FAMILIES {
        // The longest first, so that they do not run alone in the end.
        all.extend(rest(family));
        all.extend(mptcp(family));
        all.extend(requests(family));
        all.extend(orphans(family));
        for control in controls {
            let scenes = [stalled(family), losses(family), pacing(family), data(family), thin(family)];
            all.extend(scenes.into_iter().flatten().map(|case| {
                let case = case.congestion(control);
                // With bbr a stream hardly ever counts as thin, and what pacing does depends on it.
                let differs = case.class == "pacing" || (case.class == "thin stream" && *control == "cubic");
                if differs { case.always() } else { case }
            }));
        }
        all.extend(windows(family));
        all.extend(local_failures(family));
        all.extend(egress_drops(family));
        all.extend(unreachable_neighbours(family));
        all.extend(ageing_neighbours(family));
        all.extend(idle_interface(family));
        all.extend(keepalives(family));
        all.extend(connecting(family));
        all.extend(errors(family));
        all.extend(resets(family));
        all.extend(inferences(family));
        all.extend(limits(family));
    }
    all
}

fn keepalives(family: Family) -> Vec<Case> {
    let case = |name: &str, settings: Vec<Setting>| Case::new("keepalive", name, family).set(settings).exact();
    let timed = |ms, idle, interval, probes| [keepalive(idle, interval, probes), vec![user_timeout(ms)]].concat();
    let scenes = [
        case("silent from the start", keepalive(1, 1, 3)).at(0, Silence),
        case("silent after an answered probe", keepalive(1, 1, 3)).at(2_600, Silence),
        case("user timeout shorter than the probes", timed(2_500, 1, 1, 6)).at(0, Silence),
        case("user timeout longer than the probes", timed(5_000, 1, 1, 2)).at(0, Silence),
        case("idle moved by traffic", keepalive(3, 1, 2)).at(1_500, PeerWrite(1)).at(1_900, Silence),
        case("20 s", keepalive(20, 2, 3)).at(0, Silence).every_ms(3_000),
        case("turned on late", Vec::new())
            .sysctls(&[
                ("ipv4/tcp_keepalive_time", "2"),
                ("ipv4/tcp_keepalive_intvl", "1"),
                ("ipv4/tcp_keepalive_probes", "3"),
            ])
            .at(0, Silence)
            .at(1_200, Set(socket(libc::SO_KEEPALIVE, 1))),
        case("interval longer than the idle time", keepalive(1, 3, 2)).at(0, Silence),
        Case::new("CLOSE-WAIT", "keepalive", family)
            .set(keepalive(1, 1, 3))
            .at(0, PeerShutdown)
            .at(300, Silence)
            .exact(),
        Case::new("CLOSE-WAIT", "nothing runs", family).at(0, PeerShutdown).at(300, Silence).every_ms(2_000).lives(12),
        Case::new("nothing runs", "keepalive off", family).at(0, Silence).every_ms(2_000).lives(12),
        Case::new("accept queue", "keepalive of the listener", family)
            .opening(Opening::Queued)
            .set(keepalive(1, 1, 3))
            .at(0, Silence),
        Case::new("accept queue", "nothing runs", family)
            .opening(Opening::Queued)
            .at(0, Silence)
            .every_ms(2_000)
            .lives(12),
        Case::new("accept queue", "accepted, keepalive inherited", family)
            .opening(Opening::Accepted)
            .set(keepalive(1, 1, 3))
            .at(0, Silence)
            .exact(),
    ];
    let slow = [
        case("slow path, silent after an answered probe", keepalive(1, 1, 3))
            .before(ToPeer(delayed(60)))
            .before(ToUs(delayed(60)))
            .at(2_700, Silence),
        case("slow path, user timeout", timed(3_000, 1, 1, 6)).before(ToUs(delayed(120))).at(500, Silence),
    ];
    scenes.into_iter().chain(slow).collect()
}

fn data(family: Family) -> Vec<Case> {
    let case = |name: &str| Case::new("data in flight", name, family).sysctls(RETRIES).every_ms(500);
    let sends = |name: &str| case(name).at(0, Silence).at(0, Write(20));
    vec![
        sends("tcp_retries2 3"),
        sends("user timeout").set([user_timeout(4_000)]),
        sends("keepalive on").set(keepalive(1, 1, 2)),
        sends("tcp_retries2 5").sysctls(&[("ipv4/tcp_retries2", "5")]).every_ms(1_200),
        sends("written again later").at(1_500, Write(20)),
        sends("much").at(0, Write(60_000)),
        sends("user timeout, written again later").set([user_timeout(5_000)]).at(2_100, Write(20)),
        case("slow path")
            .before(ToPeer(delayed(150)))
            .before(ToUs(delayed(150)))
            .at(0, Write(20))
            .at(900, Silence)
            .at(1_000, Write(20)),
        case("FIN of a held socket").at(0, Silence).at(0, ShutdownWrite),
        case("acknowledged in part").at(0, ToPeer(Passage { left: 4, ..Passage::OPEN })).at(0, Write(12_000)),
    ]
}

fn losses(family: Family) -> Vec<Case> {
    let case = |name: &str, passage: Passage| {
        let case =
            Case::new("loss before the silence", name, family).sysctls(&[("ipv4/tcp_retries2", "4")]).every_ms(800);
        let writing = (0..12).fold(case.before(ToUs(delayed(10))).at(0, ToPeer(passage)), |case, round| {
            case.at(round * 250, Write(3_000))
        });
        writing.at(3_100, Silence).at(3_200, Write(500))
    };
    let losing = |loss_percent, reorder_every| Passage { loss_percent, reorder_every, ..delayed(10) };
    vec![
        case("a tenth lost", losing(10, 0)),
        case("a quarter lost", losing(25, 0)),
        case("a half lost", losing(50, 0)),
        case("out of order", losing(0, 3)),
    ]
}

fn pacing(family: Family) -> Vec<Case> {
    // The kernel paces only after ten segments.
    let case = |name: &str, rate: i32| {
        let case = Case::new("pacing", name, family).sysctls(RETRIES).every_ms(400).at(0, Write(30_000));
        case.at(400, Set(socket(libc::SO_MAX_PACING_RATE, rate))).at(500, Silence).at(500, Write(6_000))
    };
    vec![
        case("500 bytes a second", 500),
        case("2,000 bytes a second", 2_000),
        case("500 bytes a second, user timeout", 500).set([user_timeout(4_000)]),
    ]
}

fn thin(family: Family) -> Vec<Case> {
    /// `TCP_THIN_LINEAR_TIMEOUTS`
    const THIN: Setting = (libc::IPPROTO_TCP, 16, 1);
    let case = |name: &str| {
        Case::new("thin stream", name, family).sysctls(RETRIES).at(0, Silence).at(0, Write(20)).every_ms(400)
    };
    vec![
        case("option of the socket").set([THIN]),
        case("option of the socket, tcp_retries2 5").set([THIN]).sysctls(&[("ipv4/tcp_retries2", "5")]).every_ms(800),
        case("sysctl").sysctls(&[("ipv4/tcp_thin_linear_timeouts", "1")]),
        case("user timeout").set([THIN, user_timeout(4_000)]),
    ]
}

fn windows(family: Family) -> Vec<Case> {
    let case = |name: &str| Case::new("zero window", name, family).sysctls(RETRIES).small_buffers().every_ms(400);
    vec![
        case("silent from the start").at(0, Fill).at(150, Silence),
        case("user timeout").set([user_timeout(3_000)]).at(0, Fill).at(150, Silence),
        case("user timeout longer than the probes").set([user_timeout(20_000)]).at(0, Fill).at(150, Silence),
        case("shut by the path, idle")
            .before(ToUs(delayed(5)))
            .at(0, Window(0))
            .at(0, PeerWrite(1))
            .at(200, Write(2_000))
            .at(300, Silence),
        case("shrunk with data in flight")
            .sysctls(&[("ipv4/tcp_rto_max_ms", "5000")])
            .at(0, ToPeer(Passage::CLOSED))
            .at(0, Window(0))
            .at(0, Write(2_000))
            .at(0, PeerWrite(1))
            .at(300, Silence),
    ]
}

fn stalled(family: Family) -> Vec<Case> {
    let case = |name: &str| {
        Case::new("zero window", name, family).sysctls(&[("ipv4/tcp_retries2", "3")]).small_buffers().at(0, Fill)
    };
    vec![
        case("falls silent early").at(700, Silence).every_ms(900),
        case("falls silent late").at(1_800, Silence).every_ms(400),
        case("falls silent, user timeout").set([user_timeout(6_000)]).at(1_800, Silence).every_ms(900),
    ]
}

fn connecting(family: Family) -> Vec<Case> {
    let case = |name: &str| Case::new("SYN-SENT", name, family).opening(Opening::Connecting).before(Silence).exact();
    vec![
        case("tcp_syn_retries 2").sysctls(SYN),
        case("TCP_SYNCNT 1").set([tcp(libc::TCP_SYNCNT, 1)]),
        case("user timeout").set([user_timeout(3_500)]),
        case("user timeout longer than the retries").sysctls(SYN).set([user_timeout(12_000)]),
        case("no linear timeouts").sysctls(&[("ipv4/tcp_syn_retries", "3"), ("ipv4/tcp_syn_linear_timeouts", "0")]),
    ]
}

fn requests(family: Family) -> Vec<Case> {
    let opening = |others: &[i32]| Opening::Requested {
        others: others.iter().map(|&count| vec![tcp(libc::TCP_SYNCNT, count)]).collect(),
    };
    let case = |name: &str, retries: &'static str| {
        let case = Case::new("SYN-RECV", name, family)
            .opening(opening(&[]))
            .before(ToUs(Passage::OPEN))
            .before(ToPeer(Passage::CLOSED));
        case.sysctls(&[("ipv4/tcp_synack_retries", retries)]).at(0, Silence).every_ms(1_200)
    };
    vec![
        case("tcp_synack_retries 2", "2"),
        case("TCP_SYNCNT 3 of the listener", "1").set([tcp(libc::TCP_SYNCNT, 3)]),
        case("TCP_SYNCNT that equals tcp_syn_retries", "1")
            .sysctls(&[("ipv4/tcp_syn_retries", "3")])
            .set([tcp(libc::TCP_SYNCNT, 3)]),
        case("TCP_RTO_MAX_MS of the listener", "3").sysctls(&[RTO_MAX]).set([tcp(TCP_RTO_MAX_MS, 1_000)]),
        case("tcp_rto_max_ms", "3").sysctls(&[("ipv4/tcp_rto_max_ms", "1000")]),
        case("two listeners, the other one with more", "1").set([tcp(libc::TCP_SYNCNT, 1)]).opening(opening(&[3])),
        case("two listeners, the other one with less", "1").set([tcp(libc::TCP_SYNCNT, 3)]).opening(opening(&[1])),
        Case::new("SYN-RECV", "TCP_DEFER_ACCEPT 8 of the listener", family)
            .opening(opening(&[]))
            .set([tcp(libc::TCP_DEFER_ACCEPT, 8)])
            .sysctls(&[("ipv4/tcp_synack_retries", "1")])
            .at(400, Silence)
            .every_ms(2_500),
        Case::new("Fast Open child", "unconfirmed", family)
            .opening(Opening::FastOpen)
            .before(ToPeer(Passage::CLOSED))
            .set([tcp(libc::TCP_FASTOPEN, 8)])
            .sysctls(&[("ipv4/tcp_fastopen", "515"), ("ipv4/tcp_synack_retries", "2")])
            .at(0, Silence),
    ]
}

fn orphans(family: Family) -> Vec<Case> {
    let case = |class, name: &str| Case::new(class, name, family).sysctls(RETRIES).every_ms(500);
    let orphan = |name: &str| case("orphan", name);
    let long = |name: &str| case("orphan with a user timeout", name).set([user_timeout(9_000)]);
    vec![
        orphan("FIN-WAIT-1").at(0, Silence).at(0, Close),
        orphan("LAST-ACK").at(0, PeerShutdown).at(300, Silence).at(300, Close),
        orphan("CLOSING").at(0, ToPeer(Passage::CLOSED)).at(0, Close).at(50, PeerShutdown).at(300, Silence),
        orphan("data and FIN").at(0, Silence).at(0, Write(4_000)).at(0, Close),
        orphan("zero window").small_buffers().at(0, Fill).at(150, Silence).at(200, Close),
        orphan("zero window, probes answered before").small_buffers().at(0, Fill).at(700, Silence).at(800, Close),
        long("FIN-WAIT-1").at(0, Silence).at(0, Close),
        long("LAST-ACK").at(0, PeerShutdown).at(300, Silence).at(300, Close),
        long("zero window").small_buffers().at(0, Fill).at(150, Silence).at(200, Close),
        case("orphan with a user timeout", "shorter than the retries")
            .set([user_timeout(1_000)])
            .at(0, Silence)
            .at(0, Close)
            .every_ms(200),
    ]
}

/// States that only wait.
fn rest(family: Family) -> Vec<Case> {
    let case = |class, name: &str| Case::new(class, name, family).every_ms(2_500);
    let waits =
        |name: &str, seconds: &'static str| case("FIN-WAIT-2", name).sysctls(&[("ipv4/tcp_fin_timeout", seconds)]);
    vec![
        case("TIME-WAIT", "60 s").at(0, ShutdownWrite).at(200, PeerShutdown).every_ms(7_000),
        waits("tcp_fin_timeout 15", "15").at(0, Close),
        waits("tcp_fin_timeout 66", "66").at(0, Close),
        waits("TCP_LINGER2 6", "60").set([tcp(libc::TCP_LINGER2, 6)]).at(0, Close).every_ms(1_000),
        waits("held", "5").at(0, ShutdownWrite).lives(14),
        waits("held, keepalive", "60").set(keepalive(1, 1, 3)).at(0, ShutdownWrite).at(300, Silence).every_ms(700),
    ]
}

/// Limits that the kernel copies when it makes the socket, and a sysctl that is changed later.
fn limits(family: Family) -> Vec<Case> {
    let case = |name: &str| {
        Case::new("sysctl changed later", name, family)
            .sysctls(&[("ipv4/tcp_retries2", "4"), ("ipv4/tcp_orphan_retries", "4")])
            .at(0, Silence)
    };
    let lower = Sysctl("ipv4/tcp_rto_max_ms", "1000");
    vec![
        case("tcp_rto_max_ms lowered, data").at(0, lower).at(0, Write(20)),
        case("tcp_rto_max_ms lowered, orphan").at(0, lower).at(0, Close),
        case("tcp_rto_max_ms raised, orphan")
            .sysctls(&[("ipv4/tcp_rto_max_ms", "1000")])
            .at(0, Sysctl("ipv4/tcp_rto_max_ms", "120000"))
            .at(0, Close),
        case("tcp_retries2 raised, data").at(0, Write(20)).at(1_000, Sysctl("ipv4/tcp_retries2", "5")),
    ]
}

fn local_failures(family: Family) -> Vec<Case> {
    const BREACHES: [(&str, Breach); 8] = [
        ("route deleted", Breach::Route),
        ("interface down", Breach::Down),
        ("address removed", Breach::Address),
        ("prohibit", Breach::Refuse("prohibit")),
        ("unreachable", Breach::Refuse("unreachable")),
        ("blackhole", Breach::Refuse("blackhole")),
        ("rule by port", Breach::Rule("ipproto tcp dport 1-65534")),
        ("rule by user", Breach::Rule("uidrange 0-0")),
    ];
    let mut all = Vec::new();
    for (name, breach) in BREACHES {
        let case = |what: &str| {
            Case::new("sends that fail locally", &format!("{name}, {what}"), family).sysctls(RETRIES).every_ms(500)
        };
        let broken = Act::Break(breach);
        all.push(case("data after").at(0, broken).at(0, Write(20)));
        all.push(case("data before").at(0, Silence).at(0, Write(20)).at(300, broken));
        all.push(
            case("data after, user timeout, written again")
                .set([user_timeout(4_000)])
                .at(0, broken)
                .at(0, Write(20))
                .at(1_700, Write(20)),
        );
        all.push(
            case("data before, user timeout, written again")
                .set([user_timeout(4_000)])
                .at(0, Silence)
                .at(0, Write(20))
                .at(300, broken)
                .at(1_700, Write(20)),
        );
        all.push(case("keepalive").set(keepalive(1, 1, 3)).at(0, broken));
    }
    all
}

fn egress_drops(family: Family) -> Vec<Case> {
    let case = |name: &str| Case::new("egress drops", name, family).sysctls(RETRIES).every_ms(500);
    let full = Act::Break(Breach::Queue);
    vec![
        case("keepalive").set(keepalive(1, 1, 3)).at(0, full).every_ms(900).lives(14),
        case("keepalive, user timeout")
            .set(keepalive(1, 1, 3))
            .set([user_timeout(4_000)])
            .at(0, full)
            .every_ms(900)
            .lives(14),
        case("data").at(0, full).at(0, Write(20)),
        case("data, user timeout").set([user_timeout(4_000)]).at(0, full).at(0, Write(20)),
        case("data before").at(0, Silence).at(0, Write(20)).at(500, full),
        case("SYN").opening(Opening::Connecting).sysctls(SYN).before(full),
        case("FIN of an orphan").at(0, full).at(0, Close),
    ]
}

fn unreachable_neighbours(family: Family) -> Vec<Case> {
    let mut all = Vec::new();
    for (class, breach) in [("neighbour lost", Breach::Neighbour), ("carrier lost", Breach::Carrier)] {
        let case = |name: &str| Case::new(class, name, family).sysctls(RETRIES).every_ms(400);
        let broken = Act::Break(breach);
        all.extend([
            case("keepalive").set(keepalive(1, 1, 3)).at(0, broken),
            case("data after").at(0, broken).at(0, Write(20)),
            case("data before").at(0, Silence).at(0, Write(20)).at(300, broken),
            case("data after, user timeout").set([user_timeout(4_000)]).at(0, broken).at(0, Write(20)),
            case("SYN").opening(Opening::Connecting).sysctls(SYN).before(broken),
            case("FIN of an orphan").at(0, broken).at(0, Close),
        ]);
    }
    all
}

/// A peer on the link that is gone: it does not answer for its address either, so the kernel loses it after a while.
fn ageing_neighbours(family: Family) -> Vec<Case> {
    let case =
        |name: &str| Case::new("neighbour ages", name, family).sysctls(RETRIES).before(Act::Break(Breach::Ageing));
    let lasting = |name: &str| case(name).sysctls(&[("ipv4/tcp_retries2", "5")]);
    vec![
        lasting("data").at(0, Silence).at(0, Write(20)),
        lasting("data, slow path").before(ToUs(delayed(150))).at(0, Silence).at(0, Write(20)),
        lasting("data, user timeout").set([user_timeout(9_000)]).at(0, Silence).at(0, Write(20)),
        case("keepalive").set(keepalive(1, 1, 3)).at(0, Silence),
        case("zero window").small_buffers().at(0, Fill).at(500, Silence),
        case("SYN").opening(Opening::Connecting).sysctls(SYN).before(Silence).every_ms(300),
        case("SYN-ACK")
            .opening(Opening::Requested { others: Vec::new() })
            .sysctls(&[("ipv4/tcp_synack_retries", "2")])
            .before(ToPeer(Passage::CLOSED))
            .every_ms(300),
        case("FIN of an orphan").at(0, Silence).at(0, Close),
    ]
}

/// An interface without carrier that has nothing to do with the peer.
fn idle_interface(family: Family) -> Vec<Case> {
    let case = |name: &str| {
        Case { has_idle_interface: true, ..Case::new("other interface without carrier", name, family) }
            .sysctls(RETRIES)
            .exact()
            .always()
    };
    vec![
        case("keepalive").set(keepalive(1, 1, 3)).at(0, Silence),
        case("data").at(0, Silence).at(0, Write(20)).every_ms(500),
        case("SYN").opening(Opening::Connecting).sysctls(SYN).before(Silence),
    ]
}

fn mptcp(family: Family) -> Vec<Case> {
    let case =
        |name: &str| Case::new("MPTCP", name, family).mptcp().sysctls(RETRIES).sysctls(&[("mptcp/enabled", "1")]);
    vec![
        case("closed by the program").at(0, Silence).at(0, Close).every_ms(2_500),
        case("closed by the program, the peer hears").at(0, Close).every_ms(2_500),
        case("keepalive").set(keepalive(1, 1, 3)).at(0, Silence),
        case("data").at(0, Silence).at(0, Write(20)),
        case("data, accepted").opening(Opening::Accepted).at(0, Silence).at(0, Write(20)),
        case("nothing runs").at(0, Silence).every_ms(2_000).lives(12),
        case("fell back to TCP, data").opening(Opening::FallenBack).at(0, Silence).at(0, Write(20)),
        case("fell back to TCP, user timeout")
            .opening(Opening::FallenBack)
            .at(0, Set(user_timeout(4_000)))
            .at(0, Silence)
            .at(0, Write(20)),
        case("fell back to TCP, keepalive and user timeout")
            .opening(Opening::FallenBack)
            .set(keepalive(1, 1, 9))
            .at(0, Set(user_timeout(4_000)))
            .at(0, Silence),
        case("keepalive, closed by the program").set(keepalive(90, 1, 3)).at(0, Silence).at(0, Close).every_ms(2_500),
    ]
}

/// ICMP errors, whose errno the program gets.
fn errors(family: Family) -> Vec<Case> {
    let (kind, codes): (u8, &[u8]) =
        if family == Family::V4 { (3, &[0, 1, 2, 3, 5, 9, 13]) } else { (1, &[0, 1, 3, 4, 5]) };
    let mut all = Vec::new();
    for &code in codes {
        let case = |name: &str| {
            Case::new("ICMP errors", &format!("code {code}, {name}"), family).sysctls(RETRIES).every_ms(500)
        };
        let answered = Icmp(IcmpError { kind, code });
        all.push(case("data").at(0, answered).at(0, Write(20)));
        all.push(case("data, user timeout").set([user_timeout(3_000)]).at(0, answered).at(0, Write(20)));
        // Its acknowledgement is answered by the error, which is kept.
        all.push(case("keepalive").set(keepalive(1, 1, 3)).at(0, answered).at(0, PeerWrite(1)).at(400, Silence));
        all.push(case("before the silence").at(0, answered).at(0, Write(20)).at(700, Silence));
    }
    for &code in &codes[..2] {
        let syn = Case::new("ICMP errors", &format!("code {code}, SYN"), family)
            .opening(Opening::Connecting)
            .sysctls(SYN)
            .before(Silence);
        all.push(syn.at(1_500, ToUs(Passage::OPEN)).at(1_500, Icmp(IcmpError { kind, code })).every_ms(500));
    }
    all
}

fn resets(family: Family) -> Vec<Case> {
    let case = |name: &str| Case::new("resets", name, family).sysctls(RETRIES).every_ms(300);
    vec![
        case("data").at(0, Silence).at(0, Write(20)).at(700, ToUs(Passage::OPEN)).at(700, Reset),
        case("keepalive probe").set(keepalive(2, 1, 3)).at(0, Reset),
        case("CLOSE-WAIT").set(keepalive(2, 1, 3)).at(0, PeerShutdown).at(200, Reset),
        case("SYN")
            .opening(Opening::Connecting)
            .sysctls(SYN)
            .before(Silence)
            .at(500, ToUs(Passage::OPEN))
            .at(500, Reset),
    ]
}

/// What is inferred without rights has to hold: values that only seem to be those of the sysctls.
fn inferences(family: Family) -> Vec<Case> {
    let sysctls = |time: &'static str| {
        [("ipv4/tcp_keepalive_time", time), ("ipv4/tcp_keepalive_intvl", "2"), ("ipv4/tcp_keepalive_probes", "3")]
    };
    let case = |name: &str, time| Case::new("inference", name, family).sysctls(&sysctls(time)).every_ms(450);
    let on = socket(libc::SO_KEEPALIVE, 1);
    vec![
        case("interval longer than the idle time, probes answered", "30")
            .set(keepalive(2, 30, 1))
            .at(4_500, Silence)
            .every_ms(1_500),
        case("only interval and probes are set", "3")
            .set([tcp(libc::TCP_KEEPINTVL, 1), tcp(libc::TCP_KEEPCNT, 4), on])
            .at(0, Silence),
        case("idle time and interval add up to the sysctl", "3").set(keepalive(1, 2, 3)).at(0, Silence),
        case("sysctl changed to the idle time", "30")
            .set(keepalive(4, 1, 2))
            .at(0, Silence)
            .at(900, Sysctl("ipv4/tcp_keepalive_time", "4")),
        case("sysctl lowered later", "4").set([on]).at(0, Silence).at(900, Sysctl("ipv4/tcp_keepalive_time", "2")),
        case("sysctl raised later", "2").set([on]).at(0, Silence).at(900, Sysctl("ipv4/tcp_keepalive_time", "5")),
        case("user timeout beside the sysctls", "2").set([on, user_timeout(3_000)]).at(0, Silence),
        case("coarse wheel", "30").set(keepalive(25, 1, 1)).at(0, Silence).every_ms(1_500),
    ]
}
