//! Start times of snapshots, since the dashboard was opened and by the wall clock. No clock is read here.

use std::time::{Duration, SystemTime};

use crate::model::time::Millis;

/// Start times of this snapshot and of the previous one.
#[derive(Debug)]
pub(super) struct Moments {
    round: u32,
    pub(super) now: Duration,
    before: Duration,
    taken_at: SystemTime,
}

/// Time of a change of a socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    /// By the wall clock
    pub(super) at: SystemTime,
    /// Last time at which the socket is known to have existed, since the dashboard was opened
    pub(super) until: Millis,
}

impl Default for Moments {
    fn default() -> Self {
        Self { round: 0, now: Duration::ZERO, before: Duration::ZERO, taken_at: SystemTime::UNIX_EPOCH }
    }
}

impl Moments {
    /// Begins a snapshot.
    pub(super) fn begin(&mut self, now: Duration, taken_at: SystemTime) {
        self.round = self.round.wrapping_add(1);
        (self.before, self.now, self.taken_at) = (self.now, now, taken_at);
    }

    /// Whether this is the first snapshot.
    pub(super) fn is_first(&self) -> bool {
        self.round <= 1
    }

    /// Start of this snapshot, since the dashboard was opened.
    pub(super) fn now(&self) -> Millis {
        self.now.into()
    }

    /// Start of the previous snapshot, since the dashboard was opened.
    pub(super) fn before(&self) -> Millis {
        self.before.into()
    }

    /// Time between the starts of the two snapshots, never 0.
    pub(super) fn elapsed(&self) -> Millis {
        Millis::from(self.now.saturating_sub(self.before)).max(Millis::new(1))
    }

    /// Time of a change that this snapshot shows. A socket that is gone was last seen in the previous snapshot.
    pub(super) fn of_snapshot(&self, is_gone: bool) -> When {
        When { at: self.taken_at, until: if is_gone { self.before() } else { self.now() } }
    }

    /// Time of a change that the kernel reported, which may lie before or after the start of this snapshot.
    pub(super) fn of_event(&self, at: SystemTime) -> When {
        let earlier = self.taken_at.duration_since(at).unwrap_or_default();
        let later = at.duration_since(self.taken_at).unwrap_or_default();
        When { at, until: (self.now + later).saturating_sub(earlier).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;
    use std::time::{Duration, SystemTime};

    #[test]
    fn an_event_is_dated_by_its_own_time_and_not_by_that_of_the_snapshot() {
        let (second, start) = (Duration::from_secs(1), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
        let mut moments = Moments::default();
        moments.begin(10 * second, start);
        assert!(moments.is_first());
        moments.begin(12 * second, start + 2 * second);
        assert_eq!((moments.is_first(), moments.elapsed().get()), (false, 2_000));
        assert_eq!(moments.of_event(start + second).until.get(), 11_000, "before the snapshot began");
        assert_eq!(moments.of_event(start + 3 * second).until.get(), 13_000, "while it was taken");
        let until = [true, false].map(|is_gone| moments.of_snapshot(is_gone).until.get());
        assert_eq!(until, [10_000, 12_000], "what is gone was last seen by the snapshot before");
    }
}
