//! What is remembered of sockets from one look to the next: so it is seen what came, went and changed, and how fast bytes
//! move. 56 bytes a socket.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustc_hash::{FxHashMap, FxHashSet};

use super::change::{Change, What};
use super::line::{Age, RowId};
use super::motion::{Motion, Totals};
use super::numbers::Counted;
use super::pack::Dictionary;
use super::table::Table;
use super::wanted::Wanted;
use crate::model::address::{Endpoint, Family, NetnsId};
use crate::model::liveness::{Bound, Verdict};
use crate::model::namespace::Namespace;
use crate::model::row::Row;
use crate::model::sequence::Sequence;
use crate::model::socket::{Attributes, Queues, Socket, SocketId};
use crate::model::state::TcpState;
use crate::model::time::millis;
use crate::model::timer::Timer;

/// Changes that are kept.
pub const MOST_CHANGES: usize = 10_000;
/// So long a row is marked as new, or kept as gone.
const MARKED: Duration = Duration::from_secs(2);

/// Both ends, as they are kept: nearly all are IPv4.
#[derive(Debug, Clone)]
enum Ends {
    V4([(Ipv4Addr, u16); 2]),
    V6(Box<[(Ipv6Addr, u16); 2]>),
}

impl Ends {
    fn of(socket: &Socket) -> Self {
        let Socket { local, remote, .. } = socket;
        match (local.addr, remote.addr) {
            (IpAddr::V4(one), IpAddr::V4(other)) => Self::V4([(one, local.port), (other, remote.port)]),
            (one, other) => {
                let v6 = |addr| match addr {
                    IpAddr::V4(addr) => addr.to_ipv6_mapped(),
                    IpAddr::V6(addr) => addr,
                };
                Self::V6(Box::new([(v6(one), local.port), (v6(other), remote.port)]))
            }
        }
    }

    fn both(&self) -> [Endpoint; 2] {
        match self {
            Self::V4(ends) => ends.map(|(addr, port)| Endpoint { addr: addr.into(), port }),
            Self::V6(ends) => ends.map(|(addr, port)| Endpoint { addr: addr.into(), port }),
        }
    }
}

/// What is kept of a socket.
#[derive(Debug, Clone)]
struct Known {
    ends: Ends,
    /// First seen, in ms since the dashboard was opened
    first_ms: u32,
    /// The low halves of what is counted: differences need no more
    sent: u32,
    received: u32,
    /// Number of who holds it
    process: u32,
    state: TcpState,
    verdict: Option<Verdict>,
}

/// What the kernel said of a socket that it destroyed.
#[derive(Debug)]
pub struct Farewell {
    /// The socket with its last counters
    pub socket: Socket,
    /// When that was heard
    pub at: SystemTime,
}

/// A group's past: CLOSE-WAITs by time.
type Past = VecDeque<(Duration, u64)>;

/// All of it.
#[derive(Debug)]
pub struct Memory {
    clock: fn(SystemTime) -> String,
    /// There will be no second look: nothing of a socket is kept
    is_for_once: bool,
    sockets: Sequence<Known>,
    /// Names of processes, of the last look and of this one
    processes: [Dictionary; 2],
    round: u32,
    /// When this look began, and the one before, since the dashboard was opened
    now: Duration,
    before: Duration,
    taken_at: SystemTime,
    /// When those that are gone went
    gone: FxHashMap<RowId, Duration>,
    /// The rows that were shown last
    pub last: Option<(Wanted, Arc<Table>)>,
    /// What happened, the newest last
    pub changes: VecDeque<Change>,
    changed: u64,
    /// The same when this look began
    changed_before: u64,
    groups: FxHashMap<String, Past>,
    /// What the groups are made by
    grouped_by: String,
    /// Counters of the namespaces
    pub counted: Counted,
    /// Sockets that were destroyed from here
    pub destroyed: FxHashSet<SocketId>,
    /// When the kernel said what is being told, in ms since the dashboard was opened
    said_ms: Option<u64>,
    /// Sockets that said farewell since the look before
    parted: FxHashSet<SocketId>,
    /// Ends of TIME-WAITs that this look was the first to show
    rested: FxHashSet<[Endpoint; 2]>,
}

