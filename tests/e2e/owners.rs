//! Owners of sockets.

use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::processes::{Sleeper, are_listed_to_nobody, with_hidepid};
use crate::support::program::{columns, tcpulse, tcpulse_in};
use crate::support::skip::skip;
use crate::support::sockets::connection;
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
    // CSV separates them by semicolons: if the first quotes come late in a file, DuckDB does not expect any.
    let columns = ["ls", "-l", "-o", "pid,comm,local-port", "--format", "csv", "-q", "-N", "current"];
    let csv = tcpulse(&columns).stdout;
    let line = csv.lines().find(|line| line.ends_with(&format!(",{port}"))).unwrap();
    assert!(line.matches(';').count() > 3 && line.matches(',').count() == 2 && !line.contains('"'), "{line}");
    let stat = tcpulse(&["stat", "--by", "process,local-port", "--format", "csv", "-q", "-N", "current"]).stdout;
    assert!(stat.contains(&format!("sharer,{port},1\n")), "{stat}");
    let pairs = tcpulse(&["stat", "--by", "comm,pid", "--json", "-q", "-N", "current"]).json();
    for group in pairs["groups"].as_array().unwrap() {
        let is_ours = |sleeper: &Sleeper| group["pid"] == sleeper.pid();
        assert!(!sleepers.iter().any(is_ours) || group["comm"] == "sharer", "a pair that is none: {group}");
    }
}

#[test]
fn a_name_that_attacks_the_terminal_is_shown_harmlessly() {
    // Contains a colour sequence, parentheses, a line break, a right-to-left override, and invalid UTF-8.
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
fn a_process_name_cannot_imitate_two_processes_or_another_pid() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let name = "sshd[1],x";
    let sleeper = Sleeper::named(name.as_bytes(), &[&listener]);
    drop(listener);
    let label = format!("sshd\\x5b1\\x5d\\x2cx[{}]", sleeper.pid());
    let here = ["-q", "-N", "current"];
    let run = |arguments: &[&str]| tcpulse(&[arguments, &here].concat());
    let of_port = format!("sport = {port}");
    for format in ["table", "csv"] {
        let columns = ["ls", "-l", "-o", "local-port,process,comm", "--no-header", "--format", format, &of_port];
        let line = run(&columns).stdout;
        let words: Vec<_> = line.trim().split([',', ' ']).filter(|word| !word.is_empty()).collect();
        assert_eq!(words, [&port.to_string(), &label, "sshd[1]\\x2cx"], "{line}");
    }
    let acted = [&["kill", "--dry-run", "-l", &of_port][..], &["set", "keepalive=on", "--dry-run", "-l", &of_port]];
    for arguments in acted {
        let run = run(arguments);
        assert!(run.stdout.contains(&label), "{arguments:?}: {}", run.stdout);
        assert!(run.stderr.contains("1 socket (1 of sshd[1]\\x2cx)"), "{arguments:?}: {}", run.stderr);
    }
    // A filter accepts both the raw name and the displayed label.
    for filter in [
        format!("process = '{name}'"),
        format!("comm = '{name}'"),
        format!("process = '{name}[{}]'", sleeper.pid()),
        format!("process = {}", label.replace('\\', "\\\\")),
        format!("process ~ '{name}'"),
        format!("~ '{name}[{}]'", sleeper.pid()),
    ] {
        let found = run(&["ls", "-l", "-o", "local-port", "--no-header", &filter]).stdout;
        assert_eq!(found.trim(), port.to_string(), "{filter}");
    }
    for filter in ["process = sshd", "process = 'sshd[1]'", "pid = 1 and process ~ sshd"] {
        let found = run(&["ls", "-l", "-o", "local-port", "--no-header", filter]).stdout;
        assert!(!found.contains(&port.to_string()), "{filter}");
    }
    let row = row_of_port(&run(&["--json"]).json(), port);
    assert_eq!((&row["owners"][0]["comm"], &row["owners"][0]["pid"]), (&name.into(), &sleeper.pid().into()));
}

