//! The dashboard on a real pseudo-terminal, over real sockets.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::is_root;
use crate::support::link::{Link, keepalive, set_options};
use crate::support::netns::{Netns, User};
use crate::support::program::{TCPULSE, command_in};
use crate::support::sockets::{connection, option, pair};
use crate::support::terminal::Session;
use crate::support::wait::until;

pub(super) const ENTER_ALTERNATE: &str = "\x1b[?1049h";
pub(super) const LEAVE_ALTERNATE: &str = "\x1b[?1049l";

/// Temporary directory, removed on drop.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tcpulse-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("tcpulse")).unwrap();
        Self(path)
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.0.join("tcpulse/config.toml"), text).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open_as(netns: &Netns, user: User, arguments: &[&str], environment: &[(&str, &str)]) -> Session {
    let mut command = command_in(netns, user);
    command.args(["-N", "current"]).args(arguments);
    // Ignore the configuration of the user who runs the tests.
    command.env("XDG_CONFIG_HOME", "/nonexistent").env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
    command.envs(environment.iter().copied());
    Session::start(command)
}

pub(super) fn open(netns: &Netns, arguments: &[&str]) -> Session {
    open_as(netns, User::Root, arguments, &[])
}

pub(super) fn signal(session: &Session, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(session.pid()).unwrap()), signal).unwrap();
}

/// Quits, and checks that the terminal is restored.
pub(super) fn quit(mut session: Session) {
    session.type_keys("q");
    assert_eq!(session.end().code(), Some(0));
    session.expect(LEAVE_ALTERNATE);
    assert_eq!(session.modes(), session.modes_before);
}

#[test]
fn it_shows_a_connection_filters_sorts_opens_its_detail_and_gives_the_terminal_back() {
    if !is_root("it_shows_a_connection_filters_sorts_opens_its_detail_and_gives_the_terminal_back") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let mut session = open(&netns, &[]);
    let local = client.local_addr().unwrap().to_string();
    session.see(&local);
    session.see("2 connections");
    assert!(session.seen.contains(ENTER_ALTERNATE));
    session.type_keys(&format!("/src {local}\r"));
    session.see("1 connection ");
    session.type_keys("s");
    session.see("by state, from small to large");
    session.type_keys("\r");
    session.see("How it ends");
    session.see("Until the kernel gives up");
    // Wait before the next key: a letter right after ESC would be an Alt key.
    session.type_keys("\x1b");
    session.see_no("How it ends");
    drop(client);
    session.see("fin-wait-2");
    session.type_keys("4");
    session.see("0 listeners that the filter lets through");
    session.type_keys("\x1b");
    session.see("1 listener");
    session.type_keys("5");
    session.see("net.ipv4.tcp_keepalive_time");
    session.type_keys("3");
    session.see("CW-GROWTH");
    session.type_keys("2");
    session.see("PORTS");
    session.type_keys("?");
    session.see("freeze the data");
    session.type_keys("x");
    session.see_no("freeze the data");
    quit(session);
}

#[test]
fn an_unknown_namespace_is_an_error_and_no_dashboard() {
    if !is_root("an_unknown_namespace_is_an_error_and_no_dashboard") {
        return;
    }
    let netns = Netns::new();
    let mut command = command_in(&netns, User::Root);
    command.args(["-N", "no-such-namespace"]).env("XDG_CONFIG_HOME", "/nonexistent");
    let mut session = Session::start(command);
    assert_eq!(session.end().code(), Some(1));
    session.see("tcpulse: ");
    session.see("no-such-namespace");
    assert_eq!(session.modes(), session.modes_before);
}

