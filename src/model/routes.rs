//! Whether this host can send to a peer: interfaces without carrier, full queues, neighbours that do not answer, routes.

use std::net::IpAddr;

/// Reason to doubt that packets leave this host. A deadline is then only a bound: the kernel retries failed sends at
/// other times than lost ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The outgoing interface has no carrier
    Carrier,
    /// The next hop does not answer address resolution
    Neighbour,
    /// There is no route to the peer, or one that refuses packets
    Route,
    /// Which way they go could not be looked up
    Unknown,
    /// The queue of the outgoing interface is full
    Queue,
    /// Packets wait in the queue of the outgoing interface: data that is still there when it is to be sent again is not, and
    /// the limits then count from when it was first sent
    Backlog,
    /// The peer is on the link, and its neighbour entry is not permanent: if the peer is gone, it does not answer address
    /// resolution either, and the kernel loses the neighbour some time later
    OnLink,
}

impl Doubt {
    /// Whether packets may fail to leave from now on, and not only later.
    pub fn is_present(self) -> bool {
        !matches!(self, Self::OnLink | Self::Backlog)
    }

    /// Whether this host may refuse packets: a full queue does, and a link that has just gone down for up to a second.
    pub fn refuses(self) -> bool {
        matches!(self, Self::Carrier | Self::Queue)
    }
}

/// The way that packets of a socket take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// The first hop
    Via(NextHop),
    /// The kernel has none, or refuses to send
    Refused,
    /// It could not be looked up
    Unknown,
}

/// Where packets to a peer are sent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NextHop {
    /// Index of the interface
    pub interface: u32,
    /// The gateway, or the peer itself if it is on the link
    pub addr: IpAddr,
}

/// Interfaces and neighbours of a namespace. Empty if they were not requested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// Whether the loopback interface is down
    pub is_loopback_down: bool,
    /// Interfaces that are up and have no carrier
    pub without_carrier: Vec<u32>,
    /// Interfaces that send through a queueing discipline that has no place for another packet
    pub with_full_queue: Vec<u32>,
    /// Interfaces that send through a queueing discipline in which packets wait
    pub with_backlog: Vec<u32>,
    /// Interfaces that send without resolving addresses: loopback, tunnels
    pub without_neighbours: Vec<u32>,
    /// Neighbours that have not answered, sorted
    pub unresolved: Vec<NextHop>,
    /// All other neighbours, sorted; `None` if there are too many to read
    pub resolved: Option<Vec<NextHop>>,
    /// Those of them that need not answer, sorted
    pub permanent: Vec<NextHop>,
}
