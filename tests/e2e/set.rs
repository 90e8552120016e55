//! `set`: afterwards the socket has the requested options, and no other socket was changed.

use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::link::Link;
use crate::support::netns::{Netns, User};
use crate::support::processes::Sleeper;
use crate::support::program::{Run, command_in, tcpulse_in};
use crate::support::seccomp::refuse_pidfd_getfd;
use crate::support::sockets::{connection, option};
use crate::support::{is_root, ss};

fn set(netns: &Netns, user: User, arguments: &[&str]) -> Run {
    tcpulse_in(netns, user, &[&["set", "-N", "current", "-q", "--no-log"], arguments].concat())
}

/// Keepalive, idle time, interval, probes, and the user timeout in milliseconds, by getsockopt(2).
fn options(socket: &TcpStream) -> [i32; 5] {
    let tcp = |name| option(socket, libc::IPPROTO_TCP, name);
    [
        option(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE),
        tcp(libc::TCP_KEEPIDLE),
        tcp(libc::TCP_KEEPINTVL),
        tcp(libc::TCP_KEEPCNT),
        tcp(libc::TCP_USER_TIMEOUT),
    ]
}

const DEFAULTS: [i32; 5] = [0, 7200, 75, 9, 0];

fn src(socket: &TcpStream) -> [String; 2] {
    ["src".to_owned(), socket.local_addr().unwrap().to_string()]
}

