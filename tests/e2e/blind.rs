//! Gaps: what could not be seen is reported with its real reason, and never mistaken for something else.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use serde_json::Value;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::processes::Sleeper;
use crate::support::program::{Run, command_in, tcpulse, tcpulse_in};
use crate::support::seccomp::refuse;
use crate::support::sockets::{bind, socket};

/// A namespace with a listener, which a process besides this one also holds.
fn held_listener() -> (Netns, TcpListener, Sleeper) {
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let sleeper = Sleeper::holding(&netns, &[&listener]);
    (netns, listener, sleeper)
}

fn run(mut command: Command, arguments: &[&str]) -> Run {
    command.args(arguments).output().unwrap().into()
}

/// Limits the descriptors of the command, soft and hard.
#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn limit_descriptors(command: &mut Command, limit: u64) {
    let limit = move || setrlimit(Resource::RLIMIT_NOFILE, limit, limit).map_err(Into::into);
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(limit) };
}

/// Runs the command in a mount namespace of its own, where `path` is empty.
#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn mask(command: &mut Command, path: &'static str) {
    let mask = move || {
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
        mount(Some("none"), path, Some("tmpfs"), MsFlags::empty(), None::<&str>).map_err(Into::into)
    };
    // SAFETY: the closure makes only system calls; nix copies short paths to the stack.
    unsafe { command.pre_exec(mask) };
}

fn gap<'a>(document: &'a Value, what: &str) -> &'a Value {
    let gaps = document["gaps"].as_array().unwrap();
    gaps.iter().find(|gap| gap["what"] == what).unwrap_or_else(|| panic!("no gap of {what}: {gaps:?}"))
}

#[test]
fn out_of_descriptors_no_socket_is_called_the_kernels() {
    if !is_root("out_of_descriptors_no_socket_is_called_the_kernels") {
        return;
    }
    let (netns, listener, sleeper) = held_listener();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut partial = 0;
    for limit in 4..24 {
        let mut command = command_in(&netns, User::Root);
        limit_descriptors(&mut command, limit);
        let arguments = ["ls", "-N", "current", "--strict", "-o", "process", "-l", "sport", "=", &port];
        let Run { code, stdout, stderr } = run(command, &arguments);
        let is_found = stdout.contains(&format!("sleep[{}]", sleeper.pid()));
        match code {
            Some(0) => assert!(is_found, "{limit}: {stdout}{stderr}"),
            Some(4) if is_found => {}
            Some(4) => {
                // The other owner, this process, may be found.
                assert!(stdout.contains("(hidden)") || stdout.contains("e2e-"), "{limit}: {stdout}{stderr}");
                assert!(stderr.contains("open files") && stderr.contains("ulimit"), "{limit}: {stderr}");
                partial += 1;
            }
            Some(1) => assert!(stderr.contains("open files"), "{limit}: {stderr}"),
            // The dynamic loader had no descriptor left for the C library.
            Some(127) => {}
            code => panic!("{limit}: {code:?}: {stdout}{stderr}"),
        }
        assert!(!stdout.contains("(kernel)"), "{limit}: {stdout}");
    }
    assert!(partial > 0, "no limit hid the owner and left the rest");
}

#[test]
fn every_error_of_the_owners_scan_is_a_gap_with_its_reason() {
    if !is_root("every_error_of_the_owners_scan_is_a_gap_with_its_reason") {
        return;
    }
    let (netns, _listener, _sleeper) = held_listener();
    for (errno, why) in
        [(libc::EACCES, "permission denied"), (libc::ENOMEM, "allocate memory"), (libc::EIO, "Input/output error")]
    {
        let mut command = command_in(&netns, User::Root);
        refuse(&mut command, libc::SYS_readlinkat, errno);
        let run = run(command, &["--json", "-N", "current"]);
        let document = run.json();
        let gap = gap(&document, "process owners");
        assert!(gap["why"].as_str().unwrap().contains(why), "{gap}");
        assert!(gap["example"].as_str().unwrap().ends_with(']'), "{gap}");
        assert!(document["connections"].as_array().unwrap().iter().all(|row| row["holder"] == "hidden"), "{document}");
        assert!(!run.stderr.contains("run as root"), "said to root: {}", run.stderr);
    }
}

#[test]
fn options_that_may_not_be_read_have_a_reason() {
    if !is_root("options_that_may_not_be_read_have_a_reason") {
        return;
    }
    let netns = Netns::new();
    let (_listener, _client) = netns.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap();
        ((listener, server), client)
    });
    let mut command = command_in(&netns, User::Root);
    refuse(&mut command, libc::SYS_getsockopt, libc::EPERM);
    let document = run(command, &["show", "--json", "-q", "-N", "current", "state", "established"]).json();
    let gap = gap(&document, "socket options");
    assert!(gap["why"].as_str().unwrap().contains("getsockopt"), "{gap}");
    assert_eq!(gap["count"], 2, "{gap}");
}

