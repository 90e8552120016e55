//! Combines the deadline and the verdict of a row.

use super::facts::Facts;
use super::wheel::Wheel;
use super::{deadline, keepalive, verdict};
use crate::model::liveness::{Bound, Liveness};
use crate::model::time::Millis;

/// Parameters of the judgement, constant within a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judge {
    /// Clock ticks of the kernel per second (`CONFIG_HZ`), which decide how late its timers fire
    pub hz: u32,
    /// A peer heard within this time is active
    pub active_within: Millis,
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
            verdict: verdict::of(facts, self.active_within),
            deadline,
            likely: assumed
                .and_then(|keepalive| {
                    let may_be_mptcp = facts.socket.is_mptcp();
                    deadline::of(&Facts { keepalive: &keepalive, may_be_mptcp, ..*facts }, wheel).after
                })
                .filter(|likely| Some(*likely) > deadline.after),
        }
    }
}
