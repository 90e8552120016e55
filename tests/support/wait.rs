//! Waits for a condition with a deadline, never for a fixed time.

use std::time::{Duration, Instant};

/// Calls `ready` until it returns a value. Fails with `what` when the deadline passes.
pub fn until<T>(what: &str, deadline: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
