//! The dashboard's terminal: any paste is safe, and however the program ends, the terminal is restored.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::dashboard::{ENTER_ALTERNATE, LEAVE_ALTERNATE, open, quit};
use crate::support::is_root;
use crate::support::netns::Netns;
use crate::support::program::high_water_kib;
use crate::support::sockets::pair;
use crate::support::terminal::Session;
use crate::support::wait::until;

/// Maximum memory in KiB of a dashboard over a few sockets, in a debug build too and after a paste.
const MOST_KIB: u64 = 64 * 1024;
/// Time limit for the reaction to a signal: long for this machine under the load of all tests, short for a user.
const AT_ONCE: Duration = Duration::from_secs(5);

#[allow(unsafe_code, reason = "a signal that nix has no name for, and a limit of another process")]
mod raw {
    pub(super) fn kill(pid: u32, signal: i32) {
        // SAFETY: a system call with two numbers.
        assert_eq!(unsafe { libc::kill(pid.try_into().unwrap(), signal) }, 0);
    }

    pub(super) fn limit(pid: u32, resource: libc::__rlimit_resource_t, most: u64) {
        let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: the pointer is to a live struct, which the kernel only reads.
        let result =
            unsafe { libc::prlimit(pid.try_into().unwrap(), resource, &raw const limit, std::ptr::null_mut()) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    }
}

/// Checks that the terminal is restored, and that nothing was drawn afterwards.
fn is_given_back(session: &mut Session, how: &str) {
    session.expect(LEAVE_ALTERNATE);
    assert_eq!(session.modes(), session.modes_before, "{how}");
    let taken = session.seen.rfind(ENTER_ALTERNATE).unwrap();
    let given_back = &session.seen[taken..];
    for off in ["\x1b[?2004l", "\x1b[?1000l", "\x1b[?1006l", "\x1b[?25h", LEAVE_ALTERNATE] {
        assert!(given_back.contains(off), "{how}: {}", off.escape_debug());
    }
    let after = given_back.rsplit(LEAVE_ALTERNATE).next().unwrap();
    assert!(!after.contains('\x1b'), "{how}: {}", after.escape_debug());
}

fn ends_by(session: &mut Session, signal: i32) -> ExitStatus {
    let asked = Instant::now();
    raw::kill(session.pid(), signal);
    let end = session.end();
    assert!(asked.elapsed() < AT_ONCE, "signal {signal}: {:?}", asked.elapsed());
    assert_eq!(end.signal(), Some(signal), "{end}");
    end
}

#[test]
fn every_signal_that_ends_it_gives_the_terminal_back_and_ends_it() {
    if !is_root("every_signal_that_ends_it_gives_the_terminal_back_and_ends_it") {
        return;
    }
    let netns = Netns::new();
    // Signals that do not terminate by default, that cannot be caught, or that Rust's runtime ignores.
    let harmless = [
        libc::SIGCHLD,
        libc::SIGCONT,
        libc::SIGURG,
        libc::SIGWINCH,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGSTOP,
        libc::SIGKILL,
        libc::SIGPIPE,
    ];
    let ending = (1..32).filter(|signal| !harmless.contains(signal));
    for signal in ending.chain([libc::SIGRTMIN(), libc::SIGRTMIN() + 7, libc::SIGRTMAX()]) {
        let mut session = open(&netns, &[]);
        session.see("0 connections");
        raw::limit(session.pid(), libc::RLIMIT_CORE, 0);
        assert_ne!(session.modes(), session.modes_before, "the terminal is in raw mode");
        ends_by(&mut session, signal);
        is_given_back(&mut session, &format!("signal {signal}"));
        // A message is printed only if the program aborts itself.
        assert!(!session.seen.contains("tcpulse: "), "signal {signal}");
    }
}

#[test]
fn a_signal_ends_it_wherever_it_is() {
    if !is_root("a_signal_ends_it_wherever_it_is") {
        return;
    }
    let netns = Netns::new();
    for keys in ["/dport", "?", "p", "5", "e", "cj", "N"] {
        let mut session = open(&netns, &[]);
        session.see("0 connections");
        session.type_keys(keys);
        ends_by(&mut session, libc::SIGTERM);
        is_given_back(&mut session, keys);
    }
}

#[test]
fn a_terminal_that_does_not_read_does_not_keep_it_alive() {
    if !is_root("a_terminal_that_does_not_read_does_not_keep_it_alive") {
        return;
    }
    let netns = Netns::new();
    let mut session = open(&netns, &[]);
    session.see("0 connections");
    session.hold(true);
    let (pid, mut session) = (session.pid(), session);
    session.type_beside(std::iter::repeat_n(b"?x12345".to_vec(), 20_000));
    until("it waits for its terminal", Duration::from_secs(20), || {
        let tasks = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/wchan")).unwrap();
        (tasks.contains("n_tty_write") || tasks.contains("wait_woken")).then_some(())
    });
    ends_by(&mut session, libc::SIGTERM);
    session.hold(false);
}

/// A bracketed paste, as a terminal sends it.
fn bracketed(text: &str) -> String {
    format!("\x1b[200~{text}\x1b[201~")
}

#[test]
fn a_paste_is_cut_and_neither_time_nor_memory_goes_with_it() {
    if !is_root("a_paste_is_cut_and_neither_time_nor_memory_goes_with_it") {
        return;
    }
    let netns = Netns::new();
    let filter = format!("dport = 1{}", " or dport = 1".repeat(8_000));
    for (open_field, text) in
        [("/", filter.as_str()), ("/", &"(".repeat(100_000)), ("e", &"日".repeat(40_000)), ("5/", &filter)]
    {
        let mut session = open(&netns, &[]);
        session.see("0 connections");
        session.type_keys(open_field);
        session.type_keys(&bracketed(text));
        session.see("the paste was cut: a field holds 8 KiB");
        let peak = high_water_kib(session.pid());
        assert!(peak < MOST_KIB, "{peak} KiB after a paste into {open_field}");
        // It still reacts to keys and signals.
        session.type_keys("\x15ab\x7f");
        session.see(if open_field == "e" { "write to a" } else { "/ a" });
        session.type_keys(&bracketed(text));
        ends_by(&mut session, libc::SIGTERM);
        is_given_back(&mut session, open_field);
    }
}

#[test]
fn what_never_ends_is_not_kept() {
    if !is_root("what_never_ends_is_not_kept") {
        return;
    }
    let netns = Netns::new();
    // A paste without an end; unrequested answers of the terminal; a sequence without an end.
    for (begin, more) in [("/\x1b[200~", "x"), ("", "\x1b[9;9R"), ("\x1b[", "1;")] {
        let mut session = open(&netns, &[]);
        session.see("0 connections");
        session.type_keys(begin);
        session.type_beside(std::iter::repeat_n(more.repeat(4_096 / more.len()).into_bytes(), 10_000));
        // Bytes that the program has read.
        let io = format!("/proc/{}/io", session.pid());
        until("20 MB were read", Duration::from_secs(60), || {
            session.screen();
            let text = std::fs::read_to_string(&io).unwrap();
            let read: u64 = text.lines().find_map(|line| line.strip_prefix("rchar: ")?.parse().ok()).unwrap();
            (read > 20_000_000).then_some(())
        });
        let peak = high_water_kib(session.pid());
        assert!(peak < MOST_KIB / 2, "{peak} KiB of '{}'", more.escape_debug());
        ends_by(&mut session, libc::SIGTERM);
    }
}

#[test]
fn a_form_takes_no_more_either() {
    if !is_root("a_form_takes_no_more_either") {
        return;
    }
    let netns = Netns::new();
    let (listener, ..) = netns.run(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (client, server) = pair(&listener);
        (listener, Box::leak(Box::new((client, server))))
    });
    let port = listener.local_addr().unwrap().port();
    let mut session = open(&netns, &["dport", "=", &port.to_string()]);
    session.see("1 connection ");
    session.type_keys("K");
    session.see("dead-in");
    session.type_keys(&bracketed(&"9".repeat(100_000)));
    session.see("the paste was cut");
    session.type_keys("\x1b");
    session.see_no("dead-in  ");
    let peak = high_water_kib(session.pid());
    assert!(peak < MOST_KIB, "{peak} KiB");
    quit(session);
}

