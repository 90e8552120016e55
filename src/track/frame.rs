//! One snapshot as the dashboard shows it: the rows of a view, and counts of all sockets. `FrameBuilder` receives the
//! rows.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::columns::chosen::{Chosen, LineHead, chosen, push};
use super::columns::sockets::MovingRow;
use super::counts::Counts;
use super::group::{Group, GroupIdentity, Title};
use super::group_history::GroupedBy;
use super::line::{Age, RowId, Sign};
use super::motion::Motion;
use super::query::Query;
use super::table::{Builder, Table};
use super::tracker::{DestroyEvent, Tracker};
use super::views::View;
use crate::filter::quoted;
use crate::model::address::NetnsId;
use crate::model::gap::{GapKind, Gaps};
use crate::model::holder::HolderKind;
use crate::model::liveness::Verdict;
use crate::model::namespace::Namespace;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};
use crate::model::socket::{Queues, Socket};
use crate::model::state::{StateSet, TcpState};

/// Answer to a query from one snapshot.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The query that the frame answers
    pub query: Query,
    /// `uname -n`
    pub hostname: String,
    /// The namespaces of the snapshot, with their names
    pub namespaces: Vec<(NetnsId, String)>,
    /// The rows, sorted
    pub table: Arc<Table>,
    /// Counts of all sockets
    pub counts: Counts,
    /// What could not be read
    pub gaps: Gaps,
    /// How long the snapshot took
    pub elapsed: Duration,
    /// Time from the start of this snapshot to the start of the next one
    pub rest: Duration,
    /// Start of the snapshot, as time since the dashboard was opened
    pub at: Duration,
    /// Slow data, such as owners, is still being collected
    pub is_early: bool,
}

/// Receives the rows of one snapshot and builds a frame from them.
#[derive(Debug)]
pub(crate) struct FrameBuilder<'a> {
    query: Query,
    tracker: &'a mut Tracker,
    at: Duration,
    hostname: String,
    namespaces: Vec<Namespace>,
    columns: Chosen,
    builder: Builder,
    counts: Counts,
    groups: FxHashMap<GroupIdentity, Group>,
    /// Ports with a listener
    listening: FxHashSet<(NetnsId, u16)>,
    listed: StateSet,
}

impl<'a> FrameBuilder<'a> {
    /// Begins a frame; `at` is the time since the dashboard was opened.
    pub(crate) fn new(query: Query, tracker: &'a mut Tracker, at: Duration) -> Self {
        Self {
            listed: query.listed(),
            columns: Chosen::Sockets(Vec::new()),
            builder: Builder::default(),
            query,
            tracker,
            at,
            hostname: String::new(),
            namespaces: Vec::new(),
            counts: Counts::default(),
            groups: FxHashMap::default(),
            listening: FxHashSet::default(),
        }
    }

    /// Finishes the frame. `destroy_events` are the sockets that the kernel destroyed since the previous snapshot.
    pub(crate) fn finish(mut self, tail: Tail, destroy_events: Vec<DestroyEvent>) -> Frame {
        // A failed dump does not mean that its sockets are gone. (A namespace that may not be entered never had any.)
        let is_whole = !tail.gaps.iter().any(|gap| gap.kind == GapKind::Sockets);
        self.tracker.end(destroy_events, &self.namespaces, is_whole);
        match self.query.view {
            View::Peers | View::Processes => self.group_rows(),
            View::Changes => self.change_rows(),
            View::Connections | View::Listeners => self.keep_gone(),
            View::Kernel => {}
        }
        // Changes are sorted by time, and kernel values by meaning.
        let is_urgency_first = !matches!(self.query.view, View::Kernel | View::Changes);
        let mut table = self.builder.finish(&self.query.order, is_urgency_first);
        if let Some((_, last)) = &self.tracker.shown.last {
            table.keep_widths(last);
        }
        let table = Arc::new(table);
        self.tracker.shown.last = Some((self.query.clone(), Arc::clone(&table)));
        Frame {
            query: self.query,
            hostname: self.hostname,
            namespaces: self.namespaces.into_iter().map(|namespace| (namespace.id, namespace.name)).collect(),
            table,
            counts: self.counts,
            gaps: tail.gaps,
            elapsed: tail.elapsed,
            rest: Duration::ZERO,
            at: self.at,
            is_early: false,
        }
    }

