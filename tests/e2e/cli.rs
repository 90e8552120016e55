//! Commands, options and errors as a user meets them: exit codes, stdout and stderr.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{Run, TCPULSE, columns, command_in, tcpulse, tcpulse_in};
use crate::support::wait::until;

fn fails(arguments: &[&str], code: i32, words: &[&str]) {
    let run = tcpulse(arguments);
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{arguments:?}: {}", run.stderr);
    assert!(run.stderr.starts_with("tcpulse: "), "{arguments:?}: {}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{arguments:?} does not say {word}: {}", run.stderr);
    }
}

#[test]
fn help_is_complete_and_has_examples() {
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_short", &["-h"]),
        ("help_ls", &["ls", "--help"]),
        ("help_stat", &["stat", "--help"]),
        ("help_kernel", &["kernel", "--help"]),
        ("help_show", &["show", "--help"]),
        ("help_set", &["help", "set"]),
        ("help_kill", &["kill", "--help"]),
    ] {
        let run = tcpulse(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        insta::assert_snapshot!(name, run.stdout);
    }
    // A debug build names no commit.
    assert_eq!(tcpulse(&["--version"]).stdout, format!("tcpulse {} (debug build)\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn bad_input_names_the_value_and_the_choices() {
    fails(&["ls", "-o", "state,colour"], 2, &["unknown column 'colour'; tcpulse ls --help lists the columns\n"]);
    fails(&["ls", "-o", ","], 2, &["no column in ','"]);
    fails(&["ls", "--sort", "colour"], 2, &["cannot sort by 'colour': no such column; tcpulse ls --help"]);
    fails(&["ls", "--sort", "idle:down"], 2, &["'down'", "asc or desc"]);
    fails(&["stat", "--by", "rtt"], 2, &["cannot count by 'rtt'", "tcpulse stat --help lists the keys"]);
    fails(&["stat", "--by", "state,peer,user"], 2, &["one or two"]);
    fails(&["stat", "--sort", "state"], 2, &["--sort does not go with stat"]);
    fails(&["kernel", "-o", "state"], 2, &["--columns does not go with kernel"]);
    fails(&["ls", "-N", "no-such-namespace"], 2, &["'no-such-namespace'", "current, all"]);
    fails(&["ls", "-N", "4194305"], 1, &["no process 4194305"]);
    fails(&["ls", "--watch", "0"], 2, &["'0'", "100ms to 1d"]);
    fails(&["ls", "--watch", "soon"], 2, &["'soon'"]);
    fails(&["ls", "--format", "xml"], 2, &["'xml'", "ndjson"]);
    fails(&["ls", "--source", "ebpf"], 2, &["'ebpf'", "sock_diag"]);
    fails(&["ls", "--limit", "-1"], 2, &["-1"]);
    fails(&["ls", "--json", "--format", "csv"], 2, &["cannot be used with"]);
    fails(&["stta"], 2, &["no command 'stta'", "did you mean 'stat'?"]);
    fails(&["dport", "=", "ls"], 2, &["'ls' is no port"]);
}

#[test]
fn an_empty_namespace_is_reported_as_empty() {
    if !is_root("an_empty_namespace_is_reported_as_empty") {
        return;
    }
    let netns = Netns::new();
    for user in [User::Root, User::Nobody] {
        let run = |arguments: &[&str]| tcpulse_in(&netns, user, &[arguments, &["-q", "-N", "current"]].concat());
        let table = run(&["ls"]);
        assert_eq!(table.code, Some(0));
        let lines: Vec<_> = table.stdout.lines().collect();
        assert!(lines.len() == 2 && lines[0].starts_with("STATE") && lines[1] == "no TCP sockets", "{}", table.stdout);
        let document = run(&["--json"]).json();
        assert_eq!((&document["summary"]["total"], document["connections"].as_array().unwrap().len()), (&0.into(), 0));
        assert_eq!(run(&["ls", "--format", "ndjson"]).stdout.lines().count(), 2);
        assert_eq!(run(&["ls", "--format", "csv"]).stdout.lines().count(), 1);
        let stat = run(&["stat", "--format", "csv"]).stdout;
        assert_eq!(stat.lines().filter(|line| line.ends_with(",0")).count(), 12, "{stat}");
        assert!(run(&["kernel"]).stdout.contains("net.ipv4.tcp_keepalive_time"));
    }
    let listener = netns.run(|| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let table = tcpulse_in(&netns, User::Root, &["ls", "-N", "current"]);
    assert_eq!(table.stdout.lines().count(), 1, "{}", table.stdout);
    assert!(table.stderr.contains("none of the 1 TCP sockets is of this kind; -a shows all\n"), "{}", table.stderr);
    drop(listener);
}

#[test]
fn options_choose_families_states_columns_and_order() {
    if !is_root("options_choose_families_states_columns_and_order") {
        return;
    }
    let netns = Netns::new();
    let held = netns.run(|| {
        let four = std::net::TcpListener::bind("127.0.0.1:2000").unwrap();
        let six = std::net::TcpListener::bind("[::1]:3000").unwrap();
        let client = std::net::TcpStream::connect("127.0.0.1:2000").unwrap();
        (four, six, client)
    });
    let lines = |arguments: &[&str]| -> Vec<String> {
        let arguments = [arguments, &["-q", "--no-header", "-N", "current"]].concat();
        let run = tcpulse_in(&netns, User::Root, &arguments);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(lines(&["ls", "-l", "-o", "local", "-s", "local"]), ["127.0.0.1:2000", "[::1]:3000"]);
    assert_eq!(lines(&["ls", "-l", "-o", "local", "-s", "local:desc", "-n", "1"]), ["[::1]:3000"]);
    assert_eq!(lines(&["ls", "-l", "-4", "-o", "local-port"]), ["2000"]);
    assert_eq!(lines(&["-6", "-l", "ls", "-o", "LOCAL_PORT"]), ["3000"]);
    assert_eq!(lines(&["ls", "-o", "state"]), ["established", "established"]);
    assert_eq!(
        lines(&["ls", "-a", "-4", "-6", "-o", "state", "-s", "state"]),
        ["established", "established", "listen", "listen"]
    );
    assert_eq!(lines(&["stat", "-n", "1"]), ["established 2"]);
    assert_eq!(lines(&["stat", "--by", "local-port,state", "-4", "-n", "1"]), ["2000 established 1"]);
    let csv = tcpulse_in(
        &netns,
        User::Root,
        &["ls", "-l", "-4", "-o", "local,recv-q,idle", "--format", "csv", "-N", "current", "-q"],
    );
    assert_eq!(csv.stdout, "local,recv_q_bytes,idle_ms\n127.0.0.1:2000,,\n");
    drop(held);
}

#[test]
fn headers_are_the_names_of_the_columns_and_keys_are_names_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let names = columns();
    let all = tcpulse(&["ls", "-l", "-q", "-N", "current", "-o", "all", "--format", "csv"]).stdout;
    let keys: Vec<_> = all.lines().next().unwrap().split(',').map(str::to_owned).collect();
    let filter = format!("sport = {port}");
    let ls = |columns: &[String], more: &[&str]| {
        tcpulse(&[&["ls", "-l", "-q", "-N", "current", &filter, "-o", &columns.join(",")], more].concat())
    };
    let table = ls(&names, &[]).stdout;
    let header: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, names.iter().map(|name| name.to_uppercase()).collect::<Vec<_>>());
    let headers: Vec<_> = header.iter().map(|&title| title.to_owned()).collect();
    for columns in [&names, &keys, &headers] {
        let csv = ls(columns, &["--format", "csv", "-s", "idle_ms:desc"]);
        assert_eq!(csv.code, Some(0), "{}", csv.stderr);
        assert_eq!(csv.stdout.lines().next().unwrap(), keys.join(","));
    }
    let counts = tcpulse(&["stat", "--by", "local_port,recv-q", "-q", "-N", "current"]);
    assert_eq!(counts.code, Some(2), "{}", counts.stderr);
    let counts = tcpulse(&["stat", "-l", "--by", "LOCAL_PORT", "-q", "-N", "current", &filter]).stdout;
    assert!(counts.starts_with("LOCAL-PORT") && counts.contains(&port), "{counts}");
    drop(listener);
}

#[test]
fn rounds_of_csv_say_when_each_was_taken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let filter = format!("sport = {}", listener.local_addr().unwrap().port());
    let here = ["-q", "-N", "current", "--format", "csv"];
    let mut child = Command::new(TCPULSE)
        .args(["ls", "-a", "-w", "0.1", &filter])
        .args(here)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<_> = lines.take(4).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines[0].starts_with("taken_at,state,verdict,dead_in_ms,bound,local,"), "{}", lines[0]);
    let times: Vec<_> = lines[1..].iter().map(|line| line.split(',').next().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    assert!(
        times.iter().all(|time| time.len() == "2026-11-20T12:00:00.123Z".len() && time.ends_with('Z')),
        "{times:?}"
    );
    // A single round has no `taken_at` column, and chosen columns stay exactly as chosen.
    let once = tcpulse(&[&["ls", "-a", &filter], &here[..]].concat()).stdout;
    assert!(once.starts_with("state,verdict,dead_in_ms,bound,"), "{once}");
    let chosen = tcpulse(&[&["ls", "-a", &filter, "-o", "taken-at,dead-in"], &here[..]].concat()).stdout;
    assert!(chosen.starts_with("taken_at,dead_in_ms\n20") && chosen.ends_with("Z,\n"), "{chosen}");
    drop(listener);
}

#[test]
fn a_table_fits_the_columns_it_is_given() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for columns in [200_usize, 120, 80, 40, 20, 10] {
        let output = Command::new(TCPULSE)
            .args(["ls", "-a", "-q", "-N", "current"])
            .env("COLUMNS", columns.to_string())
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        for line in stdout.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= columns, "{columns}: {line:?}");
        }
        // If the state does not fit, the verdict, which implies it, does.
        assert!(stdout.starts_with("STATE") || stdout.starts_with("VER"), "{stdout}");
    }
    drop(listener);
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(!tcpulse(&["ls", "-l", "-q"]).stdout.contains('\x1b'));
    assert!(tcpulse(&["ls", "-l", "-q", "--color", "always"]).stdout.contains("\x1b["));
    drop(listener);
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let output = Command::new("sh")
        .args(["-c", "{ \"$0\" ls -a -q -w 0.1; echo $? >&2; } | head -1", TCPULSE])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "0\n");
    let full = Command::new("sh").args(["-c", "\"$0\" ls -a -q > /dev/full", TCPULSE]).output().unwrap();
    assert_eq!(full.status.code(), Some(1));
    assert!(String::from_utf8(full.stderr).unwrap().starts_with("tcpulse: cannot write the output: No space left"));
}

