//! What came, went and changed from one snapshot to the next, and how fast bytes move. The tracker compares each row
//! with the state kept of its socket, and adds the kernel's destroy events.

use std::time::{Duration, SystemTime};

use rustc_hash::FxHashSet;

use super::change::{Change, What};
use super::change_log::ChangeLog;
use super::closing::{CloseReason, is_trouble};
use super::group_history::GroupHistory;
use super::holders::{HolderNumber, Holders};
use super::kernel_rows::KernelCounters;
use super::known::{Ends, Known};
use super::line::{Age, RowId};
use super::moments::{Moments, When};
use super::motion::{Motion, Totals};
use super::shown::{MARKED, ShownRows};
use crate::model::address::{Endpoint, NetnsId};
use crate::model::liveness::Bound;
use crate::model::namespace::Namespace;
use crate::model::row::Row;
use crate::model::sequence::Sequence;
use crate::model::socket::{Socket, SocketId};
use crate::model::state::TcpState;
use crate::model::time::Millis;
use crate::text::timestamp;

/// Destroy event: a socket that the kernel has destroyed.
#[derive(Debug)]
pub struct DestroyEvent {
    /// The socket with its last counters
    pub socket: Socket,
    /// When the event arrived
    pub at: SystemTime,
}

/// State carried from one snapshot to the next.
#[derive(Debug)]
pub struct Tracker {
    /// Only one snapshot will be taken: no state of sockets is kept
    is_for_once: bool,
    moments: Moments,
    sockets: Sequence<Known>,
    /// Owners of sockets, in the previous snapshot and in this one
    holders: [Holders; 2],
    /// Ends of the TIME-WAITs that this snapshot was the first to show
    new_time_waits: FxHashSet<[Endpoint; 2]>,
    /// Sockets that this program destroyed since the previous snapshot
    pub destroyed: FxHashSet<SocketId>,
    /// Log of changes
    pub changes: ChangeLog,
    /// CLOSE-WAIT history of groups
    pub groups: GroupHistory,
    /// Kernel counters of the namespaces
    pub counted: KernelCounters,
    /// The rows shown last
    pub shown: ShownRows,
}

/// A change of one socket, to be logged.
#[derive(Clone, Copy)]
struct ChangeReport<'a> {
    what: What,
    known: &'a Known,
    id: SocketId,
    namespace: Option<&'a Namespace>,
}

/// An empty tracker that formats times of day in UTC, after RFC 3339.
impl Default for Tracker {
    fn default() -> Self {
        Self::new(|at| timestamp(at).unwrap_or_default())
    }
}

impl Tracker {
    /// An empty tracker. `clock` formats a time of day.
    pub fn new(clock: fn(SystemTime) -> String) -> Self {
        Self {
            is_for_once: false,
            moments: Moments::default(),
            sockets: Sequence::default(),
            holders: Default::default(),
            new_time_waits: FxHashSet::default(),
            destroyed: FxHashSet::default(),
            changes: ChangeLog::new(clock),
            groups: GroupHistory::default(),
            counted: KernelCounters::default(),
            shown: ShownRows::default(),
        }
    }

    /// A tracker that keeps no state of sockets, for a program that takes one snapshot.
    pub fn for_once(clock: fn(SystemTime) -> String) -> Self {
        Self { is_for_once: true, ..Self::new(clock) }
    }

    /// Begins a snapshot; `now` is the time since the dashboard was opened.
    pub fn begin(&mut self, now: Duration, taken_at: SystemTime) {
        self.moments.begin(now, taken_at);
        self.sockets.begin();
        self.changes.begin();
        self.holders.swap(0, 1);
        self.holders[1] = Holders::default();
        self.new_time_waits.clear();
        self.shown.begin(now);
    }

    /// Start of this snapshot, since the dashboard was opened.
    pub fn now(&self) -> Millis {
        self.moments.now()
    }

    /// Adds a row and returns the movement of its counters.
    pub fn add(&mut self, row: &Row<'_>) -> Motion {
        let socket = row.socket;
        let totals = Totals::of(socket);
        if self.is_for_once {
            return totals.motion();
        }
        let verdict = row.judged.map(|judged| judged.liveness.verdict);
        let now_ms = self.now().get() as u32;
        let holder = self.holders[1].number(row.holder);
        let is_first = self.moments.is_first();
        let make = || Known {
            ends: Ends::of(socket),
            first_ms: if is_first { 0 } else { now_ms.max(1) },
            counters: totals.low(),
            holder,
            state: socket.state,
            verdict,
        };
        let mut motion = totals.motion();
        let Some((known, is_new)) = self.sockets.meet(socket.id, make) else { return motion };
        if is_new {
            let known = known.clone();
            motion.age = if is_first { Age::Settled } else { Age::New };
            self.open(&known, row);
            return motion;
        }
        motion.moved(socket.state, [known.counters, totals.low()], self.moments.elapsed());
        if known.first_ms > 0 && Millis::from(now_ms.saturating_sub(known.first_ms)) < MARKED.into() {
            motion.age = Age::New;
        }
        let before = ((known.state, known.verdict) != (socket.state, verdict)).then(|| known.clone());
        // If no process holds the socket any more, keep its last owner, which is more useful.
        let [holders_before, holders] = &mut self.holders;
        let is_ownerless = row.holder.owners().is_none();
        let was = if is_ownerless { holders.take_over(holders_before, known.holder) } else { None };
        known.holder = was.unwrap_or(holder);
        (known.state, known.verdict) = (socket.state, verdict);
        known.counters = totals.low();
        if let Some(before) = before {
            let known = known.clone();
            self.compare(&before, &known, row);
        }
        motion
    }

