//! Filters select the same rows as ss, with and without kernel bytecode, and as a naive evaluator that is independent
//! of their implementation.

use std::collections::BTreeSet;
use std::io;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::Value;
use tcpulse::{Filter, Names, Needs, NetnsChoice, Request, Row, Sink, SourceChoice, inspect};

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::processes::Sleeper;
use crate::support::program::tcpulse_in;
use crate::support::zoo::Zoo;

type Cookies = BTreeSet<String>;

/// Attempts: a comparison fails if a timer ends a socket between two snapshots.
const TRIES: usize = 4;

fn settled_zoo() -> Zoo {
    let zoo = Zoo::new();
    zoo.settle();
    zoo
}

/// Cookies of the sockets that ss lists.
fn of_ss(netns: &Netns, filter: &[&str]) -> Cookies {
    let output = netns.command("ss", User::Root).args(["-tanHeO"]).args(filter).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && errors.is_empty(), "ss {filter:?}: {errors}");
    let cookie = |line: &str| line.split_whitespace().find_map(|word| word.strip_prefix("sk:").map(str::to_owned));
    text.lines().map(|line| cookie(line).unwrap()).collect()
}

/// Cookies of the sockets that tcpulse lists, without bound sockets, which this ss does not know.
fn of_tcpulse(netns: &Netns, filter: &[&str]) -> Cookies {
    let options = ["ls", "-a", "-q", "-N", "current", "--no-header", "-o", "cookie,state"];
    let run = tcpulse_in(netns, User::Root, &[&options[..], filter].concat());
    assert_eq!(run.code, Some(0), "{filter:?}: {}", run.stderr);
    let rows = run.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[1] != "bound-inactive").map(|row| row[0].to_owned()).collect()
}

fn same_rows(netns: &Netns, filter: &[&str]) {
    let joined = filter.join(" ");
    let mut seen = (Cookies::new(), Cookies::new(), Cookies::new());
    for _ in 0..TRIES {
        seen = (of_ss(netns, filter), of_tcpulse(netns, filter), of_tcpulse(netns, &[&joined]));
        if seen.0 == seen.1 && seen.0 == seen.2 {
            return;
        }
    }
    panic!("{joined}: ss {:?}, as words {:?}, as one {:?}", seen.0, seen.1, seen.2);
}

