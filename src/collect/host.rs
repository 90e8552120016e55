//! Host name, kernel release and clocks.

use std::time::{Duration, Instant, SystemTime};

use crate::model::snapshot::Host;

/// Host name and kernel release (uname(2)).
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

/// Kernel ticks per second (`CONFIG_HZ`). The resolution of the coarse clock is one tick.
pub(crate) fn ticks_per_second() -> u32 {
    const NANOS: i64 = 1_000_000_000;
    let tick = rustix::time::clock_getres(rustix::time::ClockId::MonotonicCoarse);
    u32::try_from(NANOS / tick.tv_nsec.max(1)).unwrap_or(1_000)
}

/// Time measurement by the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts the measurement.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
