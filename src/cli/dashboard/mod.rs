//! Threads of the dashboard. The worker takes snapshots and carries out orders; others read the keyboard, signals, the
//! kernel's destroy events and the resolver. All send events to the one loop that owns the state.

mod deeds;
mod destroy_events;
mod orders;
mod resolver;
mod save;
mod worker;

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGCONT, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use super::exit::Exit;
use crate::collect::ending_signals::requests;
use crate::collect::{names, signals};
use crate::filter::Names;
use crate::inspect::Request;
use crate::track::query::Query;
use crate::tui::action::{Effect, Event};
use crate::tui::inbox::{Outlet, inbox};
use crate::tui::run::{Ended, Outside, listen, resized, run};
use crate::tui::screen::drawn;
use crate::tui::state::{Setup, State};
use crate::tui::terminal::{TAKEN, give_back_bytes};
use orders::orders;
use resolver::Resolver;
use worker::Worker;

/// A process that still runs this long after SIGSTOP was not stopped.
const UNSTOPPED: Duration = Duration::from_millis(300);
/// A loop that has not ended this long after a signal is blocked by a terminal that does not read.
const HELD_UP: Duration = Duration::from_secs(1);

/// Settings of the dashboard.
#[derive(Debug)]
pub(super) struct Dashboard {
    /// Namespaces, families, source and the permitted data; the query of each snapshot adds the other fields
    pub(super) request: Request,
    /// Initial query
    pub(super) wanted: Query,
    /// Initial queries of the other views
    pub(super) others: Vec<Query>,
    pub(super) size: (u16, u16),
    pub(super) interval: Duration,
    pub(super) has_mouse: bool,
    /// Maximum share of a core for snapshots, whatever the interval
    pub(super) most_of_a_core: f64,
    pub(super) setup: Setup,
}

/// Names for filters: services, but no hosts, since a resolver that does not answer would block the keys.
pub(super) struct Services;

impl Names for Services {
    fn service(&self, name: &str) -> Option<u16> {
        names::service(name)
    }
}

/// Runs the dashboard until the user quits or a signal ends it.
pub(super) fn open(dashboard: Dashboard) -> anyhow::Result<Exit> {
    let Dashboard { request, wanted, others, size, interval, has_mouse, most_of_a_core, setup } = dashboard;
    let state = State::new(wanted.clone(), others, interval, drawn(size), setup);
    let (outlet, mut inbox) = inbox();
    let (orders, ordered) = orders();
    let found = outlet.clone();
    let looking = thread::Builder::new().name("look".to_owned());
    looking
        .spawn(move || Worker::new(request, wanted, interval, most_of_a_core).work(&ordered, &found))
        .context("cannot start the snapshot thread")?;
    give_back_bytes().and_then(|bytes| signals::guard(&TAKEN, bytes)).context("cannot handle signals")?;
    let continued = listen_to_signals(outlet.clone())?;
    listen(&outlet, has_more).context("cannot start the thread that listens to the keyboard")?;
    let mut resolver = Resolver::new(outlet.clone());
    let mut carry_out = |effect| match effect {
        Effect::Resolve(addresses) => resolver.ask(addresses),
        // `give` fails only if the queue is full: the worker lives as long as the program.
        order => {
            if !orders.give(order) {
                outlet.tell(Event::Told("not done: too many orders are waiting".to_owned()));
            }
        }
    };
    let mut suspend = || {
        continued.try_iter().for_each(drop);
        // SIGTSTP is caught, so stop by SIGSTOP. It may take a moment to stop all threads; until then the terminal must
        // not be set up again. If nothing stops the process (no shell, no job control), continue.
        let _ = kill_process(getpid(), Signal::STOP);
        let _ = continued.recv_timeout(UNSTOPPED);
    };
    let outside = Outside { names: &Services, carry_out: &mut carry_out, suspend: &mut suspend };
    let ended = run(state, has_mouse, &mut inbox, outside);
    match ended.context("cannot draw on the terminal")? {
        Ended::Quit => Ok(Exit::Done),
        Ended::Signal(signal) => signals::end_by(signal),
        Ended::Failed(why) => bail!("{why}"),
    }
}

/// Waits until stdin is readable; false after a timeout.
fn has_more(wait: Duration) -> bool {
    let timeout = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: i64::from(wait.subsec_nanos()) };
    let stdin = std::io::stdin();
    // On an interrupt the caller reads, which blocks as long as needed.
    poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&timeout)).map_or(true, |ready| ready > 0)
}

/// Starts the thread that handles signals. On a termination signal the terminal is restored and the process dies from
/// that signal; on SIGTSTP the terminal is restored until SIGCONT. The returned channel receives each SIGCONT.
fn listen_to_signals(outlet: Outlet) -> anyhow::Result<Receiver<()>> {
    let (go_on, continued) = channel();
    let mut caught =
        Signals::new(requests().into_iter().chain([SIGTSTP, SIGCONT, SIGWINCH])).context("cannot handle signals")?;
    let listener = thread::Builder::new().name("signals".to_owned());
    let listening = listener.spawn(move || {
        for signal in caught.forever() {
            // Sends fail once the loop has ended; then they are not needed.
            match signal {
                SIGCONT => {
                    let _ = go_on.send(());
                    outlet.tell(Event::Continued);
                }
                SIGTSTP => {
                    outlet.tell(Event::Suspend);
                }
                SIGWINCH => drop(resized().map(|resized| outlet.tell(resized))),
                signal => {
                    outlet.tell(Event::Signal(signal));
                    thread::sleep(HELD_UP);
                    signals::end_by(signal);
                }
            }
        }
    });
    listening.context("cannot start the thread that listens to signals")?;
    Ok(continued)
}
