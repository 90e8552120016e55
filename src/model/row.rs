//! A socket with all that is known around it, as the sinks get it.

use std::time::SystemTime;

use super::holder::Holder;
use super::keepalive::Keepalive;
use super::liveness::Liveness;
use super::namespace::Namespace;
use super::options::SocketOptions;
use super::socket::Socket;

/// What was made of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// What is known of its keepalive
    pub keepalive: Keepalive,
    /// Whether its peer is there, and when the kernel would notice if not
    pub liveness: Liveness,
}

/// One row. Borrowed: it is made, handed on, and forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// When the snapshot was begun
    pub taken_at: SystemTime,
    /// What the kernel said
    pub socket: &'a Socket,
    /// The namespace it lives in
    pub namespace: &'a Namespace,
    /// Name of the interface it is bound to
    pub interface: Option<&'a str>,
    /// Name of the user it belongs to
    pub user: Option<&'a str>,
    /// Path of its cgroup
    pub cgroup: Option<&'a str>,
    /// In whose hands it is
    pub holder: Holder<'a>,
    /// Its options, where they were asked for and could be read
    pub options: Option<&'a SocketOptions>,
    /// Keepalive and judgement, where they were asked for
    pub judged: Option<&'a Judged>,
}
