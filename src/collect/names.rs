//! Resolves names: services by /etc/services, hosts by the resolver (getaddrinfo(3), getnameinfo(3)).

use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;

use super::small_file;

/// The TCP port of a service, by its name or one of its aliases.
pub(crate) fn service(name: &str) -> Option<u16> {
    let file = small_file::read(Path::new("/etc/services")).ok()?;
    String::from_utf8_lossy(&file.bytes).lines().find_map(|line| port_of(line, name))
}

/// One line: `https  443/tcp  alias…  # comment`.
fn port_of(line: &str, name: &str) -> Option<u16> {
    let mut words = line.split('#').next()?.split_whitespace();
    let first = words.next()?;
    let port = words.next()?.strip_suffix("/tcp")?.parse().ok()?;
    (first == name || words.any(|alias| alias == name)).then_some(port)
}

/// Addresses of a host without duplicates; empty if the name is unknown.
pub(crate) fn host(name: &str) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in (name, 0).to_socket_addrs().into_iter().flatten() {
        if !addresses.contains(&address.ip()) {
            addresses.push(address.ip());
        }
    }
    addresses
}

/// Name of a host; `None` if its address has none. Blocks until the resolver answers.
pub(crate) fn name_of(addr: IpAddr) -> Option<String> {
    // For an address without a name, getnameinfo(3) returns the address as text.
    dns_lookup::lookup_addr(&addr).ok().filter(|name| name.parse::<IpAddr>().is_err())
}

#[cfg(test)]
mod tests {
    use super::port_of;

    #[test]
    fn services_have_aliases_and_other_protocols() {
        assert_eq!(port_of("http\t\t80/tcp\t\twww\t# WorldWideWeb", "www"), Some(80));
        assert_eq!(port_of("http 80/tcp www", "http"), Some(80));
        for (line, name) in
            [("domain 53/udp", "domain"), ("# http 80/tcp", "http"), ("http 80/tcp # www", "www"), ("", "")]
        {
            assert_eq!(port_of(line, name), None, "{line}");
        }
    }
}
