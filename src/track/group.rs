//! Connections that belong together: by what they go to, or by whose they are.

use std::net::IpAddr;

use super::heading::{Heading, Source};
use super::memory::Motion;
use super::table::Sign;
use crate::fields::value::{Unit, Value};
use crate::filter::quoted;
use crate::model::liveness::Verdict;
use crate::model::owner::Process;
use crate::model::row::Row;
use crate::model::socket::Queues;
use crate::model::state::TcpState;
use crate::text::{bar, percent};

/// What processes are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// Each process
    #[default]
    Process,
    /// Programs of one name
    Command,
    /// systemd units
    Unit,
    /// Containers
    Container,
}

impl GroupBy {
    /// Every one, in the order of the key.
    pub const ALL: [Self; 4] = [Self::Process, Self::Command, Self::Unit, Self::Container];

    /// The word for it, which is also the column of `ls`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Command => "comm",
            Self::Unit => "unit",
            Self::Container => "container",
        }
    }

    /// The next.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|by| *by == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// What a process belongs to.
    pub fn label(self, process: &Process) -> String {
        let none = || format!("({} without {})", process.comm, self.name());
        match self {
            Self::Process => process.label.clone(),
            Self::Command => process.comm.clone(),
            Self::Unit => process.unit.clone().unwrap_or_else(none),
            Self::Container => process.container.clone().unwrap_or_else(none),
        }
    }

    /// The filter that lists what belongs to it.
    pub fn filter(self, process: &Process) -> String {
        match self {
            Self::Process => format!("pid = {}", process.pid),
            Self::Unit if process.unit.is_some() => {
                format!("unit = {}", quoted(process.unit.as_deref().unwrap_or_default()))
            }
            Self::Container if process.container.is_some() => {
                format!("container = {}", quoted(process.container.as_deref().unwrap_or_default()))
            }
            Self::Command => format!("comm = {}", quoted(&process.comm)),
            Self::Unit | Self::Container => format!("comm = {} and {} = none", quoted(&process.comm), self.name()),
        }
    }
}

/// Ports that connections to one place take on one address of ours.
#[derive(Debug, Clone, Copy)]
struct Taken {
    from: IpAddr,
    ports: u64,
}

/// What a group is.
#[derive(Debug, Default)]
pub struct Title {
    /// What it is called
    pub label: String,
    /// Where the connections go, where that is one place
    pub end: Option<(IpAddr, u16)>,
    /// `out`, or `in :443`
    pub way: String,
    /// The namespace, where that is one
    pub namespace: String,
    /// The filter that lists it
    pub filter: String,
}

/// One group.
#[derive(Debug, Default)]
pub struct Group {
    /// What it is
    pub title: Title,
    counts: Counts,
    /// Bytes in queues, and since the connections began
    recv_q: u64,
    send_q: u64,
    sent: u64,
    received: u64,
    sent_per_s: Option<u64>,
    received_per_s: Option<u64>,
    taken: Vec<Taken>,
    /// Ports that connections out may take, on each address
    available: Option<u64>,
    descriptors: Option<(u64, Option<u64>)>,
    /// CLOSE-WAITs that it had a while ago
    pub close_wait_before: Option<u64>,
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    connections: u64,
    listeners: u64,
    established: u64,
    time_wait: u64,
    close_wait: u64,
    /// In any other state
    others: u64,
    silent: u64,
    stuck: u64,
    unguarded: u64,
    guarded: u64,
}

impl Group {
    /// Nothing is in it yet.
    pub fn new(title: Title) -> Self {
        Self { title, ..Self::default() }
    }

