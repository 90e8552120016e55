//! Decodes answers of rtnetlink: the route to a peer, and neighbours (`include/uapi/linux/{rtnetlink,neighbour}.h`).
//! Malformed messages are no answer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::bytes::{array_at, u16_at, u32_at};
use super::netlink::{NetlinkAttributes, attribute};
use crate::model::routes::NextHop;

/// Bytes of `struct rtmsg`, `struct ndmsg` and `struct fib_rule_hdr`.
pub(crate) const HEADER_BYTES: usize = 12;
/// Bytes of `struct ifinfomsg`.
pub(crate) const LINK_HEADER_BYTES: usize = 16;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINK_NETNSID: u16 = 37;
const RTN_UNICAST: u8 = 1;
const RTN_LOCAL: u8 = 2;
/// Index of the outgoing interface, asked for and answered.
pub(crate) const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_VIA: u16 = 18;
const FRA_FWMARK: u16 = 10;
const FRA_FWMASK: u16 = 16;
const FRA_SPORT_RANGE: u16 = 23;
const FRA_DPORT_RANGE: u16 = 24;
const NDA_DST: u16 = 1;
const NUD_INCOMPLETE: u16 = 0x01;
const NUD_PROBE: u16 = 0x10;
const NUD_FAILED: u16 = 0x20;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;

/// Whether a neighbour answers address resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// It has never answered, or is probed for an answer
    Unresolved,
    /// It has answered
    Resolved,
    /// It need not answer
    Permanent,
}

/// A route to `peer`; `None` if it is one that refuses packets (unreachable, prohibit, blackhole), or malformed.
pub(crate) fn next_hop(body: &[u8], peer: IpAddr) -> Option<NextHop> {
    let kind = *body.get(7)?;
    if kind != RTN_UNICAST && kind != RTN_LOCAL {
        return None;
    }
    let (mut interface, mut addr) = (None, peer);
    for attribute in NetlinkAttributes::new(body.get(HEADER_BYTES..)?) {
        match attribute.kind {
            RTA_OIF => interface = u32_at(attribute.value, 0),
            RTA_GATEWAY => addr = address(attribute.value)?,
            // `struct rtvia`: the family, then the address. A route of IPv4 over an IPv6 gateway has it.
            RTA_VIA => addr = address(attribute.value.get(2..)?)?,
            _ => {}
        }
    }
    Some(NextHop { interface: interface?, addr })
}

/// An interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its index
    pub interface: u32,
    /// `IFF_UP` and others (`include/uapi/linux/if.h`)
    pub flags: u32,
    /// The interface of this namespace that it sends over: of a VLAN, of a macvlan
    lower: Option<u32>,
    /// The bridge or bond that sends over it
    master: Option<u32>,
}

impl Link {
    /// Reads an interface.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        let attributes = body.get(LINK_HEADER_BYTES..)?;
        let number = |kind| attribute(attributes, kind).and_then(|value| u32_at(value, 0));
        // The index of an interface of another namespace means nothing here.
        let is_here = attribute(attributes, IFLA_LINK_NETNSID).is_none();
        Some(Self {
            interface: u32_at(body, 4)?,
            flags: u32_at(body, 8)?,
            lower: number(IFLA_LINK).filter(|_| is_here),
            master: number(IFLA_MASTER),
        })
    }

    /// The interface, of these two, that sends over the interface `lower`.
    pub(crate) fn sends_over(&self, lower: u32) -> Option<u32> {
        match (self.interface == lower, self.lower == Some(lower)) {
            (true, _) => self.master,
            (false, true) => Some(self.interface),
            (false, false) => None,
        }
    }
}

/// What a rule of policy routing regards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RuleParts {
    /// The ports of a connection
    pub by_port: bool,
    /// Its mark
    pub by_mark: bool,
}

impl RuleParts {
    /// Reads them from a rule.
    pub(crate) fn of(body: &[u8]) -> Self {
        let has = |kind| attribute(body.get(HEADER_BYTES..).unwrap_or_default(), kind).is_some();
        Self { by_port: has(FRA_SPORT_RANGE) || has(FRA_DPORT_RANGE), by_mark: has(FRA_FWMARK) || has(FRA_FWMASK) }
    }
}

