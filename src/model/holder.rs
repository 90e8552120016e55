//! In whose hands a socket is: processes', or those of the kernel, and in which way.

use super::ids::Inode;
use super::owner::{OwnerTable, Owners};
use super::socket::Socket;
use super::state::TcpState;
use super::unread::Unread;

/// A kind of holder, without who it is.
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
    /// Every one, in the order of the help.
    pub const ALL: [Self; 6] =
        [Self::Process, Self::Kernel, Self::Hidden, Self::AcceptQueue, Self::Orphan, Self::Minisocket];

    /// The word for it.
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

    /// As it stands where processes have their names: no process is called so.
    pub fn enclosed(self) -> String {
        format!("({})", self.name())
    }

    /// Whether a name would look like one that stands in the place of a process.
    pub fn is_enclosed(name: &str) -> bool {
        let inner = name.strip_prefix('(').and_then(|name| name.strip_suffix(')'));
        inner.is_some_and(|inner| Self::ALL.iter().any(|kind| kind.name() == inner))
    }
}

/// In whose hands a socket is.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// Nobody asked
    NotAsked,
    /// These processes
    Processes(Owners<'a>),
    /// It has an inode, every process was looked through, and none has a descriptor for it: a socket of the kernel
    /// (NFS, MPTCP subflow), a file registered with io_uring, or a descriptor in flight between processes
    Kernel,
    /// It has an inode and belongs, or may belong, to a process that could not be looked into
    Hidden,
    /// It waits in a listener's accept queue: no process has it yet
    AcceptQueue,
    /// Its process has closed it, the kernel finishes the connection
    Orphan,
    /// TIME-WAIT, FIN-WAIT-2 or request minisocket: it belongs to no process any more, or not yet
    Minisocket,
}

impl<'a> Holder<'a> {
    /// Judges by state and inode; asks `owners`, if there is a table, who has a descriptor.
    pub fn of(socket: &Socket, owners: Option<&'a OwnerTable>) -> Self {
        Self::of_with(socket, owners, OwnerTable::of)
    }

    /// The same, where `find` knows a shorter way to the holders of an inode.
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

    /// A holder of which its kind says all; of processes it does not.
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

    /// The same, where nobody had the time to look again: a socket without a known holder is not called the kernel's.
    #[must_use]
    pub fn unsettled(self) -> Self {
        match self {
            Self::Kernel => Self::Hidden,
            settled => settled,
        }
    }

    /// Which kind of holder it is; `None` if nobody asked.
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

    /// The word for it in JSON and by the `holder` column; `None` if nobody asked.
    pub fn name(&self) -> Option<&'static str> {
        self.kind().map(HolderKind::name)
    }

    /// Why no process can be asked for its options; `None` where one can.
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

    /// The processes, if any are known.
    pub fn owners(&self) -> Option<Owners<'a>> {
        match self {
            Self::Processes(owners) => Some(*owners),
            _ => None,
        }
    }
}
