//! What waits for the loop, from all threads: signals and what is told go before answers of the worker, and those before
//! keys. Of answers and of keys only so many wait: who sends more waits too, and so, in the end, does the terminal.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::time::{Duration, Instant};

use super::action::Event;

/// Keys that wait, at most.
const MOST_KEYS: usize = 256;
/// Answers that wait, at most: each may hold the rows of a whole host.
const MOST_ANSWERS: usize = 1;

/// The end that is read.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// Nothing but a sign to look at the others, where it is `None`
    told: Receiver<Option<Event>>,
    answers: Receiver<Event>,
    keys: Receiver<Event>,
    /// Taken out already, to see whether there is any
    next: Option<Event>,
}

/// An end that is written to.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    told: Sender<Option<Event>>,
    answers: SyncSender<Event>,
    keys: SyncSender<Event>,
}

/// Both.
pub(crate) fn inbox() -> (Outlet, Inbox) {
    let (tell, told) = channel();
    let (answer, answers) = sync_channel(MOST_ANSWERS);
    let (press, keys) = sync_channel(MOST_KEYS);
    (Outlet { told: tell, answers: answer, keys: press }, Inbox { told, answers, keys, next: None })
}

impl Outlet {
    /// For what is rare and must not wait. Whether anybody still reads.
    pub(crate) fn tell(&self, event: Event) -> bool {
        self.told.send(Some(event)).is_ok()
    }

    /// For what the worker has found: waits until what it found before was taken.
    pub(crate) fn answer(&self, event: Event) -> bool {
        self.answers.send(event).is_ok() && self.told.send(None).is_ok()
    }

    /// For what the terminal says: waits while there is much of it.
    pub(crate) fn press(&self, event: Event) -> bool {
        self.keys.send(event).is_ok() && self.told.send(None).is_ok()
    }
}

impl Inbox {
    /// What has come, the most urgent first.
    pub(crate) fn waiting(&mut self) -> Option<Event> {
        if self.next.is_some() {
            return self.next.take();
        }
        loop {
            match self.told.try_recv() {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        self.answers.try_recv().ok().or_else(|| self.keys.try_recv().ok())
    }

    /// Whether nothing has come.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.next = self.waiting();
        self.next.is_none()
    }

    /// What comes next, within this time.
    ///
    /// # Errors
    /// Nothing has come, or nothing can come any more.
    pub(crate) fn next(&mut self, within: Duration) -> Result<Event, RecvTimeoutError> {
        // `None` for a time that never comes.
        let until = Instant::now().checked_add(within);
        loop {
            if let Some(event) = self.waiting() {
                return Ok(event);
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if let Some(event) = self.told.recv_timeout(left)? {
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
        // The one that was looked at is not lost.
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
