//! Routes, carriers and neighbours of the calling thread's namespace.

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::kernel_values::net_file_below;
use crate::decode::reach::{routes, unresolved};
use crate::model::reach::Reach;

/// A router's table may have a million lines. One that is longer than this is left alone.
const MOST_BYTES: u64 = 64 * 1024;

/// What can be read; the rest is empty, so that nothing is doubted.
pub fn reach() -> Reach {
    let Ok(interfaces) = getifaddrs() else { return Reach::default() };
    // Not IFF_RUNNING, which follows the carrier up to a second later.
    let up_and_idle = |flags: InterfaceFlags| {
        flags.contains(InterfaceFlags::IFF_UP)
            && !flags.contains(InterfaceFlags::IFF_LOOPBACK)
            && flags.bits() & libc::IFF_LOWER_UP == 0
    };
    let mut without_carrier: Vec<_> =
        interfaces.filter(|interface| up_and_idle(interface.flags)).map(|interface| interface.interface_name).collect();
    without_carrier.sort_unstable();
    without_carrier.dedup();
    let unresolved = unresolved(&net_file_below("arp", MOST_BYTES));
    // The routes decide nothing where there is nothing to doubt.
    let routes = if without_carrier.is_empty() && unresolved.is_empty() {
        Vec::new()
    } else {
        routes(&net_file_below("route", MOST_BYTES))
    };
    Reach { routes, without_carrier, unresolved }
}
