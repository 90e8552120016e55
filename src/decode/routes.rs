//! Decodes /proc/net/route and /proc/net/arp. Malformed lines are skipped.

use std::net::Ipv4Addr;

use crate::model::routes::Route;

/// Routes that are up.
pub(crate) fn ipv4_routes(text: &str) -> Vec<Route> {
    const UP: u16 = 1;
    let route = |line: &str| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [interface, destination, gateway, flags, _, _, _, mask, ..] = fields[..] else { return None };
        let is_up = u16::from_str_radix(flags, 16).ok()? & UP != 0;
        let route = Route {
            interface: interface.to_owned(),
            destination: address(destination)?,
            mask: address(mask)?,
            gateway: address(gateway)?,
        };
        is_up.then_some(route)
    };
    text.lines().filter_map(route).collect()
}

/// Neighbours that have not answered, or have stopped answering: no flag is set (`ATF_COM` is 2).
pub(crate) fn unresolved(text: &str) -> Vec<Ipv4Addr> {
    let neighbour = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let address = fields.next()?.parse().ok()?;
        (fields.nth(1)? == "0x0").then_some(address)
    };
    text.lines().filter_map(neighbour).collect()
}

/// Parses an address, which the kernel prints as one number in the host's byte order.
fn address(text: &str) -> Option<Ipv4Addr> {
    u32::from_str_radix(text, 16).ok().map(|number| number.to_ne_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::{ipv4_routes, unresolved};
    use std::net::Ipv4Addr;

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_are_read_and_odd_lines_left_out() {
        let text = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
            eth1\t000200C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            eth2\tnonsense\n\n";
        let routes = ipv4_routes(text);
        assert_eq!(routes.len(), 1);
        assert_eq!((routes[0].interface.as_str(), routes[0].gateway), ("eth0", Ipv4Addr::new(192, 0, 2, 1)));
    }

    #[test]
    fn only_neighbours_without_an_answer_are_taken() {
        let text = "IP address       HW type     Flags       HW address            Mask     Device\n\
            192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0\n\
            192.0.2.9        0x1         0x0         00:00:00:00:00:00     *        eth0\nodd\n";
        assert_eq!(unresolved(text), [Ipv4Addr::new(192, 0, 2, 9)]);
    }
}
