//! `kill`: destroys what it reports as destroyed, names what it may not destroy, and leaves protected sockets alone.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;

use crate::support::netns::{Netns, User};
use crate::support::program::{Run, TCPULSE, command_in, tcpulse_in};
use crate::support::sockets::{connection, pair};
use crate::support::terminal::Session;
use crate::support::zoo::{Zoo, lists_bound_sockets};
use crate::support::{is_root, ss};

const HERE: [&str; 4] = ["-N", "current", "-q", "--no-log"];

fn kill(netns: &Netns, user: User, arguments: &[&str]) -> Run {
    tcpulse_in(netns, user, &[&["kill"], &HERE[..], arguments].concat())
}

fn error_of(stream: &TcpStream) -> Option<ErrorKind> {
    stream.set_nonblocking(true).unwrap();
    (&*stream).read(&mut [0]).map(drop).err().map(|error| error.kind())
}

fn is_alive(stream: &TcpStream) -> bool {
    error_of(stream) == Some(ErrorKind::WouldBlock)
}

fn port(address: SocketAddr) -> String {
    address.port().to_string()
}

/// Address to connect to for a listener at this address; IPv4 for a dual-stack one.
fn client_side(address: &str) -> IpAddr {
    if address.starts_with("[::1]") { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() }
}

#[test]
fn connections_of_both_families_end_with_econnaborted_and_a_reset() {
    if !is_root("connections_of_both_families_end_with_econnaborted_and_a_reset") {
        return;
    }
    let netns = Netns::new();
    for address in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
        let (listener, client, server) = if address == "[::]:0" {
            netns.run(|| {
                let listener = TcpListener::bind(address).unwrap();
                let port = listener.local_addr().unwrap().port();
                let client = TcpStream::connect((client_side(address), port)).unwrap();
                let (server, _) = listener.accept().unwrap();
                (listener, client, server)
            })
        } else {
            connection(&netns, address)
        };
        let filter = ["sport", "=", &port(listener.local_addr().unwrap()), "--yes"];
        let run = kill(&netns, User::Root, &filter);
        assert_eq!(run.code, Some(0), "{address}: {}", run.stderr);
        assert!(run.stdout.starts_with("destroyed ") && run.stdout.lines().count() == 1, "{}", run.stdout);
        assert_eq!(error_of(&server), Some(ErrorKind::ConnectionAborted), "{address}");
        assert_eq!(error_of(&client), Some(ErrorKind::ConnectionReset), "{address}");
        // The listener was not selected.
        let to = SocketAddr::new(client_side(address), listener.local_addr().unwrap().port());
        netns.run(|| assert!(TcpStream::connect(to).is_ok(), "{address}"));
    }
}

#[test]
fn sockets_in_every_state_can_be_destroyed() {
    if !is_root("sockets_in_every_state_can_be_destroyed") {
        return;
    }
    let states = [
        "established",
        "syn-sent",
        "syn-recv",
        "fin-wait-1",
        "fin-wait-2",
        "time-wait",
        "close-wait",
        "last-ack",
        "closing",
        "listening",
    ];
    for state in states {
        // Local peers close too, so each state needs a zoo of its own.
        let zoo = Zoo::new();
        zoo.settle();
        // The listener of an MPTCP socket is the only socket in the zoo that the kernel does not destroy.
        let filter = ["state", state, "not", "(", "ulp", "=", "mptcp", "and", "listening", ")"];
        let run = kill(&zoo.netns, User::Root, &[&filter[..], &["--yes"]].concat());
        assert_eq!(run.code, Some(0), "{state}: {}", run.stderr);
        assert!(run.stdout.lines().all(|line| line.starts_with("destroyed ")) && !run.stdout.is_empty(), "{state}");
        let left = [&["ls", "-q", "-N", "current", "--no-header"], &filter[..]].concat();
        assert_eq!(tcpulse_in(&zoo.netns, User::Root, &left).stdout, "", "{state} after {}", run.stdout);
        let name = match state {
            "listening" => "LISTEN",
            "established" => "ESTAB",
            state => state,
        };
        let rows = ss::rows(&zoo.netns, User::Root);
        let is_left = |row: &ss::Row| {
            row.state.eq_ignore_ascii_case(name) && !row.words.iter().any(|word| word == "tcp-ulp-mptcp")
        };
        assert!(!rows.values().any(is_left), "{state}");
        if state == "listening" {
            let run = kill(&zoo.netns, User::Root, &["listening and ulp = mptcp", "--yes"]);
            assert!([Some(1), Some(3)].contains(&run.code), "{}", run.stderr);
            assert!(run.code == Some(3) || run.stderr.contains("listener of an MPTCP socket"), "{}", run.stderr);
        }
    }
}

