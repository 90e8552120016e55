//! Host name look-ups in separate threads, so that a resolver that does not answer blocks nothing.

use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::collect::names::name_of;
use crate::tui::action::Event;
use crate::tui::inbox::Outlet;

/// Number of concurrent look-ups.
const WORKERS: usize = 4;
/// An address that waited longer than this is not looked up: it has probably left the screen.
const DEADLINE: Duration = Duration::from_secs(5);

/// Maximum number of waiting addresses: several screens full.
const MOST_PENDING: usize = 1024;

type Pending = (IpAddr, Instant);

/// Queue of addresses for the look-up threads, which start with the first address.
pub(super) struct Resolver {
    outlet: Outlet,
    queue: Option<SyncSender<Pending>>,
}

impl Resolver {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self { outlet, queue: None }
    }

    /// Queues look-ups; the names arrive as events.
    pub(super) fn ask(&mut self, addresses: Vec<IpAddr>) {
        let queue = self.queue.get_or_insert_with(|| start(&self.outlet));
        for addr in addresses {
            // Fails if the queue is full or no thread could be spawned; then the address is shown instead.
            let _ = queue.try_send((addr, Instant::now()));
        }
    }
}

fn start(outlet: &Outlet) -> SyncSender<Pending> {
    let (queue, pending) = sync_channel(MOST_PENDING);
    let pending = Arc::new(Mutex::new(pending));
    for _ in 0..WORKERS {
        let (pending, outlet) = (Arc::clone(&pending), outlet.clone());
        let worker = thread::Builder::new().name("names".to_owned());
        drop(worker.spawn(move || while look_up(&pending, &outlet).is_some() {}));
    }
    queue
}

fn look_up(pending: &Mutex<Receiver<Pending>>, outlet: &Outlet) -> Option<()> {
    let (addr, since) = pending.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()?;
    let name = if since.elapsed() < DEADLINE { name_of(addr) } else { None };
    outlet.tell(Event::Names(vec![(addr, name)])).then_some(())
}
