//! The dashboard, wired to the world: a thread looks at the sockets, another listens to the keyboard, a third to signals;
//! what they find goes to the one loop that owns the state.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Signal, getpid, kill_process};
use rustix::time::{ClockId, clock_gettime};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::act::{Action, Deed, destroy_one};
use super::args::ActingArgs;
use super::asked;
use super::exit::Exit;
use super::journal::Journal;
use super::settings::complete;
use crate::collect::names;
use crate::export::show::Show;
use crate::export::style::Styles;
use crate::export::table::Look;
use crate::fields::column::Column;
use crate::filter::{Filter, Names};
use crate::inspect::{Request, Watched, inspect};
use crate::model::needs::Needs;
use crate::model::socket::SocketId;
use crate::model::state::StateSet;
use crate::tui::action::{Effect, Event};
use crate::tui::run::{listen, run};
use crate::tui::sight::Gathering;
use crate::tui::state::{Order, State, View, Wanted};
use crate::tui::theme::Theme;

/// A look takes at most this part of a core, whatever the interval.
const MOST_OF_A_CORE: f64 = 0.25;

/// A process that still runs after so long was not stopped.
const UNSTOPPED: Duration = Duration::from_millis(300);

/// What it starts with.
#[derive(Debug)]
pub(super) struct Dashboard {
    /// What it shows first
    pub(super) view: View,
    /// Namespaces, families, source, and what the user does not want looked for; the rest follows from what is shown
    pub(super) request: Request,
    /// What may be asked for at all
    pub(super) allowed: Needs,
    /// Columns of the table
    pub(super) columns: Vec<Column>,
    /// The filter, as it was typed
    pub(super) typed: String,
    pub(super) size: (u16, u16),
    pub(super) has_colours: bool,
}

/// Services, but no hosts: a resolver that does not answer would hold up the keys.
struct Services;

impl Names for Services {
    fn service(&self, name: &str) -> Option<u16> {
        names::service(name)
    }
}

/// Opens it, and returns when the user has enough.
pub(super) fn open(dashboard: Dashboard) -> anyhow::Result<Exit> {
    let Dashboard { view, request, allowed, columns, typed, size, has_colours } = dashboard;
    let wanted = Wanted { view, filter: request.filter.clone(), columns, order: Order::Alarm };
    let state = State::new(wanted.clone(), typed, size);
    let (events, happened) = channel();
    let (orders, ordered) = channel();
    let looker = Looker {
        request,
        allowed,
        wanted,
        interval: state.interval,
        is_paused: false,
        is_asked: false,
        next: Instant::now(),
        watched: Watched::default(),
        journal: Journal::new(false),
    };
    let found = events.clone();
    let looking = thread::Builder::new().name("look".to_owned());
    looking.spawn(move || looker.work(&ordered, &found)).context("cannot start the thread that looks")?;
    let continued = listen_to_signals(events.clone())?;
    listen(&events).context("cannot start the thread that listens to the keyboard")?;
    let mut carry_out = |effect| {
        // The looker ends only with the program.
        let _ = orders.send(effect);
    };
    let mut suspend = || {
        continued.try_iter().for_each(drop);
        // The signal may take a moment to stop all threads: until it has, the terminal must not be taken again. Where nobody
        // can stop us (no shell, no jobs) we go on.
        let _ = kill_process(getpid(), Signal::TSTP);
        let _ = continued.recv_timeout(UNSTOPPED);
    };
    let theme = Theme::new(has_colours);
    run(state, theme, &Services, &happened, &mut carry_out, &mut suspend).context("cannot draw on the terminal")?;
    Ok(Exit::Done)
}

/// Told to end, it ends as if the user had said so: with the terminal given back. What it gives says each time that the
/// process was let go on.
fn listen_to_signals(events: Sender<Event>) -> anyhow::Result<Receiver<()>> {
    let (go_on, continued) = channel();
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGCONT]).context("cannot handle signals")?;
    let listener = thread::Builder::new().name("signals".to_owned());
    let listening = listener.spawn(move || {
        for signal in signals.forever() {
            // Sending fails once the loop has ended, and then nobody needs to know.
            let _ = if signal == SIGCONT { go_on.send(()).is_ok() } else { events.send(Event::End).is_ok() };
        }
    });
    listening.context("cannot start the thread that listens to signals")?;
    Ok(continued)
}

/// What this process has used of all cores: a look is the work of two threads.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0));
    Duration::new(seconds, nanos)
}