/// Typical filters, and edge cases of the grammar. `A` and `B` stand for ports that sockets have.
const BY_HAND: &[&str] = &[
    "",
    "state established",
    "state ESTABLISHED",
    "state established state time-wait",
    "state syn-sent state syn-recv state syn-rcv",
    "exclude established",
    "exclude listening exclude time-wait",
    "excl close-wait",
    "state all exclude listening exclude fin-wait-2",
    "state connected",
    "state synchronized",
    "state bucket",
    "state big",
    "state closed",
    "state unconnected",
    "state listening",
    "state fin-wait-1",
    "state last-ack",
    "state closing",
    "state big exclude established sport = :A",
    "sport = :A",
    "sport = A",
    "sport :A",
    "sport A",
    "sport == A",
    "sport eq A",
    "sport != A",
    "sport ne A",
    "sport neq :A",
    "sport > A",
    "sport gt A",
    "sport >= A",
    "sport ge A",
    "sport geq A",
    "sport < A",
    "sport lt A",
    "sport <= A",
    "sport le A",
    "sport leq A",
    "dport = :A",
    "dport != :A",
    "dport >= 1",
    "dport = 0",
    "dport < 1024",
    "dport = :discard",
    "dport = discard",
    "sport = *",
    "dport = :*",
    "src 127.0.0.1",
    "src = 127.0.0.1",
    "src eq 127.0.0.1:A",
    "src 127.0.0.1:*",
    "src 127.0.0.0/8",
    "src 127.0.0.0/255.0.0.0",
    "src 127/8:A",
    "src 127.1",
    "src 0/0",
    "src 0.0.0.0",
    "src 0.0.0.0/0",
    "src 128.0.0.0/1",
    "src any",
    "src all:A",
    "src default",
    "src *",
    "src *:A",
    "src :A",
    "src localhost",
    "src [::1]",
    "src [::1]:*",
    "src [::]",
    "src ::/0",
    "src ::1/128",
    "src fe80::/10",
    "dst [fe80::1]",
    "dst ::ffff:0:0/96",
    "dst [::ffff:127.0.0.1]",
    "dst 198.18.0.0/15",
    "dst 198.18.0.2:9",
    "dst 198.18.0.2:discard",
    "dst inet:127.0.0.1",
    "src inet6:[::1]",
    "sport = inet:A",
    "sport != inet6:A",
    "not src inet:127.0.0.1",
    "dev = lo",
    "dev lo",
    "dev == lo",
    "dev != lo",
    "dev ne lo",
    "dev = 1",
    "dev = 0",
    "not dev = 0",
    "fwmark = 0x2a",
    "fwmark = 42",
    "fwmark 052",
    "fwmark != 42",
    "fwmark = 0x2/0x2",
    "fwmark = 0/0x2",
    "fwmark = 0x2a/0xf",
    "fwmark ne 0",
    "autobound",
    "not autobound",
    "! autobound",
    "autobound and dst 127.0.0.1",
    "autobound or state = listen",
    "not sport = A",
    "not not sport = A",
    "! ( sport = A or dport = A )",
    "( sport = A )",
    "( ( ( sport = A ) ) )",
    "sport = A or sport = B",
    "sport = A | sport = B",
    "sport = A || dport = B",
    "sport = A and dst 127.0.0.1",
    "sport = A & dst 127.0.0.1",
    "sport = A && dst 127.0.0.1",
    "sport = A dst 127.0.0.1",
    "sport = A or dport = A and src 10.0.0.0/8",
    "sport = A and dport = 1 or dport = A",
    "sport = A or sport = B dport = 1",
    "src 10.0.0.0/8 or sport = A and not dport = B or dst [::1]",
    "not sport = A or not dport = B and src [::1]",
    "state established sport = A or dport = A",
    "state established ( sport = A or dport = A ) and not dev = lo",
    "exclude listening not ( dport = A or sport = B ) or src ::1/128",
    "sport > 1 sport < 65535 dport > 1 dport < 65535",
    "sport >= A and sport <= A",
    "sport < 0",
    "sport > 65535",
    "sport = 0x50",
    "src 127.0.0.1/32 and dst 127.0.0.1/32 and ( not sport = A ) and ! ( dport = B | dport = A )",
];

fn by_hand(ports: [u16; 2]) -> Vec<String> {
    let number = |word: &str| word.replace('A', &ports[0].to_string()).replace('B', &ports[1].to_string());
    // State names in capitals contain A too: replace it only in words that are a port or end in one.
    let word = |word: &str| if word.ends_with(['A', 'B']) { number(word) } else { word.to_owned() };
    let filters = BY_HAND.iter().filter(|filter| !filter.contains("state = "));
    filters.map(|filter| filter.split(' ').map(word).collect::<Vec<_>>().join(" ")).collect()
}

