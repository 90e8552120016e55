//! Queue of orders for the worker. A newer order replaces one that it makes obsolete, so that at most one query waits
//! when a snapshot takes seconds.

use std::collections::VecDeque;
use std::mem::discriminant;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::tui::action::Effect;

/// Maximum number of waiting orders. Those that are never replaced are given one by one, each after a confirmation or a
/// file name.
const MOST: usize = 32;

type WaitingOrders = Arc<Mutex<VecDeque<Effect>>>;

fn lock(waiting: &WaitingOrders) -> MutexGuard<'_, VecDeque<Effect>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sending end.
pub(super) struct Orders {
    waiting: WaitingOrders,
    wake: SyncSender<()>,
}

/// Receiving end.
pub(super) struct Ordered {
    waiting: WaitingOrders,
    wake_up: Receiver<()>,
}

/// Creates the queue.
pub(super) fn orders() -> (Orders, Ordered) {
    let (wake, wake_up) = sync_channel(1);
    let waiting = WaitingOrders::default();
    (Orders { waiting: Arc::clone(&waiting), wake }, Ordered { waiting, wake_up })
}

/// Whether a newer order of the same kind replaces it.
fn is_superseded_by_its_like(order: &Effect) -> bool {
    matches!(order, Effect::Look(_) | Effect::Every(_) | Effect::Pause(_) | Effect::Inspect(_))
}

impl Orders {
    /// Queues an order; returns false if the queue is full.
    pub(super) fn give(&self, order: Effect) -> bool {
        let mut waiting = lock(&self.waiting);
        if is_superseded_by_its_like(&order) {
            waiting.retain(|other| discriminant(other) != discriminant(&order));
        } else if waiting.len() >= MOST {
            return false;
        }
        waiting.push_back(order);
        drop(waiting);
        // Fails if a wake-up is already pending, or if the receiver is gone; both are fine.
        let _ = self.wake.try_send(());
        true
    }
}

impl Ordered {
    /// The next order; waits for it no longer than `within`.
    ///
    /// # Errors
    /// No order arrived in time, or the sender is gone.
    pub(super) fn next(&self, within: Duration) -> Result<Effect, RecvTimeoutError> {
        let until = Instant::now().checked_add(within);
        loop {
            if let Some(order) = lock(&self.waiting).pop_front() {
                return Ok(order);
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            self.wake_up.recv_timeout(left)?;
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
