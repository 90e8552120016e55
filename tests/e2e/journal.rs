//! The journal: its lines for each change, and that no failure of it blocks or hides a change.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::host::{Host, Rights};
use crate::support::is_root;
use crate::support::netns::Netns;
use crate::support::processes::Sleeper;
use crate::support::program::Run;
use crate::support::sockets::{connection, option, pair};
use crate::support::terminal::Session;
use crate::support::wait::until;

/// Longer than every time limit of the program, and far shorter than a hang.
const SOON: Duration = Duration::from_secs(10);

/// Runs the command, and removes the report of gaps from stderr.
fn run(command: &mut Command, arguments: &[&str]) -> Run {
    let started = Instant::now();
    let mut run = Run::from(command.args(arguments).args(["-N", "current", "--yes"]).output().unwrap());
    assert!(started.elapsed() < SOON, "{arguments:?} took {:?}", started.elapsed());
    run.stderr = run.stderr.split_inclusive('\n').filter(|line| !line.starts_with("tcpulse: not seen: ")).collect();
    run
}

fn has_keepalive(socket: &TcpStream) -> bool {
    option(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE) != 0
}

/// A log socket that everyone may write to.
fn journal(host: &Host) -> UnixDatagram {
    let journal = UnixDatagram::bind(host.log()).unwrap();
    std::fs::set_permissions(host.log(), std::fs::Permissions::from_mode(0o666)).unwrap();
    journal.set_nonblocking(true).unwrap();
    journal
}

type Note = BTreeMap<String, String>;

/// The waiting lines of the journal, parsed; checks that no key occurs twice.
fn notes(journal: &UnixDatagram) -> Vec<Note> {
    let mut line = [0; 4096];
    let lines = std::iter::from_fn(|| journal.recv(&mut line).ok().map(|length| line[..length].to_vec()));
    lines.map(|line| note(&String::from_utf8(line).unwrap())).collect()
}

fn note(line: &str) -> Note {
    assert!(line.len() <= 2048 && !line.contains(char::is_control), "{line:?}");
    let mut rest = line.strip_prefix("<29>tcpulse[").and_then(|rest| rest.split_once("]: ")).unwrap().1;
    let mut note = Note::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once("=\"").unwrap();
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (end, '"') => break end,
                (_, '\\') => value.extend(characters.next().map(|(_, character)| character)),
                (_, character) => value.push(character),
            }
        };
        assert!(note.insert(key.trim_start().to_owned(), value).is_none(), "{key} twice: {line}");
        rest = &after[end + 1..];
    }
    note
}

fn events(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note["event"].as_str()).collect()
}

#[test]
fn a_note_says_who_did_what_to_which_socket_before_and_after() {
    if !is_root("a_note_says_who_did_what_to_which_socket_before_and_after") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let journal = journal(&host);
    let (_listener, client, server) = connection(&netns, "127.0.0.1:0");
    let local = client.local_addr().unwrap().to_string();
    let filter = format!("src {local} and not ~ \"x\\\"y\"");
    let mut command = host.command(&netns, Rights::Root);
    command.env("SUDO_UID", "1234");
    let set = run(&mut command, &["set", "keepalive=on", "idle=60s", &filter]);
    assert_eq!((set.code, set.stderr.as_str()), (Some(0), ""));
    let noted = notes(&journal);
    assert_eq!(events(&noted), ["intent", "done"]);
    for note in &noted {
        for (key, value) in [
            ("command", "set"),
            ("via", "command line"),
            ("uid", "0"),
            ("euid", "0"),
            ("sudo_uid", "1234"),
            ("socket_uid", "0"),
            ("netns", &netns.inode().to_string()),
            ("local", &local),
            ("peer", &server.local_addr().unwrap().to_string()),
            ("pids", &std::process::id().to_string()),
            ("set", "keepalive on, idle 60s"),
            ("old", "keepalive=off idle=7200s interval=75s probes=9 user-timeout=0"),
            ("new", "keepalive=on idle=60s interval=75s probes=9 user-timeout=0"),
            ("filter", &filter),
        ] {
            assert_eq!(note[key], value, "{key}: {note:?}");
        }
        for key in ["loginuid", "tty", "cookie"] {
            assert!(!note[key].is_empty(), "{note:?}");
        }
        assert!(note["owner"].contains("e2e-"), "{note:?}");
    }
    let silent = run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=off", "src", &local, "--no-log"]);
    assert_eq!((silent.code, notes(&journal).len()), (Some(0), 0));
    let killed = run(&mut host.command(&netns, Rights::Root), &["kill", "state", "established"]);
    assert_eq!(killed.code, Some(0), "{}", killed.stderr);
    let noted = notes(&journal);
    // Its local peer closes with it.
    assert_eq!(events(&noted), ["intent", "done", "intent", "gone"]);
    assert_eq!([&noted[1]["command"], &noted[1]["old"], &noted[1]["new"]], ["kill", "established", "destroyed"]);
}

