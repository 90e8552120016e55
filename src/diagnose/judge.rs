//! Puts deadline and verdict of a row together.

use super::facts::Facts;
use super::wheel::Wheel;
use super::{deadline, keepalive, verdict};
use crate::model::liveness::{Bound, Liveness};

/// How rows are judged: the same for a whole snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judge {
    /// Ticks of the kernel's clock in a second (`CONFIG_HZ`), which decides how late its timers fire
    pub hz: u32,
    /// A peer heard within this time is active
    pub active_within_ms: u64,
}

impl Judge {
    /// The timer wheel of this kernel.
    pub fn wheel(&self) -> Wheel {
        Wheel { hz: self.hz }
    }

    /// Judges one row.
    pub fn liveness(&self, facts: &Facts<'_>) -> Liveness {
        let wheel = self.wheel();
        let deadline = deadline::of(facts, wheel);
        let is_unsure = deadline.bound == Bound::AtLeast;
        let assumed = is_unsure.then(|| keepalive::assumed(facts.keepalive, facts.sysctls));
        Liveness {
            verdict: verdict::of(facts, self.active_within_ms),
            deadline,
            likely_ms: assumed
                .and_then(|keepalive| deadline::of(&Facts { keepalive: &keepalive, ..*facts }, wheel).ms)
                .filter(|likely| Some(*likely) > deadline.ms),
        }
    }
}
