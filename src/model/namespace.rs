//! A network namespace and the kernel values that govern the sockets in it.

use super::address::NetnsId;
use super::counters::{Counters, SockStat};
use super::routes::Routes;
use super::sysctl::Sysctls;

/// Source of the rows of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// NETLINK_SOCK_DIAG
    SockDiag,
    /// /proc/net/tcp and tcp6: no tcp_info, no cookies, no memory
    Procfs,
}

impl Source {
    /// The word used in JSON and by `--source`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SockDiag => "sock_diag",
            Self::Procfs => "procfs",
        }
    }
}

/// A network namespace with the values that were read inside it.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// Inode number
    pub id: NetnsId,
    /// `host` for the namespace of pid 1, else the /run/netns name, the container id, or the inode number
    pub name: String,
    /// Source of its rows
    pub source: Source,
    /// Values of /proc/sys/net, read inside it
    pub sysctls: Sysctls,
    /// /proc/net/sockstat and sockstat6, read inside it
    pub sockstat: SockStat,
    /// /proc/net/snmp and netstat, read inside it
    pub counters: Counters,
    /// Its routes, carriers and neighbours
    pub routes: Routes,
    /// Whether MPTCP was used in it, and the rows may not show which sockets are its subflows: Linux before 6.15 shows that
    /// to `CAP_NET_ADMIN` only
    pub hides_mptcp: bool,
    /// Index and name of its interfaces
    pub interfaces: Vec<(u32, String)>,
}

impl Namespace {
    /// A namespace that has ended: only its number and name are known.
    pub(crate) fn ended(id: NetnsId, name: String) -> Self {
        Self {
            id,
            name,
            source: Source::SockDiag,
            sysctls: Sysctls::default(),
            sockstat: SockStat::default(),
            counters: Counters::default(),
            routes: Routes::default(),
            hides_mptcp: false,
            interfaces: Vec::new(),
        }
    }

    /// Name of the interface with this index, if it still exists.
    pub fn interface(&self, index: u32) -> Option<&str> {
        self.interfaces.iter().find(|(known, _)| *known == index).map(|(_, name)| name.as_str())
    }
}
