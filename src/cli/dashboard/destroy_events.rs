//! A thread that hears what the kernel says of sockets as it destroys them, and keeps it until the next look.

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

/// How long a new namespace may wait until it is listened in.
const PATIENCE: Duration = Duration::from_millis(500);

/// Namespaces that are listened in at a time, each by a descriptor.
const MOST_LISTENERS: usize = 256;

/// What the thread and the worker share: the only lock of the program, held for a push or a swap.
#[derive(Default)]
struct SharedEvents {
    heard: VecDeque<DestroyEvent>,
    /// How often the kernel said more than it had room for
    lost: u64,
    new: Vec<Listener>,
    /// Where to listen on: a listener would keep the namespace of a container that has ended
    wanted: Vec<NetnsId>,
}

fn lock(shared: &Mutex<SharedEvents>) -> MutexGuard<'_, SharedEvents> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was heard.
pub(super) struct DestroyEvents {
    choice: NetnsChoice,
    shared: Arc<Mutex<SharedEvents>>,
}

impl DestroyEvents {
    /// Starts to listen; where there is no thread for it, only what was seen before is seen to be gone.
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
                    let heard = &mut lock(&shared).heard;
                    // More than can be shown is not kept.
                    if heard.len() >= MOST_CHANGES {
                        heard.pop_front();
                    }
                    heard.push_back(event);
                });
                lock(&shared).lost += lost;
            }
        });
        drop(thread);
        Self { choice, shared }
    }

    /// Listens in these namespaces from now on.
    pub(super) fn cover(&mut self, namespaces: impl Iterator<Item = NetnsId>) {
        // What is gone in the others is seen by the next look.
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

    /// What was heard since it was last asked, and how often some was lost.
    pub(super) fn take(&mut self) -> (Vec<DestroyEvent>, u64) {
        let mut shared = self.lock();
        (std::mem::take(&mut shared.heard).into(), std::mem::take(&mut shared.lost))
    }
}
