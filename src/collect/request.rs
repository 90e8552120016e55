//! sock_diag requests, built by the netlink-packet crates.

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};

use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::state::StateSet;

/// What a dump is to bring.
#[derive(Debug, Clone, Copy)]
pub struct DumpRequest {
    /// One dump for each family
    pub family: Family,
    /// Decided by the kernel: a table that no state of the set lives in is not even walked
    pub states: StateSet,
    /// Attributes beyond those that always come
    pub needs: Needs,
}

impl DumpRequest {
    /// The bytes to send.
    pub fn to_bytes(self, sequence: u32) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        header.sequence_number = sequence;
        let (family, socket_id) = match self.family {
            Family::Ipv4 => (AF_INET, SocketId::new_v4()),
            Family::Ipv6 => (AF_INET6, SocketId::new_v6()),
        };
        let request = InetRequest {
            family,
            protocol: IPPROTO_TCP,
            extensions: extensions(self.needs),
            // The crate does not know the states 12 and 13; the kernel ignores those that it does not know.
            states: StateFlags::from_bits_retain(self.states.kernel_bits()),
            socket_id,
        };
        let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }
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
