//! The dashboard for a long time, on a host where 2,000 connections per second open and close: one minute in `make
//! check`, ten in `make soak`. Its memory must not grow, and no key may be lost.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::is_root;
use support::netns::{Netns, User};
use support::program::command_in;
use support::terminal::Session;

const CONNECTIONS_A_SECOND: u64 = 2_000;
/// Default duration in seconds: the short run of `make check`.
const SECONDS: u64 = 60;

/// Opens and closes connections at this rate until it is stopped.
fn churn(netns: &Netns, is_over: &AtomicBool, made: &AtomicU64) {
    netns.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let began = Instant::now();
        while !is_over.load(Ordering::Relaxed) {
            let due = CONNECTIONS_A_SECOND * u64::try_from(began.elapsed().as_millis()).unwrap() / 1_000;
            if made.load(Ordering::Relaxed) >= due {
                std::thread::park_timeout(Duration::from_millis(1));
                continue;
            }
            let client = TcpStream::connect(address).unwrap();
            let (server, _) = listener.accept().unwrap();
            // Nearly all end without a TIME-WAIT, which would last a minute: the host's sockets would grow, and with
            // them the program's memory.
            let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
            let is_reset = !made.fetch_add(1, Ordering::Relaxed).is_multiple_of(64);
            if is_reset {
                nix::sys::socket::setsockopt(&client, nix::sys::socket::sockopt::Linger, &linger).unwrap();
            }
            drop(client);
            drop(server);
        }
    });
}

fn rss_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn memory_stays_flat_and_no_key_is_lost() {
    if !is_root("memory_stays_flat_and_no_key_is_lost") {
        return;
    }
    let seconds = std::env::var("TCPULSE_SOAK_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    let netns = Netns::new();
    netns.sysctl("ipv4/ip_local_port_range", "1024 65000");
    let home = std::env::temp_dir().join(format!("tcpulse-soak-{}", std::process::id()));
    std::fs::create_dir_all(home.join("tcpulse")).unwrap();
    std::fs::write(home.join("tcpulse/config.toml"), "interval = \"200ms\"\ncpu = 100\n").unwrap();
    let (is_over, made) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| churn(&netns, &is_over, &made));
        // Stops the churn even if an assertion fails.
        let _stop = Stop(&is_over);
        let mut command = command_in(&netns, User::Root);
        command.args(["-N", "current"]);
        command.env("XDG_CONFIG_HOME", &home).env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
        let mut session = Session::start(command);
        session.see("every 200ms");
        let (began, length) = (Instant::now(), Duration::from_secs(seconds));
        let (mut usual, mut most, mut keys) = (0, 0, 0);
        while began.elapsed() < length {
            // Each key must change the screen: through all views, into the help and back.
            for (key, sign) in [
                ("6", "LIFETIME"),
                ("?", "freeze the data"),
                ("x", "EVENT"),
                ("3", "CW-GROWTH"),
                ("2", "PORTS"),
                ("1", "KEEPALIVE"),
            ] {
                session.type_keys(key);
                session.see(sign);
                keys += 1;
            }
            let now = rss_kib(session.pid());
            if began.elapsed() < length / 4 {
                usual = usual.max(now);
            } else {
                most = most.max(now);
            }
        }
        let churned = made.load(Ordering::Relaxed);
        eprintln!(
            "{churned} connections in {seconds} s, {keys} keys, {usual} KiB in the first quarter, {most} KiB after it"
        );
        assert!(most <= usual + usual / 10, "{most} KiB after {usual} KiB in the first quarter");
        assert!(churned >= seconds * CONNECTIONS_A_SECOND / 2, "too little churn to tell anything: {churned}");
        session.type_keys("q");
        assert_eq!(session.end().code(), Some(0));
    });
    std::fs::remove_dir_all(home).unwrap();
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