/// Random filters in ss's grammar, with addresses and ports that the zoo has and has not. After the kernel, ss runs its
/// own evaluator, which compares addresses of different families bit by bit: so no prefix here may match the leading
/// bits of an address of the other family. If a filter contains `dev`, iproute2 6.1 runs only its own evaluator: so a
/// filter has addresses or devices, not both.
fn generated(ports: &[u16], with_dev: bool) -> impl Strategy<Value = String> {
    use proptest::sample::select;
    let mut known = ports.to_vec();
    known.extend([0, 1, 9, 80, 32768, 60999, 65535]);
    let port = select(known);
    let addresses = [
        "127.0.0.1",
        "127.0.0.0/8",
        "127.0.0.1/31",
        "198.18.0.1",
        "198.18.0.0/24",
        "10.0.0.0/8",
        "[::1]",
        "fe80::/64",
        "::ffff:0:0/96",
        "*",
    ];
    let signs = vec!["=", "!=", ">", "<", ">=", "<=", "eq", "ne", "gt", "lt", "geq", "leq", ""];
    let on_port = (select(vec!["sport", "dport"]), select(signs), port.clone())
        .prop_map(|(side, sign, port)| format!("{side} {sign} :{port}").replace("  ", " "));
    let others = if with_dev {
        select(vec!["dev = lo", "dev != lo", "dev = 0", "dev = 1", "fwmark = 42"]).prop_map(str::to_owned).boxed()
    } else {
        let side = || select(vec!["src", "dst"]);
        let bare = (side(), select(addresses.to_vec())).prop_map(|(side, addr)| format!("{side} {addr}"));
        let with_port = (side(), select(vec!["127.0.0.1", "[::1]", "*", "198.18.0.2"]), port)
            .prop_map(|(side, addr, port)| format!("{side} = {addr}:{port}"));
        let marks = select(vec!["autobound", "fwmark = 42", "fwmark != 0x2/0x2"]).prop_map(str::to_owned);
        proptest::prop_oneof![3 => bare, 2 => with_port, 1 => marks].boxed()
    };
    let leaf = proptest::prop_oneof![on_port, others];
    let expr = leaf.prop_recursive(5, 24, 3, |inner| {
        let joint = select(vec![" and ", " or ", " ", " & ", " | ", " && ", " || "]);
        proptest::prop_oneof![
            3 => (inner.clone(), joint, inner.clone()).prop_map(|(left, joint, right)| left + joint + &right),
            1 => inner.clone().prop_map(|inner| format!("not ( {inner} )")),
            1 => inner.clone().prop_map(|inner| format!("! {inner}")),
            1 => inner.prop_map(|inner| format!("( {inner} )")),
        ]
    });
    let states = select(vec![
        "",
        "",
        "state established ",
        "exclude listening ",
        "state connected exclude time-wait ",
        "state big ",
    ]);
    (states, expr).prop_map(|(states, expr)| format!("{states}{expr}"))
}

/// Deterministic samples, so that a failure can be reproduced.
fn samples<T>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let config = Config::default();
    let mut runner = TestRunner::new_with_rng(config.clone(), TestRng::deterministic_rng(config.rng_algorithm));
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Ports of sockets in the zoo: of listeners with connections, and of connections.
fn ports(zoo: &Zoo) -> Vec<u16> {
    let listeners = zoo.listeners.iter().map(|listener| listener.local_addr().unwrap().port());
    listeners.chain(zoo.streams.iter().take(6).map(|stream| stream.local_addr().unwrap().port())).collect()
}

/// Mount point of cgroup v2: ss also accepts a path in the file system.
fn cgroup_mount() -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let mut mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    mounts.find(|mount| mount[2] == "cgroup2").map(|mount| mount[1].to_owned())
}

#[test]
fn filters_of_ss_give_the_rows_of_ss() {
    if !is_root("filters_of_ss_give_the_rows_of_ss") {
        return;
    }
    let zoo = settled_zoo();
    let ports = ports(&zoo);
    let mut filters = by_hand([ports[0], ports[2]]);
    filters.extend(samples(&generated(&ports, false), 220));
    filters.extend(samples(&generated(&ports, true), 40));
    filters.extend(cgroup_mount().iter().flat_map(|mount| [format!("cgroup = {mount}"), format!("cgroup != {mount}")]));
    assert!(filters.len() >= 300, "{}", filters.len());
    for filter in &filters {
        let words: Vec<_> = filter.split_whitespace().collect();
        same_rows(&zoo.netns, &words);
    }
}

/// Resolves no names: the filters below contain none.
struct NoNames;

impl Names for NoNames {}

/// Sink that collects the cookies of rows that match a filter.
struct Passing<'a>(&'a Filter, Cookies);

impl Sink for Passing<'_> {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        if self.0.matches(row) {
            self.1.insert(format!("{:x}", row.socket.id.cookie.unwrap().0));
        }
        Ok(())
    }
}

/// Rows that match a filter which neither the kernel nor the pipeline gets.
fn without_push_down(netns: &Netns, filter: &Filter) -> Cookies {
    netns.run(|| {
        let (source, needs) = (SourceChoice::SockDiag, Needs::all());
        let request = Request { source, needs, ..Request::new(NetnsChoice::Current) };
        let mut passing = Passing(filter, Cookies::new());
        inspect(&request, None, &mut passing, &|| false).unwrap();
        passing.1
    })
}

/// A filter's text, and the test's own predicate on a row of `--json`.
#[derive(Clone)]
struct Wish {
    text: String,
    passes: std::sync::Arc<dyn Fn(&Value) -> bool>,
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.text)
    }
}

