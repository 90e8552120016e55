//! A socket that is to be changed, as it was when it was listed.

use crate::model::holder::Holder;
use crate::model::ids::{Fd, Pid};
use crate::model::owner::Owners;
use crate::model::row::Row;
use crate::model::socket::Socket;
use crate::model::unread::Unread;

/// What has to be kept of a row to find its socket again.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// What the kernel said of it; its cookie is what it is found by
    pub socket: Socket,
    /// Process and descriptor of each holder
    pub holders: Vec<(Pid, Fd)>,
    /// Why no process can be asked for it, where none can
    pub unreachable: Option<Unread>,
    /// Whether that is for lack of rights
    pub is_hidden: bool,
}

impl Target {
    /// The socket of a row.
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
