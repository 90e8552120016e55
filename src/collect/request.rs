//! sock_diag requests, built by the netlink-packet crates.

use std::net::Ipv4Addr;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};

use super::netlink;
use crate::model::address::{Cookie, Family};
use crate::model::needs::Needs;
use crate::model::socket::Socket;
use crate::model::state::StateSet;

/// Parameters of a dump.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DumpRequest<'a> {
    /// Address family; `None` for all families in one walk through the tables
    pub family: Option<Family>,
    /// States, filtered by the kernel: it does not walk a table that holds none of them
    pub states: StateSet,
    /// Attributes beyond those that the kernel always sends
    pub needs: Needs,
    /// Filter in the kernel's bytecode; empty for all sockets
    pub bytecode: &'a [u8],
    /// Receive on another thread while this one decodes: less elapsed time, more processor time
    pub in_parallel: bool,
}

/// `TCPDIAG_GETSOCK`: the predecessor of `SOCK_DIAG_BY_FAMILY`, which the kernel still accepts. It names no family, so one walk
/// returns the sockets of all families. A second walk takes 17 ms with 100,000 sockets, and 9 ms without sockets.
pub(crate) const TCPDIAG_GETSOCK: u16 = 18;

/// `INET_DIAG_REQ_BYTECODE`, which the crate does not know.
const INET_DIAG_REQ_BYTECODE: u16 = 1;

impl DumpRequest<'_> {
    /// Encodes the request.
    pub(crate) fn to_bytes(self, sequence: u32) -> Vec<u8> {
        let mut bytes = match self.family {
            Some(family) => self.of_one(family, sequence),
            None => self.of_all(sequence),
        };
        if !self.bytecode.is_empty() {
            netlink::append(&mut bytes, INET_DIAG_REQ_BYTECODE, self.bytecode);
        }
        bytes
    }

    /// `struct inet_diag_req_v2`.
    fn of_one(self, family: Family, sequence: u32) -> Vec<u8> {
        let (family, socket_id) = match family {
            Family::Ipv4 => (AF_INET, SocketId::new_v4()),
            Family::Ipv6 => (AF_INET6, SocketId::new_v6()),
        };
        let request = InetRequest {
            family,
            protocol: IPPROTO_TCP,
            extensions: extensions(self.needs),
            // The crate does not know the states 12 and 13; the kernel ignores states that it does not know.
            states: StateFlags::from_bits_retain(self.states.kernel_bits()),
            socket_id,
        };
        message(request, NLM_F_REQUEST | NLM_F_DUMP, sequence)
    }

    /// `struct inet_diag_req`, which the crate does not know. Its fourth byte holds the attributes, the states follow
    /// the addresses, and the other fields do not matter in a dump.
    fn of_all(self, sequence: u32) -> Vec<u8> {
        const BYTES: usize = 60;
        let mut body = [0; BYTES];
        body[3] = extensions(self.needs).bits();
        body[52..56].copy_from_slice(&self.states.kernel_bits().to_ne_bytes());
        netlink::request(TCPDIAG_GETSOCK, NLM_F_DUMP, sequence, &body)
    }
}

/// `SOCK_DESTROY` (`include/uapi/linux/sock_diag.h`): a dump request with another message type, which the crate does not know.
const SOCK_DESTROY: u16 = 21;

/// Encodes a request to destroy the socket with this cookie and to acknowledge it.
pub(crate) fn destroy(socket: &Socket, cookie: Cookie, sequence: u32) -> Vec<u8> {
    destruction(one(socket, cookie), sequence)
}

/// Encodes a request to destroy a socket that does not exist, to learn whether the kernel knows such requests.
pub(crate) fn destroy_nothing(sequence: u32) -> Vec<u8> {
    let nowhere = Ipv4Addr::UNSPECIFIED.into();
    let socket_id = SocketId {
        source_port: 0,
        destination_port: 0,
        source_address: nowhere,
        destination_address: nowhere,
        interface_id: 0,
        cookie: words(1),
    };
    destruction(exactly(Family::Ipv4, socket_id), sequence)
}

fn destruction(request: InetRequest, sequence: u32) -> Vec<u8> {
    let mut bytes = message(request, NLM_F_REQUEST | NLM_F_ACK, sequence);
    bytes[4..6].copy_from_slice(&SOCK_DESTROY.to_ne_bytes());
    bytes
}

/// Encodes a request for the socket with this cookie, and no other.
pub(crate) fn look_up(socket: &Socket, cookie: Cookie, sequence: u32) -> Vec<u8> {
    message(one(socket, cookie), NLM_F_REQUEST, sequence)
}

fn one(socket: &Socket, Cookie(cookie): Cookie) -> InetRequest {
    let socket_id = SocketId {
        source_port: socket.local.port,
        destination_port: socket.remote.port,
        source_address: socket.local.addr,
        destination_address: socket.remote.addr,
        interface_id: socket.interface.unwrap_or(0),
        // Two words, the lower first (`sock_diag_check_cookie`).
        cookie: words(cookie),
    };
    exactly(socket.family, socket_id)
}

fn exactly(family: Family, socket_id: SocketId) -> InetRequest {
    InetRequest {
        family: if family == Family::Ipv4 { AF_INET } else { AF_INET6 },
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::empty(),
        socket_id,
    }
}

fn words(cookie: u64) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&(cookie as u32).to_ne_bytes());
    bytes[4..].copy_from_slice(&((cookie >> 32) as u32).to_ne_bytes());
    bytes
}

fn message(request: InetRequest, flags: u16, sequence: u32) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

fn extensions(needs: Needs) -> ExtensionFlags {
    let mut wanted = ExtensionFlags::empty();
    for (need, extension) in [
        (Needs::INFO, ExtensionFlags::INFO),
        (Needs::MEMORY, ExtensionFlags::SKMEMINFO),
        (Needs::CONGESTION, ExtensionFlags::CONG | ExtensionFlags::VEGASINFO),
        (Needs::CLASS, ExtensionFlags::TOS | ExtensionFlags::TCLASS),
    ] {
        if needs.contains(need) {
            wanted |= extension;
        }
    }
    wanted
}
