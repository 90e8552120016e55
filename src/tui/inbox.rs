//! Queues of the events that all threads send to the loop. Signals and results of actions come first, then frames and
//! other answers of the worker, then keys. The queues of answers and keys are bounded: a full queue blocks its sender,
//! and so in the end the terminal.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::time::{Duration, Instant};

use super::action::Event;

/// Capacity of the queue of keys.
const MOST_KEYS: usize = 256;
/// Capacity of the queue of answers: each may hold the rows of a whole host.
const MOST_ANSWERS: usize = 1;

/// Receiving end of the queues.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// Urgent events; `None` only wakes the loop to check the other queues
    events: Receiver<Option<Event>>,
    answers: Receiver<Event>,
    keys: Receiver<Event>,
    /// Event already taken out by `is_empty`
    next: Option<Event>,
}

/// Sending end of the queues.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    events: Sender<Option<Event>>,
    answers: SyncSender<Event>,
    keys: SyncSender<Event>,
}

/// Creates the queues.
pub(crate) fn inbox() -> (Outlet, Inbox) {
    let (tell, events) = channel();
    let (answer, answers) = sync_channel(MOST_ANSWERS);
    let (press, keys) = sync_channel(MOST_KEYS);
    (Outlet { events: tell, answers: answer, keys: press }, Inbox { events, answers, keys, next: None })
}

impl Outlet {
    /// Sends a rare event that must not wait. Returns whether the receiver still exists.
    pub(crate) fn tell(&self, event: Event) -> bool {
        self.events.send(Some(event)).is_ok()
    }

    /// Sends an answer of the worker; blocks until the loop has taken the previous one.
    pub(crate) fn answer(&self, event: Event) -> bool {
        self.answers.send(event).is_ok() && self.events.send(None).is_ok()
    }

    /// Sends terminal input; blocks while the queue is full.
    pub(crate) fn press(&self, event: Event) -> bool {
        self.keys.send(event).is_ok() && self.events.send(None).is_ok()
    }
}

impl Inbox {
    /// The most urgent event that waits, if any.
    pub(crate) fn waiting(&mut self) -> Option<Event> {
        if self.next.is_some() {
            return self.next.take();
        }
        loop {
            match self.events.try_recv() {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        self.answers.try_recv().ok().or_else(|| self.keys.try_recv().ok())
    }

    /// Whether no event waits.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.next = self.waiting();
        self.next.is_none()
    }

    /// The next event; waits for it no longer than `within`.
    ///
    /// # Errors
    /// No event arrived in time, or all senders are gone.
    pub(crate) fn next(&mut self, within: Duration) -> Result<Event, RecvTimeoutError> {
        // `None` on overflow: wait without a limit.
        let until = Instant::now().checked_add(within);
        loop {
            if let Some(event) = self.waiting() {
                return Ok(event);
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if let Some(event) = self.events.recv_timeout(left)? {
                return Ok(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_KEYS, inbox};
    use crate::tui::action::Event;
    use std::time::Duration;

    fn text(event: Option<Event>) -> String {
        match event {
            Some(Event::Told(text)) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_is_urgent_overtakes_keys_and_keys_do_not_pile_up() {
        let (outlet, mut inbox) = inbox();
        let says = |word: &str| Event::Told(word.to_owned());
        assert!(inbox.is_empty());
        for _ in 0..MOST_KEYS {
            assert!(outlet.press(says("key")));
        }
        let keys = outlet.clone();
        let more = std::thread::spawn(move || keys.press(says("one key more")));
        assert!(!inbox.is_empty());
        assert!(outlet.tell(says("signal")));
        assert!(outlet.answer(says("answer")));
        // The event that `is_empty` took out is not lost.
        assert_eq!(text(inbox.waiting()), "key");
        assert_eq!(text(inbox.waiting()), "signal");
        assert_eq!(text(inbox.waiting()), "answer");
        let left: Vec<_> = std::iter::from_fn(|| inbox.next(Duration::from_secs(10)).ok()).take(MOST_KEYS).collect();
        assert_eq!(text(left.into_iter().last()), "one key more");
        assert!(more.join().unwrap());
        drop(inbox);
        assert!(!outlet.press(says("nobody reads")));
    }
}
