//! Who holds a socket.

use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::processes::Sleeper;
use crate::support::program::{tcpulse, tcpulse_in};
use crate::support::zoo::Zoo;

fn row_of_port(document: &Value, port: u16) -> Value {
    let rows = document["connections"].as_array().unwrap();
    rows.iter()
        .find(|row| row["local"]["port"] == port)
        .unwrap_or_else(|| panic!("no port {port} in {document}"))
        .clone()
}

#[test]
fn a_socket_shared_by_processes_shows_each_of_them_with_each_descriptor() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sleepers: Vec<_> = (0..3).map(|_| Sleeper::named(b"sharer", &[&listener, &listener])).collect();
    let row = row_of_port(&tcpulse(&["--json", "-q", "-N", "current"]).json(), port);
    let owners = row["owners"].as_array().unwrap();
    for sleeper in &sleepers {
        let fds: Vec<_> =
            owners.iter().filter(|owner| owner["pid"] == sleeper.pid()).map(|owner| &owner["fd"]).collect();
        assert_eq!(fds.len(), 2, "{row}");
        assert_ne!(fds[0], fds[1]);
    }
    assert!(owners.iter().any(|owner| owner["pid"] == std::process::id()), "{row}");
    let stat = tcpulse(&["stat", "--by", "process,local-port", "--format", "csv", "-q", "-N", "current"]).stdout;
    assert!(stat.contains(&format!("sharer,{port},1\r\n")), "{stat}");
    let pairs = tcpulse(&["stat", "--by", "comm,pid", "--json", "-q", "-N", "current"]).json();
    for group in pairs["groups"].as_array().unwrap() {
        let is_ours = |sleeper: &Sleeper| group["pid"] == sleeper.pid();
        assert!(!sleepers.iter().any(is_ours) || group["comm"] == "sharer", "a pair that is none: {group}");
    }
}

#[test]
fn a_name_that_attacks_the_terminal_is_shown_harmlessly() {
    // Ends a colour, opens and closes parentheses, breaks the line, turns the writing round, and is no UTF-8.
    let name = b"=\x1b[31m) (\n\xff\xe2\x80\xae";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sleeper = Sleeper::named(name, &[&listener]);
    let arguments = ["ls", "-l", "-q", "-N", "current", "-o", "local-port,comm"];
    let table = tcpulse(&arguments).stdout;
    let line = table.lines().find(|line| line.contains(&port.to_string())).unwrap();
    assert!(line.contains("=\\x1b[31m) (\\n\u{fffd}\\u{202e}"), "{line:?}");
    let csv = tcpulse(&[&arguments[..], &["--format", "csv"]].concat()).stdout;
    assert!(csv.lines().any(|line| line.contains("=\\x1b[31m) (\\n\u{fffd}\\u{202e}")), "{csv:?}");
    for output in [&table, &csv] {
        assert!(!output.contains(['\x1b', '\u{202e}']), "{output:?}");
    }
    let row = row_of_port(&tcpulse(&["--json", "-q", "-N", "current"]).json(), port);
    let owner = row["owners"].as_array().unwrap().iter().find(|owner| owner["pid"] == sleeper.pid()).unwrap().clone();
    assert_eq!(owner["comm"], "=\x1b[31m) (\n\u{fffd}\u{202e}");
    assert!(owner["exe"].as_str().unwrap().starts_with('/'), "{owner}");
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_defused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _sleeper = Sleeper::named(b"=cmd|' C'!A0", &[&listener]);
    drop(listener);
    let csv = tcpulse(&["ls", "-l", "-q", "-N", "current", "-o", "comm,local-port", "--format", "csv"]).stdout;
    assert!(csv.contains(&format!("'=cmd|' C'!A0,{port}\r\n")), "{csv}");
}

#[test]
fn what_no_process_holds_is_told_apart() {
    if !is_root("what_no_process_holds_is_told_apart") {
        return;
    }
    let zoo = Zoo::new();
    zoo.settle();
    let document = tcpulse_in(&zoo.netns, User::Root, &["--json", "-q", "-N", "current"]).json();
    let rows = document["connections"].as_array().unwrap();
    let holders = |state: &str| -> Vec<&str> {
        rows.iter().filter(|row| row["state"] == state).map(|row| row["holder"].as_str().unwrap()).collect()
    };
    assert!(holders("time-wait").iter().all(|holder| *holder == "minisocket"));
    assert!(holders("syn-recv").iter().all(|holder| *holder == "minisocket"));
    assert_eq!(holders("fin-wait-1"), ["orphan"]);
    assert_eq!(holders("last-ack"), ["orphan"]);
    assert_eq!(holders("closing"), ["orphan"]);
    for wanted in ["process", "orphan", "minisocket"] {
        assert!(holders("fin-wait-2").contains(&wanted), "{wanted} among {:?}", holders("fin-wait-2"));
    }
    assert!(holders("close-wait").contains(&"accept-queue") && holders("established").contains(&"accept-queue"));
    let unowned = rows.iter().filter(|row| row["holder"] != "process");
    assert!(unowned.clone().all(|row| row["owners"].as_array().is_none_or(Vec::is_empty)));
    // A process of the sandbox that even root may not look into makes "kernel" unprovable.
    if document["gaps"].as_array().unwrap().is_empty() {
        assert!(holders("established").iter().all(|holder| ["process", "accept-queue", "kernel"].contains(holder)));
    }
}

#[test]
fn what_other_users_hide_is_a_gap_with_a_count() {
    if !is_root("what_other_users_hide_is_a_gap_with_a_count") {
        return;
    }
    let netns = Netns::new();
    let (listener, client) = netns.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener, client)
    });
    let run = tcpulse_in(&netns, User::Nobody, &["--json", "-N", "current"]);
    let document = run.json();
    let row = row_of_port(&document, client.local_addr().unwrap().port());
    assert_eq!((&row["holder"], &row["owners"]), (&Value::from("hidden"), &Value::Null));
    let gap = document["gaps"].as_array().unwrap().iter().find(|gap| gap["what"] == "process owners").unwrap().clone();
    assert!(gap["count"].as_u64().unwrap() > 0 && gap["remedy"].as_str().unwrap().contains("CAP_SYS_PTRACE"), "{gap}");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    let table = tcpulse_in(&netns, User::Nobody, &["ls", "-q", "-N", "current"]);
    assert!(table.stdout.contains("(hidden)") && table.stderr.is_empty(), "{} {}", table.stdout, table.stderr);
    let strict = tcpulse_in(&netns, User::Nobody, &["ls", "-q", "--strict", "-N", "current"]);
    assert_eq!(strict.code, Some(4));
    let without = tcpulse_in(&netns, User::Nobody, &["ls", "--strict", "--no-processes", "-N", "current"]);
    assert_eq!((without.code, without.stderr.as_str()), (Some(0), ""));
    drop(listener);
}
