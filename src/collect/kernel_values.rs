//! sysctls, gauges and counters, read from within a namespace: /proc/sys/net and /proc/thread-self/net follow the thread
//! that opens them (CRATES.md 6).

use std::fs::{self, File};
use std::io::Read;

use crate::decode::{key_values, sysctl};
use crate::model::counters::{Counters, SockStat};
use crate::model::sysctl::Sysctls;

/// Every sysctl of the table; what is missing or unreadable is absent.
pub fn sysctls() -> Sysctls {
    Sysctls::read_with(|spec| {
        let text = fs::read_to_string(format!("/proc/sys/{}", spec.path)).ok()?;
        sysctl::decode(&text, spec.format)
    })
}

/// /proc/net/sockstat and sockstat6.
pub fn sockstat() -> SockStat {
    let text = net_file("sockstat") + &net_file("sockstat6");
    SockStat::read_with(|gauge| key_values::from_inline(&text, gauge.group, gauge.name))
}

/// The Tcp lines of /proc/net/snmp and the TcpExt lines of /proc/net/netstat.
pub fn counters() -> Counters {
    Counters {
        tcp: key_values::from_line_pairs(&net_file("snmp"), "Tcp"),
        tcp_ext: key_values::from_line_pairs(&net_file("netstat"), "TcpExt"),
    }
}

/// Empty where the file is missing: then every name in it is absent.
fn net_file(name: &str) -> String {
    net_file_below(name, u64::MAX)
}

/// The same, empty too where the file is not shorter than `bytes`.
pub(super) fn net_file_below(name: &str, bytes: u64) -> String {
    let mut text = String::new();
    let file = File::open(format!("/proc/thread-self/net/{name}"));
    match file.and_then(|file| file.take(bytes).read_to_string(&mut text)) {
        Ok(read) if (read as u64) < bytes => text,
        _ => String::new(),
    }
}