#[test]
fn what_the_kernel_does_not_find_is_named_with_the_reason() {
    let test = "what_the_kernel_does_not_find_is_named_with_the_reason";
    if !is_root(test) || !lists_bound_sockets(test) {
        return;
    }
    let zoo = Zoo::new();
    let run = kill(&zoo.netns, User::Root, &["state bound-inactive", "--yes"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("not destroyed: ") && run.stderr.contains("only bound"), "{}", run.stderr);
    assert!(run.stderr.contains("0 of 1 done, 1 failed"), "{}", run.stderr);
}

#[test]
fn without_rights_nothing_is_destroyed_and_the_reason_is_told() {
    if !is_root("without_rights_nothing_is_destroyed_and_the_reason_is_told") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    let run = kill(&netns, User::Nobody, &["state established", "--yes"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert_eq!(run.stderr.matches("not destroyed: ").count(), 2, "{}", run.stderr);
    assert!(run.stderr.contains("CAP_NET_ADMIN"), "{}", run.stderr);
    assert!(is_alive(&client) && is_alive(&server));
}

#[test]
fn kill_destroys_nothing_on_refused_or_unmatched_filters() {
    if !is_root("kill_destroys_nothing_on_refused_or_unmatched_filters") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    let other = Netns::new();
    let elsewhere = connection(&other, "127.0.0.1:0");
    for (arguments, code, words) in [
        (&["state established", "--dry-run"][..], 0, "would destroy 2 sockets (2 of e2e-"),
        (&["state established"], 2, "no terminal to ask at"),
        (&["--yes"], 2, "kill needs a filter"),
        (&["", "--yes"], 2, "kill needs a filter"),
        (&["dst", "*", "--yes"], 2, "needs a filter that leaves some sockets out"),
        (&["dst", ":", "--yes"], 2, "a port is missing after the colon"),
        (&["sport >= 0 or sport = 1", "--yes"], 2, "needs a filter that leaves some sockets out"),
        (&["~", "\"\"", "--yes"], 2, "nothing to search for"),
        (&["not established", "--yes"], 3, "no socket to destroy matches"),
        (&["state established", "--no-processes", "--yes"], 2, "--no-processes does not go with kill"),
        (&["state established", "--dry-run", "--yes", "--max", "1"], 1, "would destroy 2 sockets"),
        (&["state established", "--yes", "--max", "1"], 1, "2 sockets match 'state established', more than --max 1"),
        (&["dport = 1", "--yes"], 3, "no socket to destroy matches 'dport = 1'"),
        (&["dprot = 1", "--yes"], 2, "did you mean 'dport'?"),
        (&["state established", "--explain-filter"], 0, ""),
        (&["state established", "--json", "--yes"], 2, "--json does not go with kill"),
        (&["state established", "-s", "idle", "--yes"], 2, "--sort does not go with kill"),
    ] {
        let run = kill(&netns, User::Root, arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert!(is_alive(&client) && is_alive(&server), "{arguments:?}");
    }
    assert_eq!(kill(&netns, User::Root, &["state established", "--yes"]).code, Some(0));
    assert!(!is_alive(&client) && is_alive(&elsewhere.1), "the other namespace was not chosen");
}

#[test]
fn it_asks_on_a_terminal_and_takes_only_yes_for_yes() {
    if !is_root("it_asks_on_a_terminal_and_takes_only_yes_for_yes") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let local = client.local_addr().unwrap();
    for (answer, code, alive) in
        [("n\n", 1, true), ("\n", 1, true), ("\x03", 130, true), ("\x04", 1, true), ("y\n", 0, false)]
    {
        let mut command = command_in(&netns, User::Root);
        command.args(["kill"]).args(HERE).args(["src", &local.to_string()]);
        let mut session = Session::start(command);
        // Another test may have just forked: its child has all descriptors until exec.
        session.expect("? [y/N] ");
        let question = session.seen.lines().find(|line| line.contains("Destroy 1 socket (1 of ")).unwrap_or_default();
        assert!(question.contains("e2e-"), "{}", session.seen);
        assert!(session.seen.contains(&local.to_string()) && session.seen.contains("[y/N] "), "{}", session.seen);
        session.type_keys(answer);
        assert_eq!(session.end().code(), Some(code), "{answer:?}: {}", session.seen);
        assert_eq!(is_alive(&client), alive, "{answer:?}");
    }
}

#[test]
fn the_ssh_connection_that_it_is_run_over_is_left_out() {
    if !is_root("the_ssh_connection_that_it_is_run_over_is_left_out") {
        return;
    }
    let netns = Netns::new();
    let (listener, client, server) = connection(&netns, "127.0.0.1:0");
    let (second_client, _second_server) = netns.run(|| pair(&listener));
    let directory = std::env::temp_dir().join(format!("tcpulse-sshd-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let sshd = directory.join("sshd");
    let _ = std::fs::remove_file(&sshd);
    // A process is named after the path of its executable, and a shell that waits for its child is that child's parent.
    symlink("/bin/sh", &sshd).unwrap();
    let script = format!(
        "'{TCPULSE}' kill -N current -q --no-log --yes sport = {}; exit $?",
        port(listener.local_addr().unwrap())
    );
    let mut command = netns.command(sshd.to_str().unwrap(), User::Root);
    command.args(["-c", &script]).stdin(std::process::Stdio::null());
    inherit(&mut command, &server);
    let run = Run::from(command.output().unwrap());
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let spared = server.peer_addr().unwrap();
    assert!(run.stderr.contains("left out: ") && run.stderr.contains(&spared.to_string()), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
    assert!(is_alive(&client) && !is_alive(&second_client));

    // Under a terminal multiplexer sshd is no ancestor, but the variable that it set is still there.
    let told = format!("{} {} {} {}", spared.ip(), spared.port(), spared.ip(), listener.local_addr().unwrap().port());
    let with_variable = |arguments: &[&str]| {
        let mut command = command_in(&netns, User::Root);
        command
            .args(["kill"])
            .args(HERE)
            .args(["state established", "--yes"])
            .args(arguments)
            .env("SSH_CONNECTION", &told);
        Run::from(command.output().unwrap())
    };
    let spared = netns.run(|| pair(&listener));
    let run = with_variable(&[&format!("sport = {}", port(listener.local_addr().unwrap()))]);
    assert_eq!((run.code, is_alive(&client), is_alive(&spared.0)), (Some(0), true, false), "{}", run.stderr);
    let run = with_variable(&[&format!("dport = {}", port(client.local_addr().unwrap()))]);
    assert_eq!((run.code, is_alive(&client)), (Some(3), true), "{}", run.stderr);
    let run = with_variable(&[&format!("dport = {}", port(client.local_addr().unwrap())), "--include-self"]);
    assert_eq!((run.code, is_alive(&client)), (Some(0), false), "{}", run.stderr);
}

/// Lets the command inherit the socket.
#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn inherit(command: &mut std::process::Command, socket: &TcpStream) {
    use std::os::fd::{AsRawFd, BorrowedFd};
    let fd = socket.as_raw_fd();
    let keep = move || {
        // SAFETY: the caller's socket is open until the command has ended.
        let socket = unsafe { BorrowedFd::borrow_raw(fd) };
        std::mem::forget(nix::unistd::dup(socket)?);
        Ok(())
    };
    // SAFETY: the closure makes only system calls and allocates nothing.
    unsafe { command.pre_exec(keep) };
}

#[test]
fn an_end_that_goes_with_the_other_is_gone_and_no_failure() {
    if !is_root("an_end_that_goes_with_the_other_is_gone_and_no_failure") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    let run = kill(&netns, User::Root, &["state established", "--yes"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(
        (run.stdout.lines().count(), run.stderr.matches("gone already: ").count()),
        (1, 1),
        "{}{}",
        run.stdout,
        run.stderr
    );
    assert!(!is_alive(&client) && !is_alive(&server));
}
