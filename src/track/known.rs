//! What is kept of one socket from one snapshot to the next: 56 bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::holders::HolderNumber;
use crate::model::address::{Endpoint, Family};
use crate::model::liveness::{Bound, Verdict};
use crate::model::socket::{Attributes, Queues, Socket, SocketId};
use crate::model::state::TcpState;
use crate::model::timer::Timer;

/// Both ends, as they are kept: nearly all are IPv4.
#[derive(Debug, Clone)]
pub(super) enum Ends {
    V4([(Ipv4Addr, u16); 2]),
    V6(Box<[(Ipv6Addr, u16); 2]>),
}

impl Ends {
    pub(super) fn of(socket: &Socket) -> Self {
        let Socket { local, remote, .. } = socket;
        match (local.addr, remote.addr) {
            (IpAddr::V4(one), IpAddr::V4(other)) => Self::V4([(one, local.port), (other, remote.port)]),
            (one, other) => {
                let v6 = |addr| match addr {
                    IpAddr::V4(addr) => addr.to_ipv6_mapped(),
                    IpAddr::V6(addr) => addr,
                };
                Self::V6(Box::new([(v6(one), local.port), (v6(other), remote.port)]))
            }
        }
    }

    fn both(&self) -> [Endpoint; 2] {
        match self {
            Self::V4(ends) => ends.map(|(addr, port)| Endpoint { addr: addr.into(), port }),
            Self::V6(ends) => ends.map(|(addr, port)| Endpoint { addr: addr.into(), port }),
        }
    }
}

/// What is kept of a socket.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) ends: Ends,
    /// First seen, in ms since the dashboard was opened
    pub(super) first_ms: u32,
    /// The low halves of what is counted: differences need no more
    pub(super) sent: u32,
    pub(super) received: u32,
    /// Who holds it, by number
    pub(super) holder: HolderNumber,
    pub(super) state: TcpState,
    pub(super) verdict: Option<Verdict>,
}

impl Known {
    /// A socket that no snapshot has shown: it came after the last.
    pub(super) fn unseen(socket: &Socket, before_ms: u64) -> Self {
        Self {
            ends: Ends::of(socket),
            first_ms: before_ms as u32,
            sent: 0,
            received: 0,
            holder: HolderNumber::UNKNOWN,
            state: TcpState::Close,
            verdict: None,
        }
    }

    /// The socket with no more than is kept of it.
    pub(super) fn bare(&self, id: SocketId) -> Socket {
        let [local, remote] = self.ends.both();
        Socket {
            id,
            family: if local.addr.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 },
            state: self.state,
            local,
            remote,
            interface: None,
            uid: None,
            inode: None,
            queues: Queues::None,
            timer: Timer::OFF,
            attributes: Attributes::default(),
        }
    }

    /// How long it has lasted: at least since it was first seen; at most since the snapshot before if none has shown it.
    pub(super) fn lifetime(&self, before_ms: u64, until_ms: u64) -> (Option<u64>, Bound) {
        match self.state {
            TcpState::Close => (Some(until_ms.saturating_sub(before_ms)), Bound::AtMost),
            _ => (Some(until_ms.saturating_sub(self.first_ms.into())), Bound::AtLeast),
        }
    }
}
