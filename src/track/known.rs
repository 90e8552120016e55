//! State of one socket that is kept between snapshots: 56 bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::holders::HolderNumber;
use crate::model::address::{Endpoint, Family};
use crate::model::liveness::{Bound, Verdict};
use crate::model::socket::{Attributes, Queues, Socket, SocketId};
use crate::model::state::TcpState;
use crate::model::time::Millis;
use crate::model::timer::Timer;

/// Both ends of a socket. Nearly all are IPv4, which takes less memory.
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

/// State of one socket that is kept between snapshots.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) ends: Ends,
    /// When it was first seen, in ms since the dashboard was opened
    pub(super) first_ms: u32,
    /// [`Totals::low`](super::motion::Totals::low) of the last snapshot
    pub(super) counters: Option<(u32, u32)>,
    /// Number of its owner
    pub(super) holder: HolderNumber,
    pub(super) state: TcpState,
    pub(super) verdict: Option<Verdict>,
}

impl Known {
    /// State of a socket that no snapshot contained: it was opened after the last one.
    pub(super) fn unseen(socket: &Socket, before: Millis) -> Self {
        Self {
            ends: Ends::of(socket),
            first_ms: before.get() as u32,
            counters: None,
            holder: HolderNumber::UNKNOWN,
            state: TcpState::Close,
            verdict: None,
        }
    }

    /// The socket with no other fields than those kept.
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

    /// Age of the socket: at least the time since it was first seen; if no snapshot contained it, at most the time
    /// since the previous one.
    pub(super) fn lifetime(&self, before: Millis, until: Millis) -> (Option<Millis>, Bound) {
        match self.state {
            TcpState::Close => (Some(until - before), Bound::AtMost),
            _ => (Some(until - self.first_ms.into()), Bound::AtLeast),
        }
    }
}
