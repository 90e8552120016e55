//! The filter language as a pure function: a printed filter parses to the same one, no text panics or hangs, and an
//! error has its place.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;

use crate::fields::socket::SocketColumn;
use crate::fields::table::columns;
use crate::fields::value::Unit;
use crate::filter::{Filter, Names, help};
use crate::model::state::{StateSet, TcpState};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

/// Knows one service and one host.
struct Book;

impl Names for Book {
    fn service(&self, name: &str) -> Option<u16> {
        (name == "https").then_some(443)
    }

    fn host(&self, name: &str) -> Vec<IpAddr> {
        if name == "web" { vec!["10.0.0.5".parse().unwrap(), "2001:db8::5".parse().unwrap()] } else { Vec::new() }
    }
}

fn parse(text: &str) -> Result<Filter, crate::filter::FilterError> {
    Filter::parse(text, &Book)
}

/// Every kind of condition, each in the forms that somebody may type.
const CONDITIONS: &[&str] = &[
    "state established",
    "state = time-wait",
    "state established state syn-sent exclude syn-sent",
    "exclude listening",
    "state close exclude close",
    "state all",
    "state connected",
    "state in {big, listen}",
    "State != FIN_WAIT_1",
    "family = ipv6",
    "src 10.0.0.0/8",
    "src = *:443",
    "src *",
    "dst [2001:db8::1/64]:https",
    "dst ::1",
    "dst web",
    "dst inet:10.0.0.5",
    "dst != [fe80::1%eth0]:22",
    "src in {10.0.0.1, 10.0.0.2:80}",
    "sport = :80",
    "sport 80",
    "dport != 443",
    "dport ge :1024",
    "sport < 1024",
    "dport in {80, 443, 8000-8999}",
    "dport not in {*, 1-2}",
    "local-port > 65534",
    "peer-addr = 10.0.0.0/8",
    "dev eth0",
    "dev != 0",
    "interface in {eth0, \"odd name\"}",
    "fwmark = 0x10/0xff",
    "fwmark 7",
    "cgroup = /system.slice/ssh.service",
    "cgroup != \"/a b\"",
    "autobound",
    "loopback",
    "listening",
    "process = nginx",
    "process ~ ngin",
    "owner = none",
    "process !~ /^ng\\/inx(a|b)$/",
    "comm = \"two words\"",
    "pid in {1, 5-9}",
    "fd = 3",
    "user = app",
    "uid >= 1000",
    "inode = 123",
    "cookie = 0x1A2b",
    "cookie in {1, ff}",
    "netns = web",
    "unit = sshd",
    "container = 3f2a…",
    "timer = keepalive",
    "timer < 10s",
    "timer in {off, syn-ack}",
    "probes >= 1",
    "retransmits gt 2",
    "keepalive = off",
    "keepidle > 350s",
    "user-timeout = 0",
    "idle > 1h30m",
    "silent in {1ms-2.5s, 0}",
    "dead-in < 1m",
    "dead_in = never",
    "verdict in {probing, silent-window}",
    "recv-q > 0",
    "send-q >= 1.5M",
    "rtt > 50ms",
    "delivery-rate < 64K/s",
    "cc = bbr",
    "close-wait-age > 1d",
    "ca-state = loss",
    "options ~ sack",
    "local ~ 10.0.",
    "peer !~ /^\\[/",
    "~ postgres",
    "!~ /^\\d+$/",
    "postgres",
    "\"and\"",
    "10.0.0.9:5432",
    ":443",
    "10.0.0.5:1->[::1]:2",
];