    /// Takes a row in.
    pub fn add(&mut self, row: &Row<'_>, motion: &Motion) {
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

    /// The connection goes out from a port of this address, of which there are `available`.
    pub fn take_port(&mut self, from: IpAddr, available: Option<u64>) {
        self.available = available;
        match self.taken.iter_mut().find(|taken| taken.from == from) {
            Some(taken) => taken.ports += 1,
            None => self.taken.push(Taken { from, ports: 1 }),
        }
    }

    /// The processes of the group hold these descriptors.
    pub fn hold(&mut self, open: u64, limit: Option<u64>) {
        // Of several processes, that with the least room left says how close they are.
        let room = |(open, limit): (u64, Option<u64>)| limit.map_or(u64::MAX, |limit| limit.saturating_sub(open));
        let tightest = self.descriptors.is_none_or(|known| room((open, limit)) < room(known));
        if tightest {
            self.descriptors = Some((open, limit));
        }
    }

    /// CLOSE-WAITs now.
    pub fn close_wait(&self) -> u64 {
        self.counts.close_wait
    }

    /// The largest use of ports, with where from.
    fn fullest(&self) -> Option<Taken> {
        self.taken.iter().copied().max_by_key(|taken| taken.ports)
    }

    /// What it says at first sight.
    pub fn sign(&self) -> Sign {
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

    /// What puts the larger groups first among those that are equally alarming.
    pub fn weight(&self) -> (u64, u64) {
        (self.counts.silent, self.counts.connections + self.counts.listeners)
    }
}

fn sum(total: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *total.get_or_insert(0) += more;
    }
}

fn count(
    name: &'static str,
    title: &'static str,
    importance: u8,
    help: &'static str,
    get: for<'a> fn(&'a Group) -> Value<'a>,
) -> Heading {
    Heading::number(name, title, importance, help, Source::Group(get))
}

/// What the view of peers shows.
pub const PEER_COLUMNS: &[&str] = &[
    "peer",
    "way",
    "connections",
    "established",
    "silent",
    "unguarded",
    "close-wait",
    "time-wait",
    "ports",
    "available",
    "used",
    "time-wait-share",
    "from",
    "send-q",
    "sent-rate",
    "received-rate",
];

/// What the view of processes shows.
pub const PROCESS_COLUMNS: &[&str] = &[
    "process",
    "connections",
    "established",
    "silent",
    "unguarded",
    "close-wait",
    "growth",
    "listeners",
    "descriptors",
    "limit",
    "fill",
    "recv-q",
    "send-q",
    "sent-rate",
    "received-rate",
];

/// What tells which sockets a group is made of.
pub fn filter() -> Heading {
    let get = Source::Group(|group| Value::name(Some(&group.title.filter)));
    Heading::text("filter", "FILTER", 10, "the filter that lists its connections", get)
}

/// Columns of peers.
pub fn of_peers() -> Vec<Heading> {
    let mut headings = vec![
        Heading::text("peer", "PEER", 99, "remote address, and the port that we connect to", Source::Group(peer)),
        Heading::text(
            "way",
            "WAY",
            90,
            "out: we connect to that port; in: the peer connects to the port of ours that is named",
            Source::Group(|group| Value::name(Some(&group.title.way))),
        ),
    ];
    headings.extend(shared());
    headings.extend([
        count(
            "ports",
            "PORTS",
            70,
            "local ports taken towards it, on the address of ours that has the fewest left",
            |group| Value::number(group.fullest().map(|taken| taken.ports)),
        ),
        count(
            "available",
            "AVAILABLE",
            30,
            "ports that there are on each address (ip_local_port_range, less the reserved)",
            |group| Value::number(group.available.filter(|_| !group.taken.is_empty())),
        ),
        Heading::text("used", "USED", 69, "the ports taken, of those that there are", Source::Group(used)),
        Heading::number(
            "time-wait-share",
            "TW-SHARE",
            50,
            "how many of its connections are in TIME-WAIT",
            Source::Group(|group| {
                let all = group.counts.connections;
                if all == 0 { Value::Absent } else { Value::Word(percent(group.counts.time_wait, all).into()) }
            }),
        ),
        Heading::text(
            "from",
            "FROM",
            40,
            "the address of ours whose ports are counted",
            Source::Group(|group| group.fullest().map_or(Value::Absent, |taken| Value::Addr(taken.from))),
        ),
        Heading::text(
            "netns",
            "NETNS",
            60,
            "network namespace by name",
            Source::Group(|group| Value::name(Some(&group.title.namespace))),
        ),
        filter(),
    ]);
    headings
}

