//! Orders that wait until the worker has time for them. One that a newer order makes void does not wait: whatever comes while
//! a look takes seconds, there is one question to answer after it.

use std::collections::VecDeque;
use std::mem::discriminant;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::tui::action::Effect;

/// Orders that wait, at most. Those that no other makes void are given one by one, each after a question or a name.
const MOST: usize = 32;

type WaitingOrders = Arc<Mutex<VecDeque<Effect>>>;

fn lock(waiting: &WaitingOrders) -> MutexGuard<'_, VecDeque<Effect>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end that gives orders.
pub(super) struct Orders {
    waiting: WaitingOrders,
    bell: SyncSender<()>,
}

/// The end that takes orders.
pub(super) struct Ordered {
    waiting: WaitingOrders,
    bell: Receiver<()>,
}

/// Both ends.
pub(super) fn orders() -> (Orders, Ordered) {
    let (ring, bell) = sync_channel(1);
    let waiting = WaitingOrders::default();
    (Orders { waiting: Arc::clone(&waiting), bell: ring }, Ordered { waiting, bell })
}

/// Whether only the newest order of its kind means anything.
fn is_superseded_by_its_like(order: &Effect) -> bool {
    matches!(order, Effect::Look(_) | Effect::Every(_) | Effect::Pause(_) | Effect::Inspect(_))
}

impl Orders {
    /// Whether there was room for it.
    pub(super) fn give(&self, order: Effect) -> bool {
        let mut waiting = lock(&self.waiting);
        if is_superseded_by_its_like(&order) {
            waiting.retain(|other| discriminant(other) != discriminant(&order));
        } else if waiting.len() >= MOST {
            return false;
        }
        waiting.push_back(order);
        drop(waiting);
        // Where the bell rings already it need not ring twice; and nobody may hear it any more.
        let _ = self.bell.try_send(());
        true
    }
}

impl Ordered {
    /// The next order, within this time.
    ///
    /// # Errors
    /// There is none, or nobody gives orders any more.
    pub(super) fn next(&self, within: Duration) -> Result<Effect, RecvTimeoutError> {
        let until = Instant::now().checked_add(within);
        loop {
            if let Some(order) = lock(&self.waiting).pop_front() {
                return Ok(order);
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            self.bell.recv_timeout(left)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, orders};
    use crate::track::query::Query;
    use crate::track::views::View;
    use crate::tui::action::Effect;
    use std::sync::mpsc::RecvTimeoutError;
    use std::time::Duration;

    #[test]
    fn of_orders_that_make_each_other_void_the_newest_is_obeyed() {
        let (give, ordered) = orders();
        let look =
            |typed: &str| Effect::Look(Box::new(Query { typed: typed.to_owned(), ..Query::new(View::Connections) }));
        for number in 0..10_000 {
            assert!(give.give(look(&number.to_string())));
            assert!(give.give(Effect::Every(Duration::from_secs(number))));
        }
        assert!(give.give(Effect::Destroy(Vec::new())));
        assert!(give.give(look("the last")));
        let obeyed: Vec<_> = std::iter::from_fn(|| ordered.next(Duration::ZERO).ok()).collect();
        assert_eq!(obeyed, [Effect::Every(Duration::from_secs(9_999)), Effect::Destroy(Vec::new()), look("the last")]);
        assert_eq!(ordered.next(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        drop(give);
        assert_eq!(ordered.next(Duration::MAX), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn what_is_done_to_sockets_is_never_dropped_in_silence() {
        let (give, ordered) = orders();
        for number in 0..=MOST {
            assert_eq!(give.give(Effect::Destroy(Vec::new())), number < MOST, "{number}");
        }
        assert!(give.give(Effect::Pause(true)));
        assert_eq!(std::iter::from_fn(|| ordered.next(Duration::ZERO).ok()).count(), MOST + 1);
    }
}
