//! The machine's own names and the clock.

use std::time::{Duration, Instant, SystemTime};

use crate::model::snapshot::Host;

/// uname(2).
pub(crate) fn host() -> Host {
    let uname = rustix::system::uname();
    Host {
        hostname: uname.nodename().to_string_lossy().into_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
    }
}

/// The wall clock, for the snapshot's time stamp.
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Ticks of the kernel's clock in a second (`CONFIG_HZ`): the coarse clock's resolution is one tick.
pub(crate) fn ticks_per_second() -> u32 {
    const NANOS: i64 = 1_000_000_000;
    let tick = rustix::time::clock_getres(rustix::time::ClockId::MonotonicCoarse);
    u32::try_from(NANOS / tick.tv_nsec.max(1)).unwrap_or(1_000)
}

/// Measures how long something takes, by the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since it began.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
