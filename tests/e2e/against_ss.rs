//! Compares every field that ss shows too, of a socket in every state: as root, as nobody, and from /proc.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::netns::User;
use crate::support::program::tcpulse_in;
use crate::support::zoo::{Zoo, lists_bound_sockets};
use crate::support::{is_root, ss};

fn by_cookie(document: &Value) -> BTreeMap<String, Value> {
    let connections = document["connections"].as_array().unwrap();
    let rows: BTreeMap<_, _> =
        connections.iter().map(|row| (row["cookie"].as_str().unwrap().to_owned(), row.clone())).collect();
    assert_eq!(rows.len(), connections.len(), "a cookie came twice");
    rows
}

fn ss_state(state: &str) -> &str {
    match state {
        "established" => "ESTAB",
        "syn-sent" => "SYN-SENT",
        "syn-recv" => "SYN-RECV",
        "fin-wait-1" => "FIN-WAIT-1",
        "fin-wait-2" => "FIN-WAIT-2",
        "time-wait" => "TIME-WAIT",
        "bound-inactive" => "UNCONN",
        "close-wait" => "CLOSE-WAIT",
        "last-ack" => "LAST-ACK",
        "listen" => "LISTEN",
        "closing" => "CLOSING",
        other => panic!("state {other}"),
    }
}

/// Formats an address as ss does: mapped ones in full, the unspecified IPv6 one of a dual-stack socket as `*`, the
/// device at the local address only.
fn ss_endpoint(row: &Value, end: &str) -> String {
    let (addr, port) = (row[end]["addr"].as_str().unwrap(), row[end]["port"].as_u64().unwrap());
    let device =
        row["interface"].as_str().filter(|_| end == "local").map(|name| format!("%{name}")).unwrap_or_default();
    let addr = match addr {
        "::" if row["v6only"] == Value::Bool(false) => format!("*{device}"),
        addr if addr.contains(':') => format!("[{addr}]{device}"),
        addr => format!("{addr}{device}"),
    };
    if port == 0 { format!("{addr}:*") } else { format!("{addr}:{port}") }
}

fn number(row: &ss::Row, key: &str) -> u64 {
    row.values.get(key).map_or(0, |text| text.parse().unwrap_or_else(|_| panic!("{key}:{text}")))
}

fn compare(cookie: &str, ours: &Value, before: &ss::Row, after: &ss::Row) {
    let context = format!("cookie {cookie}\nours {ours}\nss {before:?}");
    let state = ours["state"].as_str().unwrap();
    // Timers may change a row between the two runs of ss; only what both runs agree on is compared.
    if (&before.state, before.recv_q, before.send_q) != (&after.state, after.recv_q, after.send_q) {
        return;
    }
    let before = &ss::Row {
        values: before
            .values
            .clone()
            .into_iter()
            .filter(|(key, value)| key == "timer" || after.values.get(key) == Some(value))
            .collect(),
        ..before.clone()
    };
    assert_eq!(ss_state(state), before.state, "{context}");
    let (recv, send) =
        if state == "listen" { ("accept_queue", "accept_queue_max") } else { ("recv_queue_bytes", "send_queue_bytes") };
    assert_eq!(ours[recv].as_u64().unwrap_or(0), before.recv_q, "{context}");
    assert_eq!(ours[send].as_u64().unwrap_or(0), before.send_q, "{context}");
    assert_eq!(ss_endpoint(ours, "local"), before.local, "{context}");
    if state != "listen" && state != "bound-inactive" {
        assert_eq!(ss_endpoint(ours, "remote"), before.peer, "{context}");
    }
    assert_eq!(ours["uid"].as_u64().unwrap_or(0), number(before, "uid"), "{context}");
    assert_eq!(ours["inode"].as_u64().unwrap_or(0), number(before, "ino"), "{context}");
    if let Some(cgroup) = before.values.get("cgroup").filter(|path| !path.starts_with("unreachable")) {
        assert_eq!(ours["cgroup"].as_str(), Some(cgroup.as_str()), "{context}");
    }
    timer(&ours["timer"], before, after, &context);
    attributes(ours, before, &context);
}

fn timer(ours: &Value, before: &ss::Row, after: &ss::Row, context: &str) {
    let Some((name, _, most, count)) = before.timer() else {
        assert_eq!(ours["kind"], "off", "{context}");
        return;
    };
    let kinds: &[&str] = match name.as_str() {
        "on" => &["retransmit", "syn-ack"],
        "keepalive" => &["keepalive", "fin-wait-2"],
        "timewait" => &["time-wait"],
        "persist" => &["zero-window-probe"],
        other => panic!("timer {other}: {context}"),
    };
    assert!(kinds.contains(&ours["kind"].as_str().unwrap()), "{context}");
    // If the timer fired between the two runs of ss, the time in between is unknown.
    let Some((_, least, _, after_count)) = after.timer() else { return };
    if count == after_count && least <= most {
        let expires = ours["expires_ms"].as_u64().unwrap();
        assert!((least..=most).contains(&expires), "expires {expires} not in {least}..={most}\n{context}");
        assert_eq!(ours["count"].as_u64(), Some(count), "{context}");
    }
}