impl Memory {
    /// Nothing yet. `clock` writes the time of day.
    pub fn new(clock: fn(SystemTime) -> String) -> Self {
        Self {
            clock,
            is_for_once: false,
            sockets: Sequence::default(),
            processes: Default::default(),
            round: 0,
            now: Duration::ZERO,
            before: Duration::ZERO,
            taken_at: SystemTime::UNIX_EPOCH,
            gone: FxHashMap::default(),
            last: None,
            changes: VecDeque::new(),
            changed: 0,
            changed_before: 0,
            groups: FxHashMap::default(),
            grouped_by: String::new(),
            counted: Counted::default(),
            destroyed: FxHashSet::default(),
            said_ms: None,
            parted: FxHashSet::default(),
            rested: FxHashSet::default(),
        }
    }

    /// Nothing, now and after a look.
    pub fn for_once(clock: fn(SystemTime) -> String) -> Self {
        Self { is_for_once: true, ..Self::new(clock) }
    }

    /// A look begins, so long after the dashboard was opened.
    pub fn begin(&mut self, now: Duration, taken_at: SystemTime) {
        self.round = self.round.wrapping_add(1);
        (self.before, self.now, self.taken_at) = (self.now, now, taken_at);
        self.sockets.begin();
        self.changed_before = self.changed;
        self.processes.swap(0, 1);
        self.processes[1] = Dictionary::default();
        self.rested.clear();
        self.gone.retain(|_, since| now.saturating_sub(*since) < MARKED);
    }

    /// When this look began, in ms since the dashboard was opened.
    pub fn now_ms(&self) -> u64 {
        millis(self.now)
    }

    /// Whether there was a look before.
    fn is_first(&self) -> bool {
        self.round <= 1
    }

    /// Takes a row in, held by `process`, and tells how it has moved.
    pub fn meet(&mut self, row: &Row<'_>, process: &str) -> Motion {
        let socket = row.socket;
        let totals = Totals::of(socket);
        if self.is_for_once {
            return totals.motion();
        }
        let verdict = row.judged.map(|judged| judged.liveness.verdict);
        let now_ms = self.now_ms() as u32;
        let number = self.processes[1].number(process).unwrap_or(u32::MAX);
        let is_first = self.is_first();
        let elapsed_ms = millis(self.now.saturating_sub(self.before)).max(1);
        let make = || Known {
            ends: Ends::of(socket),
            first_ms: if is_first { 0 } else { now_ms.max(1) },
            sent: totals.low().0,
            received: totals.low().1,
            process: number,
            state: socket.state,
            verdict,
        };
        let mut motion = totals.motion();
        let Some((known, is_new)) = self.sockets.meet(socket.id, make) else { return motion };
        if is_new {
            let known = known.clone();
            let is_over = socket.is_minisocket() && socket.state != TcpState::SynRecv;
            if is_over || socket.state == TcpState::TimeWait {
                self.rested.insert([socket.local, socket.remote]);
            } else if !is_first {
                self.tell(What::Opened, &known, socket.id, Some(row.namespace), "");
            }
            motion.age = if is_first { Age::Settled } else { Age::New };
            return motion;
        }
        motion.moved(socket.state, (known.sent, known.received), totals.low(), elapsed_ms);
        if known.first_ms > 0 && u64::from(now_ms.saturating_sub(known.first_ms)) < millis(MARKED) {
            motion.age = Age::New;
        }
        let before = ((known.state, known.verdict) != (socket.state, verdict)).then(|| known.clone());
        // Nobody's any more: whose it was is worth more.
        known.process = if process.starts_with('(') {
            let [before, now] = &mut self.processes;
            now.number(before.text(known.process)).unwrap_or(number)
        } else {
            number
        };
        (known.state, known.verdict) = (socket.state, verdict);
        (known.sent, known.received) = totals.low();
        if let Some(before) = before {
            let known = known.clone();
            self.compare(&before, &known, row);
        }
        motion
    }

    /// Tells what has changed of a socket that was there before.
    fn compare(&mut self, before: &Known, known: &Known, row: &Row<'_>) {
        let (id, namespace) = (row.socket.id, Some(row.namespace));
        if known.state != before.state && before.state != TcpState::TimeWait {
            if known.state == TcpState::TimeWait {
                return self.tell(What::Closed, before, id, namespace, RESTS);
            }
            self.tell(What::State(before.state), known, id, namespace, "");
        } else if let (Some(thought), Some(now)) = (before.verdict, known.verdict)
            && thought != now
            && (is_trouble(thought) || is_trouble(now))
        {
            self.tell(What::Verdict(thought), known, id, namespace, "");
        }
    }

