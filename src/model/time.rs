//! Times in the unit of the model.

use std::ops::{Add, AddAssign, Mul, Sub};
use std::time::Duration;

/// A time span in whole milliseconds. Sums and products saturate, differences end at zero: a kernel may report any
/// number. The type keeps milliseconds apart from the seconds and microseconds that the kernel also reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Millis(u64);

impl Millis {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// A span of `ms` milliseconds.
    pub const fn new(ms: u64) -> Self {
        Self(ms)
    }

    /// A span of whole seconds.
    pub fn from_secs(seconds: u32) -> Self {
        Self(u64::from(seconds) * 1_000)
    }

    /// A span of microseconds, rounded up.
    pub fn from_micros_up(us: u64) -> Self {
        Self(us.div_ceil(1_000))
    }

    /// Whole seconds, rounded down.
    pub(crate) fn whole_seconds(self) -> u32 {
        u32::try_from(self.0 / 1_000).unwrap_or(u32::MAX)
    }

    /// Whole seconds, rounded up.
    pub(crate) fn whole_seconds_up(self) -> u32 {
        u32::try_from(self.0.div_ceil(1_000)).unwrap_or(u32::MAX)
    }

    /// Number of milliseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// `2^times` of this span.
    pub(crate) fn doubled(self, times: u64) -> Self {
        self * 1_u64.checked_shl(u32::try_from(times).unwrap_or(u32::MAX)).unwrap_or(u64::MAX)
    }

    /// This many thousandths of the span, rounded down.
    pub(crate) fn thousandths(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count) / 1_000)
    }

    /// `2^-times` of this span, rounded down.
    pub(crate) fn halved(self, times: u64) -> Self {
        Self(self.0.checked_shr(u32::try_from(times).unwrap_or(u32::MAX)).unwrap_or(0))
    }
}

impl From<u32> for Millis {
    fn from(ms: u32) -> Self {
        Self(ms.into())
    }
}

impl From<Duration> for Millis {
    fn from(time: Duration) -> Self {
        Self(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }
}

impl Add for Millis {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Millis {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Millis {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Millis {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}
