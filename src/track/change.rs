//! Change of one socket: found between two snapshots, or reported by the kernel.

use std::time::SystemTime;

use super::closing::CloseReason;
use super::holders::{HeldBy, ProcessName};
use super::line::Sign;
use crate::filter::Filter;
use crate::model::holder::Holder;
use crate::model::ids::{Fd, Inode};
use crate::model::liveness::{Bound, Verdict};
use crate::model::namespace::Namespace;
use crate::model::needs::Needs;
use crate::model::owner::{Holding, OwnerTable, Process};
use crate::model::row::Row;
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::time::Millis;

/// Kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The socket was not in the previous snapshot
    Opened,
    /// The socket is gone, most likely for this reason
    Closed(CloseReason),
    /// The state was this one before
    State(TcpState),
    /// The verdict was this one before
    Verdict(Verdict),
}

impl What {
    /// Whether the socket is gone.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// One change of one socket.
#[derive(Debug)]
pub struct Change {
    /// Sequence number, ascending
    pub number: u64,
    /// Time of the change
    pub at: SystemTime,
    /// `at` in local time, as the log prints it
    pub time: String,
    /// Kind of the change
    pub what: What,
    /// The socket, with the fields that the tracker keeps
    pub socket: Socket,
    /// Name of the network namespace
    pub namespace: String,
    /// Owner of the socket at its end, or now
    pub holder: HeldBy,
    /// Verdict after the change
    pub verdict: Option<Verdict>,
    /// Age of the socket at the change, and how to read that number
    pub lifetime: (Option<Millis>, Bound),
}

impl Change {
    /// Sign of the row.
    pub fn sign(&self) -> Sign {
        match (self.what, self.verdict) {
            (What::Closed(CloseReason::TimedOut | CloseReason::WasSilent), _) => Sign::Alarm,
            (What::Closed(_), _) => Sign::Muted,
            (What::Verdict(_), Some(verdict)) => Sign::Verdict(verdict),
            (What::State(_), _) if self.socket.state == TcpState::CloseWait => Sign::Warning,
            _ => Sign::Plain,
        }
    }

    /// Whether the change may match a filter, decided by the fields that the tracker keeps of the socket.
    pub fn may_match(&self, filter: &Filter, namespace: &Namespace) -> bool {
        let inode = self.socket.inode.unwrap_or(Inode(0));
        let owners = match &self.holder {
            HeldBy::Processes(processes) => table(processes, inode),
            HeldBy::Unknown | HeldBy::Nobody(_) => OwnerTable::default(),
        };
        let row = Row {
            taken_at: SystemTime::UNIX_EPOCH,
            socket: &self.socket,
            namespace,
            interface: None,
            user: None,
            cgroup: None,
            holder: match self.holder {
                HeldBy::Processes(_) => Holder::Processes(owners.of(inode)),
                HeldBy::Nobody(kind) => Holder::nobody(kind),
                HeldBy::Unknown => Holder::NotAsked,
            },
            options: None,
            judged: None,
        };
        filter.decide(&row, Needs::OWNERS) != Some(false)
    }
}

/// Owner table in which these processes hold the socket with this inode.
fn table(processes: &[ProcessName], inode: Inode) -> OwnerTable {
    let processes: Vec<_> = processes.iter().map(|process| Process::named(&process.comm, process.pid)).collect();
    let holdings = (0..processes.len() as u32).map(|process| Holding { inode, process, fd: Fd(0) }).collect();
    OwnerTable::new(processes, holdings, 0)
}
