//! One thread that asks the kernel, again and again and independently of tcpulse, whether it still has each socket.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::judge::Between;
use crate::support::diag::{Found, Lookup};
use crate::support::netns::Netns;

/// Time between two look-ups of a socket.
const EVERY: Duration = Duration::from_millis(10);

/// A socket that is watched.
pub(crate) struct Watched {
    lookup: Mutex<Lookup>,
    seen: Mutex<(Instant, Option<Instant>)>,
}

/// The thread's list.
#[derive(Default)]
pub(crate) struct Watch {
    sockets: Mutex<Vec<Arc<Watched>>>,
    is_over: AtomicBool,
}

impl Watch {
    /// Starts to watch the socket with these ends. `None` if there is none.
    pub(crate) fn add(&self, netns: &Netns, local: SocketAddr, remote: SocketAddr) -> Option<Arc<Watched>> {
        let begun = Instant::now();
        let lookup = netns.run(|| Lookup::of(local, remote))?;
        let watched = Arc::new(Watched { lookup: Mutex::new(lookup), seen: Mutex::new((begun, None)) });
        self.sockets.lock().unwrap().push(Arc::clone(&watched));
        Some(watched)
    }

    pub(crate) fn finish(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Looks until `finish`.
    pub(crate) fn run(&self) {
        run_first();
        while !self.is_over.load(Ordering::Relaxed) {
            let sockets = self.sockets.lock().unwrap().clone();
            let gone: Vec<_> = sockets.iter().filter(|socket| !socket.look()).collect();
            if !gone.is_empty() {
                self.sockets.lock().unwrap().retain(|one| !gone.iter().any(|gone| Arc::ptr_eq(one, gone)));
            }
            std::thread::park_timeout(EVERY);
        }
    }
}

impl Watched {
    /// Looks once; whether it is there.
    fn look(&self) -> bool {
        let before = Instant::now();
        let is_there = self.find().is_some();
        let mut seen = self.seen.lock().unwrap();
        if is_there {
            seen.0 = before;
        } else {
            seen.1 = Some(Instant::now());
        }
        is_there
    }

    /// The socket now.
    pub(crate) fn find(&self) -> Option<Found> {
        self.lookup.lock().unwrap().find()
    }

    /// Between which times since `begin` the kernel ended it.
    pub(crate) fn ended(&self, begin: Instant) -> Option<Between> {
        let (alive, gone) = *self.seen.lock().unwrap();
        let since = |time: Instant| time.saturating_duration_since(begin);
        Some(Between { earliest: since(alive), latest: since(gone?) })
    }
}

/// Lets the thread run before all ordinary ones, where that is allowed: compilers beside it do not blur the times.
#[allow(unsafe_code, reason = "libc")]
fn run_first() {
    let priority = libc::sched_param { sched_priority: 1 };
    // SAFETY: the pointer is to a live sched_param; 0 is the calling thread. Without the right, nothing changes.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) };
}