#[test]
fn no_name_and_no_filter_forges_a_field() {
    if !is_root("no_name_and_no_filter_forges_a_field") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let journal = journal(&host);
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let _owner = Sleeper::named(b"x\" uid=\"7\"\\\n", &[&client]);
    let src = client.local_addr().unwrap().to_string();
    let long = format!("src {src} and not ~ '\"\n{}'", "\\\"".repeat(5000));
    let set = run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=on", &long]);
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    let noted = notes(&journal);
    assert_eq!(events(&noted), ["intent", "done"]);
    for note in noted {
        assert_eq!((note["uid"].as_str(), note["local"].as_str()), ("0", src.as_str()));
        assert!(note["owner"].contains("x\" uid=\"7"), "{note:?}");
        assert!(note["filter"].starts_with(&format!("src {src}")) && note["filter"].ends_with('…'), "{note:?}");
    }
}

#[test]
fn a_journal_that_is_not_read_holds_up_nothing_and_hides_nothing() {
    const PAIRS: usize = 50;
    if !is_root("a_journal_that_is_not_read_holds_up_nothing_and_hides_nothing") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let _stalled = journal(&host);
    fill(&host);
    let (listener, ..) = connection(&netns, "127.0.0.1:0");
    let pairs: Vec<_> = netns.run(|| (0..PAIRS).map(|_| pair(&listener)).collect());
    let port = listener.local_addr().unwrap().port().to_string();
    let set = run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=on", "dport", "=", &port]);
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    assert_eq!(set.stdout.lines().filter(|line| line.starts_with("set ")).count(), PAIRS, "{}", set.stdout);
    assert_eq!(set.stdout.lines().filter(|line| line.contains(": dead-in never -> ")).count(), PAIRS);
    assert!(pairs.iter().all(|(client, _)| has_keepalive(client)));
    assert_eq!(set.stderr.matches("not noted in the journal: /dev/log: ").count(), 1, "{}", set.stderr);
    let killed =
        run(&mut host.command(&netns, Rights::Root), &["kill", "state", "established", "and", "dport", "=", &port]);
    assert_eq!((killed.code, killed.stdout.lines().count()), (Some(0), PAIRS), "{}", killed.stderr);
    assert_eq!(killed.stderr.lines().count(), 2, "{}", killed.stderr);
    assert!(killed.stderr.contains(&format!("{PAIRS} of {PAIRS} changes are not noted")), "{}", killed.stderr);
}

/// Fills the log socket's queue.
fn fill(host: &Host) {
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"x", host.log()).is_ok() {}
}

