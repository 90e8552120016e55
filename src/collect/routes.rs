//! Interfaces, queues and neighbours of a namespace, and the route to each peer, as the kernel chooses it: with policy
//! routing, by `RTM_GETROUTE` in the namespace.

use std::collections::hash_map::Entry;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use netlink_packet_core::NLM_F_DUMP;
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use rustc_hash::FxHashMap;

use super::netlink;
use super::refusals::{Refusals, errno_of};
use crate::decode::netlink::{Errno, Messages, Payload};
use crate::decode::qdisc::{self, Fill, Queue};
use crate::decode::rtnetlink::{
    HEADER_BYTES, LINK_HEADER_BYTES, Link, RTA_OIF, Resolution, RuleParts, neighbour, next_hop,
};
use crate::model::routes::{Route, Routes};
use crate::model::socket::Socket as TcpSocket;

const RTM_GETLINK: u16 = 18;
const RTM_GETROUTE: u16 = 26;
const RTM_GETNEIGH: u16 = 30;
const RTM_GETRULE: u16 = 34;
const RTM_GETQDISC: u16 = 38;
const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_MARK: u16 = 16;
const RTA_UID: u16 = 25;
const RTA_IP_PROTO: u16 = 27;
const RTA_SPORT: u16 = 28;
const RTA_DPORT: u16 = 29;
const IFLA_EXT_MASK: u16 = 29;
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;
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

/// What the choice of a route depends on. The ports are 0 if it does not depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Flow {
    local: IpAddr,
    peer: IpAddr,
    ports: (u16, u16),
    interface: Option<u32>,
    mark: Option<u32>,
    uid: Option<u32>,
    tos: u8,
}

/// Looks up routes in one namespace.
#[derive(Debug)]
pub(crate) struct Router {
    socket: RouteSocket,
    ruled: RuledBy,
    known: FxHashMap<Flow, Route>,
    /// Whether an answer did not come: every further one would be waited for as well
    is_silent: bool,
}

/// What the rules of a namespace regard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct RuledBy {
    by_port: bool,
    by_mark: bool,
}

impl Router {
    /// The route that packets of this socket take.
    pub(crate) fn route(&mut self, socket: &TcpSocket) -> Route {
        /// Without the bits of ECN
        const DSCP: u8 = 0xfc;
        let class = socket.attributes.class;
        if self.ruled.by_mark && class.mark.is_none() {
            // Only CAP_NET_ADMIN sees the mark.
            return Route::Unknown;
        }
        let port = |port: u16| if self.ruled.by_port { port } else { 0 };
        let flow = Flow {
            local: socket.local.addr.to_canonical(),
            peer: socket.remote.addr.to_canonical(),
            ports: (port(socket.local.port), port(socket.remote.port)),
            interface: socket.interface,
            mark: class.mark.filter(|mark| *mark != 0),
            uid: socket.uid,
            tos: if socket.remote.addr.to_canonical().is_ipv4() { class.tos } else { class.tclass }.unwrap_or(0) & DSCP,
        };
        let is_closed = self.known.len() >= MOST_LOOKUPS || self.is_silent;
        match self.known.entry(flow) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(_) if is_closed => Route::Unknown,
            Entry::Vacant(place) => match self.socket.look_up(flow) {
                Ok(route) => *place.insert(route),
                Err(error) => {
                    self.is_silent = error.kind() == io::ErrorKind::WouldBlock;
                    *place.insert(Route::Unknown)
                }
            },
        }
    }
}

/// Reads interfaces, queues and neighbours of the calling thread's namespace, and opens a router there. What cannot be read
/// is counted in `refused`, and what depends on it is doubtful.
pub(super) fn routes(refused: &mut Refusals) -> (Routes, Option<Router>) {
    let mut routes = Routes::default();
    let mut note = |what: &str, error: &io::Error| refused.note(errno_of(error), || Some(what.to_owned()));
    let links = match read_interfaces(&mut routes) {
        Ok(links) => links,
        Err(error) => {
            note("RTM_GETLINK", &error);
            return (Routes::default(), None);
        }
    };
    if let Err(error) = read_neighbours(&mut routes) {
        note("RTM_GETNEIGH", &error);
    }
    if let Err(error) = read_queues(&links, &mut routes) {
        note("RTM_GETQDISC", &error);
    }
    match rules().and_then(|ruled| Ok((ruled, RouteSocket::open()?))) {
        Ok((ruled, socket)) => (routes, Some(Router { socket, ruled, known: FxHashMap::default(), is_silent: false })),
        Err(error) => {
            note("RTM_GETRULE", &error);
            (routes, None)
        }
    }
}

