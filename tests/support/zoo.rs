//! A namespace with a real socket in every TCP state.

use std::collections::BTreeSet;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::netns::{Netns, User};
use super::skip::skip;
use super::sockets::{bind, connect_unanswered, fill, link_local, listen, listener, pair, set_option, socket};
use super::ss;
use super::wait::until;

/// Sockets in every state. The test process holds them; orphans and minisockets are held by the kernel.
pub struct Zoo {
    pub netns: Netns,
    pub listeners: Vec<TcpListener>,
    pub streams: Vec<TcpStream>,
    pub others: Vec<OwnedFd>,
}

/// Address outside every real network (RFC 2544), on a link whose other end drops all packets.
pub const BLACK_HOLE: &str = "198.18.0.2:9";

fn local(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

impl Zoo {
    pub fn new() -> Self {
        let netns = Netns::new();
        netns.ip("link add hole type veth peer name swallow");
        netns.ip("addr add 198.18.0.1/24 dev hole");
        netns.ip("link set hole up");
        netns.ip("link set swallow up");
        netns.ip("neigh replace 198.18.0.2 lladdr 02:00:00:00:00:02 nud permanent dev hole");
        netns.ip("-6 addr add fe80::1/64 dev lo nodad");
        let mut zoo = Self { netns, listeners: Vec::new(), streams: Vec::new(), others: Vec::new() };
        let (listeners, streams, others) = zoo.netns.run(|| {
            let mut cage = Cage::default();
            cage.quiet();
            cage.half_closed();
            cage.orphans();
            cage.queues();
            cage.families();
            cage.marked();
            cage.others.push(bound());
            (cage.listeners, cage.streams, cage.others)
        });
        (zoo.listeners, zoo.streams, zoo.others) = (listeners, streams, others);
        zoo
    }
}

impl Zoo {
    /// Waits until every state exists and nothing changes except the timers that have to run.
    pub fn settle(&self) {
        let mut last = None;
        until("the zoo settles", Duration::from_secs(10), || {
            let rows = ss::rows(&self.netns, User::Root);
            let look: Vec<_> =
                rows.iter().map(|(sk, row)| (sk.clone(), row.state.clone(), row.recv_q, row.send_q)).collect();
            let states: BTreeSet<_> = look.iter().map(|(_, state, ..)| state.as_str()).collect();
            // Data still in flight would be acknowledged between two snapshots.
            let at_rest = |row: &ss::Row| row.timer().is_none_or(|(name, ..)| name == "persist");
            let orphans_rest = rows.values().filter(|row| ORPHANS.contains(&row.state.as_str())).all(at_rest);
            let ready =
                orphans_rest && SS_STATES.iter().all(|state| states.contains(state)) && last.as_ref() == Some(&look);
            last = Some(look.clone());
            ready.then_some(())
        });
    }
}

const ORPHANS: [&str; 3] = ["FIN-WAIT-1", "LAST-ACK", "CLOSING"];

/// Every state of ss except the bound one, which its older versions do not print.
const SS_STATES: [&str; 10] = [
    "ESTAB",
    "SYN-SENT",
    "SYN-RECV",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "TIME-WAIT",
    "CLOSE-WAIT",
    "LAST-ACK",
    "LISTEN",
    "CLOSING",
];

/// Whether this kernel lists sockets that are only bound, as Linux does since 6.8. If not, notes it as skipped.
pub fn lists_bound_sockets(test: &str) -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-', '+']).map(|number| number.parse::<u32>().unwrap());
    let lists = (numbers.next().unwrap(), numbers.next().unwrap()) >= (6, 8);
    if !lists {
        skip(test, "Linux before 6.8 does not list sockets that are only bound");
    }
    lists
}

/// A socket that is bound, and neither listening nor connected.
fn bound() -> OwnedFd {
    let bound = socket(libc::AF_INET, libc::IPPROTO_TCP, 0);
    bind(&bound, local("127.0.0.1:0"));
    bound
}

#[derive(Default)]
struct Cage {
    listeners: Vec<TcpListener>,
    streams: Vec<TcpStream>,
    others: Vec<OwnedFd>,
}

impl Cage {
    fn listen(&mut self, address: &str) -> TcpListener {
        let listener = TcpListener::bind(local(address)).unwrap();
        self.listeners.push(listener.try_clone().unwrap());
        listener
    }

    fn keep(&mut self, pair: (TcpStream, TcpStream)) {
        self.streams.extend([pair.0, pair.1]);
    }

    /// Adds ESTABLISHED without and with keepalive, and TIME-WAIT.
    fn quiet(&mut self) {
        let listener = self.listen("127.0.0.1:0");
        self.keep(pair(&listener));
        let guarded = pair(&listener);
        set_option(&guarded.0, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1);
        set_option(&guarded.0, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, 600);
        self.keep(guarded);
        let (client, server) = pair(&listener);
        client.shutdown(Shutdown::Write).unwrap();
        // The FIN must have arrived before the server closes; otherwise both ends would close at once.
        read_to_end(&server);
        drop(server);
        read_to_end(&client);
    }