    fn is_in(&self, netns: NetnsId) -> bool {
        self.query.netns.is_none_or(|only| only == netns)
    }

    /// Keeps rows that went a moment ago at their place, marked as gone.
    fn keep_gone(&mut self) {
        // If the query has changed, no row is kept.
        let Some((query, last)) = self.tracker.shown.last.clone().filter(|_| self.tracker.shown.has_gone()) else {
            return;
        };
        if query != self.query || last.headings != self.builder.headings() {
            return;
        }
        let mut anchor = None;
        for row in 0..last.len() {
            match last.id(row) {
                Some(id) if self.tracker.shown.is_gone(id) => {
                    self.builder.take_over_behind(anchor, &last, row, Age::Gone);
                }
                id => anchor = id,
            }
        }
    }

    fn numbers(&mut self, namespace: &Namespace) {
        let at = self.tracker.now();
        let Chosen::Kernel(columns) = &self.columns else { return self.tracker.counted.note(namespace, at) };
        let searched = self.query.typed.to_lowercase();
        for number in self.tracker.counted.rows(namespace, at, self.query.all || !searched.is_empty()) {
            if number.mentions(&searched) {
                let line = LineHead { id: number.id, sign: number.sign(), age: Age::Settled };
                push(&mut self.builder, columns, line, &&number);
            }
        }
    }

    fn change_rows(&mut self) {
        let Chosen::Changes(columns) = &self.columns else { return };
        for change in self.tracker.changes.iter().rev() {
            let netns = change.socket.id.netns;
            if !self.is_in(netns) {
                continue;
            }
            let namespace = self
                .namespaces
                .iter()
                .find(|namespace| namespace.id == netns)
                .map_or_else(|| Cow::Owned(Namespace::ended(netns, change.namespace.clone())), Cow::Borrowed);
            if change.may_match(&self.query.filter, &namespace) {
                let id = RowId::other(change.number);
                push(&mut self.builder, columns, LineHead { id, sign: change.sign(), age: Age::Settled }, &change);
            }
        }
    }

    fn group_rows(&mut self) {
        let Chosen::Groups(columns) = &self.columns else { return };
        let mut groups = std::mem::take(&mut self.groups);
        if self.query.view == View::Processes {
            // The counts of another query are not the past of these groups.
            let Query { typed, netns, by, .. } = &self.query;
            self.tracker.groups.group_by(GroupedBy { netns: *netns, by: *by, typed: typed.clone() });
            for (identity, group) in &mut groups {
                group.close_wait_before = self.tracker.groups.close_wait_before(identity, group.close_wait(), self.at);
            }
            self.tracker.groups.keep(|identity| groups.contains_key(identity));
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|(one_identity, one), (other_identity, other)| {
            other
                .weight()
                .cmp(&one.weight())
                .then_with(|| (&one.title.label, one.title.end).cmp(&(&other.title.label, other.title.end)))
                .then_with(|| one_identity.cmp(other_identity))
        });
        for (key, group) in &groups {
            let mut hasher = FxHasher::default();
            key.hash(&mut hasher);
            let line = LineHead { id: RowId::other(hasher.finish()), sign: group.sign(), age: Age::Settled };
            push(&mut self.builder, columns, line, &group);
        }
    }

    fn peer(&mut self, row: &Row<'_>, motion: &Motion) {
        let Socket { id, local, remote, .. } = row.socket;
        if remote.port == 0 || !row.socket.state.is_connection() {
            return;
        }
        let addr = remote.addr.to_canonical();
        let is_in = self.listening.contains(&(id.netns, local.port));
        let port = if is_in { local.port } else { remote.port };
        let several = self.namespaces.len() > 1;
        let group = self.groups.entry(GroupIdentity::Peer(id.netns, addr, port, is_in)).or_insert_with(|| {
            Group::new(Title {
                label: addr.to_string(),
                end: Some((addr, if is_in { 0 } else { port })),
                way: if is_in { format!("in :{port}") } else { "out".to_owned() },
                filter: {
                    let (side, other) = if is_in { ("sport", "dport") } else { ("dport", "sport") };
                    let listens = if is_in { String::new() } else { format!(" and {other} != 0") };
                    let netns =
                        if several { format!(" and netns = {}", quoted(&row.namespace.name)) } else { String::new() };
                    format!("dst {addr} and {side} = {port}{listens}{netns}")
                },
                namespace: row.namespace.name.clone(),
            })
        });
        group.add(row, motion);
        if !is_in {
            group.take_port(local.addr.to_canonical(), row.namespace.sysctls.ephemeral_ports());
        }
    }

