//! The judgement: keepalive where it could not be read, the deadline, the verdict. Pure functions of model values; no
//! clock, no I/O. How it is told in words is `text`'s.

mod deadline;
pub mod keepalive;
pub mod prospect;
mod retransmission;
pub mod sightings;
mod syn;
mod verdict;
pub mod wheel;
mod window;

use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Bound, Deadline, Liveness, Mechanism};
use crate::model::options::SocketOptions;
use crate::model::reach::Doubt;
use crate::model::socket::Socket;
use crate::model::sysctl::{Sysctl, Sysctls};
use wheel::{Span, Wheel};

/// What a row is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The row
    pub socket: &'a Socket,
    /// Its keepalive
    pub keepalive: &'a Keepalive,
    /// Its options, where they could be read; of a request, those of its listener
    pub options: Option<&'a SocketOptions>,
    /// The sysctls of its namespace
    pub sysctls: &'a Sysctls,
    /// Why it is doubtful that packets to the peer leave this host
    pub doubt: Option<Doubt>,
}

impl Facts<'_> {
    /// A time or a limit of the namespace; `default` where this kernel does not have the sysctl.
    fn sysctl(&self, sysctl: Sysctl, default: u32) -> u64 {
        self.sysctls.number(sysctl).unwrap_or(default.into()).min(u32::MAX.into())
    }

    /// When it ends, as a deadline: only what was read from the socket makes one exact.
    fn ends(&self, ends: Span, mechanism: Mechanism) -> Deadline {
        if self.keepalive.is_read() { ends.deadline(mechanism) } else { Deadline::at_least(ends.earliest, mechanism) }
    }

    /// A number of tries, of which no sysctl allows more than 255.
    fn tries(&self, sysctl: Sysctl, default: u8) -> u64 {
        self.sysctls.number(sysctl).unwrap_or(default.into()).min(u8::MAX.into())
    }
}

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
