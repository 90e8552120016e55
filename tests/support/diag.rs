//! Checks whether the kernel still has a socket, independently of tcpulse: dumps IPv4 sockets and decodes their addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

/// States from `TCP_ESTABLISHED` to `TCP_BOUND_INACTIVE`; the crate's flags lack the last two.
const EVERY_STATE: u32 = 0x3fff;
/// Twice the most that the kernel puts into one datagram of a dump.
const BUFFER_BYTES: usize = 64 * 1024;
/// Size of `struct nlmsghdr`, and offset of `struct inet_diag_sockid` in a message with that header.
const HEADER_BYTES: usize = 16;
const ID_OFFSET: usize = HEADER_BYTES + 4;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// sock_diag socket of the namespace in which it was opened.
pub struct Diag {
    socket: Socket,
    request: Vec<u8>,
}

impl Diag {
    /// Opens a socket in the namespace of the calling thread.
    pub fn open() -> Self {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG).unwrap();
        socket.bind_auto().unwrap();
        Self { socket, request: encoded(NLM_F_REQUEST | NLM_F_DUMP, AF_INET, SocketId::new_v4()) }
    }

    /// Whether a socket with these addresses exists, in any state.
    pub fn has(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        self.socket.send(&self.request, 0).unwrap();
        let mut found = false;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let length = self.socket.recv(&mut &mut buffer[..], 0).unwrap();
            let mut rest = &buffer[..length];
            while let Some(&[l0, l1, l2, l3, k0, k1]) = rest.first_chunk() {
                let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
                let message = &rest[..length];
                match u16::from_ne_bytes([k0, k1]) {
                    NLMSG_DONE => return found,
                    NLMSG_ERROR => panic!("the kernel refused: {message:?}"),
                    _ => found |= ends(&message[ID_OFFSET..]) == (local, remote),
                }
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            }
        }
    }
}

/// Local and remote address: ports, then addresses of 16 bytes, of which IPv4 uses the first four.
fn ends(id: &[u8]) -> (SocketAddr, SocketAddr) {
    let end = |port: usize, addr: usize| {
        let port = u16::from_be_bytes([id[port], id[port + 1]]);
        let addr: [u8; 4] = id[addr..addr + 4].try_into().unwrap();
        SocketAddr::new(IpAddr::V4(Ipv4Addr::from(addr)), port)
    };
    (end(0, 4), end(2, 20))
}

/// Offsets of the state, the cookie and the inode in a row.
const STATE_AT: usize = HEADER_BYTES + 1;
const COOKIE_AT: usize = ID_OFFSET + 40;
const INODE_AT: usize = ID_OFFSET + 48 + 16;

/// Looks one socket up by its ends and its cookie, without a walk over the others.
pub struct Lookup {
    socket: Socket,
    request: Vec<u8>,
}

/// What a look-up finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub state: u8,
    /// 0 if no descriptor refers to the socket
    pub inode: u32,
}

impl Lookup {
    /// Finds the socket with these ends in the namespace of the calling thread; the look-up is for this socket then,
    /// whatever it turns into, and for no other that takes its place.
    pub fn of(local: SocketAddr, remote: SocketAddr) -> Option<Self> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG).unwrap();
        socket.bind_auto().unwrap();
        let any = Self { socket, request: request_of(local, remote, [0xff; 8]) };
        let row = any.ask()?;
        // A listener is found where there is no connection.
        let remote_port = u16::from_be_bytes([row[ID_OFFSET + 2], row[ID_OFFSET + 3]]);
        let cookie = row[COOKIE_AT..COOKIE_AT + 8].try_into().unwrap();
        (remote_port == remote.port()).then(|| Self { request: request_of(local, remote, cookie), ..any })
    }

    /// The socket, if the kernel still has it.
    pub fn find(&self) -> Option<Found> {
        let row = self.ask()?;
        let inode = u32::from_ne_bytes(row[INODE_AT..INODE_AT + 4].try_into().unwrap());
        Some(Found { state: row[STATE_AT], inode })
    }

    fn ask(&self) -> Option<Vec<u8>> {
        self.socket.send(&self.request, 0).unwrap();
        let mut buffer = vec![0; BUFFER_BYTES];
        let length = self.socket.recv(&mut &mut buffer[..], 0).unwrap();
        buffer.truncate(length);
        if u16::from_ne_bytes([buffer[4], buffer[5]]) != NLMSG_ERROR {
            return Some(buffer);
        }
        let errno = -i32::from_ne_bytes(buffer[HEADER_BYTES..HEADER_BYTES + 4].try_into().unwrap());
        assert!(matches!(errno, libc::ENOENT | libc::ESTALE), "the kernel refused: {errno}");
        None
    }
}

fn request_of(local: SocketAddr, remote: SocketAddr, cookie: [u8; 8]) -> Vec<u8> {
    let socket_id = SocketId {
        source_port: local.port(),
        destination_port: remote.port(),
        source_address: local.ip(),
        destination_address: remote.ip(),
        interface_id: 0,
        cookie,
    };
    encoded(NLM_F_REQUEST, if local.is_ipv4() { AF_INET } else { AF_INET6 }, socket_id)
}

/// A request for this socket, or for every one.
fn encoded(flags: u16, family: u8, socket_id: SocketId) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::from_bits_retain(EVERY_STATE),
        socket_id,
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}
