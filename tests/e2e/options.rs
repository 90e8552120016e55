//! Options read from descriptors of other processes: the owner's own values, or none.

use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::dup3;
use serde_json::Value;

use crate::support::is_root;
use crate::support::link::{keepalive, set_options, user_timeout};
use crate::support::netns::{Netns, User};
use crate::support::processes::Sleeper;
use crate::support::program::{command_in, tcpulse_in};
use crate::support::seccomp::refuse_pidfd_getfd;
use crate::support::sockets::{bind, option, pair, set_option, socket};

const JSON: &[&str] = &["--json", "-q", "-N", "current"];

fn rows(document: &Value) -> &[Value] {
    document["connections"].as_array().unwrap()
}

fn of_port(document: &Value, port: u16) -> &Value {
    let found = rows(document).iter().find(|row| row["local"]["port"] == port && row["state"] != "listen");
    found.unwrap_or_else(|| panic!("no port {port}"))
}

fn port(stream: &TcpStream) -> u16 {
    stream.local_addr().unwrap().port()
}

fn tcp(stream: &TcpStream, name: i32) -> i32 {
    option(stream, libc::IPPROTO_TCP, name)
}

/// Checks each key against getsockopt(2) on the owner's descriptor.
fn assert_read(row: &Value, owner: &TcpStream) {
    let keepalive = &row["keepalive"];
    assert_eq!(keepalive["source"], "socket", "{row}");
    assert_eq!(keepalive["enabled"], option(owner, libc::SOL_SOCKET, libc::SO_KEEPALIVE) != 0);
    for (key, name) in [
        ("idle_s", libc::TCP_KEEPIDLE),
        ("interval_s", libc::TCP_KEEPINTVL),
        ("probes", libc::TCP_KEEPCNT),
        ("user_timeout_ms", libc::TCP_USER_TIMEOUT),
    ] {
        assert_eq!(keepalive[key], tcp(owner, name), "{key} of {row}");
    }
    let options = &row["socket_options"];
    assert_eq!(options["linger2_s"], tcp(owner, libc::TCP_LINGER2));
    assert_eq!(options["nodelay"], tcp(owner, libc::TCP_NODELAY) != 0);
    // Both options have no meaning for an established connection.
    assert!(options["syncnt"].is_null() && options["defer_accept_s"].is_null(), "{options}");
    assert_eq!(options["linger_s"], owner.linger_s());
}

trait Linger {
    fn linger_s(&self) -> Value;
}

impl Linger for TcpStream {
    fn linger_s(&self) -> Value {
        let linger = nix::sys::socket::getsockopt(self, nix::sys::socket::sockopt::Linger).unwrap();
        if linger.l_onoff == 0 { Value::Null } else { linger.l_linger.into() }
    }
}

#[test]
fn a_thousand_sockets_have_the_values_their_owner_reads() {
    if !is_root("a_thousand_sockets_have_the_values_their_owner_reads") {
        return;
    }
    let netns = Netns::new();
    let pairs: Vec<_> = netns.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        (0..500).map(|_| pair(&listener)).collect()
    });
    for (index, (client, server)) in pairs.iter().enumerate() {
        let number = i32::try_from(index).unwrap();
        set_options(client, &keepalive(100 + number, 1 + number % 70, 1 + number % 127));
        set_options(server, &[keepalive(32_767 - number, 75, 9), vec![user_timeout(1000 + number)]].concat());
        set_option(server, libc::IPPROTO_TCP, libc::TCP_LINGER2, 1 + number % 100);
        client.set_nodelay(index % 2 == 0).unwrap();
        if index % 3 == 0 {
            let linger = libc::linger { l_onoff: 1, l_linger: number % 10 };
            nix::sys::socket::setsockopt(client, nix::sys::socket::sockopt::Linger, &linger).unwrap();
        }
    }
    let document = tcpulse_in(&netns, User::Root, JSON).json();
    for (client, server) in &pairs {
        let end = |stream: &TcpStream| {
            let (local, remote) = (stream.local_addr().unwrap().port(), stream.peer_addr().unwrap().port());
            let is = |row: &&Value| row["local"]["port"] == local && row["remote"]["port"] == remote;
            rows(&document).iter().find(is).unwrap().clone()
        };
        assert_read(&end(client), client);
        assert_read(&end(server), server);
    }
}

