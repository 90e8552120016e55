//! Any text, as a file of /proc.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tcpulse::decode::{cgroup, key_values, proc_tcp, sysctl};
use tcpulse::model::address::{Family, NetnsId};
use tcpulse::model::sysctl::Format;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines().chain([&*text]) {
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
        let pairs = key_values::from_line_pairs(&text, group);
        assert!(pairs.len() <= text.split_ascii_whitespace().count() / 2);
        let _ = key_values::from_inline(&text, group, "inuse");
    }
});
