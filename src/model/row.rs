//! A socket with all that is known around it, as the sinks get it.

use super::namespace::Namespace;
use super::owner::Holder;
use super::socket::Socket;

/// One row. Borrowed: it is made, handed on, and forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
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
}
