//! sysctls, gauges and counters, read from within a namespace: /proc/sys/net and /proc/thread-self/net follow the thread
//! that opens them (CRATES.md 6).

use std::fs;

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
    fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default()
}
