//! How late the kernel's timers fire. The timer wheel (`kernel/time/timer.c`) has coarser slots the longer a timer is
//! set for, and fires at the end of a slot, never early: a timer of 60 s fires up to 2 s late at 250 ticks per second.

use crate::model::liveness::{Bound, Deadline, Mechanism};
use crate::model::time::Millis;

/// Earliest and latest time of an event, from the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Earliest time
    pub earliest: Millis,
    /// Latest time
    pub latest: Millis,
}

impl Span {
    /// An event at an exactly known time.
    pub fn at(time: Millis) -> Self {
        Self { earliest: time, latest: time }
    }

    /// Both waits, one after the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { earliest: self.earliest + other.earliest, latest: self.latest + other.latest }
    }

    /// `count` such waits, one after the other.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self { earliest: self.earliest * count, latest: self.latest * count }
    }

    /// The later end as an upper bound. A busy CPU runs its timers late, so 300 ms are added, as "exact" allows.
    pub fn at_most(self, mechanism: Mechanism) -> Deadline {
        const BUSY: Millis = Millis::new(300);
        Deadline { after: Some(self.latest + BUSY), bound: Bound::AtMost, mechanism }
    }

    /// Both ends as a deadline: exact if the middle is near enough to both, else the earlier end as a lower bound.
    pub fn deadline(self, mechanism: Mechanism) -> Deadline {
        /// "Exact" promises 0.3 s and 2 %. The limits here are lower: the difference is left for errors of measurement.
        const SLACK: Millis = Millis::new(200);
        const SLACK_PERCENT_TENTHS: u64 = 15;
        let off = (self.latest - self.earliest).halved(1);
        let middle = self.earliest + off;
        if off <= SLACK + middle.thousandths(SLACK_PERCENT_TENTHS) {
            Deadline { after: Some(middle), bound: Bound::Exact, mechanism }
        } else {
            Deadline::at_least(self.earliest, mechanism)
        }
    }
}

/// The timer wheel of this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// Ticks per second (`CONFIG_HZ`)
    pub hz: u32,
}

impl Wheel {
    /// `LVL_START` of the first level, and by how many bits each further level is coarser (`LVL_CLK_SHIFT`).
    const FIRST_LEVEL_TICKS: u64 = 63;
    const COARSER_BITS: u32 = 3;
    const LEVELS: u32 = 8;

    /// Upper bound of the lateness of a timer that was set for this time.
    pub fn lateness(self, set_for: Millis) -> Millis {
        let hz = u64::from(self.hz.max(1));
        let ticks = set_for.get().saturating_mul(hz) / 1000;
        let level = (0..Self::LEVELS).find(|level| ticks < Self::FIRST_LEVEL_TICKS << (level * Self::COARSER_BITS));
        let slot_ticks = 1_u64 << (level.unwrap_or(Self::LEVELS) * Self::COARSER_BITS);
        // One more tick passes until the softirq runs.
        Millis::new((slot_ticks + 1) * 1000 / hz)
    }

    /// Firing time of a pending timer that has `left` left and was set for at most `set_for`.
    pub fn pending(self, left: Millis, set_for: Millis) -> Span {
        Span { earliest: left, latest: left + self.lateness(set_for.max(left)) }
    }

    /// Firing time of a timer that will be set for `time` at `when`.
    pub fn after(self, when: Span, time: Millis) -> Span {
        when.plus(Span { earliest: time, latest: time + self.lateness(time) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Wheel};
    use crate::model::liveness::{Bound, Mechanism};
    use crate::model::time::Millis;

    #[test]
    fn a_timer_is_late_by_a_slot_of_its_level_at_most() {
        let wheel = Wheel { hz: 250 };
        let lateness = |wheel: Wheel, ms| wheel.lateness(Millis::new(ms)).get();
        // 4 ms ticks: slots of 1, 8, 64 and 512 ticks.
        assert_eq!(lateness(wheel, 200), 8);
        assert_eq!(lateness(wheel, 1_000), 36);
        assert_eq!(lateness(wheel, 5_000), 260);
        assert_eq!(lateness(wheel, 60_000), 2_052);
        assert_eq!(lateness(Wheel { hz: 1000 }, 60_000), 4_097);
        assert_eq!(lateness(Wheel { hz: 0 }, 0), 2_000, "no kernel has it, and nothing may break");
    }

    #[test]
    fn a_span_is_exact_while_its_width_is_within_the_promise() {
        let span = |earliest, latest| Span { earliest: Millis::new(earliest), latest: Millis::new(latest) };
        let narrow = span(60_000, 62_000).deadline(Mechanism::TimeWait);
        assert_eq!((narrow.bound, narrow.after), (Bound::Exact, Some(Millis::new(61_000))));
        let wide = span(10_000, 12_000).deadline(Mechanism::TimeWait);
        assert_eq!((wide.bound, wide.after), (Bound::AtLeast, Some(Millis::new(10_000))));
        assert_eq!(Span::at(Millis::ZERO).deadline(Mechanism::TimeWait).after, Some(Millis::ZERO));
    }
}
