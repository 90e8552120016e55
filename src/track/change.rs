//! A change of one socket: between two snapshots, or reported by the kernel.

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

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It was not there before
    Opened,
    /// It is over
    Closed(CloseReason),
    /// It was in this state
    State(TcpState),
    /// This was thought of it
    Verdict(Verdict),
}

impl What {
    /// Whether the socket is over.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// One change.
#[derive(Debug)]
pub struct Change {
    /// Counts up
    pub number: u64,
    /// When
    pub at: SystemTime,
    /// The same by the clock on the wall
    pub time: String,
    /// What
    pub what: What,
    /// The socket, as far as it is remembered
    pub socket: Socket,
    /// The name of its namespace
    pub namespace: String,
    /// Who held it
    pub holder: HeldBy,
    /// What is thought of it now
    pub verdict: Option<Verdict>,
    /// How long it lasted, or has lasted until now
    pub lifetime: (Option<u64>, Bound),
}

impl Change {
    /// The sign of its row.
    pub fn sign(&self) -> Sign {
        match (self.what, self.verdict) {
            (What::Closed(CloseReason::TimedOut | CloseReason::WasSilent), _) => Sign::Alarm,
            (What::Closed(_), _) => Sign::Muted,
            (What::Verdict(_), Some(verdict)) => Sign::Verdict(verdict),
            (What::State(_), _) if self.socket.state == TcpState::CloseWait => Sign::Warning,
            _ => Sign::Plain,
        }
    }

    /// Whether it may match a filter, by what is kept of its socket.
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

/// These processes as holders of the socket with this inode.
fn table(processes: &[ProcessName], inode: Inode) -> OwnerTable {
    let processes: Vec<_> = processes.iter().map(|process| Process::named(&process.comm, process.pid)).collect();
    let holdings = (0..processes.len() as u32).map(|process| Holding { inode, process, fd: Fd(0) }).collect();
    OwnerTable::new(processes, holdings, 0)
}
