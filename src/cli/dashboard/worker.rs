//! The worker: the thread that takes snapshots, when they are due or ordered, and never uses more than its share of a
//! core.

use std::fmt::Write;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use super::deeds;
use super::destroy_events::DestroyEvents;
use super::orders::Ordered;
use super::save::save;
use crate::cli::asked;
use crate::cli::exit::with_remedy;
use crate::collect::caller::Caller;
use crate::filter::Filter;
use crate::inspect::{Cache, InspectError, Request, complete, inspect};
use crate::model::gap::{Gap, GapKind, Remedy};
use crate::model::needs::Needs;
use crate::model::state::StateSet;
use crate::track::frame::{Frame, FrameBuilder};
use crate::track::query::{DEAR, Query};
use crate::track::sheet::SheetSink;
use crate::track::tracker::Tracker;
use crate::tui::action::{Effect, Event, SocketRef};
use crate::tui::inbox::Outlet;

/// Progress of the first snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstSnapshot {
    Nothing,
    /// Rows without the expensive data (owners, options), and the CPU time they took: later snapshots take about as
    /// much
    Rows(Duration),
    All,
}

/// The worker thread's state.
pub(super) struct Worker {
    request: Request,
    wanted: Query,
    interval: Duration,
    most_of_a_core: f64,
    is_paused: bool,
    /// A query waits for its answer, even if the data is frozen
    is_asked: bool,
    /// When the dashboard was opened, and when the next snapshot is due
    opened: Instant,
    next: Instant,
    seen: FirstSnapshot,
    cache: Cache,
    tracker: Tracker,
    destroy_events: DestroyEvents,
}

impl Worker {
    pub(super) fn new(request: Request, wanted: Query, interval: Duration, most_of_a_core: f64) -> Self {
        let now = Instant::now();
        Self {
            destroy_events: DestroyEvents::new(request.netns.clone()),
            request,
            wanted,
            interval,
            most_of_a_core,
            is_paused: false,
            is_asked: false,
            opened: now,
            next: now,
            seen: FirstSnapshot::Nothing,
            cache: Cache::default(),
            tracker: Tracker::new(time_of_day),
        }
    }

