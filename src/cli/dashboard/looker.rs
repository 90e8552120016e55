//! The thread that looks: when it is due, as it is ordered, and never more than a part of a core.

use std::fmt::Write;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use super::deeds;
use super::farewells::Farewells;
use super::orders::Ordered;
use super::save::save;
use crate::cli::asked;
use crate::cli::settings::complete;
use crate::collect::caller::Caller;
use crate::filter::Filter;
use crate::inspect::{InspectError, Request, Watched, inspect};
use crate::model::gap::{Gap, GapKind, Remedy};
use crate::model::needs::Needs;
use crate::model::state::StateSet;
use crate::model::time::millis;
use crate::tui::action::{Effect, Event, Whom};
use crate::tui::inbox::Outlet;
use crate::tui::memory::Memory;
use crate::tui::sheet::SheetSink;
use crate::tui::sight::{Gathering, Wanted};

/// Looks, and obeys.
pub(super) struct Looker {
    request: Request,
    allowed: Needs,
    wanted: Wanted,
    interval: Duration,
    most_of_a_core: f64,
    is_paused: bool,
    /// A question waits for its answer, also while the data is frozen
    is_asked: bool,
    /// When it began, and when to look again
    opened: Instant,
    next: Instant,
    is_first: bool,
    watched: Watched,
    memory: Memory,
    farewells: Farewells,
}

impl Looker {
    pub(super) fn new(
        request: Request,
        allowed: Needs,
        wanted: Wanted,
        interval: Duration,
        most_of_a_core: f64,
    ) -> Self {
        let now = Instant::now();
        Self {
            farewells: Farewells::new(request.netns.clone()),
            request,
            allowed,
            wanted,
            interval,
            most_of_a_core,
            is_paused: false,
            is_asked: false,
            opened: now,
            next: now,
            is_first: true,
            watched: Watched::default(),
            memory: Memory::new(time_of_day),
        }
    }

    /// Works until nobody gives orders any more.
    pub(super) fn work(mut self, orders: &Ordered, outlet: &Outlet) {
        loop {
            let is_waiting = self.is_paused && !self.is_asked;
            let wait = if is_waiting { Duration::MAX } else { self.next.saturating_duration_since(Instant::now()) };
            // Orders that pile up while it looks are all taken before it looks again.
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

    /// Does what is ordered, and says what is to be told of it. What changes the picture is followed by a look at once.
    fn obey(&mut self, order: Effect) -> Option<Event> {
        let answer = match order {
            Effect::Inspect(whom) => {
                let (began, used) = (Instant::now(), cpu_time());
                let known = self.detail(whom);
                // It counts as looking does.
                self.next = self.next.max(began + cpu_time().saturating_sub(used).div_f64(self.most_of_a_core));
                return Some(known);
            }
            // It would be written with rights that whoever chose its name has not.
            Effect::Save(..) if Caller::find().has_rights_of_file => {
                let told = "not written: this copy of tcpulse has rights from its file; tcpulse --json FILTER > NAME writes yours";
                return Some(Event::Told(told.to_owned()));
            }
            Effect::Save(name, table) => return Some(Event::Told(save(&name, &table.0))),
            Effect::Destroy(ids) => {
                let (told, done) = deeds::destroy(&self.request, self.allowed, &ids);
                self.memory.destroyed.extend(done);
                Some(Event::Told(told))
            }
            Effect::Set(ids, change) => {
                let (told, done) = deeds::set(&self.request, self.allowed, &ids, change);
                self.watched.forget_options(&done);
                Some(Event::Told(told))
            }
            // Also while the data is frozen: another question wants an answer.
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

    /// A look, after which it rests.
    fn look_when_due(&mut self) -> Event {
        let (began, used) = (Instant::now(), cpu_time());
        self.is_asked = false;
        let mut seen = self.look();
        let rest = self.interval.max(cpu_time().saturating_sub(used).div_f64(self.most_of_a_core));
        self.next = began + rest;
        if let Event::Sight(sight) = &mut seen {
            sight.rest = rest;
        }
        seen
    }

    fn look(&mut self) -> Event {
        let mut needs = self.wanted.needs();
        // Counters count from the first look on.
        needs.set(Needs::KERNEL, needs.contains(Needs::KERNEL) || self.is_first);
        let states = self.wanted.states();
        let request = self.with(Filter::default(), states, needs);
        let at = self.opened.elapsed();
        let mut gathering = Gathering::new(self.wanted.clone(), &mut self.memory, at);
        match inspect(&request, Some(&mut self.watched), &mut gathering, &|| false) {
            Ok(mut tail) => {
                let (farewells, lost) = self.farewells.take();
                if lost > 0 {
                    let why = "the kernel told of more at once than it had room for";
                    let remedy = Remedy::Do("run as root, or look at one namespace (-N)");
                    tail.gaps.add(Gap::new(GapKind::ShortConnections, why, remedy).times(lost));
                }
                let sight = gathering.sight(tail, farewells);
                self.farewells.cover(sight.namespaces.iter().map(|(id, _)| *id));
                self.is_first = false;
                Event::Sight(Box::new(sight))
            }
            Err(error) => failed(error),
        }
    }

    /// All that is known of one socket.
    fn detail(&mut self, whom: Whom) -> Event {
        let Some(cookie) = whom.id.cookie else { return Event::Detail(whom.id, None) };
        let mut typed = format!("cookie = {:x}", cookie.0);
        if let Some((local, peer)) = whom.ports {
            // Writing to a String cannot fail. The kernel knows nothing of cookies in filters, but of ports.
            let _ = write!(typed, " and sport = {local} and dport = {peer}");
        }
        let mut sink = SheetSink::new(self.request.judge(), millis(self.opened.elapsed()));
        let found = asked::filter(&typed).ok().map(|filter| {
            let request = self.with(filter, StateSet::ALL, Needs::all() - Needs::KERNEL - Needs::LIMITS);
            inspect(&Request { is_part: true, ..request }, Some(&mut self.watched), &mut sink, &|| false)
        });
        match found {
            Some(Err(error)) => failed(error),
            _ => Event::Detail(whom.id, sink.sheet.map(Box::new)),
        }
    }

    fn with(&self, filter: Filter, states: StateSet, needs: Needs) -> Request {
        let needs = complete(needs | filter.needs(), self.allowed);
        Request { states, needs, filter, ..self.request.clone() }
    }
}

/// With all its causes.
fn failed(error: InspectError) -> Event {
    Event::Failed(format!("{:#}", anyhow::Error::from(error)))
}

/// What this process has used of all cores: looks, farewells and names are the work of several threads.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0));
    Duration::new(seconds, nanos)
}

/// By the clock on the wall, where the host has one.
fn time_of_day(at: SystemTime) -> String {
    let zoned = jiff::Timestamp::try_from(at).map(|at| at.to_zoned(jiff::tz::TimeZone::system()));
    zoned.map_or_else(|_| String::new(), |at| at.strftime("%H:%M:%S%.3f").to_string())
}
