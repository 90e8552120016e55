//! The ways in which a connection ends: `show` predicts the error that its program will get, and the program gets it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::is_root;
use crate::support::link::{Link, keepalive, set_options, user_timeout};
use crate::support::netns::User;
use crate::support::program::tcpulse_in;
use crate::support::wait::until;

const SOON: Duration = Duration::from_secs(20);

/// Outcome that `show` predicts for an event.
fn said(link: &Link, ours: &TcpStream, what: &str) -> String {
    let pair = format!("{}->{}", ours.local_addr().unwrap(), ours.peer_addr().unwrap());
    let shown = tcpulse_in(&link.ours, User::Root, &["show", &pair, "-q", "-N", "current"]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let told = shown.stdout.lines().find_map(|line| line.trim().strip_prefix(what));
    told.unwrap_or_else(|| panic!("nothing about '{what}' in {}", shown.stdout)).trim().to_owned()
}

/// Result of the program's read() when the connection ends.
fn outcome(ours: &TcpStream) -> String {
    ours.set_read_timeout(Some(SOON)).unwrap();
    match (&*ours).read(&mut [0]) {
        Ok(0) => "read() returns 0".to_owned(),
        Ok(_) => "data".to_owned(),
        Err(error) if error.kind() == ErrorKind::WouldBlock => "nothing came".to_owned(),
        Err(error) => format!("{:?}", nix::errno::Errno::from_raw(error.raw_os_error().unwrap())),
    }
}

fn is_listed(link: &Link, ours: &TcpStream) -> bool {
    let port = ours.local_addr().unwrap().port().to_string();
    let listed = tcpulse_in(&link.ours, User::Root, &["ls", "-q", "-N", "current", "--no-header", "-o", "local-port"]);
    listed.stdout.lines().any(|line| line.trim() == port)
}

fn connected() -> (Link, TcpStream, TcpStream) {
    let link = Link::new(&[("ipv4/tcp_retries2", "3")]);
    let (ours, peer) = link.connection();
    (link, ours, peer)
}

#[test]
fn a_peer_that_closes_gives_end_of_file() {
    if !is_root("a_peer_that_closes_gives_end_of_file") {
        return;
    }
    let (link, ours, peer) = connected();
    let said = said(&link, &ours, "the peer closes");
    drop(peer);
    assert_eq!(outcome(&ours), said);
    let listed = tcpulse_in(&link.ours, User::Root, &["ls", "-q", "-N", "current", "-o", "verdict,shutdown"]).stdout;
    assert!(listed.contains("peer-closed") && listed.contains("-->"), "{listed}");
}

#[test]
fn a_peer_that_was_started_anew_answers_a_probe_with_reset_and_the_row_is_gone() {
    if !is_root("a_peer_that_was_started_anew_answers_a_probe_with_reset_and_the_row_is_gone") {
        return;
    }
    let (link, ours, peer) = connected();
    set_options(&ours, &keepalive(2, 1, 9));
    let said = said(&link, &ours, "the peer resets it");
    // The peer dies silently, and restarts without its connections.
    link.black_hole();
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    nix::sys::socket::setsockopt(&peer, nix::sys::socket::sockopt::Linger, &linger).unwrap();
    drop(peer);
    assert!(is_listed(&link, &ours));
    link.peer_hears(true);
    link.we_hear(true);
    until("the row is gone", SOON, || (!is_listed(&link, &ours)).then_some(()));
    assert!(said.starts_with(&outcome(&ours)), "{said}");
}

#[test]
fn a_silent_peer_gives_a_timeout_when_probes_run_out() {
    if !is_root("a_silent_peer_gives_a_timeout_when_probes_run_out") {
        return;
    }
    let (link, ours, _peer) = connected();
    set_options(&ours, &keepalive(1, 1, 2));
    link.black_hole();
    let said = said(&link, &ours, "the peer stays silent");
    assert!(said.starts_with("ETIMEDOUT, in "), "{said}");
    assert_eq!(outcome(&ours), "ETIMEDOUT");
}

#[test]
fn a_send_that_failed_leaves_its_error_whatever_timer_ends_the_connection() {
    if !is_root("a_send_that_failed_leaves_its_error_whatever_timer_ends_the_connection") {
        return;
    }
    let scenes: [(&str, &str); 3] = [
        ("route del 198.18.0.0/24", "ENETUNREACH"),
        ("route add prohibit 198.18.0.2/32", "EACCES"),
        ("route add blackhole 198.18.0.2/32", "EINVAL"),
    ];
    for (change, expected) in scenes {
        let (link, ours, _peer) = connected();
        set_options(&ours, &[user_timeout(1500)]);
        link.black_hole();
        (&ours).write_all(b"anybody there?").unwrap();
        link.ours.ip(change);
        let said = said(&link, &ours, "the peer stays silent");
        assert_eq!(outcome(&ours), expected, "after {change}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_rebooted_peer_is_named_as_well() {
    if !is_root("a_rebooted_peer_is_named_as_well") {
        return;
    }
    let (link, ours, _peer) = connected();
    assert!(said(&link, &ours, "the peer has rebooted").contains("our next packet"));
}

#[test]
fn an_unreachable_path_gives_the_error_that_icmp_reported() {
    if !is_root("an_unreachable_path_gives_the_error_that_icmp_reported") {
        return;
    }
    // The connection must outlast its neighbour entry, which fails after 3 s.
    let link = Link::new(&[("ipv4/tcp_retries2", "4")]);
    let (ours, _peer) = link.connection();
    link.lose_neighbour();
    (&ours).write_all(b"anybody there?").unwrap();
    let said = said(&link, &ours, "the peer stays silent");
    let got = outcome(&ours);
    assert_eq!(got, "EHOSTUNREACH");
    assert!(said.contains(&got) && said.contains("ETIMEDOUT"), "{said}");
}

#[test]
fn a_connection_that_is_destroyed_gives_aborted() {
    if !is_root("a_connection_that_is_destroyed_gives_aborted") {
        return;
    }
    let (link, ours, _peer) = connected();
    let said = said(&link, &ours, "an administrator destroys it");
    let port = ours.local_addr().unwrap().port();
    let killed =
        link.ours.command("ss", User::Root).args(["-K", "-t", "sport", "=", &format!(":{port}")]).output().unwrap();
    assert!(killed.status.success(), "{killed:?}");
    assert_eq!(outcome(&ours), said);
}

#[test]
fn nothing_ends_a_connection_without_a_timer_and_show_says_so() {
    if !is_root("nothing_ends_a_connection_without_a_timer_and_show_says_so") {
        return;
    }
    let (link, ours, _peer) = connected();
    link.black_hole();
    assert_eq!(said(&link, &ours, "the peer stays silent"), "nothing, for ever: no timer would end it");
}
