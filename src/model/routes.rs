//! Whether this host can send to a peer: routes, interfaces without carrier, neighbours that do not answer.

use std::net::{IpAddr, Ipv4Addr};

/// Reason to doubt that packets leave this host. A deadline is then only a bound: the kernel retries failed sends at
/// other times than lost ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The outgoing interface has no carrier
    Carrier,
    /// The next hop does not answer address resolution
    Neighbour,
}

/// An IPv4 route of the main table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Interface
    pub interface: String,
    /// Destination network
    pub destination: Ipv4Addr,
    /// Network mask
    pub mask: Ipv4Addr,
    /// Next hop; unspecified if the network is on the link
    pub gateway: Ipv4Addr,
}

/// Routes, carriers and neighbours of a namespace. Empty if they were not requested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// IPv4 routes
    pub ipv4: Vec<Route>,
    /// Interfaces that are up and have no carrier
    pub without_carrier: Vec<String>,
    /// IPv4 neighbours that have not answered
    pub unresolved: Vec<Ipv4Addr>,
}

impl Routes {
    /// Reason to doubt that packets to `peer` leave this host, if there is one.
    pub fn doubt(&self, peer: IpAddr) -> Option<Doubt> {
        let peer = peer.to_canonical();
        if peer.is_loopback() || (self.without_carrier.is_empty() && self.unresolved.is_empty()) {
            return None;
        }
        let IpAddr::V4(peer) = peer else {
            // IPv6 routes are not read, so any interface may be the outgoing one.
            return (!self.without_carrier.is_empty()).then_some(Doubt::Carrier);
        };
        let matching = self.ipv4.iter().filter(|route| peer & route.mask == route.destination & route.mask);
        let route = matching.max_by_key(|route| route.mask)?;
        let next = if route.gateway.is_unspecified() { peer } else { route.gateway };
        if self.unresolved.contains(&next) {
            return Some(Doubt::Neighbour);
        }
        self.without_carrier.contains(&route.interface).then_some(Doubt::Carrier)
    }
}

#[cfg(test)]
mod tests {
    use super::{Doubt, Route, Routes};
    use std::net::Ipv4Addr;

    #[test]
    fn the_longest_route_decides() {
        let route = |interface: &str, destination: [u8; 4], mask: [u8; 4], gateway: [u8; 4]| Route {
            interface: interface.to_owned(),
            destination: destination.into(),
            mask: mask.into(),
            gateway: gateway.into(),
        };
        let routes = Routes {
            ipv4: vec![
                route("eth0", [0; 4], [0; 4], [10, 0, 0, 1]),
                route("docker0", [172, 17, 0, 0], [255, 255, 0, 0], [0; 4]),
                route("eth0", [10, 0, 0, 0], [255, 0, 0, 0], [0; 4]),
            ],
            without_carrier: vec!["docker0".to_owned()],
            unresolved: vec![Ipv4Addr::new(10, 0, 0, 7)],
        };
        let doubt = |peer: &str| routes.doubt(peer.parse().unwrap());
        assert_eq!(doubt("172.17.0.2"), Some(Doubt::Carrier));
        assert_eq!(doubt("10.0.0.7"), Some(Doubt::Neighbour));
        assert_eq!((doubt("10.0.0.8"), doubt("8.8.8.8"), doubt("127.0.0.1")), (None, None, None));
        assert_eq!(
            Routes { unresolved: vec![[10, 0, 0, 1].into()], ..routes.clone() }.doubt([8, 8, 8, 8].into()),
            Some(Doubt::Neighbour)
        );
    }
}