#[test]
fn options_and_timer_of_another_process_change_as_asked() {
    if !is_root("options_and_timer_of_another_process_change_as_asked") {
        return;
    }
    let netns = Netns::new();
    let (listener, client, server) = connection(&netns, "127.0.0.1:0");
    let _owner = Sleeper::of(User::Nobody, &netns, &[&client]);
    let [word, address] = src(&client);
    let run = set(
        &netns,
        User::Root,
        &["keepalive=on", "idle=1m", "interval=10s", "probes=6", "user-timeout=30s", &word, &address, "--yes"],
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for said in [
        "keepalive off -> on, idle 7200s -> 60s, interval 75s -> 10s, probes 9 -> 6, user-timeout 0 -> 30s",
        "dead-in never -> ",
        &format!("set {address}->{} established", listener.local_addr().unwrap()),
    ] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    assert_eq!(options(&client), [1, 60, 10, 6, 30_000]);
    assert_eq!(options(&server), DEFAULTS);
    let rows = ss::rows(&netns, User::Root);
    let (name, _, most, _) = rows.values().find(|row| row.local == address).unwrap().timer().unwrap();
    assert_eq!(name, "keepalive");
    assert!((58_000..=60_000).contains(&most), "{most}");
    let new = run.stdout.rsplit(" -> ").next().unwrap().trim().to_owned();
    assert!(["1m 59s", "2m 0s", "1m 58s"].contains(&new.trim_start_matches('≥')) || new.starts_with("1m"), "{new}");

    // Each value alone; values that are not given stay.
    assert_eq!(set(&netns, User::Root, &["probes=3", &word, &address, "--yes"]).code, Some(0));
    assert_eq!(options(&client), [1, 60, 10, 3, 30_000]);
    let detect = set(&netns, User::Root, &["--detect", "30s", &word, &address, "--yes"]);
    assert_eq!((detect.code, options(&client)), (Some(0), [1, 15, 5, 3, 30_000]));
    netns.sysctl("ipv4/tcp_keepalive_time", "777");
    let like = set(&netns, User::Root, &["--like-sysctl", &word, &address, "--yes"]);
    assert_eq!((like.code, options(&client)), (Some(0), [1, 777, 75, 9, 30_000]), "{}", like.stderr);
    let off = set(&netns, User::Root, &["keepalive=off", "user-timeout=0", &word, &address, "--yes"]);
    assert_eq!((off.code, options(&client)), (Some(0), [0, 777, 75, 9, 0]));
    assert!(off.stdout.contains("-> never"), "{}", off.stdout);
    let same = set(&netns, User::Root, &["keepalive=off", &word, &address, "--yes"]);
    assert!(same.stdout.contains("had these values already"), "{}", same.stdout);
}

#[test]
fn a_dead_peer_is_noticed_within_the_new_dead_in() {
    if !is_root("a_dead_peer_is_noticed_within_the_new_dead_in") {
        return;
    }
    let link = Link::new(&[]);
    let (ours, _peer) = link.connection();
    let [word, address] = src(&ours);
    link.black_hole();
    let before = Instant::now();
    let run = set(&link.ours, User::Root, &["--detect", "3s", &word, &address, "--yes"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let error = io::Read::read(&mut &ours, &mut [0]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ETIMEDOUT));
    // Timers of the kernel's timer wheel are up to 12.5 % late.
    let took = before.elapsed();
    assert!(took < Duration::from_millis(4_500), "{took:?} after {}", run.stdout);
}

#[test]
fn a_probe_that_goes_out_at_once_is_announced() {
    if !is_root("a_probe_that_goes_out_at_once_is_announced") {
        return;
    }
    let link = Link::new(&[]);
    let (ours, _peer) = link.connection();
    let [word, address] = src(&ours);
    set(&link.ours, User::Root, &["keepalive=on", "idle=600s", &word, &address, "--yes"]);
    crate::support::wait::until("a second of silence", Duration::from_secs(10), || {
        let idle = ["ls", "-q", "-N", "current", "--no-header", "idle > 1s"];
        (!tcpulse_in(&link.ours, User::Root, &idle).stdout.is_empty()).then_some(())
    });
    let run = set(&link.ours, User::Root, &["idle=1s", &word, &address, "--yes"]);
    assert!(run.stdout.contains("its peer is probed at once"), "{}{}", run.stdout, run.stderr);
    let run = set(&link.ours, User::Root, &["idle=600s", &word, &address, "--yes"]);
    assert!(!run.stdout.contains("at once"), "{}", run.stdout);
}

#[test]
fn a_dry_run_prints_what_would_change() {
    if !is_root("a_dry_run_prints_what_would_change") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let [word, address] = src(&client);
    let run = set(&netns, User::Root, &["keepalive=ON keepidle=1m", &word, &address, "--dry-run"]);
    assert!(run.stdout.contains("keepalive off -> on, idle 7200s -> 60s"), "{}", run.stdout);
    assert_eq!((run.code, options(&client)), (Some(0), DEFAULTS));
}

#[test]
fn without_rights_nothing_is_set_and_the_reason_is_told() {
    if !is_root("without_rights_nothing_is_set_and_the_reason_is_told") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    let [word, address] = src(&client);
    let run = set(&netns, User::Nobody, &["keepalive=on", &word, &address, "--yes"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("not set: ") && run.stderr.contains("hidden from this user"), "{}", run.stderr);
    // The user's own process is readable, but the kernel forbids to duplicate its descriptors.
    let _owner = Sleeper::of(User::Nobody, &netns, &[&client]);
    let mut command = command_in(&netns, User::Nobody);
    refuse_pidfd_getfd(&mut command);
    command.args(["set", "-N", "current", "-q", "keepalive=on", "pid > 0", "--yes"]);
    let run = Run::from(command.output().unwrap());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("not permitted") && run.stderr.contains("CAP_SYS_PTRACE"), "{}", run.stderr);
    assert_eq!([options(&client), options(&server)], [DEFAULTS; 2]);
}

#[test]
fn what_cannot_be_set_is_refused_before_anything_is_touched() {
    if !is_root("what_cannot_be_set_is_refused_before_anything_is_touched") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    for (arguments, code, words) in [
        (&["keepalive=on", "state established", "--dry-run"][..], 0, "would set keepalive on for 2 sockets (2 of e2e-"),
        (&["--detect", "30s", "keepalive=off", "state established", "--yes"], 2, "--detect turns keepalive on"),
        (&["idle", "=", "60s", "state established", "--yes"], 2, "without spaces"),
        (&["keepalive=on", "state established"], 2, "no terminal to ask at"),
        (&["keepalive=on", "--yes"], 2, "set needs a filter"),
        (&["state established", "--yes"], 2, "nothing to set"),
        (&["idle=40000s", "state established", "--yes"], 2, "the kernel takes 1s to 32767s"),
        (&["probes=0", "state established", "--yes"], 2, "the kernel takes 1 to 127"),
        (&["idle=60", "state established", "--yes"], 2, "needs a unit"),
        (&["--detect", "1s", "state established", "--yes"], 2, "from 2s on"),
        (&["keepalive=on", "state established", "--yes", "--max", "1"], 1, "more than --max 1"),
        (&["keepalive=on", "dport = 1", "--yes"], 3, "no socket to set matches"),
        (&["keepalive=on", "state established", "--json", "--yes"], 2, "--json does not go with set"),
    ] {
        let run = set(&netns, User::Root, arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert_eq!([options(&client), options(&server)], [DEFAULTS; 2], "{arguments:?}");
    }
    // A namespace may have values that a socket does not accept; then nothing is changed.
    netns.sysctl("ipv4/tcp_keepalive_time", "100000");
    let run = set(&netns, User::Root, &["--like-sysctl", "state established", "--yes"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("100000s") && run.stderr.contains("nothing was changed"), "{}", run.stderr);
}
