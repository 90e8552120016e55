//! Owners of the sockets of one snapshot, each stored once: a socket holds only a number.

use rustc_hash::FxHashMap;

use crate::fields::value::Value;
use crate::model::holder::{Holder, HolderKind};
use crate::model::ids::Pid;
use crate::model::owner::{Owners, Process, label};

/// Owner of a socket, now or at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum HeldBy {
    /// Owners were not collected
    #[default]
    Unknown,
    /// No known process
    Nobody(HolderKind),
    /// These processes
    Processes(Vec<ProcessName>),
}

/// Id and name of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessName {
    /// Process id
    pub pid: Pid,
    /// Command name
    pub comm: String,
}

impl From<&Process> for ProcessName {
    fn from(process: &Process) -> Self {
        Self { pid: process.pid, comm: process.comm.clone() }
    }
}

impl HeldBy {
    fn of(holder: Holder<'_>) -> Self {
        match (holder.owners(), holder.kind()) {
            (Some(owners), _) => Self::Processes(owners.processes().map(ProcessName::from).collect()),
            (None, Some(kind)) => Self::Nobody(kind),
            (None, None) => Self::Unknown,
        }
    }

    /// Value of a column of processes: `name[pid]`, separated by commas.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Unknown => Value::Absent,
            Self::Nobody(kind) => Value::Holder(*kind),
            Self::Processes(processes) => {
                let labels: Vec<_> = processes.iter().map(|process| label(&process.comm, process.pid)).collect();
                Value::Name(labels.join(",").into())
            }
        }
    }
}

/// Number of a [`HeldBy`] among those of one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HolderNumber(u32);

impl HolderNumber {
    pub(super) const UNKNOWN: Self = Self(u32::MAX);
}

/// Owners of one snapshot, by number.
#[derive(Debug, Default)]
pub(super) struct Holders {
    all: Vec<HeldBy>,
    /// Nearly all sockets are held by one process
    by_pid: FxHashMap<Pid, u32>,
    by_pids: FxHashMap<Vec<Pid>, u32>,
    by_kind: FxHashMap<HolderKind, u32>,
    /// Numbers in the previous snapshot, and the numbers of the same owners here
    taken_over: FxHashMap<u32, u32>,
}

impl Holders {
    /// Number of a socket's owner.
    pub(super) fn number(&mut self, holder: Holder<'_>) -> HolderNumber {
        let next = self.all.len() as u32;
        let number = match (holder.owners(), holder.kind()) {
            (Some(owners), _) => {
                if let Some(process) = only(owners) {
                    *self.by_pid.entry(process.pid).or_insert(next)
                } else {
                    let pids = owners.processes().map(|process| process.pid).collect();
                    *self.by_pids.entry(pids).or_insert(next)
                }
            }
            (None, Some(kind)) => *self.by_kind.entry(kind).or_insert(next),
            (None, None) => return HolderNumber::UNKNOWN,
        };
        if number == next {
            self.all.push(HeldBy::of(holder));
        }
        HolderNumber(number)
    }

    /// Number here of processes of the previous snapshot; `None` if the owner was no process.
    pub(super) fn take_over(&mut self, before: &Self, number: HolderNumber) -> Option<HolderNumber> {
        if let Some(number) = self.taken_over.get(&number.0) {
            return Some(HolderNumber(*number));
        }
        let held @ HeldBy::Processes(processes) = before.get(number) else { return None };
        let known = match &processes[..] {
            [only] => self.by_pid.get(&only.pid),
            several => self.by_pids.get(&several.iter().map(|process| process.pid).collect::<Vec<_>>()),
        };
        // The pid of a process that has ended may have been reused.
        let known = known.copied().filter(|known| self.all.get(*known as usize) == Some(held));
        let here = known.unwrap_or_else(|| {
            self.all.push(held.clone());
            self.all.len() as u32 - 1
        });
        self.taken_over.insert(number.0, here);
        Some(HolderNumber(here))
    }

    /// The owner with this number.
    pub(super) fn get(&self, number: HolderNumber) -> &HeldBy {
        self.all.get(number.0 as usize).unwrap_or(&HeldBy::Unknown)
    }
}

/// The process, if there is only one.
fn only(owners: Owners<'_>) -> Option<&Process> {
    let mut processes = owners.processes();
    processes.next().filter(|_| processes.next().is_none())
}