fn wish(text: impl Into<String>, passes: impl Fn(&Value) -> bool + 'static) -> Wish {
    Wish { text: text.into(), passes: std::sync::Arc::new(passes) }
}

fn text_of<'a>(row: &'a Value, key: &str) -> &'a str {
    row.pointer(key).and_then(Value::as_str).unwrap_or("")
}

fn above(key: &'static str, least: u64) -> impl Fn(&Value) -> bool {
    move |row| row.pointer(key).and_then(Value::as_u64).is_some_and(|value| value > least)
}

fn equal(key: &'static str, wanted: &'static str) -> impl Fn(&Value) -> bool {
    move |row| text_of(row, key) == wanted
}

fn owners(row: &Value) -> Vec<Value> {
    row["owners"].as_array().cloned().unwrap_or_default()
}

/// Filters on fields that do not change between two snapshots.
fn wishes(pid: u32, port: u16, inode: u64) -> Vec<Wish> {
    let number = |row: &Value, key: &str| row.pointer(key).and_then(Value::as_u64);
    vec![
        wish("state = close-wait", equal("/state", "close-wait")),
        wish("state in {established, fin-wait-2}", |row| {
            ["established", "fin-wait-2"].contains(&text_of(row, "/state"))
        }),
        wish("listening", equal("/state", "listen")),
        wish("family = ipv6", equal("/family", "ipv6")),
        wish(format!("sport = {port}"), move |row| number(row, "/local/port") == Some(port.into())),
        wish(format!("dport in {{{port}, 1-1023}}"), move |row| {
            number(row, "/remote/port").is_some_and(|found| found == u64::from(port) || (1..1024).contains(&found))
        }),
        wish("src 127.0.0.0/8", |row| {
            let addr = text_of(row, "/local/addr");
            addr.starts_with("127.") || addr.starts_with("::ffff:127.")
        }),
        wish("peer-addr = ::1", |row| text_of(row, "/remote/addr") == "::1"),
        wish("loopback", |row| {
            let is = |addr: &str| addr == "::1" || addr.starts_with("127.") || addr.starts_with("::ffff:127.");
            is(text_of(row, "/local/addr")) || is(text_of(row, "/remote/addr"))
        }),
        wish("dev = lo", equal("/interface", "lo")),
        wish("interface = none", |row| row["interface"].is_null()),
        wish("process = sleep", |row| owners(row).iter().any(|owner| owner["comm"] == "sleep")),
        wish("process ~ SLEE", |row| owners(row).iter().any(|owner| text_of(owner, "/comm").contains("slee"))),
        wish("process != sleep", |row| !owners(row).iter().any(|owner| owner["comm"] == "sleep")),
        wish(format!("pid = {pid}"), move |row| owners(row).iter().any(|owner| owner["pid"] == pid)),
        wish("comm ~ /^e2e/", |row| owners(row).iter().any(|owner| text_of(owner, "/comm").starts_with("e2e"))),
        wish("uid = 0", |row| row["uid"] == 0),
        wish("user = root", equal("/user", "root")),
        wish(format!("inode = {inode}"), move |row| row["inode"] == inode),
        wish("inode = none", |row| row["inode"].is_null()),
        wish("timer = keepalive", equal("/timer/kind", "keepalive")),
        wish("timer in {off, time-wait}", |row| ["off", "time-wait"].contains(&text_of(row, "/timer/kind"))),
        wish("keepalive = on", |row| row.pointer("/keepalive/enabled") == Some(&Value::Bool(true))),
        wish("keepidle > 350s", above("/keepalive/idle_s", 350)),
        wish("recv-q > 0", above("/recv_queue_bytes", 0)),
        wish("send-q > 1K", above("/send_queue_bytes", 1024)),
        wish("accept-q > 1", above("/accept_queue", 1)),
        wish("rtt > 1us", above("/tcp_info/rtt_us", 1)),
        wish("rtt > 1h", above("/tcp_info/rtt_us", 3_600_000_000)),
        wish("holder = orphan", equal("/holder", "orphan")),
        wish("cc ~ b", |row| text_of(row, "/congestion/algorithm").contains('b')),
        wish("dead-in = never", equal("/liveness/bound", "never")),
        wish("verdict = peer-closed", equal("/liveness/verdict", "peer-closed")),
        wish("verdict in {listening, time-wait}", |row| {
            ["listening", "time-wait"].contains(&text_of(row, "/liveness/verdict"))
        }),
        wish("idle < 1h", move |row| {
            let quiet = ["last_data_recv_ms", "last_ack_recv_ms"].map(|key| number(row, &format!("/tcp_info/{key}")));
            quiet.into_iter().flatten().any(|ms| ms < 3_600_000)
        }),
    ]
}

