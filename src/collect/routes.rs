//! Interfaces, queues and neighbours of a namespace, and the route to each peer, as the kernel chooses it: with policy
//! routing, by `RTM_GETROUTE` in the namespace.

use std::collections::hash_map::Entry;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use netlink_packet_core::NLM_F_DUMP;
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use rustc_hash::FxHashMap;
use rustix::io::Errno;

use super::netlink;
use super::refusals::{Refusals, errno_of};
use crate::decode::netlink::{Messages, Payload};
use crate::decode::qdisc::{self, Queue, RTM_NEWQDISC};
use crate::decode::rtnetlink::{HEADER_BYTES, RTM_NEWNEIGH, RTM_NEWROUTE, Resolution, neighbour, next_hop};
use crate::model::routes::{NextHop, Routes};
use crate::model::socket::Socket as TcpSocket;

const RTM_GETROUTE: u16 = 26;
const RTM_GETNEIGH: u16 = 30;
const RTM_GETQDISC: u16 = 38;
const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_OIF: u16 = 4;
const RTA_MARK: u16 = 16;
/// Also those that another queueing discipline made for itself.
const TCA_DUMP_INVISIBLE: u16 = 10;
const BUFFER_BYTES: usize = 64 * 1024;
/// Receive timeout
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

/// Reads interfaces and neighbours of the calling thread's namespace, and opens a router there. `names` are the indices
/// and names of its interfaces. What cannot be read raises no doubt, and is counted in `refused`.
pub(super) fn routes(names: &[(u32, String)], refused: &mut Refusals) -> (Routes, Option<Router>) {
    let mut routes = Routes::default();
    if let Err(errno) = read_interfaces(names, &mut routes) {
        refused.note(errno, || Some("getifaddrs".to_owned()));
        return (Routes::default(), None);
    }
    let opened = RouteSocket::open().and_then(|mut socket| {
        socket.read_neighbours(&mut routes)?;
        socket.read_queues(&mut routes)?;
        Ok(socket)
    });
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
fn read_interfaces(names: &[(u32, String)], routes: &mut Routes) -> Result<(), Errno> {
    let no_neighbours = InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_NOARP | InterfaceFlags::IFF_POINTOPOINT;
    let interfaces = getifaddrs().map_err(|errno| Errno::from_raw_os_error(errno as i32))?;
    // One for each address, so several for an interface.
    let flags: FxHashMap<_, _> = interfaces.map(|interface| (interface.interface_name, interface.flags)).collect();
    for (index, name) in names {
        let Some(flags) = flags.get(name) else { continue };
        let is_idle = flags.bits() & libc::IFF_LOWER_UP == 0 && !flags.contains(InterfaceFlags::IFF_LOOPBACK);
        if flags.contains(InterfaceFlags::IFF_UP) && is_idle {
            routes.without_carrier.push(*index);
        }
        if flags.intersects(no_neighbours) {
            routes.without_neighbours.push(*index);
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
        let (socket, _) = netlink::open(NETLINK_ROUTE, PATIENCE)?;
        Ok(Self { socket, sequence: 0, buffer: vec![0; BUFFER_BYTES] })
    }

    /// Number of the next request.
    fn next(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
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
        let request = netlink::request(RTM_GETNEIGH, NLM_F_DUMP, self.next(), &[0; HEADER_BYTES]);
        netlink::send(&self.socket, &request)?;
        let mut resolved = Vec::new();
        self.receive(|payload| {
            match payload {
                Payload::Data(RTM_NEWNEIGH, body) => match neighbour(body) {
                    Some((hop, Resolution::Unresolved)) => routes.unresolved.push(hop),
                    Some((hop, Resolution::Resolved)) => resolved.push(hop),
                    Some((hop, Resolution::Permanent)) => {
                        resolved.push(hop);
                        routes.permanent.push(hop);
                    }
                    None => {}
                },
                _ => return false,
            }
            resolved.len() + routes.unresolved.len() >= MOST_NEIGHBOURS
        })?;
        resolved.sort_unstable();
        routes.permanent.sort_unstable();
        routes.resolved = (resolved.len() + routes.unresolved.len() < MOST_NEIGHBOURS).then_some(resolved);
        Ok(())
    }

    /// Reads the queueing disciplines of every interface.
    fn read_queues(&mut self, routes: &mut Routes) -> io::Result<()> {
        let mut request = netlink::request(RTM_GETQDISC, NLM_F_DUMP, self.next(), &[0; qdisc::HEADER_BYTES]);
        netlink::append(&mut request, TCA_DUMP_INVISIBLE, &[]);
        netlink::send(&self.socket, &request)?;
        self.receive(|payload| {
            let Payload::Data(RTM_NEWQDISC, body) = payload else { return false };
            if let Some(queue) = Queue::of(body).filter(Queue::is_full) {
                routes.with_full_queue.push(queue.interface);
            }
            false
        })
    }

    fn look_up(&mut self, flow: Flow) -> Route {
        let mut route = Route::Unknown;
        let request = request(flow, self.next());
        let asked = netlink::send(&self.socket, &request).and_then(|()| {
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

/// Asks for the route of a flow: `struct rtmsg`, and the flow as attributes.
fn request(flow: Flow, sequence: u32) -> Vec<u8> {
    let peer = octets(flow.peer);
    let family = if flow.peer.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let mut header = [0; HEADER_BYTES];
    header[0] = u8::try_from(family).unwrap_or_default();
    // Length of the prefix that is asked for: all bits of the address.
    header[1] = peer.len() as u8 * 8;
    let mut message = netlink::request(RTM_GETROUTE, 0, sequence, &header);
    netlink::append(&mut message, RTA_DST, &peer);
    if flow.local.is_ipv4() == flow.peer.is_ipv4() && !flow.local.is_unspecified() {
        netlink::append(&mut message, RTA_SRC, &octets(flow.local));
    }
    for (kind, number) in [(RTA_OIF, flow.interface), (RTA_MARK, flow.mark)] {
        if let Some(number) = number {
            netlink::append(&mut message, kind, &number.to_ne_bytes());
        }
    }
    message
}

fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(addr) => addr.octets().into(),
        IpAddr::V6(addr) => addr.octets().into(),
    }
}
