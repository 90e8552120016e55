//! Resolves names: services by /etc/services, hosts by the resolver (getaddrinfo(3), getnameinfo(3)), or, in a static
//! binary, by /etc/hosts: the resolver would load modules of the C library that is installed, which may be another version
//! than the one that is linked in.

use std::net::IpAddr;
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
    for address in resolver::addresses(name) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

/// Name of a host; `None` if its address has none. Blocks until the resolver answers.
pub(crate) fn name_of(addr: IpAddr) -> Option<String> {
    resolver::name(addr)
}

#[cfg(not(target_feature = "crt-static"))]
mod resolver {
    use std::net::{IpAddr, ToSocketAddrs};

    pub(super) fn addresses(name: &str) -> Vec<IpAddr> {
        (name, 0).to_socket_addrs().into_iter().flatten().map(|address| address.ip()).collect()
    }

    pub(super) fn name(addr: IpAddr) -> Option<String> {
        // For an address without a name, getnameinfo(3) returns the address as text.
        dns_lookup::lookup_addr(&addr).ok().filter(|name| name.parse::<IpAddr>().is_err())
    }
}

#[cfg(target_feature = "crt-static")]
mod resolver {
    use std::net::IpAddr;
    use std::path::Path;

    use super::small_file;

    pub(super) fn addresses(name: &str) -> Vec<IpAddr> {
        hosts().into_iter().filter(|(_, names)| names.iter().any(|known| known == name)).map(|(addr, _)| addr).collect()
    }

    pub(super) fn name(addr: IpAddr) -> Option<String> {
        hosts().into_iter().find(|(known, _)| *known == addr).and_then(|(_, names)| names.into_iter().next())
    }

    fn hosts() -> Vec<(IpAddr, Vec<String>)> {
        let file = small_file::read(Path::new("/etc/hosts"));
        let bytes = file.map(|file| file.bytes).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().filter_map(super::host_line).collect()
    }
}

/// One line of /etc/hosts: an address and its names.
#[cfg(any(test, target_feature = "crt-static"))]
fn host_line(line: &str) -> Option<(IpAddr, Vec<String>)> {
    let mut words = line.split('#').next()?.split_whitespace();
    Some((words.next()?.parse().ok()?, words.map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::{host_line, port_of};

    #[test]
    fn a_line_of_hosts_has_an_address_and_names() {
        let (addr, names) = host_line("10.0.0.9  db db.example # the database").unwrap();
        assert_eq!((addr.to_string().as_str(), names), ("10.0.0.9", vec!["db".to_owned(), "db.example".to_owned()]));
        assert!(host_line("# nothing").is_none() && host_line("").is_none() && host_line("no address").is_none());
    }

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