fn random_wishes(leaves: &[Wish]) -> impl Strategy<Value = Wish> {
    let leaf = proptest::sample::select(leaves.to_vec());
    leaf.prop_recursive(4, 16, 3, |inner| {
        proptest::prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| {
                let (left, right) = (one.passes, other.passes);
                wish_of(format!("({}) and ({})", one.text, other.text), move |row| left(row) && right(row))
            }),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| {
                let (left, right) = (one.passes, other.passes);
                wish_of(format!("({}) or ({})", one.text, other.text), move |row| left(row) || right(row))
            }),
            inner.prop_map(|inner| {
                let passes = inner.passes;
                wish_of(format!("not ({})", inner.text), move |row| !passes(row))
            }),
        ]
    })
}

fn wish_of(text: String, passes: impl Fn(&Value) -> bool + 'static) -> Wish {
    wish(text, passes)
}

fn documents(netns: &Netns, filter: &[&str]) -> Vec<Value> {
    let document = tcpulse_in(netns, User::Root, &[&["--json", "-q", "-N", "current"][..], filter].concat()).json();
    document["connections"].as_array().unwrap().clone()
}

fn cookie(row: &Value) -> String {
    row["cookie"].as_str().unwrap().to_owned()
}

#[test]
fn filters_give_the_same_rows_however_they_are_carried_out() {
    if !is_root("filters_give_the_same_rows_however_they_are_carried_out") {
        return;
    }
    let zoo = settled_zoo();
    let sleeper = Sleeper::holding(&zoo.netns, &[&zoo.streams[0], &zoo.listeners[0]]);
    let rows = documents(&zoo.netns, &[&format!("pid = {}", sleeper.pid())]);
    assert_eq!(rows.len(), 2);
    let inode = rows[0]["inode"].as_u64().unwrap();
    let leaves = wishes(sleeper.pid(), zoo.listeners[0].local_addr().unwrap().port(), inode);
    let everything = documents(&zoo.netns, &[]);
    // A condition that no row matches, or every row, would not prove that it is evaluated.
    for leaf in leaves.iter().filter(|leaf| leaf.text != "rtt > 1h") {
        let passing = everything.iter().filter(|row| (leaf.passes)(row)).count();
        assert!((1..everything.len()).contains(&passing), "{}: {passing} of {}", leaf.text, everything.len());
    }
    let mut wishes = leaves.clone();
    wishes.extend(samples(&random_wishes(&leaves), 150));
    for wish in &wishes {
        let filter = Filter::parse(&wish.text, &NoNames).unwrap();
        let mut seen = <[Cookies; 3]>::default();
        for _ in 0..TRIES {
            seen = [
                documents(&zoo.netns, &[&wish.text]).iter().map(cookie).collect(),
                without_push_down(&zoo.netns, &filter),
                documents(&zoo.netns, &[]).iter().filter(|row| (wish.passes)(row)).map(cookie).collect(),
            ];
            if seen[0] == seen[1] && seen[1] == seen[2] {
                break;
            }
        }
        assert_eq!(seen[0], seen[1], "with and without push-down: {}", wish.text);
        assert_eq!(seen[0], seen[2], "by a naive evaluator: {}", wish.text);
    }
}

