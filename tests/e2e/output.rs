//! Output that cannot be written, restoration of the terminal, and foreign text on stderr.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{Run, TCPULSE, command_in};
use crate::support::sockets::{bind, connection, socket};
use crate::support::terminal::Session;

const ENTER_ALTERNATE: &str = "\x1b[?1049h";
const LEAVE_ALTERNATE: &str = "\x1b[?1049l";

/// A stdout that cannot be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bad {
    /// Closed before the program is started
    Closed,
    /// No space left
    Full,
    /// Open for reading only
    Reading,
}

/// Runs the program with such a stdout.
fn with(mut command: Command, bad: Bad) -> Run {
    match bad {
        Bad::Closed => close_stdout(&mut command),
        Bad::Full => drop(command.stdout(OpenOptions::new().write(true).open("/dev/full").unwrap())),
        Bad::Reading => drop(command.stdout(File::open("/dev/null").unwrap())),
    }
    let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.wait_with_output().unwrap().into()
}

/// Runs the program with a closed pipe on stdout.
fn without_reader(mut command: Command) -> Run {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    child.wait_with_output().unwrap().into()
}

#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn close_stdout(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: close(2) is async-signal-safe, and nothing of the child uses the descriptor before exec.
    unsafe { command.pre_exec(|| nix::unistd::close(1).map_err(Into::into)) };
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(TCPULSE);
    command.args(arguments).env_remove("COLUMNS").env("TERM", "xterm");
    command
}

const LISTINGS: &[&[&str]] = &[
    &["--help"],
    &["-h"],
    &["--version"],
    &["help"],
    &["help", "filter"],
    &["help", "set"],
    &["ls", "--help"],
    &["config"],
    &["ls", "-a", "-q"],
    &["ls", "-q", "-w", "0.1"],
    &["ls", "--format", "csv", "-q"],
    &["--format", "ndjson", "-q"],
    &["--json", "-q"],
    &["stat", "-q"],
    &["stat", "--json", "-q"],
    &["kernel", "-q", "-N", "current"],
    &["ls", "dport = 1", "--explain-filter"],
];

