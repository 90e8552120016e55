//! A row: a socket and its context, as passed to sinks.

use std::time::SystemTime;

use super::holder::Holder;
use super::keepalive::Keepalive;
use super::liveness::Liveness;
use super::namespace::Namespace;
use super::options::SocketOptions;
use super::routes::Doubt;
use super::socket::Socket;

/// Judgement of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// Keepalive, as far as it is known
    pub keepalive: Keepalive,
    /// Whether its peer is alive, and when the kernel would notice otherwise
    pub liveness: Liveness,
    /// Why it is doubtful that packets to the peer leave this host
    pub doubt: Option<Doubt>,
}

/// One row of a snapshot. It borrows its data, and is dropped when the sink returns.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Time at which the snapshot was begun
    pub taken_at: SystemTime,
    /// The socket as the kernel described it
    pub socket: &'a Socket,
    /// The namespace of the socket
    pub namespace: &'a Namespace,
    /// Name of the interface it is bound to
    pub interface: Option<&'a str>,
    /// Name of the user it belongs to
    pub user: Option<&'a str>,
    /// Path of its cgroup
    pub cgroup: Option<&'a str>,
    /// Owner of the socket
    pub holder: Holder<'a>,
    /// Its options, if they were requested and could be read
    pub options: Option<&'a SocketOptions>,
    /// Keepalive and judgement, if they were requested
    pub judged: Option<&'a Judged>,
}