/// A neighbour, and whether it answers.
pub(crate) fn neighbour(body: &[u8]) -> Option<(NextHop, Resolution)> {
    let (interface, state) = (u32_at(body, 4)?, u16_at(body, 8)?);
    let resolution = if state & (NUD_INCOMPLETE | NUD_PROBE | NUD_FAILED) != 0 {
        Resolution::Unresolved
    } else if state & (NUD_NOARP | NUD_PERMANENT) != 0 {
        Resolution::Permanent
    } else {
        Resolution::Resolved
    };
    let addr = address(attribute(body.get(HEADER_BYTES..)?, NDA_DST)?)?;
    Some((NextHop { interface, addr }, resolution))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => array_at::<4>(bytes, 0).map(|octets| Ipv4Addr::from(octets).into()),
        16 => array_at::<16>(bytes, 0).map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Link, Resolution, RuleParts, neighbour, next_hop};
    use crate::decode::netlink::encode::attribute;
    use crate::model::routes::NextHop;
    use std::net::IpAddr;

    fn route(kind: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        [vec![2, 32, 0, 0, 254, 0, 0, kind, 0, 0, 0, 0], attributes.concat()].concat()
    }

    #[test]
    fn the_next_hop_is_the_gateway_or_the_peer() {
        let peer: IpAddr = [10, 0, 0, 9].into();
        let oif = attribute(4, &3_u32.to_ne_bytes());
        let hop = |addr: IpAddr| Some(NextHop { interface: 3, addr });
        assert_eq!(next_hop(&route(1, std::slice::from_ref(&oif)), peer), hop(peer));
        assert_eq!(next_hop(&route(1, &[oif.clone(), attribute(5, &[10, 0, 0, 1])]), peer), hop([10, 0, 0, 1].into()));
        let via = [&10_u16.to_ne_bytes()[..], &[0xfe; 16]].concat();
        assert_eq!(next_hop(&route(1, &[oif.clone(), attribute(18, &via)]), peer), hop([0xfe_u8; 16].into()));
        // Unreachable, and too short.
        assert_eq!(next_hop(&route(7, &[oif]), peer), None);
        assert_eq!((next_hop(&route(1, &[]), peer), next_hop(&[1, 2], peer)), (None, None));
    }

    #[test]
    fn a_neighbour_that_is_asked_for_an_answer_is_not_resolved() {
        let body = |state: u8| [vec![2, 0, 0, 0, 5, 0, 0, 0, state, 0, 0, 0], attribute(1, &[10, 0, 0, 9])].concat();
        let hop = NextHop { interface: 5, addr: [10, 0, 0, 9].into() };
        let states = [
            (Resolution::Unresolved, &[0x01, 0x10, 0x20][..]),
            (Resolution::Resolved, &[0x02, 0x04, 0x08]),
            (Resolution::Permanent, &[0x40, 0x80]),
        ];
        for (resolution, states) in states {
            for state in states {
                assert_eq!(neighbour(&body(*state)), Some((hop, resolution)), "{state:#x}");
            }
        }
        assert_eq!(neighbour(&[0]), None);
    }

    #[test]
    fn what_an_interface_sends_over_shares_its_queue() {
        let link = |index: u32, attributes: &[Vec<u8>]| {
            let header = [&[0; 4][..], &index.to_ne_bytes(), &1_u32.to_ne_bytes(), &[0; 4]].concat();
            Link::of(&[header, attributes.concat()].concat()).unwrap()
        };
        let number = |kind, number: u32| attribute(kind, &number.to_ne_bytes());
        let (port, vlan) = (link(2, &[number(10, 7)]), link(3, &[number(5, 2)]));
        let away = link(4, &[number(5, 2), number(37, 0)]);
        assert_eq!((port.flags, port.sends_over(2), port.sends_over(3)), (1, Some(7), None));
        assert_eq!((vlan.sends_over(2), vlan.sends_over(3), away.sends_over(2)), (Some(3), None, None));
        assert_eq!(Link::of(&[0; 8]), None);
    }

    #[test]
    fn a_rule_regards_ports_or_marks() {
        let rule = |attributes: &[Vec<u8>]| RuleParts::of(&[vec![0; 12], attributes.concat()].concat());
        assert_eq!(rule(&[attribute(23, &[0, 80, 0, 90])]), RuleParts { by_port: true, by_mark: false });
        assert_eq!(rule(&[attribute(10, &[1, 0, 0, 0])]), RuleParts { by_port: false, by_mark: true });
        assert_eq!((rule(&[]), RuleParts::of(&[])), (rule(&[attribute(15, &[0; 4])]), rule(&[])));
    }
}