#[test]
fn a_name_that_is_no_utf_8_has_its_uid_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sleeper = Sleeper::named(b"\xff\xfe", &[&listener]);
    let row = row_of_port(&tcpulse(&["--json", "-q", "-N", "current"]).json(), port);
    let owner = row["owners"].as_array().unwrap().iter().find(|owner| owner["pid"] == sleeper.pid()).unwrap().clone();
    assert_eq!(owner["uid"], nix::unistd::getuid().as_raw(), "{owner}");
}

#[test]
fn a_column_of_numbers_holds_numbers_or_nothing() {
    if !is_root("a_column_of_numbers_holds_numbers_or_nothing") {
        return;
    }
    let zoo = Zoo::new();
    zoo.settle();
    let help = tcpulse(&["help", "filter"]).stdout;
    // Whether the field's example in the help has a number.
    let is_number = |name: &String| {
        let lines = help.lines().filter_map(|line| line.trim_start().strip_prefix(name.as_str()));
        lines
            .filter_map(|rest| rest.strip_prefix([' ']))
            .any(|rest| ["> ", "< ", "= 1 ", "= 443"].iter().any(|sign| rest.starts_with(sign)))
    };
    let numbers: Vec<_> = columns().into_iter().filter(is_number).collect();
    assert!(numbers.len() > 60, "{numbers:?}");
    let names: Vec<_> = numbers.iter().map(String::as_str).filter(|name| !["pid", "fd"].contains(name)).collect();
    let arguments = ["ls", "-a", "-q", "-N", "current", "--format", "csv", "--no-header", "-o", &names.join(",")];
    let csv = tcpulse_in(&zoo.netns, User::Root, &arguments).stdout;
    assert!(csv.lines().count() > 10 && !csv.contains('\r'));
    for line in csv.lines() {
        for (cell, name) in line.split(',').zip(&names) {
            assert!(cell.is_empty() || cell.parse::<u64>().is_ok(), "{name}: {cell}");
        }
    }
    // Sockets may have several processes, but no process is called (orphan).
    let csv = tcpulse_in(
        &zoo.netns,
        User::Root,
        &["ls", "-a", "-q", "-N", "current", "--format", "csv", "-o", "holder,pid,fd", "--no-header"],
    );
    for line in csv.stdout.lines() {
        let digits = line.trim_start_matches(|c: char| c.is_alphabetic() || c == '-');
        assert_eq!(digits != ",,", line.starts_with("process,"), "{line}");
        assert!(digits.chars().all(|c| c.is_ascii_digit() || c == ',' || c == ';'), "{line}");
    }
    let stat = ["stat", "-q", "-N", "current", "--format", "csv", "--by", "pid", "--no-header"];
    assert!(!tcpulse_in(&zoo.netns, User::Root, &stat).stdout.contains('('));
    // The column beside the number gives its meaning.
    let csv = tcpulse_in(&zoo.netns, User::Root, &["ls", "-a", "-q", "-N", "current", "--format", "csv"]).stdout;
    let mut lines = csv.lines();
    let header: Vec<_> = lines.next().unwrap().split(',').collect();
    let at = header.iter().position(|key| *key == "dead_in_ms").unwrap();
    assert_eq!(header[at + 1], "bound");
    for line in lines {
        let cells: Vec<_> = line.split(',').collect();
        let has_number = !cells[at].is_empty();
        assert_eq!(has_number, ["exact", "at_least", "at_most"].contains(&cells[at + 1]), "{line}");
    }
}

