//! Snapshots while thousands of connections open and close.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::tcpulse_in;
use crate::support::sockets::{bind, listener, pair, set_option, socket};

const LASTING: usize = 300;
const DURATION: Duration = Duration::from_secs(10);
const LEAST_A_SECOND: u64 = 3000;

/// Connects from many addresses, so that ports in TIME-WAIT do not run out.
fn churn(target: SocketAddr, stop: &AtomicBool, made: &AtomicU64) {
    let begun = Instant::now();
    for source in (0_u8..=255).cycle() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // At most twice the required rate: at full speed the snapshots would contain only TIME-WAIT.
        while u128::from(made.load(Ordering::Relaxed)) > begun.elapsed().as_millis() * u128::from(LEAST_A_SECOND) / 500
        {
            thread::park_timeout(Duration::from_millis(1));
        }
        let client = socket(libc::AF_INET, libc::IPPROTO_TCP, 0);
        // Let connect() choose the port, by the whole 4-tuple: bind() takes ever longer to find one.
        set_option(&client, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1);
        bind(&client, SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, source), 0)));
        let target = nix::sys::socket::SockaddrStorage::from(target);
        if nix::sys::socket::connect(client.as_raw_fd(), &target).is_ok() {
            made.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn under_churn_what_lasts_is_there_exactly_once_and_no_cookie_twice() {
    if !is_root("under_churn_what_lasts_is_there_exactly_once_and_no_cookie_twice") {
        return;
    }
    let netns = Netns::new();
    let (listener, lasting) = netns.run(|| {
        // With a full queue each connect() would wait 1 s for its SYN to be retransmitted.
        let listener = listener("127.0.0.1:0".parse().unwrap(), 4096);
        let pairs: Vec<_> = (0..LASTING).map(|_| pair(&listener)).collect();
        (listener, pairs)
    });
    let ports: BTreeSet<_> = lasting.iter().map(|(client, _)| client.local_addr().unwrap().port()).collect();
    let target = listener.local_addr().unwrap();
    let (stop, made) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let _end = StopAtEnd { stop: &stop, netns: &netns, target };
        scope.spawn(|| accept(&listener, &stop));
        scope.spawn(|| netns.run(|| churn(target, &stop, &made)));
        let begun = Instant::now();
        let enough = DURATION.as_secs() * LEAST_A_SECOND;
        let mut snapshots = 0;
        while begun.elapsed() < DURATION || made.load(Ordering::Relaxed) < enough {
            assert!(begun.elapsed() < 6 * DURATION, "only {} connections: no churn", made.load(Ordering::Relaxed));
            check(&netns, &ports, target.port());
            snapshots += 1;
        }
        eprintln!("{snapshots} snapshots over {} connections in {:?}", made.load(Ordering::Relaxed), begun.elapsed());
    });
}

/// Stops the threads even if a check panics: otherwise the scope would wait for them for ever.
struct StopAtEnd<'a> {
    stop: &'a AtomicBool,
    netns: &'a Netns,
    target: SocketAddr,
}

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that blocks in accept().
        self.netns.run(|| drop(TcpStream::connect(self.target)));
    }
}

fn accept(listener: &TcpListener, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        drop(listener.accept().unwrap());
    }
}

fn check(netns: &Netns, ports: &BTreeSet<u16>, server: u16) {
    let document = tcpulse_in(netns, User::Root, &["--json", "-q", "--no-processes", "-N", "current"]).json();
    let (mut clients, mut servers) = (BTreeMap::<u16, u32>::new(), BTreeMap::<u16, u32>::new());
    let mut cookies = BTreeSet::new();
    for row in document["connections"].as_array().unwrap() {
        assert!(cookies.insert(row["cookie"].as_str().unwrap().to_owned()), "twice: {row}");
        let [local, remote] = ["local", "remote"].map(|end| row[end]["port"].as_u64().unwrap() as u16);
        if row["state"] == "established" && row["local"]["addr"] == "127.0.0.1" && row["remote"]["addr"] == "127.0.0.1"
        {
            *if remote == server { clients.entry(local) } else { servers.entry(remote) }.or_default() += 1;
        }
    }
    for port in ports {
        assert_eq!((clients.get(port), servers.get(port)), (Some(&1), Some(&1)), "port {port}");
    }
}