    /// Runs until the dashboard drops its end of the orders.
    pub(super) fn work(mut self, orders: &Ordered, outlet: &Outlet) {
        loop {
            let is_waiting = self.is_paused && !self.is_asked;
            let wait = if is_waiting { Duration::MAX } else { self.next.saturating_duration_since(Instant::now()) };
            // All orders that arrived during a snapshot are taken before the next one.
            let answer = match orders.next(wait) {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => Some(self.look_when_due()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if answer.is_some_and(|event| !outlet.answer(event)) {
                return;
            }
        }
    }

    /// Carries out an order; returns the event that answers it. An order that changes what is shown makes a snapshot
    /// due at once.
    fn obey(&mut self, order: Effect) -> Option<Event> {
        let answer = match order {
            Effect::Inspect(wanted_socket) => {
                let (began, used) = (Instant::now(), cpu_time());
                let known = self.detail(wanted_socket);
                // Its CPU time delays the next snapshot, as a snapshot's does.
                self.next = self.next.max(began + cpu_time().saturating_sub(used).div_f64(self.most_of_a_core));
                return Some(known);
            }
            // The file would be written with rights that the user does not have.
            Effect::Save(..) if Caller::find().has_rights_of_file => {
                let told = "not written: this copy of tcpulse has rights from its file; tcpulse --json FILTER > NAME writes yours";
                return Some(Event::Told(told.to_owned()));
            }
            Effect::Save(name, table) => return Some(Event::Told(save(&name, &table.0))),
            Effect::Destroy(ids) => {
                let (told, done) = deeds::destroy(&self.request, &ids);
                self.tracker.destroyed.extend(done);
                Some(Event::Told(told))
            }
            Effect::Set(ids, change) => {
                let (told, done) = deeds::set(&self.request, &ids, change);
                self.cache.forget_options(&done);
                Some(Event::Told(told))
            }
            // Even if the data is frozen: a new query needs an answer.
            Effect::Look(wanted) => {
                (self.wanted, self.is_asked) = (*wanted, true);
                None
            }
            Effect::Every(interval) => {
                self.interval = interval;
                None
            }
            Effect::Pause(is_paused) => {
                self.is_paused = is_paused;
                None
            }
            Effect::Resolve(_)
            | Effect::Copy(_)
            | Effect::Redraw
            | Effect::Retake
            | Effect::Suspend
            | Effect::Quit
            | Effect::EndBy(_)
            | Effect::Fail(_) => return None,
        };
        self.next = Instant::now();
        answer
    }

    /// Takes a snapshot, and schedules the next.
    fn look_when_due(&mut self) -> Event {
        let (began, used) = (Instant::now(), cpu_time());
        let costs_more = complete(self.wanted.needs(), self.request.allowed).intersects(DEAR);
        if self.seen == FirstSnapshot::Nothing && costs_more && self.wanted.is_shown_early() {
            let seen = self.look_early();
            // The complete snapshot follows at once, even if the data was frozen meanwhile.
            (self.is_asked, self.next) = (true, Instant::now());
            self.seen = FirstSnapshot::Rows(cpu_time().saturating_sub(used));
            return seen;
        }
        self.is_asked = false;
        let before = self.seen;
        let mut seen = self.look();
        // One-time costs do not delay the next snapshot: the rows would not change for a quarter of a minute.
        let cost = match before {
            FirstSnapshot::Nothing => Duration::ZERO,
            FirstSnapshot::Rows(cost) => cost,
            FirstSnapshot::All => cpu_time().saturating_sub(used),
        };
        let rest = self.interval.max(cost.div_f64(self.most_of_a_core));
        self.next = began + rest;
        if let Event::Frame(frame) = &mut seen {
            frame.rest = rest;
        }
        seen
    }

    /// First frame, shown while processes and options are still being collected. It does not enter the tracker: data
    /// that arrives later must not count as a change.
    fn look_early(&mut self) -> Event {
        let (needs, allowed) = (self.wanted.needs(), self.request.allowed - DEAR);
        let (states, filter) = (self.wanted.states(), Filter::default());
        let request = Request { states, needs, allowed, filter, ..self.request.clone() };
        let mut nothing = Tracker::for_once(time_of_day);
        let mut builder = FrameBuilder::new(self.wanted.clone(), &mut nothing, self.opened.elapsed());
        match inspect(&request, None, &mut builder, &|| false) {
            Ok(tail) => Event::Frame(Box::new(Frame { is_early: true, ..builder.finish(tail, Vec::new()) })),
            Err(error) => failed(&error),
        }
    }

    fn look(&mut self) -> Event {
        let mut needs = self.wanted.needs();
        // Kernel counters are shown relative to the first snapshot.
        needs.set(Needs::KERNEL, needs.contains(Needs::KERNEL) || self.seen != FirstSnapshot::All);
        let states = self.wanted.states();
        let request = self.with(Filter::default(), states, needs);
        let at = self.opened.elapsed();
        let mut builder = FrameBuilder::new(self.wanted.clone(), &mut self.tracker, at);
        match inspect(&request, Some(self.cache.whole()), &mut builder, &|| false) {
            Ok(mut tail) => {
                let (events, lost) = self.destroy_events.take();
                if lost > 0 {
                    let why = "destroy events were lost: the receive buffer was full";
                    let remedy = Remedy::Do("run as root, or select one namespace (-N)");
                    tail.gaps.add(Gap::new(GapKind::ShortConnections, why, remedy).times(lost));
                }
                let frame = builder.finish(tail, events);
                self.destroy_events.cover(frame.namespaces.iter().map(|(id, _)| *id));
                self.seen = FirstSnapshot::All;
                Event::Frame(Box::new(frame))
            }
            Err(error) => failed(&error),
        }
    }

    /// Collects the detail of one socket.
    fn detail(&mut self, wanted_socket: SocketRef) -> Event {
        let Some(cookie) = wanted_socket.id.cookie else { return Event::Detail(wanted_socket.id, None) };
        let mut typed = format!("cookie = {:x}", cookie.0);
        if let Some((local, peer)) = wanted_socket.ports {
            // Writing to a String cannot fail. The kernel's bytecode can compare ports, but not cookies.
            let _ = write!(typed, " and sport = {local} and dport = {peer}");
        }
        let mut sink = SheetSink::new(self.request.judge(), self.opened.elapsed().into());
        let filter = match asked::filter(&typed) {
            Ok(filter) => filter,
            // Not "this connection is gone": it was not looked for.
            Err(error) => return Event::Failed(error.to_string()),
        };
        let request = self.with(filter, StateSet::ALL, Needs::all() - Needs::KERNEL - Needs::LIMITS);
        match inspect(&request, Some(self.cache.part()), &mut sink, &|| false) {
            Err(error) => failed(&error),
            Ok(_) => Event::Detail(wanted_socket.id, sink.sheet.map(Box::new)),
        }
    }

    fn with(&self, filter: Filter, states: StateSet, needs: Needs) -> Request {
        Request { states, needs, filter, ..self.request.clone() }
    }
}

/// Event for a failed snapshot.
fn failed(error: &InspectError) -> Event {
    Event::Failed(with_remedy(error))
}

/// CPU time of this process on all cores: snapshots, destroy events and names use several threads.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0));
    Duration::new(seconds, nanos)
}

/// Local wall-clock time; empty if it cannot be determined.
fn time_of_day(at: SystemTime) -> String {
    let zoned = jiff::Timestamp::try_from(at).map(|at| at.to_zoned(jiff::tz::TimeZone::system()));
    zoned.map_or_else(|_| String::new(), |at| at.strftime("%H:%M:%S%.3f").to_string())
}

#[cfg(test)]
mod tests {
    use super::{Needs, Query, Request, Worker};
    use crate::collect::discovery::NetnsChoice;
    use crate::fields::id::ColumnId;
    use crate::fields::value::Value;
    use crate::filter::{Filter, Names};
    use crate::track::frame::Frame;
    use crate::track::views::View;
    use crate::tui::action::Event;
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    struct Nobody;
    impl Names for Nobody {}

