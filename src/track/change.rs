//! Something that happened to a socket between two looks, or as the kernel told it.

use std::time::SystemTime;

use super::heading::{Heading, Source};
use super::table::Sign;
use crate::fields::value::{Unit, Value};
use crate::filter::Filter;
use crate::model::address::Endpoint;
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
    /// What it says at first sight.
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

    /// Whether a filter may mean it, by what is remembered of it.
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

/// What the view shows.
pub const COLUMNS: &[&str] = &["time", "event", "local", "peer", "lifetime", "why", "process"];

/// Columns of the view.
pub fn headings() -> Vec<Heading> {
    let text = |name, title, importance, help, get| Heading::text(name, title, importance, help, Source::Change(get));
    vec![
        text("time", "TIME", 99, "when it was seen", |change| Value::name(Some(&change.time))),
        text("event", "EVENT", 98, "what happened", event),
        text("local", "LOCAL", 90, "local address and port", |change| {
            end(change.socket.local, change.socket.state == TcpState::Listen)
        }),
        text("peer", "PEER", 97, "remote address and port", |change| end(change.socket.remote, false)),
        Heading::number(
            "lifetime",
            "LIFETIME",
            95,
            "how long it lasted, or has lasted until then: ≥ at least, ≤ at most",
            Source::Change(|change| Value::Bounded { ms: change.lifetime.0, bound: change.lifetime.1 }),
        )
        .unit(Unit::Millis),
        text("why", "WHY", 96, "what its program most likely got to see", |change| match change.why {
            "" => Value::Absent,
            why => Value::word(why),
        })
        .flexible(12),
        text("process", "PROCESS", 92, "who held it", |change| match change.process.as_str() {
            "" => Value::Absent,
            process => Value::name(Some(process)),
        })
        .flexible(12),
        text("netns", "NETNS", 91, "network namespace by name", |change| Value::name(Some(&change.namespace))),
    ]
}

/// An end as far as it is known: the kernel has cleared a part of it where a connection was reset before it said farewell.
fn end(Endpoint { addr, port }: Endpoint, may_be_any: bool) -> Value<'static> {
    let is_any = addr.is_unspecified() && !may_be_any;
    match (is_any, port) {
        (true, 0) => Value::Absent,
        (true, port) => Value::Word(format!("*:{port}").into()),
        (false, 0) => Value::Addr(addr),
        (false, port) => Value::Endpoint { addr, device: None, port },
    }
}

fn event(change: &Change) -> Value<'_> {
    let state = change.socket.state.name().unwrap_or("unknown");
    Value::Word(match change.what {
        What::Opened if change.socket.state == TcpState::Listen => "listens".into(),
        What::Opened => format!("opened ({state})").into(),
        What::Closed => "closed".into(),
        What::State(before) => format!("{} → {state}", before.name().unwrap_or("unknown")).into(),
        What::Verdict(before) => {
            format!("{} → {}", before.name(), change.verdict.map_or("unknown", Verdict::name)).into()
        }
    })
}
