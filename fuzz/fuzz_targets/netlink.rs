//! Any bytes, as a datagram of a sock_diag dump.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tcpulse::decode::inet_diag;
use tcpulse::decode::netlink::{Messages, Payload};
use tcpulse::model::address::NetnsId;

/// `struct nlmsghdr` and `struct inet_diag_msg`: what a socket takes at least.
const SOCKET_BYTES: usize = 88;

fuzz_target!(|bytes: &[u8]| {
    // Of any message type: decode is to stand whatever it is handed.
    let bodies = Messages::new(bytes).filter_map(|message| match message.ok()?.payload {
        Payload::Data(_, body) => Some(body),
        _ => None,
    });
    let sockets = bodies.filter(|body| inet_diag::decode(body, NetnsId(1)).is_ok()).count();
    assert!(sockets * SOCKET_BYTES <= bytes.len(), "{sockets} sockets of {} bytes", bytes.len());
});
