//! Two hosts with a programmable path between them: a TAP device in a namespace each, and a relay of our own.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Stdio;

use super::link::set_options;
use super::netns::{Netns, User};
use super::relay::{Passage, Relay};
use super::sockets::{bind, listen, set_congestion, socket};
use super::tap::Tap;

/// Name of the interface on both sides.
const DEVICE: &str = "path";
const OUR_MAC: &str = "02:00:00:00:00:01";
const PEER_MAC: &str = "02:00:00:00:00:02";

/// The addresses of both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub fn ours(self) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::new(198, 18, 0, 1).into(),
            Self::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        }
    }

    pub fn peer(self) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::new(198, 18, 0, 2).into(),
            Self::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2).into(),
        }
    }

    /// The network of both.
    fn network(self) -> &'static str {
        match self {
            Self::V4 => "198.18.0.0/24",
            Self::V6 => "2001:db8::/64",
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::V4 => 24,
            Self::V6 => 64,
        }
    }

    fn number(self) -> i32 {
        match self {
            Self::V4 => libc::AF_INET,
            Self::V6 => libc::AF_INET6,
        }
    }

    /// Option of ip(8).
    fn flag(self) -> &'static str {
        match self {
            Self::V4 => "-4",
            Self::V6 => "-6",
        }
    }
}