#[test]
fn a_peer_is_seen_to_die() {
    if !is_root("a_peer_is_seen_to_die") {
        return;
    }
    let link = Link::new(&[]);
    let (ours, _peer) = link.connection();
    set_options(&ours, &keepalive(1, 1, 3));
    let mut session = open(&link.ours, &[]);
    let local = ours.local_addr().unwrap().to_string();
    session.see(&local);
    session.type_keys("+\r");
    session.see("Until the kernel gives up");
    link.black_hole();
    session.see("probing");
    session.see("of 3 keepalive probes unanswered");
    session.type_keys("\x1b");
    session.see("◔ 1 silent");
    session.see("◔ 0 silent");
    session.type_keys("6");
    session.see("active → probing");
    session.see("ETIMEDOUT");
    ours.set_nonblocking(true).unwrap();
    let error = std::io::Read::read(&mut &ours, &mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "the program got what was guessed");
    quit(session);
}

#[test]
fn connections_between_two_snapshots_are_logged() {
    if !is_root("connections_between_two_snapshots_are_logged") {
        return;
    }
    let netns = Netns::new();
    let (listener, client, _server) = connection(&netns, "127.0.0.1:0");
    // The user nobody may receive the kernel's destroy events too.
    for user in [User::Root, User::Nobody] {
        let mut session = open_as(&netns, user, &[], &[]);
        session.see(&client.local_addr().unwrap().to_string());
        session.type_keys("6");
        session.see("no changes since");
        // The listener of a namespace opens shortly after its first snapshot.
        let mut short = None;
        until("a short connection is told", Duration::from_secs(20), || {
            let (client, server) = netns.run(|| pair(&listener));
            short = Some(client.local_addr().unwrap().to_string());
            drop((client, server));
            std::thread::yield_now();
            session.screen().contains("≤").then_some(())
        });
        assert!(short.is_some());
        session.type_keys("q");
        session.end();
    }
}

#[test]
fn keepalive_is_set_from_the_form() {
    if !is_root("keepalive_is_set_from_the_form") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let local = client.local_addr().unwrap().to_string();
    let mut session = open(&netns, &["src", &local]);
    session.see("1 connection ");
    session.type_keys("K");
    session.see("now 7200s");
    session.type_keys("30s");
    session.see("never → 30.");
    session.see("7200s → 15s");
    session.type_keys("\r");
    session.see("Set keepalive on, idle 15s, interval 5s, probes 3");
    session.type_keys("y");
    session.see("keepalive off -> on, idle 7200s -> 15s");
    let tcp = |name| option(&client, libc::IPPROTO_TCP, name);
    assert_eq!(option(&client, libc::SOL_SOCKET, libc::SO_KEEPALIVE), 1);
    assert_eq!([tcp(libc::TCP_KEEPIDLE), tcp(libc::TCP_KEEPINTVL), tcp(libc::TCP_KEEPCNT)], [15, 5, 3]);
    session.see("15s/5s/3");
    quit(session);
}