    const INTERVAL: Duration = Duration::from_secs(1);

    fn worker(wanted: Query, allowed: Needs) -> Worker {
        let request = Request { allowed, ..Request::new(NetnsChoice::Current) };
        // So small a share of a core that a long pause follows every snapshot.
        Worker::new(request, wanted, INTERVAL, 1e-6)
    }

    fn look(worker: &mut Worker) -> Box<Frame> {
        match worker.look_when_due() {
            Event::Frame(frame) => frame,
            other => panic!("{other:?}"),
        }
    }

    fn filtered(view: View, typed: &str) -> Query {
        let filter = Filter::parse(typed, &Nobody).unwrap();
        Query { typed: typed.to_owned(), filter, ..Query::new(view) }
    }

    #[test]
    fn rows_come_first_and_their_holders_at_once_after_them_as_no_change() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, _server) = (TcpStream::connect(("127.0.0.1", port)).unwrap(), listener.accept().unwrap());
        let typed = format!("dport = {port} and sport = {}", client.local_addr().unwrap().port());
        let mut worker = worker(filtered(View::Connections, &typed), Needs::all());
        let early = look(&mut worker);
        assert!(early.is_early && worker.is_asked && worker.next <= Instant::now());
        assert_eq!((early.table.len(), early.table.cell(0, ColumnId::Process)), (1, Some(Value::Absent)));
        let whole = look(&mut worker);
        assert!(!whole.is_early && !worker.is_asked);
        let holder = whole.table.cell(0, ColumnId::Process).unwrap().plain().into_owned();
        assert!(holder.contains(&format!("[{}]", std::process::id())), "{holder}");
        assert_eq!(early.table.id(0), whole.table.id(0));
        let is_ours = |ends: [u16; 2]| ends.contains(&port);
        let changes = |worker: &Worker| {
            let sockets = worker.tracker.changes.iter().map(|change| &change.socket);
            sockets.filter(|socket| is_ours([socket.local.port, socket.remote.port])).count()
        };
        assert_eq!(changes(&worker), 0);
        // The pause follows from the CPU time of the first rows, which later snapshots take too; later ones count in
        // full.
        assert!(whole.rest > INTERVAL);
        assert!(!look(&mut worker).is_early);
        assert_eq!(changes(&worker), 0);
    }

    #[test]
    fn what_is_made_of_holders_or_of_options_waits_for_them() {
        for wanted in [
            filtered(View::Connections, "process = x"),
            filtered(View::Connections, "holder = kernel"),
            filtered(View::Listeners, "verdict = unguarded"),
            filtered(View::Connections, "dport = 1 or not dead-in < 1h"),
            Query::new(View::Processes),
        ] {
            let mut worker = worker(wanted, Needs::all());
            let first = look(&mut worker);
            assert!(!first.is_early, "{:?}", first.query.typed);
            // The first complete snapshot does not delay the next.
            assert_eq!(first.rest, INTERVAL);
            assert!(look(&mut worker).rest > INTERVAL);
        }
        // If the expensive data is excluded, there is nothing to wait for.
        let allowed = Needs::all() - Needs::OWNERS - Needs::OPTIONS;
        assert!(!look(&mut worker(Query::new(View::Connections), allowed)).is_early);
    }
}
