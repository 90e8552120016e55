//! Parses ends of connections as ss writes them: `10.0.0.5:443`, `10.0.0.0/8`, `[::1]:80`, `:443`, `*`, a name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::tree::{End, Prefix};
use super::value::c_number;
use crate::model::address::Family;

/// Lookup of names: services in /etc/services, hosts by the resolver.
pub trait Names {
    /// The TCP port of a service.
    fn service(&self, _name: &str) -> Option<u16> {
        None
    }
    /// The addresses of a host; empty if it is unknown.
    fn host(&self, _name: &str) -> Vec<IpAddr> {
        Vec::new()
    }
}

/// Knows no services and no hosts: for filters without names.
#[derive(Debug, Clone, Copy)]
pub struct NoNames;

impl Names for NoNames {}

/// A parsed end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct HostPattern {
    /// Alternative addresses, with the port; a name may have several
    pub(super) ends: Vec<End>,
    /// The device after the `%` of a link-local address
    pub(super) device: Option<String>,
    /// Family by the prefix `inet:` or `inet6:`, which restricts the whole query as in ss
    pub(super) family: Option<Family>,
}

/// Parses an address, a port, or both.
///
/// # Errors
/// The text is neither; the message is one sentence.
pub(super) fn host(text: &str, names: &dyn Names) -> Result<HostPattern, String> {
    let (family, text) = family(text)?;
    let (addr, after) = split(text)?;
    let (addr, device) = match addr.split_once('%') {
        Some((addr, device)) if !device.is_empty() => (addr, Some(device.to_owned())),
        _ => (addr, None),
    };
    if after == Some("") {
        // ss reads this as any port; more likely, a variable of the shell was empty.
        return Err(format!("a port is missing after the colon of '{text}'; any port is '{addr}:*'"));
    }
    let port = after.map_or(Ok(None), |port| port_or_any(port, names))?;
    let ends = match addr {
        "" | "*" | "any" | "all" | "default" => vec![End { prefix: None, port }],
        addr => prefixes(addr, family, names)?.into_iter().map(|prefix| End { prefix: Some(prefix), port }).collect(),
    };
    Ok(HostPattern { ends, device, family })
}

/// Parses a port, with or without the colon; `None` for any.
///
/// # Errors
/// The text is no port; the message is one sentence.
pub(super) fn port(text: &str, names: &dyn Names) -> Result<(Option<u16>, Option<Family>), String> {
    let (family, text) = family(text)?;
    let port = text.strip_prefix(':').unwrap_or(text);
    if port.is_empty() {
        return Err("a port is missing, such as :443 or https".to_owned());
    }
    Ok((port_or_any(port, names)?, family))
}

/// Parses an end that is unambiguous: a whole address, with or without port or prefix, or `:port`. `None` for text that
/// is more likely a word to search for.
pub(super) fn certain(text: &str) -> Option<HostPattern> {
    struct Nobody;
    impl Names for Nobody {}
    let is_whole = |addr: &str| {
        let addr = addr.split(['/', '%']).next().unwrap_or_default();
        addr.parse::<IpAddr>().is_ok()
    };
    let (addr, port) = split(text).ok()?;
    let digits = |port: &str| port == "*" || (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_port = port.is_none_or(digits);
    let is_end = if addr.is_empty() { port.is_some_and(|port| port != "*") } else { is_whole(addr) };
    (is_end && is_port).then(|| host(text, &Nobody).ok()).flatten()
}

fn family(text: &str) -> Result<(Option<Family>, &str), String> {
    if let Some(rest) = text.strip_prefix("inet:") {
        return Ok((Some(Family::Ipv4), rest));
    }
    if let Some(rest) = text.strip_prefix("inet6:") {
        return Ok((Some(Family::Ipv6), rest));
    }
    match ["unix:", "link:", "netlink:", "vsock:"].iter().find(|prefix| text.starts_with(**prefix)) {
        Some(prefix) => Err(format!("'{prefix}' names no TCP socket; tcpulse knows inet: and inet6: only")),
        None => Ok((None, text)),
    }
}

/// The address, and what follows its colon.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(inner) = text.strip_prefix('[') {
        let (addr, after) = inner.split_once(']').ok_or_else(|| format!("'{text}' lacks its ']'"))?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((addr, Some(port))),
            None if after.is_empty() => Ok((addr, None)),
            None => Err(format!("'{after}' after ']' is no port; write [address]:port")),
        };
    }
    // ss reads what follows the last colon of a bare IPv6 address as a port, and then fails.
    if text.split(['/', '%']).next().is_some_and(|addr| addr.parse::<Ipv6Addr>().is_ok()) {
        return Ok((text, None));
    }
    Ok(text.rsplit_once(':').map_or((text, None), |(addr, port)| (addr, Some(port))))
}

