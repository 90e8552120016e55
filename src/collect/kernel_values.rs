//! sysctls, gauges and counters of the calling thread's namespace: /proc/sys/net and /proc/thread-self/net show the
//! namespace of the thread that opens them.

use std::fs::{self, File};
use std::io::{self, Read};

use super::refusals::{Refusals, errno_of, is_gone};
use crate::decode::{key_values, sysctl};
use crate::model::counters::{Counters, SockStat};
use crate::model::sysctl::{SYSCTLS, Sysctl, Sysctls};

/// Reads every sysctl of the table. One that this kernel lacks is absent; any other error is counted in `refused`.
pub(crate) fn sysctls(refused: &mut Refusals) -> Sysctls {
    Sysctls::read_with(|spec| match fs::read_to_string(format!("/proc/sys/{}", spec.path)) {
        Ok(text) => sysctl::decode(&text, spec.format),
        Err(error) => {
            let errno = errno_of(&error);
            // Every namespace of every kernel since 4.5 has this one. If it is missing, /proc/sys is masked.
            let is_always_there = spec.path == SYSCTLS[Sysctl::KeepaliveTime as usize].path;
            if is_always_there || !is_gone(errno) {
                refused.note(errno, || Some(spec.name()));
            }
            None
        }
    })
}

/// Reads /proc/net/sockstat and sockstat6.
pub(crate) fn sockstat(refused: &mut Refusals) -> SockStat {
    let (all, ipv6) = (net_file("sockstat", refused), net_file("sockstat6", refused));
    // The numbers of one file alone would pass for the total.
    let (Some(all), Some(ipv6)) = (all, ipv6) else { return SockStat::default() };
    let text = all + &ipv6;
    SockStat::read_with(|gauge| key_values::from_inline(&text, gauge.group, gauge.name))
}

/// Reads the Tcp lines of /proc/net/snmp and the TcpExt lines of /proc/net/netstat.
pub(crate) fn counters(refused: &mut Refusals) -> Counters {
    let mut pairs = |file, group| key_values::from_line_pairs(&net_file(file, refused).unwrap_or_default(), group);
    Counters { tcp: pairs("snmp", "Tcp"), tcp_ext: pairs("netstat", "TcpExt") }
}

/// Whether any MPTCP connection was opened or accepted, by the MPTcpExt lines of /proc/net/netstat.
pub(crate) fn has_used_mptcp(refused: &mut Refusals) -> bool {
    let text = net_file("netstat", refused).unwrap_or_default();
    key_values::from_line_pairs(&text, "MPTcpExt").into_iter().any(|(_, count)| count > 0)
}

/// Text of a file of /proc/net. Empty if this kernel has no such file: every name in it is then absent. `None` on an error.
fn net_file(name: &str, refused: &mut Refusals) -> Option<String> {
    match net_file_below(name, u64::MAX) {
        Ok(text) => Some(text),
        Err(error) if is_gone(errno_of(&error)) => Some(String::new()),
        Err(error) => {
            refused.note(errno_of(&error), || Some(format!("/proc/net/{name}")));
            None
        }
    }
}

/// Text of a file of /proc/net; empty if the file has `bytes` or more.
pub(super) fn net_file_below(name: &str, bytes: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(format!("/proc/thread-self/net/{name}"))?.take(bytes).read_to_string(&mut text)?;
    Ok(if (read as u64) < bytes { text } else { String::new() })
}