/// The thread that looks.
struct Looker {
    request: Request,
    allowed: Needs,
    wanted: Wanted,
    interval: Duration,
    is_paused: bool,
    /// A question waits for its answer, also while the data is frozen
    is_asked: bool,
    /// When to look again
    next: Instant,
    watched: Watched,
    journal: Journal,
}

impl Looker {
    fn work(mut self, orders: &Receiver<Effect>, events: &Sender<Event>) {
        loop {
            let is_waiting = self.is_paused && !self.is_asked;
            let wait = if is_waiting { Duration::MAX } else { self.next.saturating_duration_since(Instant::now()) };
            // Orders that pile up while it looks are all taken before it looks again.
            let answer = match orders.recv_timeout(wait) {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => Some(self.look_when_due()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if answer.is_some_and(|event| events.send(event).is_err()) {
                return;
            }
        }
    }

    /// Does what is ordered, and says what is to be told of it. What changes the picture is followed by a look at once.
    fn obey(&mut self, order: Effect) -> Option<Event> {
        if let Effect::Inspect(id) = order {
            return Some(Event::Detail(id, self.detail(id)));
        }
        let mut answer = None;
        match order {
            Effect::Destroy(id) => {
                let told = self.destroy(id).unwrap_or_else(|error| format!("not destroyed: {error:#}"));
                answer = Some(Event::Told(told));
            }
            // Also while the data is frozen: another question wants an answer.
            Effect::Look(wanted) => (self.wanted, self.is_asked) = (*wanted, true),
            Effect::Every(interval) => self.interval = interval,
            Effect::Pause(is_paused) => self.is_paused = is_paused,
            Effect::Inspect(_) | Effect::Suspend | Effect::Quit => return None,
        }
        self.next = Instant::now();
        answer
    }

    /// A look, after which it rests.
    fn look_when_due(&mut self) -> Event {
        let (began, used) = (Instant::now(), cpu_time());
        self.is_asked = false;
        let seen = self.look();
        self.next = began + self.interval.max(cpu_time().saturating_sub(used).div_f64(MOST_OF_A_CORE));
        seen
    }

    fn look(&mut self) -> Event {
        let shown = self.wanted.columns.iter().fold(Needs::LIVENESS, |needs, column| needs | column.needs);
        let ordered = match &self.wanted.order {
            Order::Alarm => Needs::empty(),
            Order::By { column, .. } => column.needs,
        };
        let filter = self.wanted.filter.clone();
        let states = match self.wanted.view {
            View::Connections => asked::states(&filter, self.request.states),
            View::Listeners => StateSet::listeners(),
        };
        let request = self.with(filter, states, shown | ordered);
        let mut gathering = Gathering::new(self.wanted.clone());
        match inspect(&request, Some(&mut self.watched), &mut gathering, &|| false) {
            Ok(tail) => Event::Sight(Box::new(gathering.sight(tail))),
            Err(error) => Event::Failed(error.to_string()),
        }
    }

    /// All that is known of one socket, as `show` tells it.
    fn detail(&self, id: SocketId) -> Option<Vec<String>> {
        let filter = asked::cookies([id.cookie?]).ok()?;
        let request = self.with(filter, StateSet::ALL, Needs::all() - Needs::KERNEL);
        let mut text = Vec::new();
        let told = inspect(&request, None, &mut Show::new(&mut text, Styles::new(false)), &|| false);
        told.ok().filter(|tail| tail.summary.total() > 0)?;
        Some(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
    }

    /// Destroys one socket and says what became of it.
    fn destroy(&mut self, id: SocketId) -> anyhow::Result<String> {
        let cookie = id.cookie.context("/proc/net/tcp has no cookie to find it by")?;
        let filter = asked::cookies([cookie])?;
        let action = Action {
            deed: Deed::Destroy,
            request: self.with(filter, StateSet::ALL, Needs::LIVENESS | Needs::OWNERS),
            typed: format!("cookie = {:x}", cookie.0),
            how: ActingArgs { yes: true, dry_run: false, max: 1, include_self: false, no_log: false },
            look: Look { room: None, header: false, styles: Styles::new(false) },
            quiet: true,
            strict: false,
        };
        destroy_one(&action, &mut self.journal)
    }

    fn with(&self, filter: Filter, states: StateSet, needs: Needs) -> Request {
        let needs = complete(needs | filter.needs(), self.allowed);
        Request { states, needs, filter, ..self.request.clone() }
    }
}