#[test]
fn connections_are_marked_and_destroyed_after_a_question() {
    if !is_root("connections_are_marked_and_destroyed_after_a_question") {
        return;
    }
    let netns = Netns::new();
    let (listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let (other, _its_server) = netns.run(|| pair(&listener));
    let port = listener.local_addr().unwrap().port();
    let mut session = open(&netns, &["dport", "=", &port.to_string()]);
    session.see(&client.local_addr().unwrap().to_string());
    // Owners appear shortly after the rows, and are named in the question.
    session.see(&format!("[{}]", std::process::id()));
    session.type_keys("x");
    session.see("Destroy established 127.0.0.1:");
    session.type_keys("n");
    session.see_no("[y/N]");
    session.type_keys("*x");
    session.see("Destroy 2 connections (2 of ");
    session.type_keys("y");
    session.see("destroyed 2 of 2");
    for client in [&client, &other] {
        client.set_nonblocking(true).unwrap();
        let error = std::io::Read::read(&mut &*client, &mut [0]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
    }
    session.type_keys("6");
    session.see("ECONNABORTED");
    quit(session);
}

#[test]
fn what_is_shown_is_written_to_a_file_and_copied() {
    if !is_root("what_is_shown_is_written_to_a_file_and_copied") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let directory = Directory::new("export");
    let local = client.local_addr().unwrap().to_string();
    let mut session = open(&netns, &["-o", "local,peer,recv-q,dead-in", "src", &local]);
    session.see("1 connection ");
    session.type_keys("y");
    // OSC 52 carries base64.
    session.expect("\x1b]52;c;");
    for (name, rows) in [("rows.json", 1), ("rows.csv", 1)] {
        let path = directory.0.join(name);
        session.type_keys(&format!("e\x15{}\r", path.display()));
        session.see(&format!("wrote {rows} rows to {}", path.display()));
        let text = std::fs::read_to_string(&path).unwrap();
        if name.ends_with("json") {
            let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(rows[0]["local"], local.as_str());
            assert_eq!((&rows[0]["recv_q_bytes"], &rows[0]["dead_in_ms"]), (&0.into(), &serde_json::Value::Null));
        } else {
            assert!(text.starts_with("local,peer,recv_q_bytes,dead_in_ms,bound\n") && text.contains(&local), "{text}");
        }
    }
    assert!(std::fs::read_to_string(directory.0.join("rows.csv")).unwrap().ends_with(",0,,never\n"));
    // An existing file is not overwritten.
    session.type_keys(&format!("e\x15{}\r", directory.0.join("rows.csv").display()));
    session.see("is there already");
    quit(session);
}

#[test]
fn an_export_that_finds_no_room_leaves_nothing_behind() {
    if !is_root("an_export_that_finds_no_room_leaves_nothing_behind") {
        return;
    }
    let netns = Netns::new();
    let sockets: Vec<_> = (0..40).map(|_| connection(&netns, "127.0.0.1:0")).collect();
    let directory = Directory::new("full");
    let script = "mount -t tmpfs -o size=4k none \"$1\" && exec \"$0\" -N current";
    let mut command = netns.command("unshare", User::Root);
    let path = directory.0.join("tcpulse");
    command.args(["-m", "sh", "-c", script, TCPULSE]).arg(&path);
    command.env("XDG_CONFIG_HOME", "/nonexistent").env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
    let mut session = Session::start(command);
    session.see("80 connections");
    let inside = PathBuf::from(format!("/proc/{}/root{}", session.pid(), path.display()));
    session.type_keys(&format!("e\x15{}\r", path.join("rows.json").display()));
    session.see("not written: ");
    assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 0);
    drop(sockets);
    session.type_keys("/src :1\r");
    session.see_no("127.0.0.1:");
    session.type_keys(&format!("e\x15{}\r", path.join("rows.json").display()));
    session.see("wrote 0 rows");
    assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 1);
    quit(session);
}

#[test]
fn it_follows_the_terminal_through_any_size() {
    if !is_root("it_follows_the_terminal_through_any_size") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let mut session = open(&netns, &[]);
    let local = client.local_addr().unwrap().to_string();
    session.see(&local);
    for (columns, rows) in [(10, 40), (200, 60), (1, 1), (40, 3), (3, 200), (500, 2), (80, 24), (10, 10)] {
        session.resize(columns, rows);
        session.type_keys("j1\tjkG");
    }
    session.resize(120, 40);
    session.type_keys("1");
    session.see(&local);
    session.see("6 changes");
    quit(session);
}

#[test]
fn a_user_without_rights_is_told_which() {
    if !is_root("a_user_without_rights_is_told_which") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let mut session = open_as(&netns, User::Nobody, &[], &[]);
    session.see(&client.local_addr().unwrap().to_string());
    session.see("not seen: ");
    session.see("(hidden)");
    session.type_keys("?");
    // Other remedies depend on how /proc is mounted.
    session.see("run as root");
    session.type_keys("?x");
    session.see("Destroy established");
    session.type_keys("y");
    session.see("not destroyed: ");
    quit(session);
}

