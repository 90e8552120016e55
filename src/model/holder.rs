//! Owner of a socket: processes, or the kernel, and for which reason.

use super::ids::Inode;
use super::owner::{OwnerTable, Owners};
use super::socket::Socket;
use super::state::TcpState;
use super::unread::Unread;

/// Kind of a [`Holder`], without its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HolderKind {
    /// [`Holder::AcceptQueue`]
    AcceptQueue,
    /// [`Holder::Hidden`]
    Hidden,
    /// [`Holder::Kernel`]
    Kernel,
    /// [`Holder::Minisocket`]
    Minisocket,
    /// [`Holder::Orphan`]
    Orphan,
    /// [`Holder::Processes`]
    Process,
}

impl HolderKind {
    /// Every kind, in the order of the help.
    pub const ALL: [Self; 6] =
        [Self::Process, Self::Kernel, Self::Hidden, Self::AcceptQueue, Self::Orphan, Self::Minisocket];

    /// Name of the kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Kernel => "kernel",
            Self::Hidden => "hidden",
            Self::AcceptQueue => "accept-queue",
            Self::Orphan => "orphan",
            Self::Minisocket => "minisocket",
        }
    }

    /// Name in parentheses, as printed in place of a process name. No process is printed with such a name.
    pub fn enclosed(self) -> String {
        format!("({})", self.name())
    }

    /// Whether a process name looks like a kind in parentheses.
    pub fn is_enclosed(name: &str) -> bool {
        let inner = name.strip_prefix('(').and_then(|name| name.strip_suffix(')'));
        inner.is_some_and(|inner| Self::ALL.iter().any(|kind| kind.name() == inner))
    }
}

/// Owner of a socket.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// Owners were not searched for
    NotAsked,
    /// Processes that hold it
    Processes(Owners<'a>),
    /// It has an inode, every process was scanned, and none has a descriptor for it: a socket of the kernel (NFS, MPTCP
    /// subflow), a file registered with io_uring, or a descriptor in flight between processes
    Kernel,
    /// It has an inode, and belongs or may belong to a process whose descriptors could not be read
    Hidden,
    /// It waits in a listener's accept queue; no process has accepted it yet
    AcceptQueue,
    /// Its process has closed it; the kernel completes the connection
    Orphan,
    /// TIME-WAIT, FIN-WAIT-2 or request minisocket: no process owns it any more, or yet
    Minisocket,
}

impl<'a> Holder<'a> {
    /// Determines the owner by state and inode, and by `owners` if a table is given.
    pub fn of(socket: &Socket, owners: Option<&'a OwnerTable>) -> Self {
        Self::of_with(socket, owners, OwnerTable::of)
    }

    /// Like [`Holder::of`], but `find` returns the owners of an inode.
    pub fn of_with(
        socket: &Socket,
        owners: Option<&'a OwnerTable>,
        find: impl FnOnce(&'a OwnerTable, Inode) -> Owners<'a>,
    ) -> Self {
        if socket.is_minisocket() {
            return Self::Minisocket;
        }
        let Some(inode) = socket.inode else {
            return match socket.state {
                _ if socket.is_orphan() => Self::Orphan,
                TcpState::SynRecv => Self::Minisocket,
                _ => Self::AcceptQueue,
            };
        };
        let Some(table) = owners else { return Self::NotAsked };
        match find(table, inode) {
            owners if !owners.is_empty() => Self::Processes(owners),
            _ if table.hidden_processes() > 0 => Self::Hidden,
            _ => Self::Kernel,
        }
    }

    /// The holder of a kind; `NotAsked` for processes, which a kind does not identify.
    pub fn nobody(kind: HolderKind) -> Self {
        match kind {
            HolderKind::Process => Self::NotAsked,
            HolderKind::Kernel => Self::Kernel,
            HolderKind::Hidden => Self::Hidden,
            HolderKind::AcceptQueue => Self::AcceptQueue,
            HolderKind::Orphan => Self::Orphan,
            HolderKind::Minisocket => Self::Minisocket,
        }
    }

    /// Replaces `Kernel` by `Hidden` if no second scan was made: without one, a process may own the socket.
    #[must_use]
    pub fn unsettled(self) -> Self {
        match self {
            Self::Kernel => Self::Hidden,
            settled => settled,
        }
    }

    /// Kind of the owner; `None` if owners were not searched for.
    pub fn kind(&self) -> Option<HolderKind> {
        Some(match self {
            Self::NotAsked => return None,
            Self::Processes(_) => HolderKind::Process,
            Self::Kernel => HolderKind::Kernel,
            Self::Hidden => HolderKind::Hidden,
            Self::AcceptQueue => HolderKind::AcceptQueue,
            Self::Orphan => HolderKind::Orphan,
            Self::Minisocket => HolderKind::Minisocket,
        })
    }

    /// Name in JSON and in the `holder` column; `None` if owners were not searched for.
    pub fn name(&self) -> Option<&'static str> {
        self.kind().map(HolderKind::name)
    }

    /// Reason why the socket's options cannot be read from a process; `None` if they can.
    pub fn unread(&self) -> Option<Unread> {
        Some(match self {
            Self::Processes(_) => return None,
            Self::Hidden => Unread::Hidden,
            Self::Kernel => Unread::NoProcess,
            Self::AcceptQueue => Unread::NotAccepted,
            Self::Orphan => Unread::Orphan,
            Self::Minisocket => Unread::Minisocket,
            Self::NotAsked => Unread::UnknownProcess,
        })
    }

    /// The processes that hold the socket, if any are known.
    pub fn owners(&self) -> Option<Owners<'a>> {
        match self {
            Self::Processes(owners) => Some(*owners),
            _ => None,
        }
    }
}
