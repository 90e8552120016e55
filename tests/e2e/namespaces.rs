//! Several network namespaces at once.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::processes::{Sleeper, are_listed_to_nobody};
use crate::support::program::{TCPULSE, tcpulse, tcpulse_in};

fn pair_on(netns: &Netns, port: u16) -> (TcpListener, TcpStream) {
    netns.run(|| {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        (listener, client)
    })
}

#[test]
fn the_same_addresses_and_ports_in_two_namespaces_stay_apart() {
    if !is_root("the_same_addresses_and_ports_in_two_namespaces_stay_apart") {
        return;
    }
    let (one, two) = (Netns::new(), Netns::new());
    let sockets = [pair_on(&one, 4711), pair_on(&two, 4711)];
    let _inhabitants = [Sleeper::holding(&one, &[]), Sleeper::holding(&two, &[])];
    let document = tcpulse(&["--json", "-q"]).json();
    let rows = document["connections"].as_array().unwrap();
    for netns in [&one, &two] {
        let listeners = rows
            .iter()
            .filter(|row| row["netns"] == netns.inode() && row["local"]["port"] == 4711 && row["state"] == "listen");
        assert_eq!(listeners.count(), 1);
    }
    let ids: BTreeSet<_> = rows.iter().map(|row| (row["netns"].as_u64(), row["cookie"].as_str())).collect();
    assert_eq!(ids.len(), rows.len(), "a socket came twice");
    let table = tcpulse(&["ls", "-l", "-q"]).stdout;
    let lines: Vec<_> = table.lines().filter(|line| line.contains("127.0.0.1:4711")).collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(table.starts_with("NETNS"), "{table}");
    for netns in [&one, &two] {
        assert!(lines.iter().any(|line| line.starts_with(&netns.inode().to_string())), "{table}");
    }
    drop(sockets);
}

#[test]
fn a_namespace_is_chosen_by_process_or_number() {
    if !is_root("a_namespace_is_chosen_by_process_or_number") {
        return;
    }
    let netns = Netns::new();
    let sockets = pair_on(&netns, 4712);
    let inhabitant = Sleeper::holding(&netns, &[]);
    for name in [inhabitant.pid().to_string(), netns.inode().to_string()] {
        let document = tcpulse(&["--json", "-q", "-N", &name]).json();
        let namespaces = document["namespaces"].as_array().unwrap();
        assert_eq!(namespaces.len(), 1, "{name}");
        assert_eq!(namespaces[0]["netns"], netns.inode(), "{name}");
        assert!(document["connections"].as_array().unwrap().iter().any(|row| row["local"]["port"] == 4712));
    }
    drop(sockets);
}

#[test]
fn names_come_from_run_netns_and_host_is_that_of_pid_1() {
    if !is_root("names_come_from_run_netns_and_host_is_that_of_pid_1") {
        return;
    }
    let netns = Netns::new();
    let sockets = pair_on(&netns, 4713);
    // Use a mount namespace, so that the machine's /run is not touched.
    let script = "mount -t tmpfs none /run && mkdir /run/netns && touch /run/netns/web /run/netns/stale && \
                  mount --bind $1 /run/netns/web && exec \"$0\" --json -q $2 $3";
    let run = |arguments: [&str; 2]| -> Value {
        let output = std::process::Command::new("unshare")
            .args(["-m", "sh", "-c", script, TCPULSE, &netns.path()])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let all = run(["-N", "all"]);
    let names: Vec<_> = all["namespaces"].as_array().unwrap().iter().map(|ns| ns["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"web") && !names.contains(&"stale"), "{names:?}");
    let web = run(["-N", "web"]);
    assert_eq!(web["namespaces"][0]["netns"], netns.inode());
    assert!(web["connections"].as_array().unwrap().iter().any(|row| row["local"]["port"] == 4713));
    let current = tcpulse(&["--json", "-q", "-N", "current"]).json();
    // In some sandboxes not even root may read pid 1.
    if let Ok(host) = std::fs::read_link("/proc/1/ns/net") {
        let same = host == std::fs::read_link("/proc/self/ns/net").unwrap();
        assert_eq!(current["namespaces"][0]["name"] == "host", same, "{host:?}");
    }
    drop(sockets);
}

#[test]
fn sysctls_are_those_of_the_sockets_namespace() {
    if !is_root("sysctls_are_those_of_the_sockets_namespace") {
        return;
    }
    let netns = Netns::new();
    netns.sysctl("ipv4/tcp_keepalive_time", "1234");
    let _inhabitant = Sleeper::holding(&netns, &[]);
    for user in [User::Root, User::Nobody] {
        let document = tcpulse_in(&netns, user, &["kernel", "--json", "-q", "-N", "current"]).json();
        let sysctls = &document["namespaces"][0]["sysctls"];
        assert_eq!(sysctls["tcp_keepalive_time_s"], 1234);
        assert_eq!(sysctls["tcp_max_orphans"], Value::Null, "host-wide, not to be had here");
    }
    let all = tcpulse(&["kernel", "--json", "-q"]).json();
    let mine = all["namespaces"].as_array().unwrap().iter().find(|ns| ns["netns"] == netns.inode()).unwrap().clone();
    assert_eq!(mine["sysctls"]["tcp_keepalive_time_s"], 1234);
    let read = |path: &str| std::fs::read_to_string(path).unwrap().trim().parse::<i64>().unwrap();
    let here = tcpulse(&["kernel", "--json", "-q", "-N", "current"]).json();
    let sysctls = &here["namespaces"][0]["sysctls"];
    let mut compared = 0;
    for (key, value) in sysctls.as_object().unwrap().iter().filter(|(_, value)| value.is_number()) {
        // The key ends with the unit, which may or may not be part of the file's name.
        let names = [key.as_str(), key.rsplit_once('_').map_or("", |(name, _)| name)];
        let paths = ["net/ipv4", "net/core", "net/netfilter"]
            .map(|place| names.map(|name| format!("/proc/sys/{place}/{name}")));
        if let Some(path) = paths.iter().flatten().find(|path| std::path::Path::new(path).is_file()) {
            assert_eq!(*value, read(path), "{path}");
            compared += 1;
        }
    }
    assert!(compared > 10, "{sysctls}");
}

#[test]
fn a_namespace_that_may_not_be_entered_is_a_gap() {
    if !is_root("a_namespace_that_may_not_be_entered_is_a_gap") {
        return;
    }
    let netns = Netns::new();
    let inhabitant = Sleeper::holding(&netns, &[]);
    let here = Netns::new();
    let run = tcpulse_in(&here, User::Nobody, &["--json", "-q"]);
    let gaps = run.json()["gaps"].to_string();
    let is_listed = are_listed_to_nobody(&here);
    assert!(gaps.contains(if is_listed { "namespaces of processes" } else { "hidepid" }), "{gaps}");
    let named = tcpulse_in(&here, User::Nobody, &["ls", "-N", &inhabitant.pid().to_string()]);
    assert_eq!((named.code, named.stdout.as_str()), (Some(1), ""));
    let refused = if is_listed { "tcpulse: cannot enter network namespace" } else { "tcpulse: no process " };
    assert!(named.stderr.starts_with(refused), "{}", named.stderr);
}