#[test]
fn a_listeners_values_are_what_its_connections_inherit() {
    if !is_root("a_listeners_values_are_what_its_connections_inherit") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    set_options(&listener, &keepalive(123, 45, 6));
    set_option(&listener, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 3);
    set_option(&listener, libc::IPPROTO_TCP, libc::TCP_SYNCNT, 2);
    let client = netns.run(|| TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    std::io::Write::write_all(&mut &client, b"data, for which it waits").unwrap();
    let (server, _) = listener.accept().unwrap();
    let document = tcpulse_in(&netns, User::Root, JSON).json();
    let listening = rows(&document).iter().find(|row| row["state"] == "listen").unwrap();
    let child = of_port(&document, port(&server));
    for key in ["enabled", "idle_s", "interval_s", "probes", "source"] {
        assert_eq!(listening["keepalive"][key], child["keepalive"][key]);
    }
    assert_eq!(listening["keepalive"]["idle_s"], 123);
    let deferred = option(&listener, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT);
    assert_eq!(
        (&listening["socket_options"]["defer_accept_s"], &listening["socket_options"]["syncnt"]),
        (&deferred.into(), &2.into())
    );
}

#[test]
fn nobody_reads_own_processes_and_infers_the_others() {
    if !is_root("nobody_reads_own_processes_and_infers_the_others") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let (own, foreign) = netns.run(|| (pair(&listener).0, pair(&listener).0));
    for stream in [&own, &foreign] {
        set_options(stream, &keepalive(60, 10, 6));
    }
    let _own = Sleeper::of(User::Nobody, &netns, &[&own]);
    let _foreign = Sleeper::of(User::Root, &netns, &[&foreign]);
    let document = tcpulse_in(&netns, User::Nobody, JSON).json();
    let own = &of_port(&document, port(&own))["keepalive"];
    assert_eq!((&own["source"], &own["idle_s"], &own["probes"]), (&"socket".into(), &60.into(), &6.into()));
    let row = of_port(&document, port(&foreign));
    let known = &row["keepalive"];
    assert_eq!((&known["source"], &known["enabled"]), (&"inferred".into(), &true.into()), "{row}");
    assert_eq!(known["unknown_because"], "its process is hidden from this user");
    assert!([Value::Null, 60.into()].contains(&known["idle_s"]) && known["probes"].is_null(), "{row}");
    assert_eq!(row["liveness"]["bound"], "at_least");
    assert!(row["liveness"]["dead_in_ms"].as_u64().unwrap() <= 120_000, "{row}");
}

#[test]
fn where_ptrace_is_denied_values_are_inferred_and_the_gap_says_so() {
    if !is_root("where_ptrace_is_denied_values_are_inferred_and_the_gap_says_so") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let (client, _server) = netns.run(|| pair(&listener));
    set_options(&client, &keepalive(60, 10, 6));
    let mut command = command_in(&netns, User::Root);
    refuse_pidfd_getfd(&mut command);
    let run = crate::support::program::Run::from(command.args(["--json", "-N", "current"]).output().unwrap());
    let document = run.json();
    let known = &of_port(&document, port(&client))["keepalive"];
    assert_eq!((&known["source"], &known["enabled"]), (&"inferred".into(), &true.into()));
    assert_eq!(known["unknown_because"], "not permitted to read its process's descriptors");
    let gaps = document["gaps"].as_array().unwrap();
    // The listener and both ends of the connection.
    assert!(gaps.iter().any(|gap| gap["what"] == "socket options" && gap["count"] == 3), "{gaps:?}");
    assert!(run.stderr.contains("socket options (3, not permitted"), "{}", run.stderr);
}

#[test]
fn no_sockopts_leaves_descriptors_alone() {
    if !is_root("no_sockopts_leaves_descriptors_alone") {
        return;
    }
    let netns = Netns::new();
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let (client, _server) = netns.run(|| pair(&listener));
    set_options(&client, &keepalive(60, 10, 6));
    let document = tcpulse_in(&netns, User::Root, &[JSON, &["--no-sockopts"]].concat()).json();
    assert!(
        rows(&document).iter().all(|row| row["keepalive"]["source"] != "socket" && row["socket_options"].is_null())
    );
    assert_eq!(of_port(&document, port(&client))["keepalive"]["enabled"], true);
    assert_eq!(of_port(&document, port(&client))["holder"], "process");
}

/// Stops the churn even if the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Idle time of a churned connection, derived from its port.
fn idle_of(port: u16) -> i32 {
    1000 + i32::from(port % 10_000)
}

#[test]
fn a_descriptor_number_used_again_never_lends_its_values_nor_holds_a_connection() {
    if !is_root("a_descriptor_number_used_again_never_lends_its_values_nor_holds_a_connection") {
        return;
    }
    let netns = Netns::new();
    // Otherwise the ports run out.
    netns.sysctl("ipv4/tcp_max_tw_buckets", "8");
    let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let churn = Churn::default();
    let slowest = std::thread::scope(|scope| {
        let reopening = scope.spawn(|| netns.run(|| reopen(&listener, &churn)));
        let stop = Stop(&churn.stop);
        let end = Instant::now() + Duration::from_secs(120);
        while churn.opened.load(Ordering::Relaxed) < 5000 || churn.read.load(Ordering::Relaxed) < ENOUGH_READ {
            assert!(Instant::now() < end, "{churn:?}");
            churn.looks_begun.fetch_add(1, Ordering::Relaxed);
            let document = tcpulse_in(&netns, User::Root, JSON).json();
            churn.looks_ended.fetch_add(1, Ordering::Relaxed);
            for row in rows(&document).iter().filter(|row| row["state"] == "established") {
                let keepalive = &row["keepalive"];
                let port = u16::try_from(row["local"]["port"].as_u64().unwrap()).unwrap();
                if keepalive["source"] == "socket" && port != listener.local_addr().unwrap().port() {
                    assert_eq!(keepalive["idle_s"], idle_of(port), "{row}");
                    churn.read.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        drop(stop);
        reopening.join().unwrap()
    });
    assert!(slowest < Duration::from_secs(1), "a FIN came {slowest:?} after the close");
}

/// Rows whose options were read while the descriptor changed hands.
const ENOUGH_READ: u32 = 20;

/// State shared by the thread that reopens connections and the one that takes snapshots.
#[derive(Debug, Default)]
struct Churn {
    stop: AtomicBool,
    opened: AtomicU32,
    read: AtomicU32,
    looks_begun: AtomicU32,
    looks_ended: AtomicU32,
}

impl Churn {
    /// Waits until a snapshot that began after this call has ended, or enough rows were read: beside many foreign
    /// processes a snapshot takes as long as hundreds of connections.
    fn wait_for_a_look(&self) {
        let begun = self.looks_begun.load(Ordering::Relaxed);
        while self.looks_ended.load(Ordering::Relaxed) <= begun
            && self.read.load(Ordering::Relaxed) < ENOUGH_READ
            && !self.stop.load(Ordering::Relaxed)
        {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}

/// Opens and closes connections under one descriptor number; returns the longest time from close to FIN.
fn reopen(listener: &TcpListener, churn: &Churn) -> Duration {
    let nothing = std::fs::File::open("/dev/null").unwrap();
    // The descriptor number is fixed; what it refers to is exchanged.
    let mut place = OwnedFd::from(nothing.try_clone().unwrap());
    let put = |what: &dyn AsFd, place: &mut OwnedFd| dup3(what.as_fd(), place, OFlag::O_CLOEXEC).unwrap();
    let mut slowest = Duration::ZERO;
    while !churn.stop.load(Ordering::Relaxed) {
        let client = TcpStream::from(socket(libc::AF_INET, libc::IPPROTO_TCP, 0));
        bind(&client, "127.0.0.1:0".parse().unwrap());
        set_options(&client, &keepalive(idle_of(port(&client)), 10, 6));
        let address = nix::sys::socket::SockaddrStorage::from(listener.local_addr().unwrap());
        nix::sys::socket::connect(client.as_raw_fd(), &address).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        put(&client, &mut place);
        drop(client);
        if churn.opened.load(Ordering::Relaxed).is_multiple_of(20) {
            // Some live long enough for a snapshot, and nothing else closes them.
            churn.wait_for_a_look();
            server.set_nonblocking(true).unwrap();
            assert!(std::io::Read::read(&mut server, &mut [0]).is_err());
            server.set_nonblocking(false).unwrap();
        }
        let closed = Instant::now();
        put(&nothing, &mut place);
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(std::io::Read::read(&mut server, &mut [0]).unwrap(), 0);
        slowest = slowest.max(closed.elapsed());
        churn.opened.fetch_add(1, Ordering::Relaxed);
    }
    slowest
}
