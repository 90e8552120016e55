//! The dashboard on a real pseudo-terminal, over real sockets.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{TCPULSE, command_in};
use crate::support::sockets::connection;
use crate::support::terminal::Session;

const ENTER_ALTERNATE: &str = "\x1b[?1049h";
const LEAVE_ALTERNATE: &str = "\x1b[?1049l";

fn open(netns: &Netns, arguments: &[&str]) -> Session {
    let mut command = command_in(netns, User::Root);
    command.args(["-N", "current"]).args(arguments);
    Session::start(command)
}

#[test]
fn it_shows_a_connection_filters_opens_its_detail_and_gives_the_terminal_back() {
    if !is_root("it_shows_a_connection_filters_opens_its_detail_and_gives_the_terminal_back") {
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
    session.type_keys("\r");
    session.see("How it ends");
    // A letter right behind it would make another key of the escape.
    session.type_keys("\x1b");
    session.see_no("How it ends");
    drop(client);
    session.see("fin-wait-2");
    session.type_keys("4");
    session.see("0 listeners that the filter lets through");
    session.type_keys("\x1b");
    session.see("1 listener ");
    session.type_keys("?");
    session.see("freeze the data");
    session.type_keys("xq");
    assert_eq!(session.end().code(), Some(0));
    session.expect(LEAVE_ALTERNATE);
    assert_eq!(session.modes(), session.modes_before);
}

#[test]
fn told_to_end_it_gives_the_terminal_back() {
    if !is_root("told_to_end_it_gives_the_terminal_back") {
        return;
    }
    let netns = Netns::new();
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let mut session = open(&netns, &["state", "established"]);
        session.see("0 connections that the filter lets through");
        assert_ne!(session.modes(), session.modes_before, "the terminal is in raw mode");
        kill(Pid::from_raw(i32::try_from(session.pid()).unwrap()), signal).unwrap();
        assert_eq!(session.end().code(), Some(0), "{signal}");
        session.expect(LEAVE_ALTERNATE);
        assert_eq!(session.modes(), session.modes_before);
    }
}

#[test]
fn a_connection_is_destroyed_after_a_question() {
    if !is_root("a_connection_is_destroyed_after_a_question") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let local = client.local_addr().unwrap().to_string();
    let mut session = open(&netns, &["src", &local]);
    session.see(&local);
    session.type_keys("x");
    session.see(&format!("Destroy established {local}"));
    session.type_keys("n");
    session.see_no("[y/N]");
    session.type_keys("x");
    session.see("[y/N]");
    session.type_keys("y");
    session.see(&format!("destroyed {local}"));
    session.see("0 connections");
    client.set_nonblocking(true).unwrap();
    let error = std::io::Read::read(&mut &client, &mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
    session.type_keys("q");
    assert_eq!(session.end().code(), Some(0));
}

#[test]
fn it_can_be_stopped_and_let_go_on_as_a_job_of_a_shell() {
    if !is_root("it_can_be_stopped_and_let_go_on_as_a_job_of_a_shell") {
        return;
    }
    let netns = Netns::new();
    let mut shell = netns.command("sh", User::Root);
    shell.arg("-i").env("PS1", "ready ");
    let mut session = Session::start(shell);
    session.see("ready");
    session.type_keys(&format!("{TCPULSE} -N current -q\n"));
    session.see("0 connections");
    session.type_keys("\x1a");
    session.see("Stopped");
    session.see_no("0 connections");
    session.type_keys("fg\n");
    session.see("0 connections");
    session.see_no("Stopped");
    session.type_keys("q");
    session.see("Stopped");
    session.type_keys("exit 7\n");
    assert_eq!(session.end().code(), Some(7));
}
