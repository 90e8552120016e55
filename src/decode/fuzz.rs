//! Properties that hold for any input, checked by `fuzz/`: decoders do not panic, and return no more than the input can hold.

use std::net::Ipv4Addr;

use super::netlink::{Messages, Payload};
use super::{cgroup, inet_diag, key_values, proc_tcp, qdisc, rtnetlink, sysctl};
use crate::model::address::{Family, NetnsId};
use crate::model::sysctl::Format;

/// Checks any bytes as a datagram of a sock_diag dump.
pub fn netlink(bytes: &[u8]) {
    /// Minimum size of a socket: `struct nlmsghdr` and `struct inet_diag_msg`.
    const SOCKET_BYTES: usize = 88;
    // Bodies of any message type: `decode` must not rely on the type.
    let bodies = Messages::new(bytes).filter_map(|message| match message.ok()?.payload {
        Payload::Data(_, body) => Some(body),
        _ => None,
    });
    let sockets = bodies
        .inspect(|body| {
            let _ = (rtnetlink::neighbour(body), rtnetlink::next_hop(body, Ipv4Addr::LOCALHOST.into()));
            let _ = (rtnetlink::Link::of(body), rtnetlink::RuleParts::of(body), qdisc::Queue::of(body));
        })
        .filter(|body| inet_diag::decode(body, NetnsId(1)).is_ok())
        .count();
    assert!(sockets * SOCKET_BYTES <= bytes.len(), "{sockets} sockets of {} bytes", bytes.len());
}

/// Checks any text as a file of /proc.
pub fn proc(text: &str) {
    for line in text.lines().chain([text]) {
        for family in Family::ALL {
            let _ = proc_tcp::decode(line, family, NetnsId(1));
        }
        assert!(cgroup::unit(line).is_none_or(|unit| line.ends_with(unit) || line.contains(&format!("{unit}/"))));
        assert!(cgroup::container(line).is_none_or(|id| id.len() == 64));
        for format in [Format::Number, Format::Numbers, Format::Text] {
            let _ = sysctl::decode(line, format);
        }
    }
    for group in ["Tcp", "TcpExt", "TCP"] {
        let pairs = key_values::from_line_pairs(text, group);
        assert!(pairs.len() <= text.split_ascii_whitespace().count() / 2);
        let _ = key_values::from_inline(text, group, "inuse");
    }
}
