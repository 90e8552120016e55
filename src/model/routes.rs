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
    /// The queue of the outgoing interface is full
    Queue,
    /// The peer is on the link, and its neighbour entry is not permanent: if the peer is gone, it does not answer address
    /// resolution either, and the kernel loses the neighbour some time later
    OnLink,
}

impl Doubt {
    /// Whether packets may fail to leave from now on, and not only later.
    pub fn is_present(self) -> bool {
        self != Self::OnLink
    }

    /// Whether this host may refuse packets: a full queue does, and a link that has just gone down for up to a second.
    pub fn refuses(self) -> bool {
        matches!(self, Self::Carrier | Self::Queue)
    }
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
    /// Interfaces that are up and have no carrier
    pub without_carrier: Vec<u32>,
    /// Interfaces with a queueing discipline that has no place for another packet
    pub with_full_queue: Vec<u32>,
    /// Interfaces that send without resolving addresses: loopback, tunnels
    pub without_neighbours: Vec<u32>,
    /// Neighbours that have not answered
    pub unresolved: Vec<NextHop>,
    /// All other neighbours, sorted; `None` if there are too many to read
    pub resolved: Option<Vec<NextHop>>,
    /// Those of them that need not answer, sorted
    pub permanent: Vec<NextHop>,
}

impl Routes {
    /// Whether every interface has its carrier and a place in its queue, and every neighbour answers, so that no route
    /// needs to be looked up.
    pub fn are_sound(&self) -> bool {
        self.without_carrier.is_empty() && self.with_full_queue.is_empty() && self.unresolved.is_empty()
    }

    /// Reason to doubt that packets reach this host itself by its loopback interface.
    pub fn doubt_of_loopback(&self) -> Option<Doubt> {
        /// Every namespace has it, with this index
        const LOOPBACK: u32 = 1;
        self.with_full_queue.contains(&LOOPBACK).then_some(Doubt::Queue)
    }

    /// Reason to doubt that packets to `peer` leave by this hop, if there is one. A neighbour to which a socket sends is
    /// known to the kernel, unless it is gone.
    pub fn doubt(&self, hop: NextHop, peer: IpAddr, is_sending: bool) -> Option<Doubt> {
        if self.unresolved.contains(&hop) {
            return Some(Doubt::Neighbour);
        }
        if self.without_carrier.contains(&hop.interface) {
            return Some(Doubt::Carrier);
        }
        if self.with_full_queue.contains(&hop.interface) {
            return Some(Doubt::Queue);
        }
        if !is_sending || self.without_neighbours.contains(&hop.interface) {
            return None;
        }
        if self.resolved.as_ref().is_some_and(|resolved| resolved.binary_search(&hop).is_err()) {
            return Some(Doubt::Neighbour);
        }
        (hop.addr == peer && self.permanent.binary_search(&hop).is_err()).then_some(Doubt::OnLink)
    }

    /// Reason to doubt if the hop is not known: any interface may be the outgoing one.
    pub fn doubt_of_any(&self) -> Option<Doubt> {
        let carrier = (!self.without_carrier.is_empty()).then_some(Doubt::Carrier);
        let neighbour = (!self.unresolved.is_empty()).then_some(Doubt::Neighbour);
        carrier.or(neighbour).or((!self.with_full_queue.is_empty()).then_some(Doubt::Queue))
    }
}

#[cfg(test)]
mod tests {
    use super::{Doubt, NextHop, Routes};

    #[test]
    fn only_the_interface_and_the_neighbour_that_are_used_raise_a_doubt() {
        let hop = |interface, last| NextHop { interface, addr: [10, 0, 0, last].into() };
        let routes = Routes {
            without_carrier: vec![4],
            with_full_queue: vec![1, 6],
            without_neighbours: vec![3],
            unresolved: vec![hop(2, 7)],
            resolved: Some(vec![hop(2, 1), hop(2, 5), hop(2, 8)]),
            permanent: vec![hop(2, 8)],
        };
        for is_sending in [false, true] {
            let doubt = |hop: NextHop| routes.doubt(hop, hop.addr, is_sending);
            assert_eq!((doubt(hop(4, 1)), doubt(hop(2, 7))), (Some(Doubt::Carrier), Some(Doubt::Neighbour)));
            assert_eq!((doubt(hop(2, 8)), doubt(hop(3, 7))), (None, None));
            assert_eq!((doubt(hop(6, 1)), routes.doubt_of_loopback()), (Some(Doubt::Queue), Some(Doubt::Queue)));
            assert_eq!(doubt(hop(2, 9)), is_sending.then_some(Doubt::Neighbour));
            // The peer itself may be gone with its address; a gateway is not the peer.
            assert_eq!(doubt(hop(2, 5)), is_sending.then_some(Doubt::OnLink));
            assert_eq!(routes.doubt(hop(2, 1), [192, 0, 2, 1].into(), is_sending), None);
        }
        assert_eq!(routes.doubt_of_any(), Some(Doubt::Carrier));
        assert!(!routes.are_sound() && Routes::default().are_sound());
    }
}