fn port_or_any(text: &str, names: &dyn Names) -> Result<Option<u16>, String> {
    if text == "*" {
        return Ok(None);
    }
    if let Some(number) = c_number(text) {
        let port = u16::try_from(number).map_err(|_| format!("'{text}' is no port; ports go from 0 to 65535"))?;
        return Ok(Some(port));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("'{text}' is no port; ports go from 0 to 65535"));
    }
    names
        .service(text)
        .map(Some)
        .ok_or_else(|| format!("'{text}' is no port: a number from 0 to 65535, or a service of /etc/services"))
}

fn prefixes(text: &str, family: Option<Family>, names: &dyn Names) -> Result<Vec<Prefix>, String> {
    let (addr, bits) = text.split_once('/').map_or((text, None), |(addr, bits)| (addr, Some(bits)));
    let is_wanted = |addr: &IpAddr| match family {
        None => true,
        Some(Family::Ipv4) => addr.is_ipv4(),
        Some(Family::Ipv6) => addr.is_ipv6(),
    };
    let parsed = addr.parse().ok().or_else(|| short_v4(addr).map(IpAddr::V4));
    let addrs = match parsed {
        Some(addr) => vec![addr],
        None if bits.is_none() => names.host(addr),
        None => Vec::new(),
    };
    let addrs: Vec<_> = addrs.into_iter().filter(is_wanted).collect();
    if addrs.is_empty() {
        return Err(match parsed {
            Some(_) => format!("'{text}' is not of the family that stands before it"),
            None => format!(
                "'{text}' is no address, prefix or known host; write 10.0.0.5, 10.0.0.0/8, [2001:db8::1] or a host's name"
            ),
        });
    }
    addrs.into_iter().map(|addr| prefix(addr, bits)).collect()
}

fn prefix(addr: IpAddr, bits: Option<&str>) -> Result<Prefix, String> {
    let whole = Prefix::whole(addr);
    let Some(text) = bits else { return Ok(whole) };
    let bits = c_number(text).or_else(|| netmask(text)).and_then(|bits| u8::try_from(bits).ok());
    match bits {
        Some(bits) if bits <= whole.bits => Ok(Prefix { addr, bits }),
        _ => Err(format!("'/{text}' is no prefix length of {addr}; it goes from 0 to {}", whole.bits)),
    }
}

/// Prefix length of a netmask such as `255.255.0.0`, whose bits have to be contiguous.
fn netmask(text: &str) -> Option<u32> {
    let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
    (mask.leading_ones() == mask.count_ones()).then(|| mask.leading_ones())
}