#[test]
fn root_is_told_which_capability_is_missing_and_for_which_process() {
    if !is_root("root_is_told_which_capability_is_missing_and_for_which_process") {
        return;
    }
    let (netns, _listener, _sleeper) = held_listener();
    // Only its own user, or CAP_SYS_PTRACE, may read its descriptors.
    let guarded = Sleeper::of(User::Nobody, &netns, &[]);
    let mut command = command_in(&netns, User::Root);
    drop_capability(&mut command, 19);
    let run = run(command, &["--json", "-N", "current"]);
    let document = run.json();
    let gap = gap(&document, "process owners");
    assert_eq!(gap["remedy"], "grant CAP_SYS_PTRACE", "{gap}");
    assert!(run.stderr.contains("grant CAP_SYS_PTRACE") && !run.stderr.contains("as root"), "{}", run.stderr);
    drop(guarded);
}

/// Takes a capability from root when the program is executed.
#[allow(unsafe_code, reason = "libc")]
fn drop_capability(command: &mut Command, number: libc::c_ulong) {
    let drop = move || {
        // SAFETY: one system call with numbers.
        let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, number, 0, 0, 0) };
        if dropped == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(drop) };
}

#[test]
fn masked_sysctls_are_a_gap() {
    if !is_root("masked_sysctls_are_a_gap") {
        return;
    }
    let (netns, _listener, _sleeper) = held_listener();
    let mut command = command_in(&netns, User::Root);
    mask(&mut command, "/proc/sys");
    let document = run(command, &["--json", "-q", "-N", "current"]).json();
    let gap = gap(&document, "sysctls");
    assert!(gap["example"].as_str().unwrap().starts_with("net.ipv4.tcp_keepalive_time"), "{gap}");
    assert!(gap["remedy"].as_str().unwrap().contains("/proc/sys"), "{gap}");
    let masked = tcpulse_in(&netns, User::Root, &["--json", "-q", "-N", "current"]).json();
    assert!(masked["gaps"].as_array().unwrap().iter().all(|gap| gap["what"] != "sysctls"));
}

#[test]
fn more_namespaces_than_descriptors_are_all_read() {
    if !is_root("more_namespaces_than_descriptors_are_all_read") {
        return;
    }
    let held: Vec<_> = (0..40).map(|_| held_listener()).collect();
    let here = Netns::new();
    let mut command = command_in(&here, User::Root);
    limit_descriptors(&mut command, 24);
    let Run { stdout, stderr, .. } = run(command, &["ls", "-l", "--no-header", "-o", "netns,local-port,process"]);
    for (netns, listener, sleeper) in &held {
        let (netns, port) = (netns.inode().to_string(), listener.local_addr().unwrap().port().to_string());
        let row = stdout.lines().find(|line| line.starts_with(&netns) && line.contains(&port));
        let row = row.unwrap_or_else(|| panic!("no {netns} {port}: {stdout}{stderr}"));
        assert!(row.contains(&format!("sleep[{}]", sleeper.pid())), "{row}: {stderr}");
    }
}

#[test]
fn a_namespace_with_nothing_but_a_bound_socket_is_not_taken_for_empty() {
    if !is_root("a_namespace_with_nothing_but_a_bound_socket_is_not_taken_for_empty") {
        return;
    }
    let netns = Netns::new();
    let _inhabitant = Sleeper::holding(&netns, &[]);
    let _bound = netns.run(|| {
        let bound = socket(libc::AF_INET, libc::IPPROTO_TCP, 0);
        bind(&bound, "127.0.0.1:4747".parse().unwrap());
        bound
    });
    let document = tcpulse(&["--json", "-q"]).json();
    let rows = document["connections"].as_array().unwrap();
    let found = rows.iter().find(|row| row["netns"] == netns.inode()).expect("the bound socket");
    assert_eq!((&found["state"], &found["local"]["port"]), (&"bound-inactive".into(), &4747.into()));
}

#[test]
fn a_filter_by_processes_finds_every_holder_of_a_socket() {
    if !is_root("a_filter_by_processes_finds_every_holder_of_a_socket") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port().to_string();
    // Under another descriptor number than in this process, as after SCM_RIGHTS.
    let other = Sleeper::crowded(&netns, MANY, &listener);
    let pid = other.pid().to_string();
    let arguments = ["ls", "-l", "-q", "-N", "current", "-o", "pid", "sport", "=", &port, "and", "pid", "=", &pid];
    let run = tcpulse_in(&netns, User::Root, &arguments);
    assert!(run.stdout.contains(&pid), "{}{}", run.stdout, run.stderr);
    let json = ["ls", "-l", "-q", "-N", "current", "--json", "sport", "=", &port];
    let owners = tcpulse_in(&netns, User::Root, &json).json()["connections"][0]["owners"].clone();
    assert!(owners.as_array().unwrap().iter().any(|owner| owner["pid"] == other.pid()), "{owners}");
    drop(listener);
}

/// More descriptors than are read of a process that holds none of the sockets in question.
const MANY: usize = 3_000;

#[test]
fn a_socket_shared_by_processes_with_very_many_descriptors_shows_each_of_them() {
    if !is_root("a_socket_shared_by_processes_with_very_many_descriptors_shows_each_of_them") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let many: Vec<_> = (0..3).map(|_| Sleeper::crowded(&netns, MANY, &listener)).collect();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let run = tcpulse_in(&netns, User::Root, &["ls", "-l", "-N", "current", "-o", "pid", "sport", "=", &port]);
    for sleeper in &many {
        assert!(run.stdout.contains(&sleeper.pid().to_string()), "no {}: {}{}", sleeper.pid(), run.stdout, run.stderr);
    }
}
