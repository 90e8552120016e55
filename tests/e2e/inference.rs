//! Without rights: what is inferred about keepalive from timers is true.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::is_root;
use crate::support::link::{keepalive, set_options};
use crate::support::netns::{Netns, User};
use crate::support::program::{command_in, tcpulse_in};
use crate::support::sockets::{connection, option, pair, set_option};
use crate::support::wait::until;

/// Pseudo-random numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A connection with occasional traffic, and its true idle time.
struct Talker {
    client: TcpStream,
    server: TcpStream,
    idle_s: i32,
}

impl Talker {
    fn port(&self) -> u16 {
        self.client.local_addr().unwrap().port()
    }

    /// The peer sends data.
    fn hears(&self) {
        (&self.server).write_all(b"x").unwrap();
        (&self.client).read_exact(&mut [0]).unwrap();
    }
}

fn talkers(netns: &Netns, count: usize, mut idle: impl FnMut(&mut Numbers) -> u64) -> Vec<Talker> {
    let mut numbers = Numbers(7);
    let pairs: Vec<_> = netns.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        (0..count).map(|_| pair(&listener)).collect()
    });
    let talkers = pairs.into_iter().map(|(client, server)| {
        let idle_s = i32::try_from(idle(&mut numbers)).unwrap();
        let interval = i32::try_from(1 + numbers.below(100)).unwrap();
        let mut options = keepalive(idle_s, interval, 9);
        // Some programs set SO_KEEPALIVE before the values, others after.
        options.rotate_right(usize::try_from(numbers.below(2)).unwrap());
        set_options(&client, &options);
        Talker { client, server, idle_s }
    });
    talkers.collect()
}

/// Checks that the reported idle time is true, and that nothing is reported of what no timer shows.
fn assert_true(keepalive: &Value, talker: &Talker) {
    assert_eq!(keepalive["enabled"], true, "{keepalive}");
    assert!(keepalive["probes"].is_null() && keepalive["source"] == "inferred", "{keepalive}");
    let truth = i64::from(talker.idle_s);
    for (key, holds) in [
        ("idle_s", (|said, truth| said == truth) as fn(i64, i64) -> bool),
        ("idle_at_least_s", |said, truth| said <= truth),
        ("idle_at_most_s", |said, truth| said >= truth),
    ] {
        if let Some(said) = keepalive[key].as_i64() {
            assert!(holds(said, truth), "{key} {said}, but it is {truth}: {keepalive}");
        }
    }
}

fn by_port(document: &Value) -> BTreeMap<u64, &Value> {
    let rows = document["connections"].as_array().unwrap().iter();
    rows.map(|row| (row["local"]["port"].as_u64().unwrap(), row)).collect()
}

#[test]
fn bounds_of_a_thousand_connections_contain_the_truth() {
    if !is_root("bounds_of_a_thousand_connections_contain_the_truth") {
        return;
    }
    let netns = Netns::new();
    let mut talkers = talkers(&netns, 1000, |numbers| match numbers.below(3) {
        0 => 7200,
        1 => 1 + numbers.below(10),
        _ => 1 + numbers.below(32_767),
    });
    let mut numbers = Numbers(8);
    let mut bounded = 0;
    for _ in 0..4 {
        // Some receive data, so that their timers expire later than their silence suggests.
        talkers.iter().filter(|_| numbers.below(4) == 0).for_each(Talker::hears);
        // Some get new values, shorter or longer, also while probes are out.
        for talker in &mut talkers {
            if numbers.below(5) > 0 {
                continue;
            }
            talker.idle_s = i32::try_from(1 + numbers.below(300)).unwrap();
            set_option(&talker.client, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, talker.idle_s);
        }
        let document = tcpulse_in(&netns, User::Nobody, &["--json", "-q", "-N", "current"]).json();
        let rows = by_port(&document);
        for talker in &talkers {
            let keepalive = &rows[&u64::from(talker.port())]["keepalive"];
            assert_ne!(keepalive["source"], "socket");
            assert_true(keepalive, talker);
            bounded += u32::from(keepalive["idle_at_least_s"].is_u64() && keepalive["idle_at_most_s"].is_u64());
        }
    }
    // Of those that have received something, the timer says nothing.
    assert!(bounded > 1_000, "only {bounded} of 4,000 have both bounds");
}

