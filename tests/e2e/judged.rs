//! Every TCP state has a verdict, for root and for nobody, and what nobody sees never contradicts what root reads.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::schema_support::{assert_valid, assert_valid_line};
use crate::support::is_root;
use crate::support::netns::User;
use crate::support::program::tcpulse_in;
use crate::support::zoo::Zoo;

const JSON: &[&str] = &["--json", "-q", "-N", "current"];

fn rows(document: &Value) -> BTreeMap<String, Value> {
    let rows = document["connections"].as_array().unwrap().iter();
    rows.map(|row| (row["cookie"].to_string(), row.clone())).collect()
}

/// Possible verdicts of a state.
fn verdicts(state: &str) -> &'static [&'static str] {
    match state {
        "established" => &["active", "unaccepted", "stalled", "retransmitting", "silent-window", "probing"],
        "syn-sent" => &["connecting"],
        "syn-recv" => &["handshaking"],
        "fin-wait-1" | "last-ack" | "closing" => &["closing"],
        "fin-wait-2" => &["closing", "half-closed"],
        "time-wait" => &["time-wait"],
        "close-wait" => &["peer-closed"],
        "listen" => &["listening"],
        "close" | "bound-inactive" => &["bound"],
        other => panic!("a state that the zoo does not have: {other}"),
    }
}

#[test]
fn every_row_of_every_state_is_judged_and_valid() {
    if !is_root("every_row_of_every_state_is_judged_and_valid") {
        return;
    }
    let zoo = Zoo::new();
    zoo.settle();
    for user in [User::Root, User::Nobody] {
        let document = tcpulse_in(&zoo.netns, user, JSON).json();
        assert_valid(&document);
        let lines = tcpulse_in(&zoo.netns, user, &["--format", "ndjson", "-q", "-N", "current"]).stdout;
        lines.lines().for_each(|line| assert_valid_line(&serde_json::from_str(line).unwrap()));
        let rows = rows(&document);
        for row in rows.values() {
            let verdict = row["liveness"]["verdict"].as_str().unwrap();
            let state = row["state"].as_str().unwrap();
            assert!(verdicts(state).contains(&verdict), "verdicts() does not list '{verdict}' for {state}: {row}");
            let keepalive = &row["keepalive"];
            let told = !keepalive["enabled"].is_null() || !keepalive["unknown_because"].is_null();
            assert!(told, "neither a value nor a reason: {row}");
        }
        let by_verdict = document["summary"]["by_verdict"].as_object().unwrap().values();
        let judged: u64 = by_verdict.map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(judged, document["summary"]["total"]);
    }
}

#[test]
fn what_the_user_nobody_infers_is_what_root_reads_or_nothing() {
    if !is_root("what_the_user_nobody_infers_is_what_root_reads_or_nothing") {
        return;
    }
    let zoo = Zoo::new();
    zoo.settle();
    let root = rows(&tcpulse_in(&zoo.netns, User::Root, JSON).json());
    let nobody = rows(&tcpulse_in(&zoo.netns, User::Nobody, JSON).json());
    let mut compared = 0;
    for (cookie, told) in &nobody {
        let Some(read) = root.get(cookie) else { continue };
        for key in ["enabled", "idle_s", "interval_s", "probes", "user_timeout_ms"] {
            let (told, read) = (&told["keepalive"][key], &read["keepalive"][key]);
            assert!(told.is_null() || read.is_null() || told == read, "{key}: {told} for nobody, {read} for root");
            compared += u32::from(!told.is_null());
        }
        let bound = told["liveness"]["bound"].as_str().unwrap();
        let exact = bound == "exact" && !matches!(told["state"].as_str().unwrap(), "time-wait" | "fin-wait-2");
        assert!(!exact, "exact of what could not be read: {told}");
    }
    assert!(compared > 10, "{compared}");
}
