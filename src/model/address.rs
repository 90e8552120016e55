//! Address of a socket: family, IP addresses, ports, and the network namespace in which they are valid.

use std::net::IpAddr;

/// Inode number of a network namespace in nsfs (`stat -L /proc/PID/ns/net`): unique while the namespace lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetnsId(pub u64);

/// The kernel's number for one socket (`SO_COOKIE`): never used twice within a boot, kept from SYN to TIME-WAIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cookie(pub u64);

/// Address family of the socket, not of the address: a dual-stack socket that talks to an IPv4 peer is `Ipv6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`
    Ipv4,
    /// `AF_INET6`
    Ipv6,
}

impl Family {
    /// Both families, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The word used in JSON and by the `family` column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// IP address as the socket stores it: an IPv4 peer of an IPv6 socket is `::ffff:a.b.c.d`.
    pub addr: IpAddr,
    /// Port in host byte order; 0 if there is none (the peer of a listener).
    pub port: u16,
}

/// End of a connection, seen from this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The local end: ss's `src` and `sport`
    Local,
    /// The remote end: ss's `dst` and `dport`
    Peer,
}
