//! Whether this host can send to a peer: interfaces without carrier, neighbours that do not answer, routes.

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
    /// Interfaces that send without resolving addresses: loopback, tunnels
    pub without_neighbours: Vec<u32>,
    /// Neighbours that have not answered
    pub unresolved: Vec<NextHop>,
    /// All other neighbours, sorted; `None` if there are too many to read
    pub resolved: Option<Vec<NextHop>>,
}

impl Routes {
    /// Whether every interface has its carrier and every neighbour answers, so that no route needs to be looked up.
    pub fn are_sound(&self) -> bool {
        self.without_carrier.is_empty() && self.unresolved.is_empty()
    }

    /// Reason to doubt that packets leave by this hop, if there is one. A neighbour to which a socket sends is known to the
    /// kernel, unless it is gone.
    pub fn doubt(&self, hop: NextHop, is_sending: bool) -> Option<Doubt> {
        if self.unresolved.contains(&hop) {
            return Some(Doubt::Neighbour);
        }
        if self.without_carrier.contains(&hop.interface) {
            return Some(Doubt::Carrier);
        }
        let is_known = || self.resolved.as_ref().is_none_or(|resolved| resolved.binary_search(&hop).is_ok());
        let is_resolved = !is_sending || self.without_neighbours.contains(&hop.interface) || is_known();
        (!is_resolved).then_some(Doubt::Neighbour)
    }

    /// Reason to doubt if the hop is not known: any interface may be the outgoing one.
    pub fn doubt_of_any(&self) -> Option<Doubt> {
        let carrier = (!self.without_carrier.is_empty()).then_some(Doubt::Carrier);
        carrier.or((!self.unresolved.is_empty()).then_some(Doubt::Neighbour))
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
            without_neighbours: vec![3],
            unresolved: vec![hop(2, 7)],
            resolved: Some(vec![hop(2, 8)]),
        };
        for is_sending in [false, true] {
            let doubt = |hop| routes.doubt(hop, is_sending);
            assert_eq!((doubt(hop(4, 1)), doubt(hop(2, 7))), (Some(Doubt::Carrier), Some(Doubt::Neighbour)));
            assert_eq!((doubt(hop(2, 8)), doubt(hop(3, 7))), (None, None));
            assert_eq!(doubt(hop(2, 9)), is_sending.then_some(Doubt::Neighbour));
        }
        assert_eq!(routes.doubt_of_any(), Some(Doubt::Carrier));
        assert!(!routes.are_sound() && Routes::default().are_sound());
    }
}
