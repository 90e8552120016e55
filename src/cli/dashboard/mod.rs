//! The dashboard, wired to the world: a thread looks at the sockets and obeys orders, others listen to the keyboard, to
//! signals, to the kernel's destroy events, and to the resolver; what they find goes to the one loop that owns the state.

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

/// A process that still runs after so long was not stopped.
const UNSTOPPED: Duration = Duration::from_millis(300);
/// A loop that has not ended so long after it was told to is held up, by a terminal that does not read.
const HELD_UP: Duration = Duration::from_secs(1);

/// What it starts with.
#[derive(Debug)]
pub(super) struct Dashboard {
    /// Namespaces, families, source, and what the user does not want looked for; the rest follows from what is shown
    pub(super) request: Request,
    /// What it shows first
    pub(super) wanted: Query,
    /// What the other views show first
    pub(super) others: Vec<Query>,
    pub(super) size: (u16, u16),
    pub(super) interval: Duration,
    pub(super) has_mouse: bool,
    /// A look takes at most this part of a core, whatever the interval
    pub(super) most_of_a_core: f64,
    pub(super) setup: Setup,
}

/// Services, but no hosts: a resolver that does not answer would hold up the keys.
pub(super) struct Services;

impl Names for Services {
    fn service(&self, name: &str) -> Option<u16> {
        names::service(name)
    }
}

/// Opens it, and returns when the user has enough.
pub(super) fn open(dashboard: Dashboard) -> anyhow::Result<Exit> {
    let Dashboard { request, wanted, others, size, interval, has_mouse, most_of_a_core, setup } = dashboard;
    let state = State::new(wanted.clone(), others, interval, drawn(size), setup);
    let (outlet, mut inbox) = inbox();
    let (orders, ordered) = orders();
    let found = outlet.clone();
    let looking = thread::Builder::new().name("look".to_owned());
    looking
        .spawn(move || Worker::new(request, wanted, interval, most_of_a_core).work(&ordered, &found))
        .context("cannot start the thread that looks")?;
    give_back_bytes().and_then(|bytes| signals::guard(&TAKEN, bytes)).context("cannot handle signals")?;
    let continued = listen_to_signals(outlet.clone())?;
    listen(&outlet, has_more).context("cannot start the thread that listens to the keyboard")?;
    let mut resolver = Resolver::new(outlet.clone());
    let mut carry_out = |effect| match effect {
        Effect::Resolve(addresses) => resolver.ask(addresses),
        // The worker ends only with the program.
        order => {
            if !orders.give(order) {
                outlet.tell(Event::Told("not done: too many orders wait already".to_owned()));
            }
        }
    };
    let mut suspend = || {
        continued.try_iter().for_each(drop);
        // SIGTSTP is ours to catch. The signal may take a moment to stop all threads: until it has, the terminal must not
        // be taken again. Where nobody can stop us (no shell, no jobs) we go on.
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

/// Waits until stdin has something to read; false where it has not within that time.
fn has_more(wait: Duration) -> bool {
    let timeout = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: i64::from(wait.subsec_nanos()) };
    let stdin = std::io::stdin();
    // Interrupted, it reads, which waits for as long as it takes.
    poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&timeout)).map_or(true, |ready| ready > 0)
}

/// Told to end, it gives the terminal back and ends by the signal that said so; told to stop, it gives it back until it goes
/// on. What it gives says each time that the process was let go on.
fn listen_to_signals(outlet: Outlet) -> anyhow::Result<Receiver<()>> {
    let (go_on, continued) = channel();
    let mut caught =
        Signals::new(requests().into_iter().chain([SIGTSTP, SIGCONT, SIGWINCH])).context("cannot handle signals")?;
    let listener = thread::Builder::new().name("signals".to_owned());
    let listening = listener.spawn(move || {
        for signal in caught.forever() {
            // Nobody hears it once the loop has ended, and then nobody needs to know.
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
