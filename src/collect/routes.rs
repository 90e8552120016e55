//! Reads the routes, carriers and neighbours of the calling thread's namespace.

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use rustix::io::Errno;

use super::kernel_values::net_file_below;
use super::refusals::{Refusals, errno_of, is_gone};
use crate::decode::routes::{ipv4_routes, unresolved};
use crate::model::routes::Routes;

/// Size limit of a table: 64 KiB. A router's table may have a million lines; a longer table is ignored.
const MOST_BYTES: u64 = 64 * 1024;

/// Reads what is readable. Unreadable tables are empty, so that they raise no doubt, and are counted in `refused`.
pub(crate) fn routes(refused: &mut Refusals) -> Routes {
    let interfaces = match getifaddrs() {
        Ok(interfaces) => interfaces,
        Err(errno) => {
            refused.note(Errno::from_raw_os_error(errno as i32), || Some("getifaddrs".to_owned()));
            return Routes::default();
        }
    };
    // Do not use IFF_RUNNING: it follows the carrier up to a second later.
    let up_and_idle = |flags: InterfaceFlags| {
        flags.contains(InterfaceFlags::IFF_UP)
            && !flags.contains(InterfaceFlags::IFF_LOOPBACK)
            && flags.bits() & libc::IFF_LOWER_UP == 0
    };
    let mut without_carrier: Vec<_> =
        interfaces.filter(|interface| up_and_idle(interface.flags)).map(|interface| interface.interface_name).collect();
    without_carrier.sort_unstable();
    without_carrier.dedup();
    let mut file = |name: &str| {
        net_file_below(name, MOST_BYTES).unwrap_or_else(|error| {
            if !is_gone(errno_of(&error)) {
                refused.note(errno_of(&error), || Some(format!("/proc/net/{name}")));
            }
            String::new()
        })
    };
    let unresolved = unresolved(&file("arp"));
    // Without a lost carrier or an unresolved neighbour there is no doubt, and the routes are not needed.
    let ipv4 =
        if without_carrier.is_empty() && unresolved.is_empty() { Vec::new() } else { ipv4_routes(&file("route")) };
    Routes { ipv4, without_carrier, unresolved }
}
