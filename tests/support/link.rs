//! Two hosts on a wire: our namespace and the peer's, and ways to make the peer vanish.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

use super::netns::Netns;
use super::sockets::{bind, listen, socket};

pub const OURS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
pub const PEER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
const OUR_MAC: &str = "02:00:00:00:00:01";
const PEER_MAC: &str = "02:00:00:00:00:02";
/// Address that no interface has: packets sent to it are dropped silently.
const NO_MAC: &str = "02:00:00:00:00:99";

pub struct Link {
    pub ours: Netns,
    pub peer: Netns,
}

impl Link {
    /// Creates both hosts with permanent neighbour entries, and sets these sysctls on our side.
    pub fn new(sysctls: &[(&str, &str)]) -> Self {
        let (ours, peer) = (Netns::new(), Netns::new());
        ours.ip(&format!(
            "link add wire address {OUR_MAC} type veth peer name wire netns {} address {PEER_MAC}",
            peer.path()
        ));
        ours.ip(&format!("addr add {OURS}/24 dev wire"));
        peer.ip(&format!("addr add {PEER}/24 dev wire"));
        ours.ip("link set wire up");
        peer.ip("link set wire up");
        let link = Self { ours, peer };
        link.peer_hears(true);
        link.we_hear(true);
        for (name, value) in sysctls {
            link.ours.sysctl(name, value);
        }
        link
    }

    /// Sets whether our packets reach the peer.
    pub fn peer_hears(&self, hears: bool) {
        let mac = if hears { PEER_MAC } else { NO_MAC };
        self.ours.ip(&format!("neigh replace {PEER} lladdr {mac} dev wire nud permanent"));
    }

    /// Sets whether the peer's packets reach us.
    pub fn we_hear(&self, hear: bool) {
        let mac = if hear { OUR_MAC } else { NO_MAC };
        self.peer.ip(&format!("neigh replace {OURS} lladdr {mac} dev wire nud permanent"));
    }

    /// Makes the peer vanish: our packets go out and nothing comes back.
    pub fn black_hole(&self) {
        self.peer_hears(false);
        self.we_hear(false);
    }

    /// Sets the wire down at the peer's end.
    pub fn cut(&self) {
        self.peer.ip("link set wire down");
    }

    /// Removes the peer's address, so that our neighbour entry fails.
    pub fn lose_neighbour(&self) {
        self.peer.ip(&format!("addr del {PEER}/24 dev wire"));
        self.ours.ip(&format!("neigh del {PEER} dev wire"));
    }

    /// Connects us to the peer; the listener is dropped.
    pub fn connection(&self) -> (TcpStream, TcpStream) {
        let listener = listener_at(&self.peer, PEER, &[]);
        let address = listener.local_addr().unwrap();
        let ours = self.ours.run(|| TcpStream::connect(address).unwrap());
        let (peer, _) = listener.accept().unwrap();
        (ours, peer)
    }

    /// A listener on our side, its options set before it listens.
    pub fn listener(&self, options: &[(i32, i32, i32)]) -> TcpListener {
        listener_at(&self.ours, OURS, options)
    }

    /// Connects the peer to us, without waiting for an answer.
    pub fn peer_connects(&self, to: SocketAddr) -> OwnedFd {
        self.peer.run(|| super::sockets::connect_unanswered(to).into())
    }
}

/// A listener whose options are set before it listens: its connections inherit them.
fn listener_at(netns: &Netns, address: Ipv4Addr, options: &[(i32, i32, i32)]) -> TcpListener {
    netns.run(|| {
        let socket = socket(libc::AF_INET, libc::IPPROTO_TCP, 0);
        set_options(&socket, options);
        bind(&socket, SocketAddr::from((address, 0)));
        listen(socket, 16)
    })
}

/// setsockopt(2) for each level, name and value.
pub fn set_options(socket: &impl AsFd, options: &[(i32, i32, i32)]) {
    for &(level, name, value) in options {
        super::sockets::set_option(socket, level, name, value);
    }
}

/// `SO_KEEPALIVE` with idle time, interval and probes.
pub fn keepalive(idle_s: i32, interval_s: i32, probes: i32) -> Vec<(i32, i32, i32)> {
    let tcp = |name, value| (libc::IPPROTO_TCP, name, value);
    vec![
        tcp(libc::TCP_KEEPIDLE, idle_s),
        tcp(libc::TCP_KEEPINTVL, interval_s),
        tcp(libc::TCP_KEEPCNT, probes),
        (libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1),
    ]
}

/// `TCP_USER_TIMEOUT`.
pub fn user_timeout(ms: i32) -> (i32, i32, i32) {
    (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, ms)
}
