//! Names for addresses, looked up beside everything else: a resolver that does not answer holds up nothing.

use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::collect::names::name_of;
use crate::tui::action::Event;

/// Lookups at a time.
const WORKERS: usize = 4;
/// An address that had to wait for so long is not looked up any more: it will have left the screen.
const DEADLINE: Duration = Duration::from_secs(5);

type Asked = (IpAddr, Instant);

/// Hands addresses to its threads, which start with the first.
pub(super) struct Resolver {
    events: Sender<Event>,
    queue: Option<Sender<Asked>>,
}

impl Resolver {
    pub(super) fn new(events: Sender<Event>) -> Self {
        Self { events, queue: None }
    }

    /// Looks these up; what is found comes as an event.
    pub(super) fn ask(&mut self, addresses: Vec<IpAddr>) {
        let queue = self.queue.get_or_insert_with(|| start(&self.events));
        for addr in addresses {
            // Fails where there is no thread for it: then the address stands there.
            let _ = queue.send((addr, Instant::now()));
        }
    }
}

fn start(events: &Sender<Event>) -> Sender<Asked> {
    let (queue, asked) = channel();
    let asked = Arc::new(Mutex::new(asked));
    for _ in 0..WORKERS {
        let (asked, events) = (Arc::clone(&asked), events.clone());
        let worker = thread::Builder::new().name("names".to_owned());
        drop(worker.spawn(move || while look_up(&asked, &events).is_some() {}));
    }
    queue
}

fn look_up(asked: &Mutex<Receiver<Asked>>, events: &Sender<Event>) -> Option<()> {
    let (addr, since) = asked.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()?;
    let name = if since.elapsed() < DEADLINE { name_of(addr) } else { None };
    events.send(Event::Names(vec![(addr, name)])).ok()
}