fn filter_text() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        8 => proptest::sample::select(CONDITIONS).prop_map(str::to_owned),
        1 => (any::<u16>(), any::<u16>()).prop_map(|(from, to)| format!("dport in {{{}-{}}}", from.min(to), from.max(to))),
        1 => any::<u64>().prop_map(|us| format!("idle >= {us}us")),
        1 => "[ -~]{1,12}".prop_map(|text| format!("process = \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
    ];
    condition.prop_recursive(6, 40, 3, |inner| {
        let joint = prop_oneof![Just(" and "), Just(" or "), Just(" && "), Just("|")];
        prop_oneof![
            (inner.clone(), joint.clone(), inner.clone()).prop_map(|(left, joint, right)| left + joint + &right),
            // Without a word between them, two conditions could be read as one: `postgres ~ x`.
            (inner.clone(), prop_oneof![joint, Just(" ")], inner.clone())
                .prop_map(|(left, joint, right)| format!("({left}){joint}({right})")),
            inner.clone().prop_map(|inner| format!("not ({inner})")),
            inner.prop_map(|inner| format!("!{inner}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_back_as_the_same(text in filter_text()) {
        let filter = parse(&text).map_err(|error| proptest::test_runner::TestCaseError::fail(format!("{text}: {error}")))?;
        let printed = filter.to_string();
        let again = parse(&printed).map_err(|error| proptest::test_runner::TestCaseError::fail(format!("{printed}: {error}")))?;
        prop_assert_eq!(&again, &filter, "{} -> {}", text, printed);
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again.needs(), filter.needs());
        prop_assert!(!again.is_mixed());
    }

    #[test]
    fn any_text_is_understood_or_refused_with_its_place(text in "\\PC{0,60}|[ -~\\n\\t]{0,60}|([a-z]{1,6}|[ =<>!&|(){},~\\\\\"'/:*\\[\\]-]){0,30}") {
        match parse(&text) {
            Ok(filter) => {
                let printed = filter.to_string();
                prop_assert_eq!(parse(&printed), Ok(filter), "{} -> {}", text, printed);
            }
            Err(error) => {
                prop_assert!(error.place().end <= text.len().max(error.place().start), "{}", error);
                prop_assert!(text.get(error.place().start.min(text.len())..).is_some());
                prop_assert!(error.to_string().lines().count() == 3, "{}", error);
            }
        }
    }
}

#[test]
fn every_condition_is_understood_and_says_what_it_was() {
    let shown: Vec<_> = CONDITIONS.iter().map(|text| format!("{text:<52} {}", parse(text).unwrap())).collect();
    insta::assert_snapshot!("conditions", shown.join("\n"));
}

#[test]
fn a_field_typed_with_its_unit_takes_bare_numbers() {
    for (key, name) in [
        ("idle_ms > 5000", "idle > 5s"),
        ("IDLE-MS >= 1.5s", "idle >= 1.5s"),
        ("dead_in_ms in {1000-2000, never}", "dead-in in {1s-2s, never}"),
        ("rtt_us < 800 and recv_q_bytes > 1024", "rtt < 800us and recv-q > 1024B"),
        ("keepidle_s = 60", "keepidle = 60s"),
        ("pacing_rate_bytes_per_s > 1000", "pacing-rate > 1000B"),
        ("idle_ms = none or rtt_us ~ 81", "idle = none or rtt ~ 81"),
    ] {
        assert_eq!(parse(key).unwrap(), parse(name).unwrap(), "{key}");
    }
    // The unit applies to its own comparison only, and other units are no names.
    assert!(parse("idle_ms > 5 and idle > 5").unwrap_err().message().contains("needs a unit"));
    assert!(parse("idle_s > 5").unwrap_err().message().contains("unknown field 'idle_s'"));
}

#[test]
fn one_argument_and_many_mean_the_same() {
    let many = ["(", "dport", "=", ":443", "or", "sport", "=", ":80", ")", "and", "!", "state", "established"];
    assert_eq!(parse(&many.join(" ")), parse("(dport=:443|sport=:80)&!state established"));
}

#[test]
fn and_and_or_bind_alike_from_left_to_right() {
    let read = |text: &str| parse(text).unwrap().to_string();
    assert_eq!(read("sport 1 or sport 2 and sport 3"), "(sport = 1 or sport = 2) and sport = 3");
    assert_eq!(read("sport 1 and sport 2 or sport 3"), "(sport = 1 and sport = 2) or sport = 3");
    assert_eq!(read("sport 1 or sport 2 sport 3"), "(sport = 1 or sport = 2) and sport = 3");
    assert_eq!(read("not sport 1 sport 2"), "not sport = 1 and sport = 2");
    assert!(parse("sport 1 or sport 2 and sport 3").unwrap().is_mixed());
    assert!(!parse("(sport 1 or sport 2) and sport 3 sport 4").unwrap().is_mixed());
    // At the beginning, states restrict the whole filter; if a joint follows, they are a condition like any other.
    assert_eq!(read("state established sport 1 or sport 2"), "state established and (sport = 1 or sport = 2)");
    assert_eq!(read("state established and sport 1 or sport 2"), "(state established and sport = 1) or sport = 2");
}

#[test]
fn nothing_that_is_typed_hangs_or_panics() {
    let nested = |depth: usize| format!("{}sport = 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(1_000)).is_ok());
    assert!(parse(&nested(10_000)).unwrap_err().message().contains("parentheses"));
    let mut deep = "sport 1".to_owned();
    for _ in 0..500 {
        deep = format!("(not ({deep} or sport 2) and sport 3)");
    }
    let filter = parse(&deep).unwrap();
    assert_eq!(parse(&filter.to_string()), Ok(filter.clone()));
    assert_eq!(filter.states(), StateSet::ALL);
    for part in [
        "(",
        ")",
        "!",
        "not ",
        "and ",
        "or ",
        "a ",
        "a or ",
        "\"",
        "\\",
        "~",
        "/",
        "~ /a",
        "{",
        "dport in {1,",
        "-",
        "->",
        "=",
        "a=",
        "state ",
        "state established ",
        "[",
        "[::",
        "1.",
        "9",
        "é",
        "\u{202e}",
        "\0",
        "sport 1 or sport 2 and ",
        "~ /(a*)*b/ ",
        "idle > 1h",
        ":",
        "%",
    ] {
        let text = part.repeat(10_000 / part.len());
        if let Ok(filter) = parse(&text) {
            assert_eq!(parse(&filter.to_string()), Ok(filter), "{part}");
        }
    }
    let list = format!("dport in {{{}}}", (0..60_000).map(|port| port.to_string()).collect::<Vec<_>>().join(","));
    assert!(parse(&list).is_ok());
}

#[test]
fn every_column_can_be_asked_for_by_the_example_in_the_help() {
    let help = help();
    for column in columns() {
        let line = help.lines().find(|line| line.starts_with(&format!("    {} ", column.name())));
        let example = line.unwrap_or_else(|| panic!("{} is not in the help", column.name()))[4..36].trim();
        let filter = parse(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        assert!(filter.needs().contains(column.needs), "{example}");
    }
    for line in help.lines().filter(|line| line.starts_with("  tcpulse ")) {
        let command = line.trim().split("     ").next().unwrap().split(" | ").next().unwrap();
        let words = command.trim_start_matches("tcpulse ").replace("ls ", "").replace("stat --by process ", "");
        let typed = words.trim_start_matches("--json ").replace('\'', "");
        assert!(parse(&typed).is_ok(), "{typed}: {}", parse(&typed).unwrap_err());
    }
    insta::assert_snapshot!("help_filter", help);
}

#[test]
fn errors_point_at_the_place_and_say_what_would_be_right() {
    let errors: Vec<_> = [
        "dprot = :443",
        "remote = 10.0.0.2",
        "cwnd > 10",
        "process nginx",
        "dport",
        "dport = ",
        "dport = :http2",
        "dport > *",
        "dport in 80",
        "dport in {80",
        "dport in {80 and sport = 1",
        "(dport in {80)",
        "dport in {80, sport = 1",
        "dport in {,80}",
        "dport in {}",
        "dport in {9-8}",
        "dport ~ 80",
        "src 10.0.0.5/33",
        "src > 10.0.0.5",
        "idle > 10",
        "send-q > 64 K",
        "send-q = 1.5",
        "send-q in {64, 128 K}",
        "bytes-acked > 1Q",
        "dead-in < never",
        "dead-in >= never",
        "idle > none",
        "probes > 1s",
        "pid = nginx",
        "cookie = xyz",
        "state",
        "state establish",
        "state = wating",
        "verdict = ded",
        "keepalive = 1",
        "process",
        "process > nginx",
        "process ~ /(/",
        "process = \"nginx",
        "peer-addr = 10.0.0.5:80",
        "fwmark ~ 1",
        "(dport = :443",
        "dport = :443)",
        "()",
        "dport = :443 and",
        "or dport = :443",
        "not",
        "= 443",
        "unix:/run/x->10.0.0.1:1",
    ]
    .iter()
    .map(|text| parse(text).map_or_else(|error| error.to_string(), |filter| format!("UNDERSTOOD: {filter}")))
    .collect();
    insta::assert_snapshot!("errors", errors.join("\n\n"));
}

#[test]
fn every_field_of_bytes_takes_units_and_a_bare_number() {
    let of_bytes = |column: &&SocketColumn| matches!(column.unit, Unit::Bytes | Unit::BytesPerSecond);
    let fields: Vec<_> = columns().filter(of_bytes).map(|column| column.name().to_owned()).collect();
    for name in ["recv-q", "notsent", "pmtu", "bytes-acked", "bytes-retrans", "delivered-ce-bytes", "pacing-rate"] {
        assert!(fields.iter().any(|field| field == name), "{name} is not counted in bytes");
    }
    for name in fields {
        for (typed, same) in
            [("65536", "64K"), ("65536", "64KiB"), ("0", "0B"), ("1M", "1024kb"), ("1073741824B", "1g")]
        {
            let [typed, same] = [typed, same].map(|size| format!("{name} >= {size}"));
            assert_eq!(parse(&typed), parse(&same), "{typed}");
            assert!(parse(&typed).is_ok(), "{typed}");
        }
        assert!(parse(&format!("{name} in {{1000-2000, 64K-1M}}")).is_ok(), "{name}");
    }
}

#[test]
fn words_alone_say_how_they_were_read_and_what_was_probably_meant() {
    let advice = |text: &str| parse(text).unwrap().advice(StateSet::ALL).unwrap_or_default();
    for (text, part) in [
        ("port 443", "'port' and '443' were searched for as text, in addresses, processes and units"),
        ("port 443", "did you mean 'sport = :443 or dport = :443'?"),
        ("PORT :https", "did you mean 'sport = :https or dport = :https'?"),
        ("host 10.0.0.2", "'host' was searched for"),
        ("host 10.0.0.2", "did you mean 'dst 10.0.0.2 or src 10.0.0.2'?"),
        ("host ::1", "'dst ::1 or src ::1'"),
        ("remote", "did you mean 'peer = REMOTE'?"),
        ("remote 10.0.0.2 and port 80", "'peer = 10.0.0.2' and 'sport = :80 or dport = :80'"),
        ("program nginx", "'process = nginx'"),
        ("a xor b", "there is no 'xor': write (A or B) and not (A and B)"),
        ("tcp port 80", "every socket here is TCP"),
        ("dprot :443", "'dport = :443'"),
        ("establish", "'state established'"),
        ("FIN_WAIT1", "'state fin-wait-1'"),
        ("connected", "'state connected'"),
        ("443", "did you mean ':443'?"),
        ("nginx", "'nginx' was searched for as text, in addresses, processes and units; tcpulse help filter"),
        ("nginx and dport = 1", "'nginx' was"),
        ("not (not nginx)", "'nginx' was"),
        ("a b c d e f g", "'e' and more were searched for"),
        ("port and port or port not port", "did you mean 'sport = :PORT or dport = :PORT'?"),
    ] {
        assert!(advice(text).contains(part), "{text}: {}", advice(text));
    }
    // The result does not depend on these words, or they were meant as text.
    for text in ["", "dport = :443", "10.0.0.2", "time-wait", "not nginx", "~ nginx", "\"port\"", "process = port"] {
        assert_eq!(advice(text), "", "{text}");
    }
    let listeners_too = parse("nginx").unwrap().advice(StateSet::connections()).unwrap();
    assert!(listeners_too.ends_with("; -a also searches listeners"), "{listeners_too}");
    // What is suggested can be parsed.
    for text in
        ["port 443", "host ::1", "remote 10.0.0.2", "program nginx", "dprot 443", "establish", "connected", "443"]
    {
        let advice = advice(text);
        let filter = advice.split("did you mean '").nth(1).unwrap().split("'?").next().unwrap();
        assert!(parse(filter).unwrap().advice(StateSet::ALL).is_none(), "{text}: {filter}");
    }
    assert!(advice(&"x ".repeat(50_000)).len() < 500);
}

#[test]
fn a_pair_of_ends_can_be_turned_round() {
    let turned = |text: &str| parse(text).unwrap().turned();
    assert_eq!(turned("10.0.0.5:1->10.0.0.9:2"), parse("dst 10.0.0.5:1 src 10.0.0.9:2").ok());
    assert_eq!(turned("10.0.0.5:1 -> [::1]:2").unwrap().turned(), parse("10.0.0.5:1->[::1]:2").ok());
    for text in ["", "10.0.0.5:1", "src 10.0.0.5", "10.0.0.5:1->10.0.0.9:2 and pid = 1", "not 10.0.0.5:1->10.0.0.9:2"] {
        assert_eq!(turned(text), None, "{text}");
    }
}

#[test]
fn states_and_families_that_cannot_match_are_not_asked_for() {
    let states = |text: &str| {
        let set = parse(text).unwrap().states();
        TcpState::ALL.into_iter().filter(|state| set.contains(*state)).count()
    };
    assert_eq!(states("state established and idle > 1s"), 1);
    assert_eq!(states("(state established and sport 1) or (state time-wait and sport 2)"), 2);
    assert_eq!(states("state established or sport 1"), TcpState::ALL.len());
    assert_eq!(states("not (state established or sport 1)"), TcpState::ALL.len() - 1);
    assert_eq!(states("not (exclude established and sport 1)"), TcpState::ALL.len());
    assert_eq!(states("accept-q > 0"), 1);
    assert_eq!(states("not accept-q > 0"), TcpState::ALL.len());
    assert_eq!(states("state established and state time-wait"), 0);
    let families = |text: &str| parse(text).unwrap().families().len();
    assert_eq!(families("dst ::1"), 1);
    assert_eq!(families("not dst ::1"), 2);
    assert_eq!(families("dst 10.0.0.1 or dst ::1"), 2);
    assert_eq!(families("family = ipv4 and not family = ipv4"), 0);
}

#[test]
fn listeners_are_listed_where_they_are_requested() {
    let beyond = |text: &str| parse(text).unwrap().asks_beyond(StateSet::connections());
    for text in [
        "listening",
        "state = listen",
        "state all",
        "exclude time-wait",
        "accept-q > 0",
        "verdict = listening",
        "state listening sport 1",
    ] {
        assert!(beyond(text), "{text}");
    }
    for text in [
        "",
        "sport 1",
        "not listening",
        "state != time-wait",
        "not state established",
        "state established",
        "idle > 1s",
    ] {
        assert!(!beyond(text), "{text}");
    }
}