/// Columns of processes.
pub fn of_processes() -> Vec<Heading> {
    let mut headings = vec![
        Heading::text(
            "process",
            "WHO",
            99,
            "process, program, unit or container",
            Source::Group(|group| Value::name(Some(&group.title.label))),
        )
        .flexible(16),
    ];
    headings.extend(shared());
    headings.extend([
        count("listeners", "LISTEN", 60, "listeners", |group| Value::Number(group.counts.listeners)),
        Heading::text(
            "growth",
            "CW-GROWTH",
            82,
            "change of its CLOSE-WAITs in the last five minutes",
            Source::Group(growth),
        ),
        count(
            "descriptors",
            "FDS",
            65,
            "descriptors that it has open; of several processes, the one with the least room",
            |group| Value::number(group.descriptors.map(|(open, _)| open)),
        ),
        count("limit", "LIMIT", 64, "descriptors that it may open (RLIMIT_NOFILE)", |group| {
            Value::number(group.descriptors.and_then(|(_, limit)| limit))
        }),
        Heading::text("fill", "FDS USED", 63, "descriptors open, of those that it may", Source::Group(fill)),
        filter(),
    ]);
    headings
}

fn shared() -> Vec<Heading> {
    let rate = |name, title, help, get| count(name, title, 60, help, get).unit(Unit::BytesPerSecond);
    vec![
        count("connections", "CONNS", 95, "connections", |group| Value::Number(group.counts.connections)),
        count("established", "ESTAB", 80, "connections in ESTABLISHED", |group| {
            Value::Number(group.counts.established)
        }),
        count("silent", "SILENT", 94, "peers that do not answer probes or data", |group| {
            Value::Number(group.counts.silent)
        }),
        count("unguarded", "UNGUARDED", 85, "quiet connections on which nothing would notice a dead peer", |group| {
            Value::Number(group.counts.unguarded)
        }),
        count("guarded", "GUARDED", 35, "quiet connections on which a dead peer would be noticed", |group| {
            Value::Number(group.counts.guarded)
        }),
        count("stalled", "STALLED", 35, "peers that answer and read nothing", |group| {
            Value::Number(group.counts.stuck)
        }),
        count("close-wait", "CLOSE-WAIT", 84, "connections in CLOSE-WAIT", |group| {
            Value::Number(group.counts.close_wait)
        }),
        count("time-wait", "TIME-WAIT", 75, "connections in TIME-WAIT", |group| Value::Number(group.counts.time_wait)),
        count("others", "OTHERS", 30, "connections in any other state", |group| Value::Number(group.counts.others)),
        count("recv-q", "RECV-Q", 55, "bytes received and not read", |group| Value::Number(group.recv_q))
            .unit(Unit::Bytes),
        count("send-q", "SEND-Q", 58, "bytes written and not acknowledged", |group| Value::Number(group.send_q))
            .unit(Unit::Bytes),
        count("sent", "SENT", 30, "bytes acknowledged by the peers, of the connections that are there", |group| {
            Value::Number(group.sent)
        })
        .unit(Unit::Bytes),
        count("received", "RECEIVED", 30, "bytes received, of the connections that are there", |group| {
            Value::Number(group.received)
        })
        .unit(Unit::Bytes),
        rate("sent-rate", "SENT/S", "bytes acknowledged per second, since the last look", |group| {
            Value::number(group.sent_per_s)
        }),
        rate("received-rate", "RECEIVED/S", "bytes received per second, since the last look", |group| {
            Value::number(group.received_per_s)
        }),
    ]
}

fn peer(group: &Group) -> Value<'_> {
    match group.title.end {
        Some((addr, 0)) => Value::Addr(addr),
        Some((addr, port)) => Value::Endpoint { addr, device: None, port },
        None => Value::Absent,
    }
}

const BAR_CELLS: usize = 6;

fn used(group: &Group) -> Value<'_> {
    match (group.fullest(), group.available) {
        (Some(taken), Some(available)) => Value::Word(bar(taken.ports, available, BAR_CELLS).into()),
        _ => Value::Absent,
    }
}

fn fill(group: &Group) -> Value<'_> {
    match group.descriptors {
        Some((open, Some(limit))) => Value::Word(bar(open, limit, BAR_CELLS).into()),
        _ => Value::Absent,
    }
}

fn growth(group: &Group) -> Value<'_> {
    let Some(before) = group.close_wait_before else { return Value::Absent };
    let now = group.counts.close_wait;
    Value::Word(
        if now == before {
            "0".to_owned()
        } else if now >= before {
            format!("+{}", now - before)
        } else {
            format!("-{}", before - now)
        }
        .into(),
    )
}
