//! The connection that the user sits on: whoever destroys it saws off the branch.

use std::net::IpAddr;

use crate::collect::process::ancestors;
use crate::model::address::Endpoint;
use crate::model::row::Row;

/// This program's own sockets, and the ssh connection that it was started over.
#[derive(Debug)]
pub struct Own {
    pids: Vec<u32>,
    /// Local and remote end, as sshd told the shell: a terminal multiplexer is no child of sshd any more
    ends: Option<(Endpoint, Endpoint)>,
}

impl Own {
    /// Walks up from this process to the servers that hold its terminal; `ssh_connection` is the variable of that name.
    pub fn find(ssh_connection: Option<&str>) -> Self {
        let own = std::process::id();
        let is_server = |comm: &str| comm.starts_with("sshd") || comm == "dropbear";
        let pids = ancestors().into_iter().filter(|(pid, comm)| *pid == own || is_server(comm)).map(|(pid, _)| pid);
        Self { pids: pids.collect(), ends: ssh_connection.and_then(ends) }
    }

    /// Whether the row is one of them. A listener is no connection: whoever destroys it still has a terminal.
    pub fn is(&self, row: &Row<'_>) -> bool {
        if !row.socket.state.is_connection() {
            return false;
        }
        let same = |end: Endpoint, known: Endpoint| {
            end.port == known.port && end.addr.to_canonical() == known.addr.to_canonical()
        };
        let is_told =
            self.ends.is_some_and(|(local, remote)| same(row.socket.local, local) && same(row.socket.remote, remote));
        let owners = row.holder.owners();
        is_told || owners.is_some_and(|owners| owners.processes().any(|process| self.pids.contains(&process.pid)))
    }
}

/// `SSH_CONNECTION` (sshd(8)): client address and port, server address and port.
fn ends(text: &str) -> Option<(Endpoint, Endpoint)> {
    let mut words = text.split_whitespace();
    let mut end = || {
        // A link-local address comes with its interface.
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
