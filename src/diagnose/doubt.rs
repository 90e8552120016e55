//! Whether it is doubtful that packets of a socket leave this host, by the interfaces, queues, neighbours and routes of its
//! namespace.

use std::net::IpAddr;

use crate::model::routes::{Doubt, NextHop, Route, Routes};
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::timer::TimerKind;

/// Every namespace has a loopback interface, with this index.
const LOOPBACK: u32 = 1;

/// Reason to doubt that packets of this socket leave this host. `route` looks up its route, which takes longer than all
/// the rest.
pub(crate) fn of(socket: &Socket, routes: &Routes, route: impl FnOnce() -> Route) -> Option<Doubt> {
    // Where nothing is amiss, only what is sent again can fail: for lack of a route, or of the neighbour.
    let is_sending =
        matches!(socket.timer.kind, TimerKind::Retransmit | TimerKind::ZeroWindowProbe | TimerKind::SynAck);
    if (are_sound(routes) && !is_sending) || !socket.state.is_connection() {
        return None;
    }
    let peer = socket.remote.addr.to_canonical();
    let (interface, doubt) = match route() {
        Route::Refused => (None, Some(Doubt::Route)),
        Route::Via(_) | Route::Unknown if peer.is_loopback() => (Some(LOOPBACK), of_loopback(routes)),
        Route::Via(hop) => (Some(hop.interface), of_hop(routes, hop, peer, is_sending)),
        Route::Unknown => (None, of_any(routes).or(is_sending.then_some(Doubt::Unknown))),
    };
    // An orphan that ends earlier still ends within its bound, and of a SYN each try counts.
    let is_data =
        socket.timer.kind == TimerKind::Retransmit && socket.state != TcpState::SynSent && !socket.is_orphan();
    let waits = interface.map_or(!routes.with_backlog.is_empty(), |own| routes.with_backlog.contains(&own));
    let is_held_back = is_data && waits && !doubt.is_some_and(Doubt::is_present);
    if is_held_back { Some(Doubt::Backlog) } else { doubt }
}

/// Whether every interface has its carrier and a place in its queue, and every neighbour answers, so that no route needs
/// to be looked up.
fn are_sound(routes: &Routes) -> bool {
    !routes.is_loopback_down
        && routes.without_carrier.is_empty()
        && routes.with_full_queue.is_empty()
        && routes.unresolved.is_empty()
}

/// For a peer on this host itself.
fn of_loopback(routes: &Routes) -> Option<Doubt> {
    if routes.is_loopback_down {
        return Some(Doubt::Route);
    }
    routes.with_full_queue.contains(&LOOPBACK).then_some(Doubt::Queue)
}

/// For packets to `peer` that leave by this hop. A neighbour to which a socket sends is known to the kernel, unless it is
/// gone.
fn of_hop(routes: &Routes, hop: NextHop, peer: IpAddr, is_sending: bool) -> Option<Doubt> {
    if routes.unresolved.binary_search(&hop).is_ok() {
        return Some(Doubt::Neighbour);
    }
    if routes.without_carrier.contains(&hop.interface) {
        return Some(Doubt::Carrier);
    }
    if routes.with_full_queue.contains(&hop.interface) {
        return Some(Doubt::Queue);
    }
    if !is_sending || routes.without_neighbours.contains(&hop.interface) {
        return None;
    }
    if routes.resolved.as_ref().is_some_and(|resolved| resolved.binary_search(&hop).is_err()) {
        return Some(Doubt::Neighbour);
    }
    (hop.addr == peer && routes.permanent.binary_search(&hop).is_err()).then_some(Doubt::OnLink)
}

/// If the hop is not known: any interface may be the outgoing one.
fn of_any(routes: &Routes) -> Option<Doubt> {
    let carrier = (!routes.without_carrier.is_empty()).then_some(Doubt::Carrier);
    let neighbour = (!routes.unresolved.is_empty()).then_some(Doubt::Neighbour);
    carrier.or(neighbour).or((!routes.with_full_queue.is_empty()).then_some(Doubt::Queue))
}

#[cfg(test)]
mod tests {
    use super::{are_sound, of_any, of_hop, of_loopback};
    use crate::model::routes::{Doubt, NextHop, Routes};

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
            ..Routes::default()
        };
        for is_sending in [false, true] {
            let doubt = |hop: NextHop| of_hop(&routes, hop, hop.addr, is_sending);
            assert_eq!((doubt(hop(4, 1)), doubt(hop(2, 7))), (Some(Doubt::Carrier), Some(Doubt::Neighbour)));
            assert_eq!((doubt(hop(2, 8)), doubt(hop(3, 7))), (None, None));
            assert_eq!((doubt(hop(6, 1)), of_loopback(&routes)), (Some(Doubt::Queue), Some(Doubt::Queue)));
            assert_eq!(doubt(hop(2, 9)), is_sending.then_some(Doubt::Neighbour));
            // The peer itself may be gone with its address; a gateway is not the peer.
            assert_eq!(doubt(hop(2, 5)), is_sending.then_some(Doubt::OnLink));
            assert_eq!(of_hop(&routes, hop(2, 1), [192, 0, 2, 1].into(), is_sending), None);
        }
        assert_eq!(of_any(&routes), Some(Doubt::Carrier));
        assert!(!are_sound(&routes) && are_sound(&Routes::default()));
        let down = Routes { is_loopback_down: true, ..Routes::default() };
        assert_eq!((of_loopback(&down), are_sound(&down)), (Some(Doubt::Route), false));
    }
}
