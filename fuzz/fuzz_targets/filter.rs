//! Any text, as a filter: it is parsed or refused, and a parsed filter is printed and parsed back to the same.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use tcpulse::filter::{Filter, Names};

struct Nobody;

impl Names for Nobody {
    fn service(&self, name: &str) -> Option<u16> {
        (name == "https").then_some(443)
    }

    fn host(&self, _: &str) -> Vec<IpAddr> {
        Vec::new()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    match Filter::parse(&text, &Nobody) {
        Ok(filter) => {
            let printed = filter.to_string();
            let again = Filter::parse(&printed, &Nobody);
            assert_eq!(again.as_ref(), Ok(&filter), "{text} -> {printed}");
            let _ = (filter.states(), filter.families(), filter.needs());
        }
        Err(error) => assert_eq!(error.to_string().lines().count(), 3, "{text}"),
    }
});