/// Reads the interfaces: which have no carrier, which need no neighbours, and which send over which. IFF_RUNNING would
/// follow the carrier up to a second later.
fn read_interfaces(routes: &mut Routes) -> io::Result<Vec<Link>> {
    const NO_NEIGHBOURS: i32 = libc::IFF_LOOPBACK | libc::IFF_NOARP | libc::IFF_POINTOPOINT;
    let mut links = Vec::new();
    let skip = RTEXT_FILTER_SKIP_STATS.to_ne_bytes();
    dump(RTM_GETLINK, &[0; LINK_HEADER_BYTES], Some((IFLA_EXT_MASK, &skip)), |body| {
        links.extend(Link::of(body));
        false
    })?;
    for link in &links {
        let has = |flag: i32| link.flags & flag.cast_unsigned() != 0;
        match (has(libc::IFF_UP), has(libc::IFF_LOOPBACK)) {
            (false, true) => routes.is_loopback_down = true,
            (true, false) if !has(libc::IFF_LOWER_UP) => routes.without_carrier.push(link.interface),
            _ => {}
        }
        if has(NO_NEIGHBOURS) {
            routes.without_neighbours.push(link.interface);
        }
    }
    Ok(links)
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

    /// Receives answers to the last request, which was of this type, and passes them to `each`, until it returns true or the
    /// answers end.
    ///
    /// # Errors
    /// The kernel refuses the request, breaks off, or does not answer (`WouldBlock`).
    fn receive(&mut self, request: u16, mut each: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
        /// `RTM_GET…` is answered by the `RTM_NEW…` two below it.
        const GET_TO_NEW: u16 = 2;
        let refused = |errno: Errno| io::Error::from_raw_os_error(errno.0);
        for _ in 0..MOST_DATAGRAMS {
            let length = match self.socket.recv(&mut &mut self.buffer[..], 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                received => received?.min(self.buffer.len()),
            };
            for message in Messages::new(&self.buffer[..length]) {
                let message = message.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
                if message.sequence != self.sequence {
                    continue;
                }
                match message.payload {
                    Payload::Data(kind, body) if kind == request - GET_TO_NEW && each(body) => return Ok(()),
                    Payload::Data(..) | Payload::Noop => {}
                    Payload::Done(None) | Payload::Error(None) => return Ok(()),
                    Payload::Done(Some(errno)) | Payload::Error(Some(errno)) => return Err(refused(errno)),
                    Payload::Overrun => return Err(rustix::io::Errno::NOBUFS.into()),
                }
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Looks a route up.
    ///
    /// # Errors
    /// Another than those by which the kernel says that it would not send.
    fn look_up(&mut self, flow: Flow) -> io::Result<Route> {
        let mut route = Route::Unknown;
        let request = request(flow, self.next());
        netlink::send(&self.socket, &request)?;
        let answered = self.receive(RTM_GETROUTE, |body| {
            route = next_hop(body, flow.peer).map_or(Route::Refused, Route::Via);
            true
        });
        match answered.map_err(|error| (error.raw_os_error(), error)) {
            Ok(()) => Ok(route),
            // Unreachable, prohibit, blackhole; no address to send from.
            Err((Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EACCES | libc::EINVAL), _)) => Ok(Route::Refused),
            Err((_, error)) => Err(error),
        }
    }
}

/// Passes the answers to a dump to `each`, until it returns true. A dump that is left half read has a socket of its own:
/// until it ends, the kernel takes no other request on it.
fn dump(
    request: u16,
    header: &[u8],
    attribute: Option<(u16, &[u8])>,
    each: impl FnMut(&[u8]) -> bool,
) -> io::Result<()> {
    let mut socket = RouteSocket::open()?;
    let mut message = netlink::request(request, NLM_F_DUMP, socket.next(), header);
    if let Some((attribute, content)) = attribute {
        netlink::append(&mut message, attribute, content);
    }
    netlink::send(&socket.socket, &message)?;
    socket.receive(request, each)
}

/// Reads the neighbours of every family.
fn read_neighbours(routes: &mut Routes) -> io::Result<()> {
    let mut resolved = Vec::new();
    let mut count = 0;
    let read = dump(RTM_GETNEIGH, &[0; HEADER_BYTES], None, |body| {
        match neighbour(body) {
            Some((hop, Resolution::Unresolved)) => routes.unresolved.push(hop),
            Some((hop, Resolution::Resolved)) => resolved.push(hop),
            Some((hop, Resolution::Permanent)) => {
                resolved.push(hop);
                routes.permanent.push(hop);
            }
            None => {}
        }
        count += 1;
        count >= MOST_NEIGHBOURS
    });
    resolved.sort_unstable();
    routes.unresolved.sort_unstable();
    routes.permanent.sort_unstable();
    routes.resolved = (read.is_ok() && count < MOST_NEIGHBOURS).then_some(resolved);
    read
}

/// Reads the queueing disciplines of every interface. What holds for an interface holds for those that send over it.
fn read_queues(links: &[Link], routes: &mut Routes) -> io::Result<()> {
    let read = dump(RTM_GETQDISC, &[0; qdisc::HEADER_BYTES], Some((TCA_DUMP_INVISIBLE, &[])), |body| {
        match Queue::of(body).map(|queue| (queue.fill, queue.interface)) {
            Some((Fill::Full, interface)) => routes.with_full_queue.push(interface),
            Some((Fill::Waiting, interface)) => routes.with_backlog.push(interface),
            Some((Fill::Empty, _)) | None => {}
        }
        false
    });
    for interfaces in [&mut routes.with_full_queue, &mut routes.with_backlog] {
        let mut next = 0;
        while let Some(lower) = interfaces.get(next).copied() {
            let uppers = links.iter().filter_map(|link| link.sends_over(lower));
            let new: Vec<_> = uppers.filter(|upper| !interfaces.contains(upper)).collect();
            interfaces.extend(new);
            next += 1;
        }
    }
    unless_absent(read)
}

/// Reads what the rules of both families, and the choice among several routes, regard.
fn rules() -> io::Result<RuledBy> {
    let mut ruled = RuledBy::default();
    let read = dump(RTM_GETRULE, &[0; HEADER_BYTES], None, |body| {
        let rule = RuleParts::of(body);
        ruled.by_port |= rule.by_port;
        ruled.by_mark |= rule.by_mark;
        false
    });
    for family in ["ipv4", "ipv6"] {
        // Other policies than 0 hash the ports too. A family that is not there has no file.
        let policy = std::fs::read_to_string(format!("/proc/sys/net/{family}/fib_multipath_hash_policy"));
        ruled.by_port |= policy.is_ok_and(|policy| policy.trim() != "0");
    }
    unless_absent(read).map(|()| ruled)
}

/// A kernel that was built without queueing disciplines, or without policy routing, has none.
fn unless_absent(read: io::Result<()>) -> io::Result<()> {
    match read {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(()),
        read => read,
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
    header[3] = flow.tos;
    let mut message = netlink::request(RTM_GETROUTE, 0, sequence, &header);
    netlink::append(&mut message, RTA_DST, &peer);
    if flow.local.is_ipv4() == flow.peer.is_ipv4() && !flow.local.is_unspecified() {
        netlink::append(&mut message, RTA_SRC, &octets(flow.local));
    }
    for (kind, number) in [(RTA_OIF, flow.interface), (RTA_MARK, flow.mark), (RTA_UID, flow.uid)] {
        if let Some(number) = number {
            netlink::append(&mut message, kind, &number.to_ne_bytes());
        }
    }
    netlink::append(&mut message, RTA_IP_PROTO, &[libc::IPPROTO_TCP as u8]);
    for (kind, port) in [(RTA_SPORT, flow.ports.0), (RTA_DPORT, flow.ports.1)] {
        if port != 0 {
            netlink::append(&mut message, kind, &port.to_be_bytes());
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