/// systemd's `(sd-pam)` is a process, and a process may call itself `(kernel)`.
#[test]
fn a_process_in_parentheses_is_not_taken_for_a_socket_without_a_process() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _sleepers = [&b"(kernel)"[..], b"(sd-pam)"].map(|name| Sleeper::named(name, &[&listener]));
    let of_port = format!("sport = {port}");
    let counted = tcpulse(&["stat", "-q", "-N", "current", "--by", "process", "--no-header", &of_port, "-l"]).stdout;
    let names: Vec<_> = counted.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&r"\x28kernel\x29") && names.contains(&"(sd-pam)"), "{counted}");
    let json = tcpulse(&["stat", "-q", "-N", "current", "--by", "process", "--json", &of_port, "-l"]).json();
    let groups = json["groups"].as_array().unwrap();
    assert!(groups.iter().any(|group| group["process"] == r"\x28kernel\x29"), "{json}");
    let listed =
        tcpulse(&["ls", "-l", "-q", "-N", "current", "-o", "comm,process,holder", "--no-header", &of_port]).stdout;
    assert!(
        listed.contains(r"\x28kernel\x29") && listed.contains("(kernel)[") && listed.contains(" process"),
        "{listed}"
    );
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_defused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _sleeper = Sleeper::named(b"=cmd|' C'!A0", &[&listener]);
    drop(listener);
    let csv = tcpulse(&["ls", "-l", "-q", "-N", "current", "-o", "comm,local-port", "--format", "csv"]).stdout;
    assert!(csv.contains(&format!("'=cmd|' C'!A0,{port}\n")), "{csv}");
}

#[test]
fn sockets_without_a_process_are_distinguished_by_kind() {
    if !is_root("sockets_without_a_process_are_distinguished_by_kind") {
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
    // If the sandbox has a process that even root may not read, "kernel" cannot be proven.
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
    let what = if are_listed_to_nobody(&netns) { "process owners" } else { "process list" };
    let gap = document["gaps"].as_array().unwrap().iter().find(|gap| gap["what"] == what).unwrap().clone();
    assert!(gap["count"].as_u64().unwrap() > 0 && gap["remedy"].as_str().unwrap().contains("run as root"), "{gap}");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    let table = tcpulse_in(&netns, User::Nobody, &["ls", "-q", "-N", "current"]);
    assert!(table.stdout.contains("(hidden)") && table.stderr.is_empty(), "{} {}", table.stdout, table.stderr);
    let strict = tcpulse_in(&netns, User::Nobody, &["ls", "-q", "--strict", "-N", "current"]);
    assert_eq!(strict.code, Some(4));
    let without = tcpulse_in(&netns, User::Nobody, &["ls", "--strict", "--no-processes", "-N", "current"]);
    assert_eq!((without.code, without.stderr.as_str()), (Some(0), ""));
    drop(listener);
}

#[test]
fn where_proc_lists_no_foreign_processes_that_is_the_gap() {
    const NAME: &str = "where_proc_lists_no_foreign_processes_that_is_the_gap";
    if !is_root(NAME) {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let run = |arguments: &[&str]| tcpulse_in(&netns, User::Nobody, &[arguments, &["-N", "current"]].concat());
    let hidden = with_hidepid(2, || {
        let own = Sleeper::of(User::Nobody, &netns, &[&client]);
        (own.pid(), run(&["--json"]), run(&["ls", "-q", "--strict"]))
    });
    let Some((own, run, strict)) = hidden else { return skip(NAME, "a /proc with hidepid may not be mounted") };
    let document = run.json();
    let gaps: Vec<_> = document["gaps"].as_array().unwrap().iter().map(|gap| gap["what"].as_str().unwrap()).collect();
    assert!(gaps.contains(&"process list") && !gaps.contains(&"process owners"), "{gaps:?}");
    assert!(run.stderr.contains("hidepid"), "{}", run.stderr);
    let row = row_of_port(&document, client.local_addr().unwrap().port());
    let pids: Vec<_> = row["owners"].as_array().unwrap().iter().map(|owner| &owner["pid"]).collect();
    assert_eq!(pids, [own], "its own process is listed to nobody");
    assert!(strict.stdout.contains("(hidden)"), "{}", strict.stdout);
    assert_eq!(strict.code, Some(4));
}
