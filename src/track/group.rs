//! Groups of connections: of one peer, or of one process, program, unit or container.

use std::net::IpAddr;

use super::line::Sign;
use super::motion::Motion;
use crate::fields::id::ColumnId;
use crate::filter::quoted;
use crate::model::address::NetnsId;
use crate::model::holder::HolderKind;
use crate::model::ids::Pid;
use crate::model::liveness::Verdict;
use crate::model::owner::Process;
use crate::model::row::Row;
use crate::model::socket::Queues;
use crate::model::state::TcpState;

/// What the connections of a group have in common. Labels are not identities: a program may call itself `(kernel)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum GroupIdentity {
    /// A remote end that we connect to or, if the flag is set, a remote address that connects to this local port
    Peer(NetnsId, IpAddr, u16, bool),
    /// No process holds them, for this reason; `None` if owners were not collected
    NoProcess(Option<HolderKind>),
    Process(Pid),
    Command(String),
    Unit(String),
    Container(String),
    /// Command name of processes in no unit or container
    Without(String),
}

/// Property by which processes are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum GroupBy {
    /// Each process by itself
    #[default]
    Process,
    /// Processes with the same command name
    Command,
    /// systemd units
    Unit,
    /// Containers
    Container,
}

impl GroupBy {
    /// All variants, in the order of the key that cycles through them.
    pub(crate) const ALL: [Self; 4] = [Self::Process, Self::Command, Self::Unit, Self::Container];

    /// The column of `ls` that shows the property.
    pub(crate) fn column(self) -> ColumnId {
        match self {
            Self::Process => ColumnId::Process,
            Self::Command => ColumnId::Comm,
            Self::Unit => ColumnId::Unit,
            Self::Container => ColumnId::Container,
        }
    }

    /// Name of the column.
    pub(crate) fn name(self) -> &'static str {
        self.column().name()
    }

    /// The next variant; the first one follows the last.
    #[must_use]
    pub(crate) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|by| *by == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// Identity of the group that a process belongs to.
    pub(super) fn identity(self, process: &Process) -> GroupIdentity {
        let without = || GroupIdentity::Without(process.comm.clone());
        match self {
            Self::Process => GroupIdentity::Process(process.pid),
            Self::Command => GroupIdentity::Command(process.comm.clone()),
            Self::Unit => process.unit.clone().map_or_else(without, GroupIdentity::Unit),
            Self::Container => process.container.clone().map_or_else(without, GroupIdentity::Container),
        }
    }

    /// Label of the group that a process belongs to.
    pub(crate) fn label(self, process: &Process) -> String {
        let none = || format!("({} without {})", process.comm, self.name());
        match self {
            Self::Process => process.label.clone(),
            Self::Command => process.comm.clone(),
            Self::Unit => process.unit.clone().unwrap_or_else(none),
            Self::Container => process.container.clone().unwrap_or_else(none),
        }
    }

    /// Filter that lists the sockets of the group that a process belongs to.
    pub(crate) fn filter(self, process: &Process) -> String {
        let is = |column: ColumnId, value: &str| format!("{} = {value}", column.name());
        let comm = is(ColumnId::Comm, &quoted(&process.comm));
        let group = match self {
            Self::Process => return is(ColumnId::Pid, &process.pid.to_string()),
            Self::Command => return comm,
            Self::Unit => &process.unit,
            Self::Container => &process.container,
        };
        match group {
            Some(group) => is(self.column(), &quoted(group)),
            None => format!("{comm} and {}", is(self.column(), "none")),
        }
    }
}

/// Number of ports that connections to one remote end take on one local address.
#[derive(Debug, Clone, Copy)]
pub(super) struct TakenPorts {
    pub(super) from: IpAddr,
    pub(super) ports: u64,
}

/// Label and identity of a group.
#[derive(Debug, Default)]
pub(crate) struct Title {
    /// Label that is shown
    pub label: String,
    /// Remote address and port, if all connections share them; port 0 for any
    pub end: Option<(IpAddr, u16)>,
    /// Direction: `out`, or `in :443`
    pub way: String,
    /// Network namespace, if all connections share one
    pub namespace: String,
    /// Filter that lists its connections
    pub filter: String,
}