/// Short address such as `10` or `127.1`: bytes that are missing at the end are 0, as in ss.
fn short_v4(text: &str) -> Option<Ipv4Addr> {
    let mut bytes = [0; 4];
    let mut parts = text.split('.');
    for byte in &mut bytes {
        let Some(part) = parts.next() else { break };
        *byte = c_number(part)?.try_into().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::{HostPattern, Names, certain, host, port};
    use crate::filter::tree::{End, Prefix};
    use std::net::IpAddr;

    struct TwoNames;

    impl Names for TwoNames {
        fn service(&self, name: &str) -> Option<u16> {
            (name == "https").then_some(443)
        }
        fn host(&self, name: &str) -> Vec<IpAddr> {
            if name == "web" { vec!["10.0.0.5".parse().unwrap(), "::5".parse().unwrap()] } else { Vec::new() }
        }
    }

    fn end(prefixes: &[(&str, u8)], port: Option<u16>) -> Vec<End> {
        let prefix = |(addr, bits): &(&str, u8)| Some(Prefix { addr: addr.parse().unwrap(), bits: *bits });
        match prefixes {
            [] => vec![End { prefix: None, port }],
            prefixes => prefixes.iter().map(|of| End { prefix: prefix(of), port }).collect(),
        }
    }

    #[test]
    fn every_form_of_ss_is_read() {
        for (text, expected) in [
            ("10.0.0.5:443", end(&[("10.0.0.5", 32)], Some(443))),
            ("10.0.0.0/8", end(&[("10.0.0.0", 8)], None)),
            ("10/8:https", end(&[("10.0.0.0", 8)], Some(443))),
            ("127.0.0.0/255.0.0.0", end(&[("127.0.0.0", 8)], None)),
            ("127.1", end(&[("127.1.0.0", 32)], None)),
            ("[::1]:80", end(&[("::1", 128)], Some(80))),
            ("[fd00::/8]", end(&[("fd00::", 8)], None)),
            ("::1/128", end(&[("::1", 128)], None)),
            ("::1", end(&[("::1", 128)], None)),
            (":0x50", end(&[], Some(80))),
            ("*:80", end(&[], Some(80))),
            ("any:*", end(&[], None)),
            ("*", end(&[], None)),
            ("web", end(&[("10.0.0.5", 32), ("::5", 128)], None)),
            ("inet6:web", end(&[("::5", 128)], None)),
        ] {
            assert_eq!(host(text, &TwoNames).map(|host| host.ends), Ok(expected), "{text}");
        }
        assert_eq!(host("[fe80::1%eth0]:22", &TwoNames).unwrap().device.as_deref(), Some("eth0"));
        assert_eq!(port("https", &TwoNames), Ok((Some(443), None)));
        assert_eq!(port(":*", &TwoNames), Ok((None, None)));
    }

    #[test]
    fn errors_of_endpoints_name_what_is_wrong() {
        for (text, part) in [
            ("1.2.3.4:70000", "0 to 65535"),
            ("1.2.3.4:99999999999", "0 to 65535"),
            ("1.2.3.4:", "port is missing"),
            (":", "port is missing"),
            ("1.2.3.4/33", "prefix length"),
            ("1.2.3.4/x", "prefix length"),
            ("nowhere", "known host"),
            ("1.2.3.4.5", "known host"),
            ("[::1", "lacks its ']'"),
            ("[::1]80", "write [address]:port"),
            ("unix:/run/x", "no TCP socket"),
            ("inet:::1", "family"),
            ("1.2.3.4:nope", "/etc/services"),
        ] {
            let error = host(text, &TwoNames).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(port(":", &TwoNames).unwrap_err().contains("missing"));
    }

    #[test]
    fn only_whole_addresses_are_certain_to_be_ends() {
        let certain_end = |text: &str| certain(text).map(|HostPattern { ends, .. }| ends);
        assert_eq!(certain_end("10.0.0.9"), Some(end(&[("10.0.0.9", 32)], None)));
        assert_eq!(certain_end("10.0.0.9:5432"), Some(end(&[("10.0.0.9", 32)], Some(5432))));
        assert_eq!(certain_end("10.0.0.0/8"), Some(end(&[("10.0.0.0", 8)], None)));
        assert_eq!(certain_end("[::1]:80"), Some(end(&[("::1", 128)], Some(80))));
        assert_eq!(certain_end(":443"), Some(end(&[], Some(443))));
        for word in ["10", "10.0.0.", "443", "postgres", "postgres:5432", ":", ":*", "*", "10.0.0.9:http", "a/b", ""] {
            assert_eq!(certain_end(word), None, "{word}");
        }
    }
}
