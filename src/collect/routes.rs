//! Interfaces and neighbours of a namespace, and the route to each peer, as the kernel chooses it: with policy routing,
//! by `RTM_GETROUTE` in the namespace.

use std::collections::hash_map::Entry;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use rustc_hash::FxHashMap;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use super::refusals::{Refusals, errno_of};
use crate::decode::netlink::{Messages, Payload};
use crate::decode::rtnetlink::{RTM_NEWNEIGH, RTM_NEWROUTE, neighbour, next_hop};
use crate::model::routes::{NextHop, Routes};
use crate::model::socket::Socket as TcpSocket;

const RTM_GETROUTE: u16 = 26;
const RTM_GETNEIGH: u16 = 30;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_OIF: u16 = 4;
const RTA_MARK: u16 = 16;
/// Bytes of `struct rtmsg` and of `struct ndmsg`.
const HEADER_BYTES: usize = 12;
const BUFFER_BYTES: usize = 64 * 1024;
/// The kernel answers at once; without a timeout a lost answer would block for ever.
const PATIENCE: Duration = Duration::from_secs(1);
/// Datagrams that are received at most for one request: a dump has one for some 200 neighbours.
const MOST_DATAGRAMS: u32 = 10_000;
/// Neighbours that are read at most: a router may have a million.
const MOST_NEIGHBOURS: usize = 65_536;
/// Routes that are looked up at most in one snapshot: 4,096 take some 15 ms. Further peers count as doubtful.
const MOST_LOOKUPS: usize = 4_096;

/// What the choice of a route depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Flow {
    local: IpAddr,
    peer: IpAddr,
    interface: Option<u32>,
    mark: Option<u32>,
}

/// Looks up routes in one namespace.
#[derive(Debug)]
pub(crate) struct Router {
    socket: RouteSocket,
    known: FxHashMap<Flow, Route>,
}

/// Result of looking a route up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// The first hop
    Via(NextHop),
    /// The kernel has none, or refuses to send
    Refused,
    /// It could not be looked up
    Unknown,
}

impl Router {
    /// The route that packets of this socket take.
    pub(crate) fn route(&mut self, socket: &TcpSocket) -> Route {
        let flow = Flow {
            local: socket.local.addr.to_canonical(),
            peer: socket.remote.addr.to_canonical(),
            interface: socket.interface,
            mark: socket.attributes.class.mark.filter(|mark| *mark != 0),
        };
        let is_full = self.known.len() >= MOST_LOOKUPS;
        match self.known.entry(flow) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(_) if is_full => Route::Unknown,
            Entry::Vacant(place) => *place.insert(self.socket.look_up(flow)),
        }
    }
}

/// Reads interfaces and neighbours of the calling thread's namespace, and opens a router there. What cannot be read
/// raises no doubt, and is counted in `refused`.
pub(super) fn routes(refused: &mut Refusals) -> (Routes, Option<Router>) {
    let mut routes = Routes::default();
    if let Err(errno) = read_interfaces(&mut routes) {
        refused.note(errno, || Some("getifaddrs".to_owned()));
        return (Routes::default(), None);
    }
    let opened = RouteSocket::open().and_then(|mut socket| socket.read_neighbours(&mut routes).map(|()| socket));
    match opened {
        Ok(socket) => (routes, Some(Router { socket, known: FxHashMap::default() })),
        Err(error) => {
            refused.note(errno_of(&error), || Some("NETLINK_ROUTE".to_owned()));
            (routes, None)
        }
    }
}

/// Reads which interfaces have no carrier, and which need no neighbours. IFF_RUNNING would follow the carrier up to a
/// second later.
fn read_interfaces(routes: &mut Routes) -> Result<(), Errno> {
    let no_neighbours = InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_NOARP | InterfaceFlags::IFF_POINTOPOINT;
    let interfaces = getifaddrs().map_err(|errno| Errno::from_raw_os_error(errno as i32))?;
    let mut interfaces: Vec<_> = interfaces.map(|interface| (interface.interface_name, interface.flags)).collect();
    interfaces.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    interfaces.dedup_by(|(one, _), (other, _)| one == other);
    for (name, flags) in interfaces {
        let Ok(index) = nix::net::if_::if_nametoindex(name.as_str()) else { continue };
        let is_idle = flags.bits() & libc::IFF_LOWER_UP == 0 && !flags.contains(InterfaceFlags::IFF_LOOPBACK);
        if flags.contains(InterfaceFlags::IFF_UP) && is_idle {
            routes.without_carrier.push(index);
        }
        if flags.intersects(no_neighbours) {
            routes.without_neighbours.push(index);
        }
    }
    Ok(())
}