#[test]
fn watch_repeats_until_ctrl_c() {
    let mut child = Command::new(TCPULSE)
        .args(["stat", "-w", "0.1", "--format", "csv", "-q"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Vec<_> = lines.by_ref().take(25).map(Result::unwrap).collect();
    assert_eq!(first.iter().filter(|line| *line == "state,count").count(), 1, "one header for all rounds");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap()), nix::sys::signal::SIGINT)
        .unwrap();
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).count());
    let status = until("tcpulse ends", Duration::from_secs(5), || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(130));
    rest.join().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(stderr, "");
}

#[test]
fn an_unreadable_proc_is_named() {
    if !is_root("an_unreadable_proc_is_named") {
        return;
    }
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$0\" ls", TCPULSE])
        .output()
        .unwrap();
    let run = Run::from(output);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.starts_with("tcpulse: cannot read /proc"), "{}", run.stderr);
}

#[test]
fn json_says_on_stderr_that_it_has_no_columns() {
    let run = tcpulse(&["ls", "--json", "-o", "state", "-q"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("JSON carries every key"), "{}", run.stderr);
}

#[test]
fn kernel_explains_every_value_as_root_and_as_nobody() {
    if !is_root("kernel_explains_every_value_as_root_and_as_nobody") {
        return;
    }
    let netns = Netns::new();
    for user in [User::Root, User::Nobody] {
        let run = Run::from(command_in(&netns, user).args(["kernel", "-a", "-q", "-N", "current"]).output().unwrap());
        for name in ["net.ipv4.tcp_retries2", "TCP.tw", "TcpExt.TCPAbortOnTimeout", "Tcp.CurrEstab", "host-wide"] {
            assert!(run.stdout.contains(name), "{name}: {}", run.stdout);
        }
        assert!(!run.stdout.contains("not known to this version"), "{}", run.stdout);
    }
}

#[test]
fn the_verbose_version_says_what_of_the_kernel_cannot_be_used_and_why() {
    if !is_root("the_verbose_version_says_what_of_the_kernel_cannot_be_used_and_why") {
        return;
    }
    let netns = Netns::new();
    let report = |user| tcpulse_in(&netns, user, &["--version", "--verbose"]).stdout;
    let line = |report: &str, name: &str| report.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let root = report(User::Root);
    for name in ["sock_diag", "SOCK_DESTROY", "destroy events", "pidfd_getfd", "owners", "namespaces"] {
        assert!(line(&root, name).ends_with(" yes"), "{root}");
    }
    let nobody = report(User::Nobody);
    assert!(line(&nobody, "sock_diag").ends_with(" yes"), "{nobody}");
    for (name, lacking) in
        [("SOCK_DESTROY", "CAP_NET_ADMIN"), ("owners", "CAP_SYS_PTRACE"), ("namespaces", "CAP_SYS_ADMIN")]
    {
        let line = line(&nobody, name);
        assert!(line.contains("no: this process lacks") && line.contains(lacking), "{line}");
    }
    fails(&["--verbose"], 2, &["--version"]);
}
