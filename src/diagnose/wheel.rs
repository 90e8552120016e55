//! How late the kernel's timers fire. The timer wheel (`kernel/time/timer.c`) has coarser slots the longer a timer is
//! set for, and fires at the end of a slot, never early: a timer of 60 s fires up to 2 s late at 250 ticks per second.

use crate::model::liveness::{Bound, Deadline, Mechanism};

/// Earliest and latest time of an event, in milliseconds from the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Earliest time
    pub earliest: u64,
    /// Latest time
    pub latest: u64,
}

impl Span {
    /// An event at an exactly known time.
    pub fn at(ms: u64) -> Self {
        Self { earliest: ms, latest: ms }
    }

    /// Both waits, one after the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            earliest: self.earliest.saturating_add(other.earliest),
            latest: self.latest.saturating_add(other.latest),
        }
    }

    /// `count` such waits, one after the other.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self { earliest: self.earliest.saturating_mul(count), latest: self.latest.saturating_mul(count) }
    }

    /// The later end as an upper bound. A busy CPU runs its timers late, so 100 ms are added.
    pub fn at_most(self, mechanism: Mechanism) -> Deadline {
        const BUSY_MS: u64 = 100;
        Deadline { ms: Some(self.latest.saturating_add(BUSY_MS)), bound: Bound::AtMost, mechanism }
    }

    /// Both ends as a deadline: exact if the middle is near enough to both, else the earlier end as a lower bound.
    pub fn deadline(self, mechanism: Mechanism) -> Deadline {
        /// "Exact" promises 0.3 s and 2 %. The limits here are lower: the difference is left for errors of measurement.
        const SLACK_MS: u64 = 200;
        const SLACK_PERCENT_TENTHS: u64 = 15;
        let off = (self.latest - self.earliest) / 2;
        let middle = self.earliest + off;
        if off <= SLACK_MS + middle * SLACK_PERCENT_TENTHS / 1000 {
            Deadline { ms: Some(middle), bound: Bound::Exact, mechanism }
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

    /// Upper bound of the lateness of a timer that was set for `ms`, in ms.
    pub fn lateness_ms(self, ms: u64) -> u64 {
        let hz = u64::from(self.hz.max(1));
        let ticks = ms.saturating_mul(hz) / 1000;
        let level = (0..Self::LEVELS).find(|level| ticks < Self::FIRST_LEVEL_TICKS << (level * Self::COARSER_BITS));
        let slot_ticks = 1_u64 << (level.unwrap_or(Self::LEVELS) * Self::COARSER_BITS);
        // One more tick passes until the softirq runs.
        (slot_ticks + 1) * 1000 / hz
    }

    /// Firing time of a pending timer that has `expires_ms` left and was set for at most `set_for_ms`.
    pub fn pending(self, expires_ms: u64, set_for_ms: u64) -> Span {
        Span { earliest: expires_ms, latest: expires_ms + self.lateness_ms(set_for_ms.max(expires_ms)) }
    }

    /// Firing time of a timer that will be set for `ms` at `when`.
    pub fn after(self, when: Span, ms: u64) -> Span {
        when.plus(Span { earliest: ms, latest: ms.saturating_add(self.lateness_ms(ms)) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Wheel};
    use crate::model::liveness::{Bound, Mechanism};

    #[test]
    fn a_timer_is_late_by_a_slot_of_its_level_at_most() {
        let wheel = Wheel { hz: 250 };
        // 4 ms ticks: slots of 1, 8, 64 and 512 ticks.
        assert_eq!(wheel.lateness_ms(200), 8);
        assert_eq!(wheel.lateness_ms(1_000), 36);
        assert_eq!(wheel.lateness_ms(5_000), 260);
        assert_eq!(wheel.lateness_ms(60_000), 2_052);
        assert_eq!(Wheel { hz: 1000 }.lateness_ms(60_000), 4_097);
        assert_eq!(Wheel { hz: 0 }.lateness_ms(0), 2_000, "no kernel has it, and nothing may break");
    }

    #[test]
    fn a_span_is_exact_while_its_width_is_within_the_promise() {
        let narrow = Span { earliest: 60_000, latest: 62_000 }.deadline(Mechanism::TimeWait);
        assert_eq!((narrow.bound, narrow.ms), (Bound::Exact, Some(61_000)));
        let wide = Span { earliest: 10_000, latest: 12_000 }.deadline(Mechanism::TimeWait);
        assert_eq!((wide.bound, wide.ms), (Bound::AtLeast, Some(10_000)));
        assert_eq!(Span::at(0).deadline(Mechanism::TimeWait).ms, Some(0));
    }
}
