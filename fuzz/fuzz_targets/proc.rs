//! Any text, as a file of /proc.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| tcpulse::fuzz::proc(&String::from_utf8_lossy(bytes)));