/// One group of connections.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Label and identity
    pub title: Title,
    pub(super) counts: GroupCounts,
    /// Bytes in the queues, and bytes since the connections began
    pub(super) recv_q: u64,
    pub(super) send_q: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) sent_per_s: Option<u64>,
    pub(super) received_per_s: Option<u64>,
    pub(super) taken: Vec<TakenPorts>,
    /// Local ports available to outgoing connections, per address
    pub(super) available: Option<u64>,
    pub(super) descriptors: Option<(u64, Option<u64>)>,
    /// Number of CLOSE-WAITs up to five minutes ago
    pub close_wait_before: Option<u64>,
}

/// Numbers of connections, by state and by verdict.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct GroupCounts {
    pub(super) connections: u64,
    pub(super) listeners: u64,
    pub(super) established: u64,
    pub(super) time_wait: u64,
    pub(super) close_wait: u64,
    /// In any other state
    pub(super) others: u64,
    pub(super) silent: u64,
    pub(super) stuck: u64,
    pub(super) unguarded: u64,
    pub(super) guarded: u64,
}

impl Group {
    /// An empty group.
    pub(crate) fn new(title: Title) -> Self {
        Self { title, ..Self::default() }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: &Row<'_>, motion: &Motion) {
        let socket = row.socket;
        let counts = &mut self.counts;
        match socket.state {
            TcpState::Listen => {
                counts.listeners += 1;
                return;
            }
            TcpState::Established => counts.established += 1,
            TcpState::TimeWait => counts.time_wait += 1,
            TcpState::CloseWait => counts.close_wait += 1,
            _ => counts.others += 1,
        }
        counts.connections += 1;
        match row.judged.map(|judged| judged.liveness.verdict) {
            Some(verdict) if verdict.is_silent() => counts.silent += 1,
            Some(Verdict::Stalled) => counts.stuck += 1,
            Some(Verdict::Unguarded) => counts.unguarded += 1,
            Some(Verdict::Guarded) => counts.guarded += 1,
            _ => {}
        }
        if let Queues::Bytes { recv, send } = socket.queues {
            self.recv_q += u64::from(recv);
            self.send_q += u64::from(send);
        }
        self.sent += motion.sent.unwrap_or(0);
        self.received += motion.received.unwrap_or(0);
        sum(&mut self.sent_per_s, motion.sent_per_s);
        sum(&mut self.received_per_s, motion.received_per_s);
    }

    /// Counts a port of the local address `from` as taken; `available` is the number of ports per address.
    pub(crate) fn take_port(&mut self, from: IpAddr, available: Option<u64>) {
        self.available = available;
        match self.taken.iter_mut().find(|taken| taken.from == from) {
            Some(taken) => taken.ports += 1,
            None => self.taken.push(TakenPorts { from, ports: 1 }),
        }
    }

    /// Records the open descriptors and the limit of a process of the group.
    pub(crate) fn hold(&mut self, open: u64, limit: Option<u64>) {
        // Of several processes, keep the one with the least room left.
        let room = |(open, limit): (u64, Option<u64>)| limit.map_or(u64::MAX, |limit| limit.saturating_sub(open));
        let tightest = self.descriptors.is_none_or(|known| room((open, limit)) < room(known));
        if tightest {
            self.descriptors = Some((open, limit));
        }
    }

    /// Current number of CLOSE-WAITs.
    pub(crate) fn close_wait(&self) -> u64 {
        self.counts.close_wait
    }

    /// The local address with the most ports taken.
    pub(super) fn fullest(&self) -> Option<TakenPorts> {
        self.taken.iter().copied().max_by_key(|taken| taken.ports)
    }

    /// Sign of the row.
    pub(crate) fn sign(&self) -> Sign {
        let is_nearly_out = |used: u64, of: Option<u64>| of.is_some_and(|of| used * 10 >= of * 9);
        let is_out_of_ports = self.fullest().is_some_and(|taken| is_nearly_out(taken.ports, self.available));
        let is_out_of_descriptors = self.descriptors.is_some_and(|(open, limit)| is_nearly_out(open, limit));
        if self.counts.silent > 0 || is_out_of_ports || is_out_of_descriptors {
            Sign::Alarm
        } else if self.counts.stuck > 0 || self.counts.close_wait > 0 {
            Sign::Warning
        } else {
            Sign::Plain
        }
    }

    /// Sort key: groups with more silent peers first, then larger ones.
    pub(crate) fn weight(&self) -> (u64, u64) {
        (self.counts.silent, self.counts.connections + self.counts.listeners)
    }
}

fn sum(total: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *total.get_or_insert(0) += more;
    }
}
