//! Input that would exhaust memory or time: each run ends at once with an error that says what to do.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::host::{Host, Rights};
use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{Run, command_in};
use crate::support::seccomp::starve_receives;
use crate::support::sockets::connection;
use crate::support::terminal::Session;

/// Limit of the address space of a run in bytes; the program itself takes some 100 MB.
const MEMORY: u64 = 1 << 30;
const SOON: Duration = Duration::from_secs(20);

/// Limits the memory of the command.
#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn limit_memory(command: &mut Command) -> &mut Command {
    use nix::sys::resource::{Resource, setrlimit};
    let limit = || Ok(setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY)?);
    // SAFETY: the closure makes only a system call.
    unsafe { command.pre_exec(limit) }
}

fn timed(command: &mut Command) -> Run {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may hang, which is what is tested.
    let pid = child.id();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = |mut from: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            from.read_to_end(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        })
    };
    let (stdout, stderr) = (read(Box::new(stdout)), read(Box::new(stderr)));
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > SOON {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("process {pid} did not end: {}", stderr.join().unwrap());
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let code = child.wait().unwrap().code();
    Run { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

#[test]
fn no_filter_takes_more_than_its_share_of_memory_and_time() {
    if !is_root("no_filter_takes_more_than_its_share_of_memory_and_time") {
        return;
    }
    let netns = Netns::new();
    let _connection = connection(&netns, "127.0.0.1:0");
    let many = |part: &str, count: usize| vec![part; count].join(" ");
    let list = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    for (filter, code, words) in [
        (format!("~ /{}/", "()".repeat(45_000)), 2, "more than 4096; search for less"),
        (format!("~ /{}/", "()".repeat(2_000)), 2, "more than 16; write (?:…)"),
        ("~ /((a{100}){100}){100}/".to_owned(), 2, "size limit"),
        (many("~ /a{4000}/", 5_000), 2, "more than 32 regular expressions"),
        (format!("~ /{}/", vec!["nginx"; 600].join("|")), 0, ""),
        (format!("sport in {{{}}}", list(15_000)), 0, ""),
        (format!("fwmark in {{{}}}", list(15_000)), 0, ""),
        (format!("{} established", many("not", 30_000)), 0, ""),
        (format!("{}established{}", "(".repeat(1_000), ")".repeat(1_000)), 0, ""),
        (format!("{}established", "(".repeat(100_000)), 2, "more than 1024 parentheses"),
        (many(":1 or", 20_000) + " :1", 0, ""),
    ] {
        let mut command = command_in(&netns, User::Root);
        // Several arguments: the kernel accepts at most 128 KiB in one.
        limit_memory(&mut command).args(["ls", "-N", "current", "-q"]).args(filter.split(' ').take(100_000));
        let run = timed(&mut command);
        let shown: String = filter.chars().take(40).collect();
        assert_eq!(run.code, Some(code), "{shown}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{shown}: {}", run.stderr);
    }
}

/// Replaces a file by something that is not a regular file, or is too large.
fn spoil(path: &Path, kind: &str) {
    match kind {
        "a FIFO" => nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap(),
        "a device" => std::os::unix::fs::symlink("/proc/self/fd/9", path).unwrap(),
        "large" => std::fs::File::create(path).unwrap().set_len(64 << 20).unwrap(),
        "a directory" => std::fs::create_dir(path).unwrap(),
        _ => std::fs::write(path, b"theme = \"\xff\"").unwrap(),
    }
}

#[test]
fn a_configuration_that_is_no_small_file_is_an_error_that_names_it() {
    if !is_root("a_configuration_that_is_no_small_file_is_an_error_that_names_it") {
        return;
    }
    let netns = Netns::new();
    for (kind, words) in [
        ("a FIFO", "it is a FIFO, and only a regular file is read"),
        ("large", "it is larger than 1 MiB"),
        ("a directory", "it is a directory"),
        ("no text", "it is not UTF-8 text"),
        ("zero", "it is a device"),
    ] {
        let host = Host::new();
        let path = host.etc("tcpulse/config.toml");
        if kind == "zero" {
            std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        } else {
            spoil(&path, kind);
        }
        let mut command = command_in(&netns, User::Root);
        limit_memory(&mut command).args(["-N", "current"]).env("XDG_CONFIG_HOME", host.etc(""));
        let mut session = Session::start(command);
        session.expect(words);
        assert!(session.seen.contains("tcpulse/config.toml cannot be read: "), "{kind}: {}", session.seen);
        assert!(session.seen.contains("move it away"), "{kind}: {}", session.seen);
        assert_eq!(session.end().code(), Some(2), "{kind}");
    }
}

#[test]
fn services_that_are_no_small_file_are_not_known() {
    if !is_root("services_that_are_no_small_file_are_not_known") {
        return;
    }
    let netns = Netns::new();
    for kind in ["a FIFO", "large", "a directory"] {
        let host = Host::new();
        spoil(&host.etc("services"), kind);
        let mut command = host.command(&netns, Rights::Root);
        let run = timed(command.args(["ls", "-N", "current", "dport", "=", "https"]));
        assert_eq!(run.code, Some(2), "{kind}: {}", run.stderr);
        assert!(run.stderr.contains("'https'"), "{kind}: {}", run.stderr);
    }
    let host = Host::new();
    std::fs::write(host.etc("services"), b"# \xff\nhttps 443/tcp\n").unwrap();
    let run = timed(host.command(&netns, Rights::Root).args(["ls", "-N", "current", "-q", "dport", "=", "https"]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_kernel_that_answers_nothing_for_ever_is_given_up() {
    if !is_root("a_kernel_that_answers_nothing_for_ever_is_given_up") {
        return;
    }
    let netns = Netns::new();
    let _connection = connection(&netns, "127.0.0.1:0");
    for errno in [0, libc::ENOBUFS.cast_unsigned()] {
        for source in ["auto", "sock_diag"] {
            let mut command = command_in(&netns, User::Root);
            starve_receives(&mut command, errno);
            let run = timed(command.args(["ls", "-N", "current", "--no-header", "--source", source]));
            if source == "auto" {
                assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 2), "{errno}: {}", run.stderr);
            } else {
                assert_eq!(run.code, Some(1), "{errno}: {}", run.stderr);
                assert!(run.stderr.contains("no answer among "), "{errno}: {}", run.stderr);
            }
        }
    }
}

#[test]
fn a_terminal_that_claims_to_be_endless_takes_no_more_memory_than_a_large_one() {
    if !is_root("a_terminal_that_claims_to_be_endless_takes_no_more_memory_than_a_large_one") {
        return;
    }
    let netns = Netns::new();
    let _connection = connection(&netns, "127.0.0.1:0");
    for (columns, rows) in [(u16::MAX, u16::MAX), (u16::MAX, 1), (1, u16::MAX), (120, 40)] {
        let mut command = command_in(&netns, User::Root);
        limit_memory(&mut command).args(["-N", "current"]).env_remove("XDG_CONFIG_HOME").env("HOME", "/nonexistent");
        let mut session = Session::start_claiming(command, columns, rows);
        session.expect("\x1b[?1049h");
        // The terminal may also grow while it runs. Output beyond the test's terminal wraps, so check the output and
        // not the screen.
        session.claim(u16::MAX, u16::MAX);
        session.expect("\x1b[200;");
        session.expect("established");
        session.type_keys("q");
        assert_eq!(session.end().code(), Some(0), "{columns}x{rows}: {}", session.seen);
    }
    let mut command = command_in(&netns, User::Root);
    limit_memory(&mut command).args(["ls", "-w", "-N", "current"]);
    let mut session = Session::start_claiming(command, u16::MAX, u16::MAX);
    session.expect("2 established");
    session.type_keys("\x03");
    assert_eq!(session.end().code(), Some(130), "{}", session.seen);
}