/// What an administrator can break on our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// The interface has no carrier any more
    Carrier,
    /// The neighbour has no entry any more, and answers no request for one
    Neighbour,
    /// The neighbour's entry is not permanent any more: it lasts a second or two if nothing is heard, and no request for
    /// it is answered
    Ageing,
    /// The interface is set down
    Down,
    /// The route is deleted
    Route,
    /// A route to the peer of type prohibit, unreachable or blackhole
    Refuse(&'static str),
    /// A rule of policy routing that prohibits what it selects
    Rule(&'static str),
    /// Our address is removed
    Address,
    /// The queue of the interface takes no packet
    Queue,
}

pub struct Path {
    pub ours: Netns,
    pub peer: Netns,
    pub relay: Relay,
    pub family: Family,
    /// Congestion control of new sockets; the kernel's if there is none
    pub congestion: Option<&'static str>,
}

impl Path {
    /// Creates both hosts, and sets these sysctls on our side before the interface is up.
    pub fn new(family: Family, sysctls: &[(&str, &str)]) -> Self {
        let (ours, peer) = (Netns::new(), Netns::new());
        for (name, value) in sysctls {
            ours.sysctl(name, value);
        }
        let relay = Relay::start(Tap::new(&ours, DEVICE), Tap::new(&peer, DEVICE));
        let path = Self { ours, peer, relay, family, congestion: None };
        path.set_up(&path.ours, (family.ours(), OUR_MAC), (family.peer(), PEER_MAC));
        path.set_up(&path.peer, (family.peer(), PEER_MAC), (family.ours(), OUR_MAC));
        path
    }

    fn set_up(&self, netns: &Netns, (own, own_mac): (IpAddr, &str), (other, other_mac): (IpAddr, &str)) {
        let bits = self.family.bits();
        let nodad = if self.family == Family::V6 { " nodad" } else { "" };
        batch(
            netns,
            self.family,
            &[
                format!("link set {DEVICE} address {own_mac}"),
                format!("addr add {own}/{bits} dev {DEVICE}{nodad}"),
                format!("link set {DEVICE} up"),
                format!("neigh replace {other} lladdr {other_mac} dev {DEVICE} nud permanent"),
            ],
        );
    }

    /// Breaks something on our side.
    pub fn breach(&self, breach: Breach) {
        let (family, peer) = (self.family, self.family.peer());
        let ours = |line: String| batch(&self.ours, family, &[line]);
        match breach {
            Breach::Carrier => {
                // The kernel goes on to send until it has dealt with the loss, up to a second later.
                self.relay.change(|rules| (rules.to_us, rules.to_peer) = (Passage::CLOSED, Passage::CLOSED));
                self.relay.carrier(false);
            }
            Breach::Neighbour => ours(format!("neigh del {peer} dev {DEVICE}")),
            Breach::Ageing => {
                let version = if family == Family::V4 { "ipv4" } else { "ipv6" };
                let times = [("base_reachable_time_ms", "800"), ("delay_first_probe_time", "1")];
                let requests = [("retrans_time_ms", "400"), ("ucast_solicit", "1"), ("mcast_solicit", "1")];
                for (name, value) in times.into_iter().chain(requests) {
                    self.ours.sysctl(&format!("{version}/neigh/{DEVICE}/{name}"), value);
                }
                ours(format!("neigh replace {peer} lladdr {PEER_MAC} dev {DEVICE} nud reachable"));
            }
            Breach::Down => ours(format!("link set {DEVICE} down")),
            Breach::Route => ours(format!("route del {} dev {DEVICE}", family.network())),
            Breach::Refuse(kind) => ours(format!("route add {kind} {peer}")),
            Breach::Rule(selector) => ours(format!("rule add pref 10 {selector} prohibit")),
            Breach::Address => ours(format!("addr del {}/{} dev {DEVICE}", family.ours(), family.bits())),
            Breach::Queue => {
                let arguments = ["qdisc", "replace", "dev", DEVICE, "root", "bfifo", "limit", "1"];
                let output = self.ours.command("tc", User::Root).args(arguments).output().unwrap();
                assert!(output.status.success(), "tc: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }

    /// Adds an interface without a carrier, over which no route leads.
    pub fn add_idle_interface(&self) {
        self.ours.ip("link add idle type veth peer name other");
        self.ours.ip("link set idle up");
    }

    /// A listener of the peer.
    pub fn peer_listener(&self, protocol: i32) -> TcpListener {
        self.peer.run(|| self.listener_at(self.family.peer(), protocol, &[]))
    }

    /// A listener on our side, its options set before it listens: its connections inherit them.
    pub fn listener(&self, protocol: i32, options: &[(i32, i32, i32)]) -> TcpListener {
        self.ours.run(|| self.listener_at(self.family.ours(), protocol, options))
    }

    fn listener_at(&self, address: IpAddr, protocol: i32, options: &[(i32, i32, i32)]) -> TcpListener {
        self.bound(SocketAddr::new(address, 0), protocol, options)
    }

    /// A listener at this address and port, in the namespace of the calling thread.
    pub fn bound(&self, address: SocketAddr, protocol: i32, options: &[(i32, i32, i32)]) -> TcpListener {
        let socket = self.socket(protocol, options);
        bind(&socket, address);
        listen(socket, 16)
    }

    /// Connects our side, with these options set before.
    pub fn connect(&self, to: SocketAddr, protocol: i32, options: &[(i32, i32, i32)]) -> TcpStream {
        self.ours.run(|| connect(self.socket(protocol, options), to, false))
    }

    /// Connects our side, with these options set before, without waiting for an answer.
    pub fn connecting(&self, to: SocketAddr, options: &[(i32, i32, i32)]) -> TcpStream {
        self.ours.run(|| connect(self.socket(libc::IPPROTO_TCP, options), to, true))
    }

    /// Connects the peer to us.
    pub fn peer_connects(&self, to: SocketAddr, protocol: i32, at_once: bool) -> TcpStream {
        self.peer.run(|| connect(self.socket(protocol, &[]), to, at_once))
    }

    /// A new socket in the namespace of the calling thread.
    pub fn socket(&self, protocol: i32, options: &[(i32, i32, i32)]) -> OwnedFd {
        let socket = socket(self.family.number(), protocol, 0);
        set_options(&socket, options);
        if let Some(name) = self.congestion {
            set_congestion(&socket, name);
        }
        socket
    }
}

/// connect(2); with `at_once` it does not wait for an answer.
fn connect(socket: OwnedFd, to: SocketAddr, at_once: bool) -> TcpStream {
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(at_once).unwrap();
    let result = nix::sys::socket::connect(stream.as_raw_fd(), &nix::sys::socket::SockaddrStorage::from(to));
    assert_eq!(result, if at_once { Err(nix::errno::Errno::EINPROGRESS) } else { Ok(()) });
    stream
}

/// Runs lines of ip(8) in the namespace.
fn batch(netns: &Netns, family: Family, lines: &[String]) {
    let mut command = netns.command("ip", User::Root);
    command.args([family.flag(), "-batch", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "ip {lines:?}: {}", String::from_utf8_lossy(&output.stderr));
}