#[test]
fn a_slow_journal_costs_a_second_and_not_minutes() {
    if !is_root("a_slow_journal_costs_a_second_and_not_minutes") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let slow = journal(&host);
    slow.set_nonblocking(false).unwrap();
    fill(&host);
    let (listener, ..) = connection(&netns, "127.0.0.1:0");
    let pairs: Vec<_> = netns.run(|| (0..99).map(|_| pair(&listener)).collect());
    let port = listener.local_addr().unwrap().port().to_string();
    let is_over = AtomicBool::new(false);
    let set = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Every line waits for a long time, but less than the limit.
            slow.set_read_timeout(Some(Duration::from_millis(70))).unwrap();
            let pause = std::sync::Mutex::new(());
            let woken = std::sync::Condvar::new();
            while !is_over.load(Ordering::SeqCst) {
                let _ = slow.recv(&mut [0; 4096]);
                drop(woken.wait_timeout(pause.lock().unwrap(), Duration::from_millis(70)).unwrap());
            }
        });
        let set = run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=on", "dport", "=", &port]);
        is_over.store(true, Ordering::SeqCst);
        set
    });
    assert_eq!(set.code, Some(0), "{}", set.stderr);
    assert!(pairs.iter().all(|(client, _)| has_keepalive(client)));
    assert_eq!(set.stderr.matches("not noted in the journal: ").count(), 1, "{}", set.stderr);
    assert!(set.stderr.contains(" of 99 changes are not noted in the journal"), "{}", set.stderr);
}

#[test]
fn where_a_note_is_required_nothing_is_done_without_one() {
    if !is_root("where_a_note_is_required_nothing_is_done_without_one") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let stalled = journal(&host);
    let (listener, ..) = connection(&netns, "127.0.0.1:0");
    let pairs: Vec<_> = netns.run(|| (0..90).map(|_| pair(&listener)).collect());
    let port = listener.local_addr().unwrap().port().to_string();
    let set = ["set", "keepalive=on", "dport", "=", &port, "--require-log"];
    // Leave room for some lines, not for all: max_dgram_qlen is 10, or 512 if systemd sets it.
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"x", host.log()).is_ok() {}
    for _ in 0..5 {
        stalled.recv(&mut [0; 16]).unwrap();
    }
    let first = run(&mut host.command(&netns, Rights::Root), &set);
    let changed = pairs.iter().filter(|(client, _)| has_keepalive(client)).count();
    let intents = notes_behind_filling(&stalled).iter().filter(|note| note["event"] == "intent").count();
    assert_eq!(first.code, Some(1), "{}", first.stderr);
    assert!(changed > 0 && changed < pairs.len() && changed <= intents, "{changed} changed, {intents} intents");
    assert_eq!(first.stdout.lines().filter(|line| line.starts_with("set ")).count(), changed, "{}", first.stdout);
    assert!(first.stderr.contains(" not tried: cannot log to the journal: /dev/log: "));
    assert_eq!(first.stderr.lines().count(), 1, "{}", first.stderr);
    // Now the queue is full from the start.
    fill(&host);
    let second = run(
        &mut host.command(&netns, Rights::Root),
        &["kill", "state", "established", "and", "dport", "=", &port, "--require-log"],
    );
    assert_eq!((second.code, second.stdout.as_str()), (Some(1), ""), "{}", second.stderr);
    assert!(second.stderr.contains("0 of "), "{}", second.stderr);
}

fn notes_behind_filling(journal: &UnixDatagram) -> Vec<Note> {
    let mut line = [0; 4096];
    let lines = std::iter::from_fn(|| journal.recv(&mut line).ok().map(|length| line[..length].to_vec()));
    lines.filter(|line| *line != b"x").map(|line| note(&String::from_utf8(line).unwrap())).collect()
}

