//! Any bytes, as a datagram of a sock_diag dump.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| tcpulse::fuzz::netlink(bytes));