    fn processes(&mut self, row: &Row<'_>, motion: &Motion) {
        let by = self.query.by;
        let Some(owners) = row.holder.owners() else {
            let kind = row.holder.kind();
            let group = self.groups.entry(GroupIdentity::NoProcess(kind)).or_insert_with(|| {
                let label = kind.map_or_else(|| "(owner not collected)".to_owned(), HolderKind::enclosed);
                let filter = kind.map_or_else(String::new, |kind| format!("holder = {}", kind.name()));
                Group::new(Title { label, filter, ..Title::default() })
            });
            group.add(row, motion);
            return;
        };
        let mut met: Vec<GroupIdentity> = Vec::new();
        for process in owners.processes() {
            let identity = by.identity(process);
            let group = self.groups.entry(identity.clone()).or_insert_with(|| {
                Group::new(Title { label: by.label(process), filter: by.filter(process), ..Title::default() })
            });
            if let Some(descriptors) = process.descriptors {
                group.hold(descriptors.open, descriptors.limit);
            }
            if !met.contains(&identity) {
                group.add(row, motion);
                met.push(identity);
            }
        }
    }
}

/// Sign of a listener: it loses connections, or is about to. Its queue holds one more than the backlog.
fn listener_sign(length: u32, max: Option<u32>, motion: &Motion) -> Sign {
    let fits = max.map_or(u64::MAX, |max| u64::from(max) + 1);
    match u64::from(length) {
        _ if motion.drops_per_s.is_some_and(|drops| drops > 0) => Sign::Alarm,
        length if length >= fits => Sign::Alarm,
        length if length >= fits - fits / 4 => Sign::Warning,
        _ => Sign::Verdict(Verdict::Listening),
    }
}

/// Key of a row from /proc/net/tcp, which has no cookie.
fn ends_of(socket: &Socket) -> u64 {
    let mut hasher = FxHasher::default();
    (socket.local, socket.remote).hash(&mut hasher);
    hasher.finish()
}

impl Sink for FrameBuilder<'_> {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        head.host.hostname.clone_into(&mut self.hostname);
        self.namespaces.clone_from(&head.namespaces);
        self.tracker.begin(self.at, head.taken_at);
        let is_of_several = head.namespaces.len() > 1 && self.query.netns.is_none();
        (self.columns, self.builder) = chosen(&self.query, is_of_several, self.tracker.shown.table());
        for namespace in &head.namespaces {
            if self.is_in(namespace.id) {
                self.numbers(namespace);
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let socket = row.socket;
        let motion = self.tracker.add(row);
        if socket.state == TcpState::Listen {
            self.listening.insert((socket.id.netns, socket.local.port));
        }
        if !self.is_in(socket.id.netns) {
            return Ok(());
        }
        let verdict = row.judged.map(|judged| judged.liveness.verdict);
        self.counts.count(socket.state, verdict);
        if !self.query.filter.matches(row) {
            return Ok(());
        }
        match &self.columns {
            Chosen::Sockets(columns) if self.listed.contains(socket.state) => {
                let key = socket.id.cookie.map_or_else(|| ends_of(socket), |cookie| cookie.0);
                let sign = match socket.queues {
                    Queues::Accept { length, max } => listener_sign(length, max, &motion),
                    _ => verdict.map_or(Sign::Plain, Sign::Verdict),
                };
                let id = RowId { netns: socket.id.netns, key };
                let line = LineHead { id, sign, age: motion.age };
                push(&mut self.builder, columns, line, &MovingRow { row, motion: &motion });
            }
            Chosen::Groups(_) => match self.query.view {
                View::Peers => self.peer(row, &motion),
                View::Processes => self.processes(row, &motion),
                View::Connections | View::Listeners | View::Kernel | View::Changes => {}
            },
            Chosen::Sockets(_) | Chosen::Kernel(_) | Chosen::Changes(_) => {}
        }
        Ok(())
    }
}