#[test]
fn the_kernel_is_asked_for_what_it_can_decide_and_for_nothing_that_is_not_needed() {
    if !is_root("the_kernel_is_asked_for_what_it_can_decide_and_for_nothing_that_is_not_needed") {
        return;
    }
    let explained = |filter: &str| tcpulse_in(&Netns::new(), User::Root, &["ls", "--explain-filter", filter]).stdout;
    let all = [
        "dport = :443",
        "state established and dst 10.0.0.0/8 and process = nginx and idle > 10m",
        "(sport 80 and process = nginx) or dport 443",
        "not (sport 80 or process = nginx)",
        "listening",
        "dst ::1 and keepalive = off",
        "state established and state time-wait",
        "",
    ];
    let shown: Vec<_> = all.iter().map(|filter| format!("{filter}\n{}", explained(filter))).collect();
    insta::assert_snapshot!("explained", shown.join("\n"));
}

#[test]
fn marks_that_may_not_be_read_are_a_gap_and_not_an_empty_answer() {
    if !is_root("marks_that_may_not_be_read_are_a_gap_and_not_an_empty_answer") {
        return;
    }
    let zoo = settled_zoo();
    let ask = |user, filter: &str| tcpulse_in(&zoo.netns, user, &["ls", "-N", "current", "--strict", filter]);
    let root = ask(User::Root, "fwmark = 42");
    assert_eq!(root.stdout.lines().count(), 2, "{}", root.stdout);
    let nobody = ask(User::Nobody, "fwmark = 42");
    assert_eq!(nobody.code, Some(4));
    assert!(nobody.stderr.contains("marks (1, reading marks takes CAP_NET_ADMIN)"), "{}", nobody.stderr);
    for others in ["fwmark = 42 or uid = 5", "mark = 42"] {
        assert_eq!(ask(User::Nobody, others).code, Some(4), "{others}");
    }
    let from_proc = |filter| tcpulse_in(&zoo.netns, User::Root, &["ls", "-N", "current", "--source", "procfs", filter]);
    let told = from_proc("rtt > 1us").stderr;
    assert!(told.contains("details that the filter asks for (1, /proc/net/tcp lacks them)"), "{told}");
    assert!(!from_proc("sport = 1").stderr.contains("details that the filter"));
    // Alternatives without marks still match.
    assert!(ask(User::Nobody, "fwmark = 42 or state close-wait").stdout.contains("close-wait"));
}

#[test]
fn filters_work_for_every_command_and_from_proc() {
    if !is_root("filters_work_for_every_command_and_from_proc") {
        return;
    }
    let zoo = settled_zoo();
    let run = |arguments: &[&str]| tcpulse_in(&zoo.netns, User::Root, &[arguments, &["-q", "-N", "current"]].concat());
    let port = zoo.listeners[0].local_addr().unwrap().port().to_string();
    let count = |text: &str| text.lines().count();
    let listed = run(&["ls", "--no-header", "sport", "=", &port]).stdout;
    assert!(count(&listed) > 1 && !listed.contains("listen "), "{listed}");
    assert_eq!(count(&run(&["--no-header", "sport", "=", &port]).stdout), count(&listed));
    let from_proc = run(&["ls", "--no-header", "--source", "procfs", "sport", "=", &port]).stdout;
    assert_eq!(count(&from_proc), count(&listed));
    let stat = run(&["stat", "--json", "sport", "=", &port]).json();
    assert_eq!(stat["total"].as_u64().unwrap() as usize, count(&listed) + 1, "stat counts the listener too: {stat}");
    let shown = run(&["show", "state", "listening", "sport", "=", &port]).stdout;
    assert!(shown.lines().next().unwrap().ends_with(&format!("listen  127.0.0.1:{port}")), "{shown}");
    let searched = run(&["ls", "-a", "--no-header", "-o", "local-port,peer-port", &format!(":{port}")]).stdout;
    assert!(searched.lines().all(|line| line.split_whitespace().any(|word| word == port)), "{searched}");
    let nothing = tcpulse_in(&zoo.netns, User::Root, &["ls", "-N", "current", "process", "=", "no-such"]);
    assert_eq!(nothing.code, Some(0));
    assert!(nothing.stderr.contains("TCP sockets matches 'process = no-such'"), "{}", nothing.stderr);
    let mixed = tcpulse_in(&zoo.netns, User::Root, &["ls", "-N", "current", "sport 1 or sport 2 and sport 3"]);
    assert!(mixed.stderr.contains("with parentheses: (sport = 1 or sport = 2) and sport = 3"), "{}", mixed.stderr);
}