#[test]
fn a_journal_that_cannot_be_written_is_reported_once_and_refused_if_required() {
    if !is_root("a_journal_that_cannot_be_written_is_reported_once_and_refused_if_required") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let src = client.local_addr().unwrap().to_string();
    for kind in ["absent", "fifo", "file", "directory", "nobody listens", "full stream"] {
        let host = Host::new();
        let mut held = Vec::new();
        match kind {
            "fifo" => nix::unistd::mkfifo(&host.log(), nix::sys::stat::Mode::S_IRWXU).unwrap(),
            "file" => std::fs::write(host.log(), "").unwrap(),
            "directory" => std::fs::create_dir(host.log()).unwrap(),
            "nobody listens" => drop(UnixDatagram::bind(host.log()).unwrap()),
            "full stream" => held = full_stream(&host),
            _ => {}
        }
        let required =
            run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=on", "src", &src, "--require-log"]);
        assert_eq!((required.code, required.stdout.as_str()), (Some(1), ""), "{kind}: {}", required.stderr);
        assert!(required.stderr.contains("nothing was changed: ") && required.stderr.contains("/dev/log: "), "{kind}");
        assert!(!has_keepalive(&client), "{kind}");
        let set = run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=on", "src", &src]);
        assert_eq!(set.code, Some(0), "{kind}: {}", set.stderr);
        assert_eq!(set.stderr.matches("not noted in the journal: /dev/log: ").count(), 1, "{kind}: {}", set.stderr);
        assert!(has_keepalive(&client), "{kind}");
        let off = run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=off", "src", &src, "-q"]);
        // -q suppresses gaps, but not the warning of an unlogged change.
        assert_eq!(off.code, Some(0), "{kind}");
        assert_eq!(off.stderr.matches("not noted in the journal: /dev/log: ").count(), 1, "{kind}: {}", off.stderr);
        drop(held);
    }
    let host = Host::new();
    let dry = Run::from(
        host.command(&netns, Rights::Root)
            .args(["kill", "src", &src, "-N", "current", "--dry-run", "--require-log"])
            .output()
            .unwrap(),
    );
    assert_eq!(dry.code, Some(1), "a dry run fails where the run would: {}", dry.stderr);
}

/// A stream socket that never accepts, with a full backlog.
fn full_stream(host: &Host) -> Vec<std::os::fd::OwnedFd> {
    let listener = UnixListener::bind(host.log()).unwrap();
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    let first = std::os::unix::net::UnixStream::connect(host.log()).unwrap();
    vec![listener.into(), first.into()]
}

#[test]
fn a_journal_of_streams_is_written_to_as_syslog_does() {
    if !is_root("a_journal_of_streams_is_written_to_as_syslog_does") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let listener = UnixListener::bind(host.log()).unwrap();
    let (_tcp, client, _server) = connection(&netns, "127.0.0.1:0");
    let src = client.local_addr().unwrap().to_string();
    let set = run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=on", "src", &src, "--require-log"]);
    assert_eq!((set.code, set.stderr.as_str()), (Some(0), ""));
    let mut lines = Vec::new();
    listener.accept().unwrap().0.read_to_end(&mut lines).unwrap();
    let lines: Vec<_> = lines.split(|&byte| byte == 0).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    let notes: Vec<_> = lines.iter().filter(|line| !line.is_empty()).map(|line| note(line)).collect();
    assert_eq!(events(&notes), ["intent", "done"]);
}

#[test]
fn a_journal_that_is_started_anew_gets_the_rest() {
    if !is_root("a_journal_that_is_started_anew_gets_the_rest") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let old = journal(&host);
    let (listener, ..) = connection(&netns, "127.0.0.1:0");
    let _pairs: Vec<_> = netns.run(|| (0..90).map(|_| pair(&listener)).collect());
    let port = listener.local_addr().unwrap().port().to_string();
    old.set_nonblocking(false).unwrap();
    let is_over = AtomicBool::new(false);
    // The program blocks on the full queue until the new log socket exists.
    fill(&host);
    let (set, new) = std::thread::scope(|scope| {
        let renewed = scope.spawn(|| {
            let mut line = [0; 4096];
            while old.recv(&mut line).unwrap() == 1 {}
            let beside = host.log().with_extension("new");
            let new = UnixDatagram::bind(&beside).unwrap();
            std::fs::rename(&beside, host.log()).unwrap();
            new.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            old.shutdown(std::net::Shutdown::Both).unwrap();
            drop(old);
            let mut notes = Vec::new();
            while !is_over.load(Ordering::SeqCst) {
                if let Ok(length) = new.recv(&mut line) {
                    notes.push(note(std::str::from_utf8(&line[..length]).unwrap()));
                }
            }
            notes
        });
        let set = run(&mut host.command(&netns, Rights::Root), &["set", "keepalive=on", "dport", "=", &port]);
        is_over.store(true, Ordering::SeqCst);
        (set, renewed.join().unwrap())
    });
    assert_eq!((set.code, set.stderr.as_str()), (Some(0), ""));
    // Lines that were unread in the old socket are lost.
    assert!(new.len() > 100, "{}", new.len());
}