/// A NETLINK_ROUTE socket of the namespace in which it was opened.
#[derive(Debug)]
struct RouteSocket {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl RouteSocket {
    fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        // Connected to the kernel, so that no other process can send messages to this socket.
        socket.connect(&SocketAddr::new(0, 0))?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self { socket, sequence: 0, buffer: vec![0; BUFFER_BYTES] })
    }

    fn send(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        const NLMSGHDR_BYTES: usize = 16;
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = ((NLMSGHDR_BYTES + body.len()) as u32).to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend((NLM_F_REQUEST | flags).to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend([0; 4]);
        message.extend_from_slice(body);
        self.socket.send(&message, 0).map(|_| ())
    }

    /// Receives answers to the last request and passes them to `each`, until it returns true or the answers end.
    fn receive(&mut self, mut each: impl FnMut(Payload<'_>) -> bool) -> io::Result<()> {
        for _ in 0..MOST_DATAGRAMS {
            let length = match self.socket.recv(&mut &mut self.buffer[..], 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                received => received?.min(self.buffer.len()),
            };
            for message in Messages::new(&self.buffer[..length]).flatten() {
                let is_ours = message.sequence == self.sequence;
                if is_ours && (each(message.payload) || matches!(message.payload, Payload::Done(_) | Payload::Error(_)))
                {
                    return Ok(());
                }
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Reads the neighbours of every family.
    fn read_neighbours(&mut self, routes: &mut Routes) -> io::Result<()> {
        self.send(RTM_GETNEIGH, NLM_F_DUMP, &[0; HEADER_BYTES])?;
        let mut resolved = Vec::new();
        self.receive(|payload| {
            match payload {
                Payload::Data(RTM_NEWNEIGH, body) => match neighbour(body) {
                    Some((hop, true)) => resolved.push(hop),
                    Some((hop, false)) => routes.unresolved.push(hop),
                    None => {}
                },
                _ => return false,
            }
            resolved.len() + routes.unresolved.len() >= MOST_NEIGHBOURS
        })?;
        resolved.sort_unstable();
        routes.resolved = (resolved.len() + routes.unresolved.len() < MOST_NEIGHBOURS).then_some(resolved);
        Ok(())
    }

    fn look_up(&mut self, flow: Flow) -> Route {
        let mut route = Route::Unknown;
        let asked = self.send(RTM_GETROUTE, 0, &request(flow)).and_then(|()| {
            self.receive(|payload| {
                route = match payload {
                    Payload::Data(RTM_NEWROUTE, body) => next_hop(body, flow.peer).map_or(Route::Refused, Route::Via),
                    Payload::Error(Some(_)) => Route::Refused,
                    _ => return false,
                };
                true
            })
        });
        if asked.is_ok() { route } else { Route::Unknown }
    }
}

/// `struct rtmsg` with the flow as attributes.
fn request(flow: Flow) -> Vec<u8> {
    let (family, bits, peer, local) = match (flow.peer, flow.local) {
        (IpAddr::V4(peer), IpAddr::V4(local)) => (libc::AF_INET, 32, peer.octets().to_vec(), local.octets().to_vec()),
        (IpAddr::V4(peer), IpAddr::V6(_)) => (libc::AF_INET, 32, peer.octets().to_vec(), Vec::new()),
        (IpAddr::V6(peer), IpAddr::V6(local)) => (libc::AF_INET6, 128, peer.octets().to_vec(), local.octets().to_vec()),
        (IpAddr::V6(peer), IpAddr::V4(_)) => (libc::AF_INET6, 128, peer.octets().to_vec(), Vec::new()),
    };
    let mut body = vec![0; HEADER_BYTES];
    (body[0], body[1]) = (u8::try_from(family).unwrap_or_default(), bits);
    let mut attribute = |kind: u16, value: &[u8]| {
        body.extend((4 + value.len() as u16).to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend_from_slice(value);
    };
    attribute(RTA_DST, &peer);
    if !flow.local.is_unspecified() && !local.is_empty() {
        attribute(RTA_SRC, &local);
    }
    if let Some(interface) = flow.interface {
        attribute(RTA_OIF, &interface.to_ne_bytes());
    }
    if let Some(mark) = flow.mark {
        attribute(RTA_MARK, &mark.to_ne_bytes());
    }
    body
}
