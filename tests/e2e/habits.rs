//! Options of ss, netstat and lsof, and words that are no filter: each is accepted, or answered with what to type.

use std::time::Duration;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{Run, columns, command_in, tcpulse, tcpulse_in};
use crate::support::sockets::connection;
use crate::support::terminal::Session;
use crate::support::wait::until;

const ENTER_ALTERNATE: &str = "\x1b[?1049h";

fn run(netns: &Netns, arguments: &[&str]) -> Run {
    tcpulse_in(netns, User::Root, &[&["-N", "current"], arguments].concat())
}

/// Rows without their times, which change.
fn rows(run: &Run) -> Vec<String> {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn titles(run: &Run) -> Vec<&str> {
    run.stdout.lines().next().unwrap_or_default().split_whitespace().collect()
}

#[test]
fn options_of_ss_and_netstat_list_what_they_mean() {
    if !is_root("options_of_ss_and_netstat_list_what_they_mean") {
        return;
    }
    let netns = Netns::new();
    let _held = connection(&netns, "127.0.0.1:0");
    let run = |arguments: &[&str]| run(&netns, &[arguments, &["-q"]].concat());
    let (all, listening, usual) = (rows(&run(&["ls", "-a"])), rows(&run(&["ls", "-l"])), rows(&run(&["ls"])));
    assert_eq!((all.len(), listening.len(), usual.len()), (4, 2, 3));
    for (arguments, expected) in [
        (&["-tanp"][..], &all),
        (&["-plant"], &all),
        (&["ls", "-ant"], &all),
        (&["-tan", "ls"], &all),
        (&["ls", "state all", "-tn"], &all),
        (&["-tlnp"], &listening),
        (&["-n"], &usual),
        (&["-p"], &usual),
        (&["--tcp", "--numeric"], &usual),
    ] {
        assert_eq!(&rows(&run(arguments)), expected, "{arguments:?}");
    }
    for (arguments, expected) in [
        (&["-to"][..], &["TIMER", "EXPIRES"][..]),
        (&["-tane"], &["UID", "INODE", "COOKIE"]),
        (&["ls", "-i", "state", "established"], &["RTT", "RTO", "SND-CWND"]),
        (&["-o", "state", "established", "-m"], &["EXPIRES", "RMEM", "SNDBUF"]),
    ] {
        let run = run(arguments);
        assert_eq!(run.code, Some(0), "{arguments:?}: {}", run.stderr);
        assert!(expected.iter().all(|title| titles(&run).contains(title)), "{arguments:?}: {}", run.stdout);
        assert!(titles(&run).starts_with(&["STATE", "VERDICT"]), "{arguments:?}: {}", run.stdout);
    }
    // Options of tcpulse keep their meaning.
    assert_eq!(run(&["-n", "1"]).stdout.lines().count(), 2);
    assert_eq!(run(&["-an1", "--no-header"]).stdout.lines().count(), 1);
    assert_eq!(titles(&run(&["-o", "state,peer", "-s", "idle"])), ["STATE", "PEER"]);
    assert_eq!(titles(&run(&["-o", "state"])), ["STATE"]);
    for (arguments, part) in [
        (&["-s"][..], "'tcpulse stat'"),
        (&["-tulpn"], "ss -ulpn"),
        (&["--process", "nginx"], "tcpulse ls 'process = nginx'"),
        (&["list"], "did you mean 'ls'?"),
        (&["kil", "dst", "10.0.0.1"], "did you mean 'kill'?"),
    ] {
        let run = run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(run.stderr.contains(part) && run.stderr.lines().count() == 1, "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn on_a_terminal_they_list_and_open_no_dashboard() {
    if !is_root("on_a_terminal_they_list_and_open_no_dashboard") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let local = client.local_addr().unwrap().to_string();
    let open = |arguments: &[&str]| {
        let mut command = command_in(&netns, User::Root);
        command.args(["-q", "-N", "current"]).args(arguments).env("XDG_CONFIG_HOME", "/nonexistent");
        Session::start(command)
    };
    for arguments in [&["-tanp"][..], &["-n"], &["-o"], &["--tcp"]] {
        let mut session = open(arguments);
        session.expect(&local);
        assert_eq!(session.end().code(), Some(0), "{arguments:?}");
        assert!(!session.seen.contains(ENTER_ALTERNATE), "{arguments:?}");
    }
    // Columns alone fit both, so the dashboard opens.
    let mut session = open(&["-o", "+rtt,-keepalive"]);
    session.expect(ENTER_ALTERNATE);
    session.expect("RTT");
    assert!(!session.seen.contains("KEEPALIVE"), "{}", session.seen);
    session.type_keys("q");
    assert_eq!(session.end().code(), Some(0));
}

#[test]
fn an_ambiguous_filter_changes_nothing() {
    if !is_root("an_ambiguous_filter_changes_nothing") {
        return;
    }
    let netns = Netns::new();
    // As a text search this would match exactly the sockets on the port.
    for filter in ["not port 443", "host 10.0.0.2 or port 443", "dport = :443 xor process = nginx"] {
        for command in [&["kill"][..], &["set", "keepalive=on"]] {
            let run = run(&netns, &[command, &[filter, "--yes"]].concat());
            assert_eq!(run.code, Some(2), "{command:?} {filter}: {}", run.stderr);
            assert!(run.stderr.contains("is searched for as text"), "{command:?} {filter}: {}", run.stderr);
        }
    }
    // A quoted word is a text search, and so is one that is no field.
    for filter in ["'\"port\"'", "nginx"] {
        let run = run(&netns, &["kill", filter.trim_matches('\''), "--yes"]);
        assert_eq!(run.code, Some(3), "{filter}: {}", run.stderr);
    }
}

#[test]
fn a_word_that_matched_nothing_says_how_it_was_read() {
    if !is_root("a_word_that_matched_nothing_says_how_it_was_read") {
        return;
    }
    let netns = Netns::new();
    let (listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let port = listener.local_addr().unwrap().port();
    for (arguments, code, part) in [
        (&["ls", "port", "443"][..], 0, "did you mean 'sport = :443 or dport = :443'?"),
        (&["port", "443"], 0, "did you mean 'sport = :443 or dport = :443'?"),
        (&["--json", "host", "10.0.0.2"], 0, "did you mean 'dst 10.0.0.2 or src 10.0.0.2'?"),
        (&["ls", "--format", "csv", "a xor b"], 0, "there is no 'xor'"),
        (&["stat", "remote", "10.0.0.2"], 0, "did you mean 'peer = 10.0.0.2'?"),
        (&["show", "port", "443"], 1, "did you mean"),
        (
            &["ls", "nginx"],
            0,
            "'nginx' was searched for as text, in addresses, processes and units; -a also searches listeners",
        ),
    ] {
        let said = run(&netns, arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains(part), "{arguments:?}: {}", said.stderr);
        let quiet = run(&netns, &[arguments, &["-q"]].concat());
        assert_eq!((quiet.code, quiet.stderr.contains("searched for")), (Some(code), false), "{arguments:?}");
        assert_eq!(quiet.stdout.lines().count(), said.stdout.lines().count(), "{arguments:?}");
    }
    // No advice if something was found, or if nothing was searched for.
    for arguments in
        [&["ls", "127.0.0.1"][..], &["ls", "e2e"], &["ls", "dport = 1"], &["ls", "dport = 1 and not nginx"]]
    {
        assert!(!run(&netns, arguments).stderr.contains("searched for"), "{arguments:?}");
    }
    // The suggested filter finds it.
    assert_eq!(
        run(&netns, &["ls", "--no-header", "-q", &format!("sport = :{port} or dport = :{port}")])
            .stdout
            .lines()
            .count(),
        2
    );
    drop(client);
}

#[test]
fn a_watch_explains_its_filter_once() {
    if !is_root("a_watch_explains_its_filter_once") {
        return;
    }
    let netns = Netns::new();
    let mut command = command_in(&netns, User::Root);
    command.args(["ls", "-N", "current", "-w", "0.1", "port", "443"]);
    let mut session = Session::start(command);
    // Each round starts at the top of the screen.
    until("some rounds", Duration::from_secs(10), || {
        session.screen();
        (session.seen.matches("\x1b[H").count() >= 3).then_some(())
    });
    session.type_keys("\x03");
    assert_eq!(session.end().code(), Some(130));
    session.expect("did you mean");
    assert_eq!(session.seen.matches("did you mean").count(), 1, "{}", session.seen);
}

#[test]
fn columns_are_added_removed_and_all_shown() {
    if !is_root("columns_are_added_removed_and_all_shown") {
        return;
    }
    let netns = Netns::new();
    let _held = connection(&netns, "127.0.0.1:0");
    let header = |arguments: &[&str]| {
        let run = run(&netns, &[&["ls", "-q"], arguments].concat());
        assert_eq!(run.code, Some(0), "{arguments:?}: {}", run.stderr);
        titles(&run).join(" ")
    };
    let usual = header(&[]);
    assert_eq!(header(&["-o", "+rtt,-idle"]), format!("{} RTT", usual.replace(" IDLE", "")));
    assert_eq!(header(&["-o", "-idle,-verdict"]), usual.replace(" IDLE", "").replace(" VERDICT", ""));
    assert_eq!(header(&["-o", "+state"]), usual);
    assert_eq!(header(&["-o", "rtt,STATE,rtt"]), "RTT STATE");
    assert_eq!(header(&["-l", "-o", "+inode"]), format!("{} INODE", header(&["-l"])));
    let all = run(&netns, &["ls", "-q", "-o", "all", "--format", "csv"]);
    assert_eq!(all.stdout.lines().next().unwrap().split(',').count(), columns().len());
    let blind = run(&netns, &["ls", "-q", "-o", "all", "--no-processes", "--format", "csv"]);
    assert!(blind.code == Some(0) && !blind.stdout.lines().next().unwrap().contains("process"), "{}", blind.stderr);
    for (list, part) in [
        ("+rtt,idle", "'idle' has neither + nor -"),
        ("remote", "did you mean 'peer'?"),
        ("iddle", "did you mean 'idle'?"),
        ("-all", "leaves no column"),
    ] {
        let run = tcpulse(&["ls", "-o", list]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{list}");
        assert!(run.stderr.contains(part) && run.stderr.len() < 250, "{list}: {}", run.stderr);
    }
    // On a narrow terminal the added columns stay.
    let mut command = command_in(&netns, User::Root);
    command.args(["ls", "-q", "-N", "current", "-o", "+rtt"]).env("COLUMNS", "80");
    let narrow = Run::from(command.output().unwrap());
    assert!(titles(&narrow).contains(&"RTT"), "{}", narrow.stdout);
}

#[test]
fn show_finds_a_pair_that_was_typed_the_other_way_round() {
    if !is_root("show_finds_a_pair_that_was_typed_the_other_way_round") {
        return;
    }
    let link = crate::support::link::Link::new(&[]);
    let (ours, _peer) = link.connection();
    let [local, peer] = [ours.local_addr().unwrap(), ours.peer_addr().unwrap()];
    let show = |arguments: &[&str]| run(&link.ours, &[&["show"], arguments].concat());
    let right = show(&[&format!("{local}->{peer}")]);
    assert!(right.code == Some(0) && !right.stderr.contains("other way round"), "{}", right.stderr);
    let turned = show(&[&format!("{peer}->{local}")]);
    assert_eq!(turned.code, Some(0), "{}", turned.stderr);
    assert!(turned.stdout.contains(&format!("{local} -> {peer}")), "{}", turned.stdout);
    let note = format!("'{peer}->{local}' is the other way round, the local end comes first: {local}->{peer}\n");
    assert!(turned.stderr.contains(&note), "{}", turned.stderr);
    let quiet = show(&["-q", &format!("{peer}"), "->", &format!("{local}")]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    let json = show(&["-q", "--json", &format!("{peer}->{local}")]).json();
    assert_eq!(json["connections"][0]["local"]["port"], local.port());
    let nobody = show(&["-q", "192.0.2.1:1->192.0.2.2:2"]);
    assert!(nobody.code == Some(1) && nobody.stderr.contains("no socket matches"), "{}", nobody.stderr);
}

#[test]
fn the_help_of_a_command_lists_what_it_takes() {
    let options = |command: &str| -> Vec<String> {
        let help = tcpulse(&[command, "--help"]).stdout;
        let words = help.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(str::split_whitespace);
        words.filter_map(|word| word.strip_prefix("--")).map(|word| word.trim_end_matches(',').to_owned()).collect()
    };
    let all = options("ls");
    assert!(all.len() > 20, "{all:?}");
    for command in ["show", "stat", "kernel", "set", "kill"] {
        let taken = options(command);
        let help = tcpulse(&["help", command]).stdout;
        for option in &all {
            // A value that every command accepts.
            let value: &[&str] = match option.as_str() {
                "help" | "version" | "watch" => continue,
                "columns" | "sort" => &["state"],
                "limit" => &["1"],
                "format" => &["json"],
                "source" => &["sock_diag"],
                "netns" => &["current"],
                "active-within" => &["60s"],
                "color" => &["never"],
                _ => &[],
            };
            let option = format!("--{option}");
            let of_command: &[&str] = match command {
                "show" => &["dport = 1"],
                "set" => &["idle=60s", "dport = 1", "--dry-run"],
                "kill" => &["dport = 1", "--dry-run"],
                _ => &[],
            };
            let run = tcpulse(&[&[command], of_command, &[option.as_str()], value].concat());
            let is_refused = run.stderr.contains("does not go with");
            let is_listed = taken.iter().any(|taken| option == format!("--{taken}"));
            assert!(!(is_refused && is_listed), "{command} {option}: {}", run.stderr);
            // Before the command it has the same effect.
            let before = tcpulse(&[&[option.as_str()], value, &[command], of_command].concat());
            assert_eq!(before.code, run.code, "{option} {command}: {} / {}", before.stderr, run.stderr);
        }
        for foreign in ["--watch", "--json", "--sort", "--columns"] {
            let acts = matches!(command, "set" | "kill");
            assert!(!(acts && help.contains(foreign)), "{command}: {help}");
        }
    }
}