fn attributes(ours: &Value, ss: &ss::Row, context: &str) {
    if let Some(skmem) = ss.skmem() {
        for (short, key) in [
            ("r", "rmem_alloc_bytes"),
            ("rb", "rcvbuf_bytes"),
            ("t", "wmem_alloc_bytes"),
            ("tb", "sndbuf_bytes"),
            ("f", "fwd_alloc_bytes"),
            ("w", "wmem_queued_bytes"),
            ("o", "optmem_bytes"),
            ("bl", "backlog_bytes"),
            ("d", "drops"),
        ] {
            assert_eq!(ours["memory"][key].as_u64(), skmem.get(short).copied(), "{key} {context}");
        }
    }
    if let Some(mark) = ss.values.get("fwmark") {
        let mark = u64::from_str_radix(mark.trim_start_matches("0x"), 16).unwrap();
        assert_eq!(ours["mark"].as_u64(), Some(mark), "{context}");
    }
    for (word, open) in [("-->", [true, false]), ("<--", [false, true]), ("---", [true, true]), ("<->", [false, false])]
    {
        if ss.words.iter().any(|known| known == word) {
            let shut = [&ours["shutdown"]["receive"], &ours["shutdown"]["send"]].map(|value| value.as_bool().unwrap());
            assert_eq!(shut, open, "{context}");
        }
    }
    for key in ["tos", "tclass", "class_id"] {
        if let Some(text) = ss.values.get(key) {
            let value = u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
            assert_eq!(ours[key].as_u64(), Some(value), "{key} {context}");
        }
    }
    if let Some(options) = ss.values.get("inet-sockopt") {
        let wanted: BTreeSet<_> = options.split(',').collect();
        let have: BTreeSet<_> = ours["options"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert!(wanted.iter().all(|name| have.contains(name)), "{context}");
    }
    if ours["state"] != "listen" {
        tcp_info(&ours["tcp_info"], ss, context);
    }
}

/// ss omits zeros, and prints some numbers in other units.
fn tcp_info(ours: &Value, ss: &ss::Row, context: &str) {
    if ours.is_null() {
        assert!(!ss.values.contains_key("cwnd"), "{context}");
        return;
    }
    for (short, key) in [
        ("rto", "rto_ms"),
        ("mss", "snd_mss_bytes"),
        ("pmtu", "pmtu_bytes"),
        ("rcvmss", "rcv_mss_bytes"),
        ("advmss", "advmss_bytes"),
        ("cwnd", "snd_cwnd"),
        ("backoff", "backoff"),
        ("bytes_sent", "bytes_sent"),
        ("bytes_retrans", "bytes_retrans"),
        ("bytes_acked", "bytes_acked"),
        ("bytes_received", "bytes_received"),
        ("segs_out", "segs_out"),
        ("segs_in", "segs_in"),
        ("data_segs_out", "data_segs_out"),
        ("data_segs_in", "data_segs_in"),
        ("delivered", "delivered"),
        ("unacked", "unacked"),
        ("lost", "lost"),
        ("notsent", "notsent_bytes"),
        ("rcv_space", "rcv_space_bytes"),
        ("rcv_ssthresh", "rcv_ssthresh_bytes"),
        ("snd_wnd", "snd_wnd_bytes"),
        ("rcv_wnd", "rcv_wnd_bytes"),
    ] {
        if let Some(text) = ss.values.get(short) {
            let wanted: f64 = text.parse().unwrap();
            let have = ours[key].as_f64().unwrap();
            assert!((have - wanted).abs() < 1.0, "{key}: {have} and {wanted}\n{context}");
        }
    }
    if let (Some(text), Some(have)) = (ss.values.get("rtt"), ours["rtt_us"].as_f64()) {
        let wanted: f64 = text.split('/').next().unwrap().parse().unwrap();
        assert!((have / 1000.0 - wanted).abs() < 0.001, "rtt {context}");
    }
    if let Some(text) = ss.values.get("wscale") {
        let have = format!("{},{}", ours["snd_wscale"], ours["rcv_wscale"]);
        assert_eq!(&have, text, "{context}");
    }
}

fn equal_to_ss(test: &str, user: User) {
    let zoo = Zoo::new();
    zoo.settle();
    let before = ss::rows(&zoo.netns, user);
    let document = tcpulse_in(&zoo.netns, user, &["--json", "-N", "current"]).json();
    let after = ss::rows(&zoo.netns, user);
    let ours = by_cookie(&document);
    let states: BTreeSet<_> = ours.values().map(|row| row["state"].as_str().unwrap()).collect();
    let lists_bound = lists_bound_sockets(&format!("{test}: bound-inactive"));
    for state in tcpulse::TcpState::ALL.map(|state| state.name().unwrap()) {
        let expected = state != "close" && (lists_bound || state != "bound-inactive");
        assert_eq!(states.contains(state), expected, "{state} in the zoo");
    }
    for (cookie, row) in &ours {
        match (before.get(cookie), after.get(cookie)) {
            (Some(before), Some(after)) => compare(cookie, row, before, after),
            // ss before 6.8 does not list bound sockets.
            _ => assert_eq!(row["state"], "bound-inactive", "ss does not have {row}"),
        }
    }
    let missing: Vec<_> =
        before.keys().filter(|cookie| after.contains_key(*cookie) && !ours.contains_key(*cookie)).collect();
    assert!(missing.is_empty(), "only ss has {missing:?}");
}

#[test]
fn every_state_is_as_ss_shows_it_to_root() {
    if is_root("every_state_is_as_ss_shows_it_to_root") {
        equal_to_ss("every_state_is_as_ss_shows_it_to_root", User::Root);
    }
}

#[test]
fn every_state_is_as_ss_shows_it_to_nobody() {
    if is_root("every_state_is_as_ss_shows_it_to_nobody") {
        equal_to_ss("every_state_is_as_ss_shows_it_to_nobody", User::Nobody);
    }
}