    /// Logs a new socket, unless it is already closed.
    fn open(&mut self, known: &Known, row: &Row<'_>) {
        let socket = row.socket;
        let is_over = socket.is_minisocket() && socket.state != TcpState::SynRecv;
        if is_over || socket.state == TcpState::TimeWait {
            self.new_time_waits.insert([socket.local, socket.remote]);
        } else if !self.moments.is_first() {
            let (id, namespace) = (socket.id, Some(row.namespace));
            self.log_seen(ChangeReport { what: What::Opened, known, id, namespace });
        }
    }

    /// Logs what has changed of a socket that the previous snapshot contained.
    fn compare(&mut self, before: &Known, known: &Known, row: &Row<'_>) {
        let (id, namespace) = (row.socket.id, Some(row.namespace));
        if known.state != before.state && before.state != TcpState::TimeWait {
            self.log_seen(if known.state == TcpState::TimeWait {
                ChangeReport { what: What::Closed(CloseReason::TimeWait), known: before, id, namespace }
            } else {
                ChangeReport { what: What::State(before.state), known, id, namespace }
            });
        } else if let (Some(thought), Some(now)) = (before.verdict, known.verdict)
            && thought != now
            && (is_trouble(thought) || is_trouble(now))
        {
            self.log_seen(ChangeReport { what: What::Verdict(thought), known, id, namespace });
        }
    }

    /// Ends the snapshot: sockets that it did not contain are gone, unless `is_whole` is false. `destroy_events` are
    /// the kernel's reports since the previous snapshot.
    pub fn end(&mut self, destroy_events: Vec<DestroyEvent>, namespaces: &[Namespace], is_whole: bool) {
        let find = |id: NetnsId| namespaces.iter().find(|namespace| namespace.id == id);
        let mut reported = FxHashSet::default();
        for DestroyEvent { socket, at } in destroy_events {
            // A socket that is still listed is a TIME-WAIT: its end was logged when that state was seen.
            if !self.sockets.is_met(socket.id) && reported.insert(socket.id) {
                self.close(&socket, at, find(socket.id.netns));
            }
        }
        let destroyed = std::mem::take(&mut self.destroyed);
        let mut vanished = Vec::new();
        if is_whole {
            self.sockets.end(|id, known| vanished.push((id, known)));
        } else {
            // Their owner numbers are those of the previous snapshot, which is dropped now.
            self.sockets.each_unmet(|known| known.holder = HolderNumber::UNKNOWN);
        }
        for (id, known) in vanished {
            let row = RowId { netns: id.netns, key: id.cookie.map_or(0, |cookie| cookie.0) };
            self.shown.lose(row, self.moments.now);
            // Do not log the end of a TIME-WAIT, whose connection ended before, nor an end that the kernel has
            // reported.
            if known.state != TcpState::TimeWait && !reported.contains(&id) {
                let reason = CloseReason::guess(known.state, known.verdict, destroyed.contains(&id), None);
                let what = What::Closed(reason);
                self.log_seen(ChangeReport { what, known: &known, id, namespace: find(id.netns) });
            }
        }
        self.changes.end();
    }

    /// Logs a socket that the kernel destroyed at `at`.
    fn close(&mut self, socket: &Socket, at: SystemTime, namespace: Option<&Namespace>) {
        let known = match self.sockets.find(socket.id) {
            Some(known) if known.state == TcpState::TimeWait => return,
            Some(known) => known.clone(),
            None => Known::unseen(socket, self.moments.before()),
        };
        let is_destroyed = self.destroyed.contains(&socket.id);
        let is_time_wait = self.new_time_waits.contains(&[socket.local, socket.remote]);
        let reason = if is_time_wait {
            CloseReason::TimeWait
        } else {
            CloseReason::guess(known.state, known.verdict, is_destroyed, Some(socket))
        };
        let report = ChangeReport { what: What::Closed(reason), known: &known, id: socket.id, namespace };
        self.log(report, self.moments.of_event(at));
    }

    /// Logs a change that this snapshot shows.
    fn log_seen(&mut self, report: ChangeReport<'_>) {
        let when = self.moments.of_snapshot(report.what.is_end());
        self.log(report, when);
    }

    fn log(&mut self, report: ChangeReport<'_>, When { at, until }: When) {
        let ChangeReport { what, known, id, namespace } = report;
        let (number, time) = self.changes.stamp(at);
        // The owner number of a socket that is gone is one of the previous snapshot.
        let is_there = !what.is_end();
        self.changes.push(Change {
            number,
            at,
            time,
            what,
            socket: known.bare(id),
            namespace: namespace.map_or_else(|| id.netns.0.to_string(), |namespace| namespace.name.clone()),
            holder: self.holders[usize::from(is_there)].get(known.holder).clone(),
            verdict: known.verdict,
            lifetime: match what {
                What::Opened => (None, Bound::NotApplicable),
                _ => known.lifetime(self.moments.before(), until),
            },
        });
    }
}