#[test]
fn what_a_program_changes_between_two_looks_is_not_said_to_be_as_before() {
    if !is_root("what_a_program_changes_between_two_looks_is_not_said_to_be_as_before") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    set_options(&client, &keepalive(4, 1, 9));
    let mut talker = Talker { client, server, idle_s: 4 };
    let arguments = ["ls", "-q", "-N", "current", "--format", "ndjson", "-w", "0.2"];
    let mut command = command_in(&netns, User::Nobody);
    let mut watching = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    // The next row of the connection that was read after this call.
    let mut next = |port: u16| {
        let rounds = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
        let mut rows = std::iter::repeat_with(rounds);
        rows.by_ref().filter(|row| row["type"] == "summary").nth(1);
        rows.find(|row| row["type"] == "connection" && row["local"]["port"] == port).unwrap()["keepalive"].clone()
    };
    talker.hears();
    assert_true(&next(talker.port()), &talker);
    // The new idle time leaves the timer as it is, and turning keepalive off and on looks like a timer that has fired.
    talker.idle_s = 2;
    set_option(&talker.client, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, 2);
    assert_true(&next(talker.port()), &talker);
    for on in [0, 1] {
        set_option(&talker.client, libc::SOL_SOCKET, libc::SO_KEEPALIVE, on);
        assert_eq!(next(talker.port())["enabled"], on == 1);
    }
    assert_true(&next(talker.port()), &talker);
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn a_timer_that_runs_for_the_interval_after_an_answered_probe_is_no_bound_of_the_idle_time() {
    if !is_root("a_timer_that_runs_for_the_interval_after_an_answered_probe_is_no_bound_of_the_idle_time") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    set_options(&client, &keepalive(1, 300, 9));
    let talker = Talker { client, server, idle_s: 1 };
    let look = || {
        let document = tcpulse_in(&netns, User::Nobody, &["--json", "-q", "-N", "current"]).json();
        by_port(&document)[&u64::from(talker.port())].clone()
    };
    let row = until("the first probe is answered", Duration::from_secs(20), || {
        Some(look()).filter(|row| row["timer"]["expires_ms"].as_u64() > Some(100_000))
    });
    assert_true(&row["keepalive"], &talker);
    talker.hears();
    assert_true(&look()["keepalive"], &talker);
}

#[test]
fn a_sysctl_that_is_changed_later_or_own_intervals_contradict_nothing_that_is_inferred() {
    if !is_root("a_sysctl_that_is_changed_later_or_own_intervals_contradict_nothing_that_is_inferred") {
        return;
    }
    let netns = Netns::new();
    netns.sysctl("ipv4/tcp_keepalive_time", "30");
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    // No idle time of its own, but an interval.
    set_options(&client, &[(libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, 7), (libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)]);
    let mut talker = Talker { client, server, idle_s: 30 };
    let port = u64::from(talker.port());
    let look = || {
        let document = tcpulse_in(&netns, User::Nobody, &["--json", "-q", "-N", "current"]).json();
        by_port(&document)[&port]["keepalive"].clone()
    };
    let first = look();
    assert_true(&first, &talker);
    assert!(first["interval_s"].is_null(), "{first}");
    for (value, idle_s) in [("300", 300), ("5", 5)] {
        netns.sysctl("ipv4/tcp_keepalive_time", value);
        let seen = look();
        talker = Talker { idle_s, ..talker };
        assert_eq!(option(&talker.client, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE), idle_s);
        assert_true(&seen, &talker);
    }
}