#[test]
fn the_configuration_is_read_and_what_is_wrong_in_it_is_told() {
    if !is_root("the_configuration_is_read_and_what_is_wrong_in_it_is_told") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let directory = Directory::new("config");
    let home = directory.0.to_str().unwrap();
    directory.configure(
        "theme = \"none\"\ninterval = \"500ms\"\n[columns]\nconnections = [\"peer\", \"inode\"]\n[keys]\nquit = [\"Q\"]\n\
         [bookmarks]\nmine = \"dport = 1\"\n",
    );
    let mut session = open_as(&netns, User::Root, &[], &[("XDG_CONFIG_HOME", home)]);
    session.see(&client.local_addr().unwrap().to_string());
    session.see("INODE");
    session.see("every 500ms");
    session.type_keys("b\r");
    session.see("0 connections that the filter lets through");
    session.type_keys("qQ");
    assert_eq!(session.end().code(), Some(0));
    // The theme without colours sets none.
    assert!(!session.seen.contains("38;5;"), "{}", session.seen.escape_debug());
    directory.configure("\ntheme = \"drak\"\n");
    let mut session = open_as(&netns, User::Root, &[], &[("XDG_CONFIG_HOME", home)]);
    assert_eq!(session.end().code(), Some(2));
    session.expect("line 2: there is no theme 'drak'");
    session.expect("did you mean 'dark'?");
    assert!(!session.seen.contains(ENTER_ALTERNATE));
}

#[test]
fn a_locale_without_utf_8_gets_ascii_and_the_linux_console_too() {
    if !is_root("a_locale_without_utf_8_gets_ascii_and_the_linux_console_too") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    for environment in [("LC_ALL", "C"), ("TERM", "linux")] {
        let mut session = open_as(&netns, User::Root, &[], &[environment]);
        session.see(&client.local_addr().unwrap().to_string());
        assert!(session.screen().is_ascii(), "{}", session.screen());
        quit(session);
    }
}

#[test]
fn it_can_be_stopped_and_let_go_on_as_a_job_of_a_shell() {
    if !is_root("it_can_be_stopped_and_let_go_on_as_a_job_of_a_shell") {
        return;
    }
    let netns = Netns::new();
    let mut shell = netns.command("sh", User::Root);
    shell.arg("-i").env("PS1", "ready ").env("TERM", "xterm-256color");
    let mut session = Session::start(shell);
    session.see("ready");
    session.type_keys(&format!("'{TCPULSE}' -N current -q\n"));
    session.see("0 connections");
    session.type_keys("\x1a");
    session.see("Stopped");
    session.see_no("0 connections");
    session.type_keys("fg\n");
    session.see("0 connections");
    session.see_no("Stopped");
    session.type_keys("q");
    session.see("Stopped");
    // Before the prompt the dashboard may still discard what is typed.
    until("the shell has the terminal again", Duration::from_secs(20), || {
        session.screen().trim_end().ends_with("ready").then_some(())
    });
    session.type_keys("exit 7\n");
    assert_eq!(session.end().code(), Some(7));
}

#[test]
fn a_signal_from_outside_stops_it_with_the_terminal_given_back() {
    if !is_root("a_signal_from_outside_stops_it_with_the_terminal_given_back") {
        return;
    }
    let netns = Netns::new();
    let mut session = open(&netns, &[]);
    session.see("0 connections");
    signal(&session, Signal::SIGTSTP);
    let status = format!("/proc/{}/stat", session.pid());
    until("it is stopped", Duration::from_secs(10), || {
        std::fs::read_to_string(&status).unwrap().contains(") T ").then_some(())
    });
    session.expect(LEAVE_ALTERNATE);
    assert_eq!(session.modes(), session.modes_before);
    signal(&session, Signal::SIGCONT);
    until("it has the terminal again", Duration::from_secs(10), || {
        (session.modes() != session.modes_before).then_some(())
    });
    session.see("0 connections");
    quit(session);
}

#[test]
fn without_its_terminal_it_ends() {
    if !is_root("without_its_terminal_it_ends") {
        return;
    }
    let netns = Netns::new();
    let mut session = open(&netns, &[]);
    session.see("0 connections");
    session.hang_up();
    // It must not panic because stderr is closed too. The kernel sends SIGHUP, unless a read or write fails first.
    let end = session.end();
    assert!(matches!(end.code(), Some(0 | 1)) || end.signal() == Some(libc::SIGHUP), "{end}");
}
