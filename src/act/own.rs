//! The connection that the user's session runs over: destroying it would cut the session off.

use std::net::IpAddr;

use crate::collect::process::{Ancestor, ancestors};
use crate::model::address::Endpoint;
use crate::model::holder::Holder;
use crate::model::ids::Pid;
use crate::model::row::Row;

/// This program's own sockets, and the ssh connection that it was started over.
#[derive(Debug)]
pub(crate) struct Own {
    pids: Vec<Pid>,
    /// Local and remote addresses from `SSH_CONNECTION` in the environment of the ancestors. Needed because a terminal
    /// multiplexer is no child of sshd, and sudo drops the variable, but some ancestor usually still has it
    ends: Vec<(Endpoint, Endpoint)>,
    /// Whether an ancestor is an ssh server whose connection is unknown
    is_blind: bool,
}

impl Own {
    /// Walks up from this process to the ssh servers that hold its terminal.
    pub(crate) fn find() -> Self {
        let own = Pid(std::process::id());
        let is_server = |comm: &str| comm.starts_with("sshd") || comm == "dropbear";
        let ancestors = ancestors();
        let ends: Vec<_> =
            ancestors.iter().filter_map(|ancestor| ancestor.ssh_connection.as_deref().and_then(ends)).collect();
        let is_hidden = |ancestor: &Ancestor| is_server(&ancestor.comm) && !ancestor.is_readable;
        let is_blind = ends.is_empty() && ancestors.iter().any(is_hidden);
        let holders = ancestors.into_iter().filter(|ancestor| ancestor.pid == own || is_server(&ancestor.comm));
        Self { pids: holders.map(|ancestor| ancestor.pid).collect(), ends, is_blind }
    }

    /// Whether the row may be one of them, without certainty: neither the descriptors of the session's ssh server nor
    /// the addresses of its connection are known.
    pub(crate) fn may_be(&self, row: &Row<'_>) -> bool {
        self.is_blind && row.socket.state.is_connection() && matches!(row.holder, Holder::Hidden)
    }

    /// Whether the row is one of them. A listener is none: destroying it leaves the session intact.
    pub(crate) fn is(&self, row: &Row<'_>) -> bool {
        if !row.socket.state.is_connection() {
            return false;
        }
        let same = |end: Endpoint, known: Endpoint| {
            end.port == known.port && end.addr.to_canonical() == known.addr.to_canonical()
        };
        let mut told = self.ends.iter();
        let is_told = told.any(|(local, remote)| same(row.socket.local, *local) && same(row.socket.remote, *remote));
        let owners = row.holder.owners();
        is_told || owners.is_some_and(|owners| owners.processes().any(|process| self.pids.contains(&process.pid)))
    }
}

/// Parses `SSH_CONNECTION` (sshd(8)): client address and port, server address and port.
fn ends(text: &str) -> Option<(Endpoint, Endpoint)> {
    let mut words = text.split_whitespace();
    let mut end = || {
        // A link-local address has its interface as a suffix.
        let addr: IpAddr = words.next()?.split('%').next()?.parse().ok()?;
        Some(Endpoint { addr, port: words.next()?.parse().ok()? })
    };
    let remote = end()?;
    Some((end()?, remote))
}

#[cfg(test)]
mod tests {
    use super::ends;

    #[test]
    fn sshd_names_the_client_first() {
        let (local, remote) = ends("10.0.0.9 50000 10.0.0.5 22").unwrap();
        assert_eq!((local.port, remote.port), (22, 50000));
        assert_eq!(ends("fe80::1%eth0 1 fe80::2%eth0 2").unwrap().1.port, 1);
        for text in ["", "10.0.0.9 50000 10.0.0.5", "x 1 y 2", "10.0.0.9 99999 10.0.0.5 22"] {
            assert_eq!(ends(text), None, "{text}");
        }
    }
}