    /// Adds FIN-WAIT-2 held by a process, as full orphan and as minisocket, with CLOSE-WAIT on their other ends.
    fn half_closed(&mut self) {
        let listener = self.listen("127.0.0.1:0");
        let held = pair(&listener);
        held.0.shutdown(Shutdown::Write).unwrap();
        self.keep(held);
        let (mini, server) = pair(&listener);
        drop(mini);
        self.streams.push(server);
        let (orphan, server) = pair(&listener);
        set_option(&orphan, libc::IPPROTO_TCP, libc::TCP_LINGER2, 110);
        drop(orphan);
        self.streams.push(server);
    }

    /// Adds FIN-WAIT-1, LAST-ACK and CLOSING: closed while the peer's window is shut. Each is shut down before it is
    /// closed, since a fork in another test may hold its descriptor for a moment longer.
    fn orphans(&mut self) {
        let listener = self.listen("127.0.0.1:0");
        let (client, server) = pair(&listener);
        fill(&client);
        client.shutdown(Shutdown::Write).unwrap();
        drop(client);
        self.streams.push(server);

        let (client, server) = pair(&listener);
        client.shutdown(Shutdown::Write).unwrap();
        read_to_end(&server);
        fill(&server);
        server.shutdown(Shutdown::Write).unwrap();
        drop(server);
        self.streams.push(client);

        let (client, server) = pair(&listener);
        fill(&client);
        client.shutdown(Shutdown::Write).unwrap();
        drop(client);
        server.shutdown(Shutdown::Write).unwrap();
        self.streams.push(server);
    }

    /// Adds SYN-SENT, SYN-RECV, an accept queue with room and one that overflows.
    fn queues(&mut self) {
        self.streams.push(connect_unanswered(local(BLACK_HOLE)));
        let deferring = listener(local("127.0.0.1:0"), 16);
        set_option(&deferring, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 60);
        self.streams.push(TcpStream::connect(deferring.local_addr().unwrap()).unwrap());
        self.listeners.push(deferring);

        let waiting = self.listen("127.0.0.1:0");
        self.streams.push(TcpStream::connect(waiting.local_addr().unwrap()).unwrap());
        let gone = TcpStream::connect(waiting.local_addr().unwrap()).unwrap();
        gone.shutdown(Shutdown::Write).unwrap();
        self.streams.push(gone);

        let full = listener(local("127.0.0.1:0"), 1);
        let address = full.local_addr().unwrap();
        self.streams.extend((0..2).map(|_| TcpStream::connect(address).unwrap()));
        self.streams.push(connect_unanswered(address));
        self.listeners.push(full);
    }

    /// Adds IPv6, IPv4-mapped, link-local with scope, an IPv6-only listener, and MPTCP if the kernel has it.
    fn families(&mut self) {
        let six = self.listen("[::1]:0");
        self.keep(pair(&six));
        let dual = self.listen("[::]:0");
        let port = dual.local_addr().unwrap().port();
        self.streams.push(TcpStream::connect(("127.0.0.1", port)).unwrap());
        self.streams.push(dual.accept().unwrap().0);
        let only = socket(libc::AF_INET6, libc::IPPROTO_TCP, 0);
        set_option(&only, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1);
        bind(&only, local("[::]:0"));
        self.listeners.push(listen(only, 8));
        let scoped = TcpListener::bind(link_local("fe80::1", 0, 1)).unwrap();
        let port = scoped.local_addr().unwrap().port();
        // The route to a new link-local address may appear a moment after the address.
        let client = until("a route to fe80::1", Duration::from_secs(10), || {
            TcpStream::connect(link_local("fe80::1", port, 1)).ok()
        });
        let (server, _) = scoped.accept().unwrap();
        self.listeners.push(scoped);
        self.keep((client, server));
        if std::fs::read_to_string("/proc/sys/net/mptcp/enabled").is_ok_and(|text| text.trim() == "1") {
            let listening = socket(libc::AF_INET, libc::IPPROTO_MPTCP, 0);
            bind(&listening, local("127.0.0.1:0"));
            let listening = listen(listening, 8);
            let client = socket(libc::AF_INET, libc::IPPROTO_MPTCP, 0);
            let address = nix::sys::socket::SockaddrStorage::from(listening.local_addr().unwrap());
            nix::sys::socket::connect(std::os::fd::AsRawFd::as_raw_fd(&client), &address).unwrap();
            self.streams.push(listening.accept().unwrap().0);
            self.listeners.push(listening);
            self.others.push(client);
        } else {
            skip("MPTCP sockets among those of every state", "net.mptcp.enabled is not 1");
        }
    }

    /// Adds type of service, mark, traffic class, an explicit congestion control, and unread data.
    fn marked(&mut self) {
        let listener = self.listen("127.0.0.1:0");
        let (client, server) = pair(&listener);
        set_option(&client, libc::IPPROTO_IP, libc::IP_TOS, 0x10);
        set_option(&client, libc::SOL_SOCKET, libc::SO_MARK, 0x2a);
        std::io::Write::write_all(&mut &client, b"unread").unwrap();
        self.keep((client, server));
        let six = self.listen("[::1]:0");
        let (client, server) = pair(&six);
        set_option(&client, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, 0x20);
        self.keep((client, server));
    }
}

/// Reads until the peer's FIN.
fn read_to_end(mut stream: &TcpStream) {
    std::io::Read::read_to_end(&mut stream, &mut Vec::new()).unwrap();
}