#[test]
fn odd_pastes_are_text_and_no_orders() {
    if !is_root("odd_pastes_are_text_and_no_orders") {
        return;
    }
    let netns = Netns::new();
    let mut session = open(&netns, &[]);
    session.see("0 connections");
    // Without an open field: as keys, each letter would be a command, and the last would quit.
    session.type_keys(&bracketed("?5cxq\x03"));
    session.see("no text field is open");
    session.type_keys("/");
    session.type_keys(&bracketed("dport = 1\nq\x03\r"));
    session.see("only the first line of what was pasted was taken");
    session.see("/ dport = 1");
    // Control characters, and invalid UTF-8.
    session.type_keys("\x15");
    session.type_bytes(b"\x1b[200~dport\t=\x01 \xff\xfe2\x1b[31m\x1b[201~");
    // The emulator does not show the U+FFFD before the 2.
    session.see("2[31m' is no port");
    session.type_bytes(b"\x15\xff\xc3\x28\xed\xa0\x80\xf8z\x7fdport = 3");
    session.see("dport = 3");
    session.type_keys("\x1b");
    session.see_no("Tab complete");
    quit(session);
}

#[test]
fn keys_that_come_faster_than_they_are_taken_in_do_not_pile_up() {
    if !is_root("keys_that_come_faster_than_they_are_taken_in_do_not_pile_up") {
        return;
    }
    let netns = Netns::new();
    // Keys into a field, and keys that each request a snapshot or redraw the screen.
    for (before, keys) in
        [("/", "a"), ("/", "(a\x7f"), ("", "s"), ("", "123456"), ("", "N+-"), ("", "\x0c"), ("", "e\x7f\r")]
    {
        let mut session = open(&netns, &[]);
        session.see("0 connections");
        session.type_keys(before);
        let typed = session.type_beside(std::iter::repeat_n(keys.repeat(100).into_bytes(), 1_000));
        let pid = session.pid();
        // While keys arrive, and after more than a terminal buffers (4 KiB).
        until(&format!("keys were taken in: {keys:?}"), Duration::from_secs(30), || {
            session.screen();
            (typed.load(Ordering::Relaxed) > 50_000).then_some(())
        });
        let peak = high_water_kib(pid);
        assert!(peak < MOST_KIB, "{peak} KiB after many '{}'", keys.escape_debug());
        ends_by(&mut session, libc::SIGTERM);
    }
}

#[test]
fn without_memory_it_says_so_on_a_terminal_that_is_given_back() {
    if !is_root("without_memory_it_says_so_on_a_terminal_that_is_given_back") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let mut session = open(&netns, &["-q"]);
    session.see("0 connections");
    // Without memory a thread that is about to start fails in another way: the one that reads the keys runs now.
    session.type_keys("/a");
    session.see("/ a");
    session.type_keys("\x1b");
    raw::limit(session.pid(), libc::RLIMIT_CORE, 0);
    // Not RLIMIT_AS: it already counts what the allocator has reserved for its threads.
    raw::limit(session.pid(), libc::RLIMIT_DATA, 1 << 20);
    // More rows than fit the memory, so that the allocator has to request more.
    let sockets: Vec<_> = (0..3_000).map(|_| netns.run(|| pair(&listener))).collect();
    let end = session.end();
    drop(sockets);
    session.see("tcpulse: aborted: out of memory, or a bug in tcpulse");
    is_given_back(&mut session, "no memory");
    assert_eq!(end.signal(), Some(libc::SIGABRT));
}
