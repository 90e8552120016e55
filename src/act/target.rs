//! A socket to change, as listed.

use crate::model::holder::Holder;
use crate::model::ids::{Fd, Pid};
use crate::model::owner::Owners;
use crate::model::row::Row;
use crate::model::socket::Socket;
use crate::model::unread::Unread;

/// Data of a row that finds its socket again.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its data from the dump; it is found by its cookie
    pub socket: Socket,
    /// Process and descriptor of each owner
    pub holders: Vec<(Pid, Fd)>,
    /// Why no process has a usable descriptor for it; `None` if one has
    pub unreachable: Option<Unread>,
    /// Whether the reason is missing rights
    pub is_hidden: bool,
}

impl Target {
    /// Target for the socket of a row.
    pub(crate) fn of(row: &Row<'_>) -> Self {
        let owners = row.holder.owners();
        Self {
            socket: row.socket.clone(),
            holders: owners.iter().flat_map(Owners::iter).map(|(process, fd)| (process.pid, fd)).collect(),
            unreachable: row.holder.unread(),
            is_hidden: matches!(row.holder, Holder::Hidden),
        }
    }
}
