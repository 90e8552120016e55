//! Routes, carriers and neighbours of the calling thread's namespace.

use std::fs::File;
use std::io::Read;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

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
    let unresolved = unresolved(&read("arp"));
    // The routes decide nothing where there is nothing to doubt.
    let routes = if without_carrier.is_empty() && unresolved.is_empty() { Vec::new() } else { routes(&read("route")) };
    Reach { routes, without_carrier, unresolved }
}

fn read(name: &str) -> String {
    let mut text = String::new();
    let file = File::open(format!("/proc/thread-self/net/{name}"));
    match file.and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text)) {
        Ok(read) if (read as u64) < MOST_BYTES => text,
        _ => String::new(),
    }
}