    /// The look is over: what it did not show is gone. `farewells` is what the kernel said meanwhile; `is_whole` says
    /// whether a socket that was not seen is not there.
    pub fn end(&mut self, farewells: Vec<Farewell>, namespaces: &[Namespace], is_whole: bool) {
        let find = |id: NetnsId| namespaces.iter().find(|namespace| namespace.id == id);
        for Farewell { socket, at } in farewells {
            self.part(&socket, at, &find);
        }
        let destroyed = std::mem::take(&mut self.destroyed);
        let mut vanished = Vec::new();
        if is_whole {
            self.sockets.end(|id, known| vanished.push((id, known)));
        } else {
            // Their names were those of the look before, which go now.
            self.sockets.each_unmet(|known| known.process = u32::MAX);
        }
        for (id, known) in vanished {
            let row = RowId { netns: id.netns, key: id.cookie.map_or(0, |cookie| cookie.0) };
            self.gone.insert(row, self.now);
            // The end of a TIME-WAIT is no news: the connection was over before; nor is that of one that said farewell.
            if known.state != TcpState::TimeWait && !self.parted.contains(&id) {
                let why = guess(known.state, known.verdict, destroyed.contains(&id), None);
                self.tell(What::Closed, &known, id, find(id.netns), why);
            }
        }
        self.parted.clear();
        // What the kernel said lies before what the look has found.
        let new = usize::try_from(self.changed - self.changed_before).unwrap_or(usize::MAX).min(self.changes.len());
        let from = self.changes.len() - new;
        self.changes.make_contiguous()[from..].sort_by_key(|change| change.at);
    }

    /// The kernel said that it destroyed this one.
    fn part<'a>(&mut self, socket: &Socket, at: SystemTime, find: &impl Fn(NetnsId) -> Option<&'a Namespace>) {
        let is_destroyed = self.destroyed.contains(&socket.id);
        // As a TIME-WAIT it is there yet: that it is over was told when its state was seen.
        if self.sockets.is_met(socket.id) || !self.parted.insert(socket.id) {
            return;
        }
        let known = match self.sockets.find(socket.id) {
            Some(known) if known.state == TcpState::TimeWait => return,
            Some(known) => known.clone(),
            None => Known {
                ends: Ends::of(socket),
                first_ms: millis(self.before) as u32,
                sent: 0,
                received: 0,
                process: u32::MAX,
                state: TcpState::Close,
                verdict: None,
            },
        };
        let rests = self.rested.contains(&[socket.local, socket.remote]);
        let why = if rests { RESTS } else { guess(known.state, known.verdict, is_destroyed, Some(socket)) };
        let earlier = self.taken_at.duration_since(at).unwrap_or_default();
        let later = at.duration_since(self.taken_at).unwrap_or_default();
        let said = (self.now + later).saturating_sub(earlier);
        self.said_ms = Some(millis(said));
        let taken_at = std::mem::replace(&mut self.taken_at, at);
        self.tell(What::Closed, &known, socket.id, find(socket.id.netns), why);
        (self.taken_at, self.said_ms) = (taken_at, None);
    }

    fn tell(&mut self, what: What, known: &Known, id: SocketId, namespace: Option<&Namespace>, why: &'static str) {
        self.changed += 1;
        let lifetime = self.lifetime(what, known);
        let [local, remote] = known.ends.both();
        // Of what is gone the name was noted in the look before.
        let is_there = what != What::Closed;
        let process = self.processes[usize::from(is_there)].text(known.process).to_owned();
        if self.changes.len() >= MOST_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(Change {
            number: self.changed,
            at: self.taken_at,
            time: (self.clock)(self.taken_at),
            what,
            socket: bare(id, known, local, remote),
            namespace: namespace.map_or_else(|| id.netns.0.to_string(), |namespace| namespace.name.clone()),
            process,
            verdict: known.verdict,
            lifetime,
            why,
        });
    }

    /// It was there for a while before it was first seen, and is gone for a while once that is: at least so long. What no
    /// look has seen came after the last.
    fn lifetime(&self, what: What, known: &Known) -> (Option<u64>, Bound) {
        let before_ms = millis(self.before);
        // A farewell may lie before the look that takes it in.
        let until_ms = match self.said_ms {
            Some(said_ms) => said_ms,
            None if what == What::Closed => before_ms,
            None => self.now_ms(),
        };
        match (what, known.state) {
            (What::Opened, _) => (None, Bound::NotApplicable),
            (_, TcpState::Close) => (Some(until_ms.saturating_sub(before_ms)), Bound::AtMost),
            _ => (Some(until_ms.saturating_sub(known.first_ms.into())), Bound::AtLeast),
        }
    }

    /// Rows that went a moment ago.
    pub fn is_gone(&self, id: RowId) -> bool {
        self.gone.contains_key(&id)
    }

    /// Whether any row went a moment ago.
    pub fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// CLOSE-WAITs that a group had up to five minutes ago, and takes in how many it has now.
    pub fn close_wait_before(&mut self, group: &str, now: u64) -> Option<u64> {
        const SPAN: Duration = Duration::from_secs(300);
        const STEP: Duration = Duration::from_secs(5);
        let at = self.now;
        let past = self.groups.entry(group.to_owned()).or_default();
        if past.back().is_none_or(|(last, _)| at.saturating_sub(*last) >= STEP) {
            past.push_back((at, now));
        }
        while past.len() > 1 && at.saturating_sub(past[0].0) > SPAN {
            past.pop_front();
        }
        past.front().filter(|(since, _)| at > *since).map(|(_, before)| *before)
    }

    /// Groups are made otherwise: those that were made before are forgotten.
    pub fn group_by(&mut self, by: String) {
        if by != self.grouped_by {
            self.groups.clear();
            self.grouped_by = by;
        }
    }

    /// The rows that were shown last.
    pub fn last(&self) -> Option<&Table> {
        self.last.as_ref().map(|(_, table)| &**table)
    }

    /// Groups that were not seen are forgotten.
    pub fn keep_groups(&mut self, is_there: impl Fn(&str) -> bool) {
        self.groups.retain(|group, _| is_there(group));
    }
}

