//! A change of one socket: between two snapshots, or reported by the kernel.

use std::time::SystemTime;

use super::line::Sign;
use crate::filter::Filter;
use crate::model::liveness::{Bound, Verdict};
use crate::model::namespace::Namespace;
use crate::model::needs::Needs;
use crate::model::owner::{Holder, Holding, OwnerTable, Owners, Process, of_label};
use crate::model::row::Row;
use crate::model::socket::Socket;
use crate::model::state::TcpState;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It was not there before
    Opened,
    /// It is over
    Closed,
    /// It was in this state
    State(TcpState),
    /// This was thought of it
    Verdict(Verdict),
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
    /// Who held it, as `name[pid]`, with commas between
    pub process: String,
    /// What is thought of it now
    pub verdict: Option<Verdict>,
    /// How long it lasted, or has lasted until now
    pub lifetime: (Option<u64>, Bound),
    /// What its program most likely got to see
    pub why: &'static str,
}

impl Change {
    /// The sign of its row.
    pub fn sign(&self) -> Sign {
        match (self.what, self.verdict) {
            (What::Closed, _) if self.why.starts_with("ETIMEDOUT") => Sign::Alarm,
            (What::Closed, _) => Sign::Muted,
            (What::Verdict(_), Some(verdict)) => Sign::Verdict(verdict),
            (What::State(_), _) if self.socket.state == TcpState::CloseWait => Sign::Warning,
            _ => Sign::Plain,
        }
    }

    fn holder<'a>(&self, owners: Owners<'a>) -> Holder<'a> {
        match self.process.as_str() {
            "(accept-queue)" => Holder::AcceptQueue,
            "(orphan)" => Holder::Orphan,
            "(minisocket)" => Holder::Minisocket,
            "(hidden)" => Holder::Hidden,
            _ if owners.is_empty() => Holder::NotAsked,
            _ => Holder::Processes(owners),
        }
    }

    /// Whether it may match a filter, by what is kept of its socket.
    pub fn may_match(&self, filter: &Filter, namespace: &Namespace) -> bool {
        let processes = self.process.split(',').filter_map(process).collect::<Vec<_>>();
        let inode = self.socket.inode.unwrap_or(0);
        let holding = |process| Holding { inode, process, fd: 0 };
        let holdings = (0..processes.len() as u32).map(holding).collect();
        let owners = OwnerTable::new(processes, holdings, 0);
        let row = Row {
            taken_at: std::time::SystemTime::UNIX_EPOCH,
            socket: &self.socket,
            namespace,
            interface: None,
            user: None,
            cgroup: None,
            holder: self.holder(owners.of(inode)),
            options: None,
            judged: None,
        };
        filter.decide(&row, Needs::OWNERS) != Some(false)
    }
}

/// `name[pid]`
fn process(text: &str) -> Option<Process> {
    let label = text.to_owned();
    let (comm, pid) = of_label(text)?;
    let none = None;
    Some(Process {
        pid,
        comm,
        label,
        exe: none.clone(),
        uid: None,
        user: none.clone(),
        cgroup: none.clone(),
        unit: none.clone(),
        container: none,
        descriptors: None,
    })
}