#[test]
fn what_cannot_be_written_is_an_error_whoever_writes_it() {
    for bad in [Bad::Closed, Bad::Full, Bad::Reading] {
        for arguments in LISTINGS {
            let run = with(program(arguments), bad);
            assert_eq!(run.code, Some(1), "{bad:?} {arguments:?}: {}", run.stderr);
            assert!(
                run.stderr.starts_with("tcpulse: cannot write the output: "),
                "{bad:?} {arguments:?}: {}",
                run.stderr
            );
            assert_eq!(run.stderr.lines().count(), 1, "{bad:?} {arguments:?}: {}", run.stderr);
        }
    }
    // Checked even if nothing would be printed; errors of the command line take precedence.
    let nothing = ["ls", "-q", "-n", "0", "--format", "ndjson", "--no-header", "sport = 1"];
    assert_eq!(with(program(&nothing), Bad::Closed).code, Some(1));
    assert_eq!(with(program(&["ls", "-o", "colour"]), Bad::Closed).code, Some(2));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    for arguments in LISTINGS {
        let run = without_reader(program(arguments));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

const HERE: [&str; 4] = ["-N", "current", "-q", "--no-log"];

fn act(netns: &Netns, user: User, arguments: &[&str]) -> Command {
    let mut command = command_in(netns, user);
    command.args(arguments).args(HERE);
    command
}

fn is_alive(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = (&*stream).read(&mut [0]);
    matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn the_exit_code_of_kill_is_the_truth_about_the_sockets() {
    if !is_root("the_exit_code_of_kill_is_the_truth_about_the_sockets") {
        return;
    }
    let netns = Netns::new();
    let all = &["kill", "state established and dport > 4000 and dport < 5000", "--yes"];
    let (_listener, client, server) = connection(&netns, "127.0.0.1:4701");
    for bad in [Bad::Closed, Bad::Reading] {
        let run = with(act(&netns, User::Root, all), bad);
        assert_eq!(run.code, Some(1), "{bad:?}");
        assert!(is_alive(&client) && is_alive(&server), "{bad:?}: what could not be reported was done");
    }
    // One socket that the kernel refuses to destroy, among others that it destroys.
    let bound = netns.run(|| {
        let socket = socket(libc::AF_INET, libc::IPPROTO_TCP, 0);
        bind(&socket, SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 4700));
        socket
    });
    let some = &["kill", "(dport = 4701 or sport = 4700) and state all", "--yes"];
    let run = without_reader(act(&netns, User::Root, some));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("1 failed") && !is_alive(&client), "{}", run.stderr);
    drop(bound);
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:4702");
    let run = without_reader(act(&netns, User::Root, all));
    assert_eq!((run.code, is_alive(&client)), (Some(0), false), "{}", run.stderr);
    assert!(run.stderr.starts_with("tcpulse: destroyed 127.0.0.1:"), "what was done is reported: {}", run.stderr);
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:4703");
    let run = with(act(&netns, User::Root, all), Bad::Full);
    assert_eq!((run.code, is_alive(&client)), (Some(1), false));
    assert!(
        run.stderr.contains("the changes were made, but not all could be reported: cannot write"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_exit_code_of_set_is_the_truth_about_the_sockets() {
    if !is_root("the_exit_code_of_set_is_the_truth_about_the_sockets") {
        return;
    }
    let netns = Netns::new();
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    let set = &["set", "keepalive=on", "state established", "--yes"];
    let run = without_reader(act(&netns, User::Nobody, set));
    assert_eq!(run.code, Some(1), "nobody may set these: {}", run.stderr);
    assert_eq!(with(act(&netns, User::Root, set), Bad::Closed).code, Some(1));
    let is_on = || crate::support::sockets::option(&client, libc::SOL_SOCKET, libc::SO_KEEPALIVE) == 1;
    assert!(!is_on());
    let run = without_reader(act(&netns, User::Root, set));
    assert_eq!((run.code, is_on()), (Some(0), true), "{}", run.stderr);
    assert!(run.stderr.starts_with("tcpulse: set 127.0.0.1:"), "what was done is reported: {}", run.stderr);
    // A dry run fails if `--max` would refuse it, whether or not its output can be written.
    let run = without_reader(act(&netns, User::Root, &[&set[..3], &["--dry-run", "--max", "1"]].concat()));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(without_reader(act(&netns, User::Root, &[&set[..3], &["--dry-run"]].concat())).code, Some(0));
}

/// `ls -w` on a terminal, after its first round.
fn watch() -> Session {
    let mut session = Session::start(program(&["ls", "-l", "-q", "-w", "0.1", "-N", "current"]));
    session.expect(ENTER_ALTERNATE);
    session.expect("\x1b[J");
    session
}

fn send(session: &Session, signal: i32) {
    let pid = i32::try_from(session.pid()).unwrap();
    match Signal::try_from(signal) {
        Ok(signal) => kill(Pid::from_raw(pid), signal).unwrap(),
        // A real-time signal, which nix has no name for.
        Err(_) => {
            assert!(Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().unwrap().success());
        }
    }
}

#[test]
fn a_signal_that_ends_a_watched_table_gives_the_terminal_back() {
    use std::os::unix::process::ExitStatusExt;
    let signals = [
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGALRM,
        libc::SIGABRT,
        libc::SIGIO,
        libc::SIGPWR,
        libc::SIGSTKFLT,
        libc::SIGVTALRM,
        libc::SIGPROF,
        libc::SIGXCPU,
        libc::SIGXFSZ,
        libc::SIGSYS,
        libc::SIGTRAP,
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGRTMIN(),
        libc::SIGRTMAX(),
    ];
    for signal in signals {
        let mut session = watch();
        send(&session, signal);
        let status = session.end();
        session.expect(LEAVE_ALTERNATE);
        assert_eq!(status.signal(), Some(signal), "{status}");
        let after = session.seen.rsplit(LEAVE_ALTERNATE).next().unwrap();
        assert_eq!(after, "", "nothing is drawn after it");
    }
    let mut session = watch();
    session.type_keys("\x03");
    assert_eq!(session.end().code(), Some(130));
    session.expect(LEAVE_ALTERNATE);
}

#[test]
fn a_terminal_that_takes_nothing_does_not_keep_a_watched_table_alive() {
    use std::os::unix::process::ExitStatusExt;
    for (signal, code) in [(libc::SIGTERM, None), (libc::SIGINT, Some(130))] {
        let mut session = watch();
        // Ctrl-S stops the output; a few rounds fill the terminal's buffer.
        session.type_keys("\x13");
        send(&session, signal);
        if code.is_some() {
            send(&session, signal);
        }
        let status = session.end();
        assert!(status.code() == code && (code.is_some() || status.signal() == Some(signal)), "{status}");
        session.expect(LEAVE_ALTERNATE);
    }
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP USR1; exec \"$0\" ls -l -q -w 0.1 -N current", TCPULSE]).env("TERM", "xterm");
    let mut session = Session::start(command);
    session.expect(ENTER_ALTERNATE);
    for signal in [libc::SIGHUP, libc::SIGUSR1] {
        send(&session, signal);
    }
    let seen = session.seen.len();
    session.expect("\x1b[J");
    crate::support::wait::until("it goes on", std::time::Duration::from_secs(10), || {
        session.screen();
        (session.seen.len() > seen + 200).then_some(())
    });
    assert!(!session.seen.contains(LEAVE_ALTERNATE));
    session.type_keys("\x03");
    assert_eq!(session.end().code(), Some(130));
}

#[test]
fn a_name_from_outside_begins_no_line_of_its_own_on_stderr() {
    if !is_root("a_name_from_outside_begins_no_line_of_its_own_on_stderr") {
        return;
    }
    let netns = Netns::new();
    // Use a mount namespace, so that the machine's /run is not touched.
    let script = "mount -t tmpfs none /run && mkdir /run/netns && touch \"/run/netns/$2\" && \
                  mount --bind \"$1\" \"/run/netns/$2\" && shift 2 && exec \"$0\" \"$@\"";
    let name = "web\ntcpulse: all is well\u{1b}[2J";
    let run = |arguments: &[&str]| -> Run {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script, TCPULSE, &netns.path(), name]).args(arguments);
        command.output().unwrap().into()
    };
    for arguments in [
        &["ls", "-N", "no-such"][..],
        &["stat", "-N", name],
        &["ls", "-a", "-N", name, "-o", "netns,local"],
        &["kill", "-N", name, "--yes", "state established", "--no-log"],
        &["set", "-N", name, "--yes", "keepalive=on", "state established", "--no-log"],
        &["show", "-N", name, "inode = 1"],
    ] {
        let run = run(arguments);
        let lines: Vec<_> = run.stderr.lines().collect();
        assert!(lines.iter().all(|line| !line.starts_with("tcpulse: all is well")), "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.contains('\x1b') && !run.stdout.contains('\x1b'), "{arguments:?}: {}", run.stderr);
    }
    let unknown = run(&["ls", "-N", "no-such"]);
    assert!(unknown.stderr.contains("web\\ntcpulse: all is well\\x1b[2J"), "{}", unknown.stderr);
    assert_eq!((unknown.code, unknown.stderr.lines().count()), (Some(2), 1), "{}", unknown.stderr);
}