/// Verdicts that come and go for a reason; the calm ones only tell how long ago the peer was heard.
fn is_trouble(verdict: Verdict) -> bool {
    verdict.is_silent() || verdict == Verdict::Stalled
}

const RESTS: &str = "closed in order: TIME-WAIT keeps the port";

/// What the program of a socket that is over most likely got to see. The kernel does not tell.
fn guess(state: TcpState, verdict: Option<Verdict>, is_destroyed: bool, last: Option<&Socket>) -> &'static str {
    // The last counters say it; without them, what was thought of it last.
    let is_silent = match last {
        Some(socket) => socket.probes_out() > 0 || socket.retransmits() > 0,
        None => verdict.is_some_and(Verdict::is_silent),
    };
    match (state, verdict) {
        _ if is_destroyed => "ECONNABORTED: destroyed from here",
        (TcpState::SynSent, _) => "was not connected yet when last seen",
        (TcpState::SynRecv, _) => "was in its handshake when last seen",
        (TcpState::Listen, _) => "listens no more",
        (TcpState::Established | TcpState::CloseWait, _) if is_silent && last.is_some() => {
            "ETIMEDOUT: the kernel gave up on the peer"
        }
        (TcpState::Established | TcpState::CloseWait, _) if is_silent => "ETIMEDOUT, or closed or reset",
        (TcpState::LastAck | TcpState::Closing | TcpState::TimeWait, _) => "closed in order",
        (TcpState::FinWait1 | TcpState::FinWait2, _) => "closed by our side",
        (TcpState::CloseWait, _) => "closed by the peer, then by our side",
        _ => "closed or reset",
    }
}

/// A socket with no more than is remembered of it.
fn bare(id: SocketId, known: &Known, local: Endpoint, remote: Endpoint) -> Socket {
    Socket {
        id,
        family: if local.addr.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 },
        state: known.state,
        local,
        remote,
        interface: None,
        uid: None,
        inode: None,
        queues: Queues::None,
        timer: Timer::OFF,
        attributes: Attributes::default(),
    }
}