#[test]
fn the_dashboard_notes_what_it_does_and_keeps_to_the_policy() {
    if !is_root("the_dashboard_notes_what_it_does_and_keeps_to_the_policy") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    host.policy("require-log = true\n");
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let mut command = host.command(&netns, Rights::Root);
    command.env("XDG_CONFIG_HOME", "/nonexistent").env("LC_ALL", "C.UTF-8").args(["-N", "current"]);
    let mut session = Session::start(command);
    let local = client.local_addr().unwrap().to_string();
    session.see(&local);
    session.type_keys("x");
    session.see("[y/N]");
    session.type_keys("y");
    session.see("not destroyed: nothing was changed: cannot log to the journal");
    client.set_nonblocking(true).unwrap();
    let is_alive = || (&client).read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(is_alive());
    let journal = journal(&host);
    session.type_keys("x");
    session.see("[y/N]");
    session.type_keys("y");
    session.see("destroyed 127.0.0.1:");
    let noted = notes(&journal);
    assert_eq!(events(&noted), ["intent", "done"]);
    assert_eq!([&noted[0]["via"], &noted[0]["command"], &noted[0]["filter"]], ["dashboard", "kill", ""]);
    assert!(!is_alive());
    session.type_keys("q");
    assert_eq!(session.end().code(), Some(0));
}

#[test]
fn an_interrupt_and_a_closed_stdout_hide_no_change() {
    const PAIRS: usize = 99;
    if !is_root("an_interrupt_and_a_closed_stdout_hide_no_change") {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let (listener, ..) = connection(&netns, "127.0.0.1:0");
    let pairs: Vec<_> = netns.run(|| (0..PAIRS).map(|_| pair(&listener)).collect());
    let port = listener.local_addr().unwrap().port().to_string();
    let set = |value: &str| {
        let mut command = host.command(&netns, Rights::Root);
        command.args(["set", value, "dport", "=", &port, "-N", "current", "--yes", "--no-log", "-q"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    // It blocks between two lines because the pipe is full.
    let mut child = set("keepalive=on").spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    fcntl(stdout.as_fd(), FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let mut byte = [0];
    stdout.read_exact(&mut byte).unwrap();
    let count = || pairs.iter().filter(|(client, _)| has_keepalive(client)).count();
    let mut last = 0;
    let blocked = || {
        let now = count();
        let state = std::fs::read_to_string(format!("/proc/{}/wchan", child.id())).unwrap_or_default();
        let is_blocked = now == std::mem::replace(&mut last, now) && state.contains("pipe");
        is_blocked.then_some(())
    };
    until("the pipe is full", SOON, blocked);
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let lines: Vec<_> = BufReader::new(stdout).lines().map(Result::unwrap).collect();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stderr}");
    assert_eq!(lines.len(), count(), "{stderr}");
    assert!(count() < PAIRS && stderr.contains(" not tried: interrupted"), "{stderr}");

    let mut child = set("keepalive=off").spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(count(), 0);
    assert!(run.stderr.lines().filter(|line| line.starts_with("tcpulse: set ")).count() >= PAIRS, "{}", run.stderr);
}
