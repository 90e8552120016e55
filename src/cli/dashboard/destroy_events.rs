//! Thread that receives the kernel's destroy events, and buffers them until the next snapshot.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::collect::destroy_events::{Listener, listen, wait};
use crate::collect::discovery::NetnsChoice;
use crate::collect::limits;
use crate::model::address::NetnsId;
use crate::track::change_log::MOST_CHANGES;
use crate::track::tracker::DestroyEvent;

/// Longest time until a new namespace is listened in.
const PATIENCE: Duration = Duration::from_millis(500);

/// Maximum number of namespaces to listen in; each takes a descriptor.
const MOST_LISTENERS: usize = 256;

/// State shared by this thread and the worker: locked for a push or a swap only.
#[derive(Default)]
struct SharedEvents {
    received: VecDeque<DestroyEvent>,
    /// How often the receive buffer was full and events were lost
    lost: u64,
    new: Vec<Listener>,
    /// Namespaces to listen in. Listeners of others are closed: they would keep the namespace of a stopped container
    /// alive
    wanted: Vec<NetnsId>,
}

fn lock(shared: &Mutex<SharedEvents>) -> MutexGuard<'_, SharedEvents> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The destroy events since the last snapshot.
pub(super) struct DestroyEvents {
    choice: NetnsChoice,
    shared: Arc<Mutex<SharedEvents>>,
}

impl DestroyEvents {
    /// Starts the thread. If it cannot be spawned, only sockets that were in an earlier snapshot are known to be gone.
    pub(super) fn new(choice: NetnsChoice) -> Self {
        let shared = Arc::new(Mutex::new(SharedEvents::default()));
        let ears = Arc::downgrade(&shared);
        let thread = thread::Builder::new().name("destroy-events".to_owned()).spawn(move || {
            let mut listeners: Vec<Listener> = Vec::new();
            while let Some(shared) = ears.upgrade() {
                {
                    let mut shared = lock(&shared);
                    listeners.append(&mut shared.new);
                    listeners.retain(|listener| shared.wanted.contains(&listener.netns()));
                }
                let lost = wait(&mut listeners, PATIENCE, |socket| {
                    let event = DestroyEvent { socket, at: SystemTime::now() };
                    let received = &mut lock(&shared).received;
                    // Drop the oldest beyond what can be shown.
                    if received.len() >= MOST_CHANGES {
                        received.pop_front();
                    }
                    received.push_back(event);
                });
                lock(&shared).lost += lost;
            }
        });
        drop(thread);
        Self { choice, shared }
    }

    /// Listens in these namespaces, and no longer in others.
    pub(super) fn cover(&mut self, namespaces: impl Iterator<Item = NetnsId>) {
        // Beyond the limit, the next snapshot detects closed sockets.
        let wanted: Vec<_> = namespaces.take(limits::room_for(MOST_LISTENERS)).collect();
        let covered = std::mem::replace(&mut self.lock().wanted, wanted.clone());
        let missing = |id: NetnsId| wanted.contains(&id) && !covered.contains(&id);
        if wanted.iter().any(|id| missing(*id)) {
            let new = listen(&self.choice, missing);
            self.lock().new.extend(new);
        }
    }

    fn lock(&self) -> MutexGuard<'_, SharedEvents> {
        lock(&self.shared)
    }

    /// The events since the last call, and how often some were lost.
    pub(super) fn take(&mut self) -> (Vec<DestroyEvent>, u64) {
        let mut shared = self.lock();
        (std::mem::take(&mut shared.received).into(), std::mem::take(&mut shared.lost))
    }
}
