//! A requested change of keepalive options, checked against the kernel's ranges before any socket is changed.

use super::keepalive::{KeepaliveValues, SomeKeepaliveValues};
use super::options::SocketOptions;
use super::time::Millis;

/// Range of `TCP_KEEPIDLE` and `TCP_KEEPINTVL` in seconds (`MAX_TCP_KEEPIDLE`, `MAX_TCP_KEEPINTVL`, `include/net/tcp.h`).
pub(crate) const SECONDS: std::ops::RangeInclusive<u32> = 1..=32_767;
/// Range of `TCP_KEEPCNT` in probes (`MAX_TCP_KEEPCNT`).
pub(crate) const PROBES: std::ops::RangeInclusive<u32> = 1..=127;
/// Range of `TCP_USER_TIMEOUT` in milliseconds, 0 for none: an int that may not be negative.
pub(crate) const USER_TIMEOUT_MS: std::ops::RangeInclusive<u32> = 0..=i32::MAX as u32;

/// Options to set; an absent one stays unchanged.
pub(crate) type KeepaliveChange = SomeKeepaliveValues;

/// A value that the kernel would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}; the kernel takes {least} to {most}")]
pub(crate) struct OutOfRange {
    /// Name of the option
    pub name: &'static str,
    /// Requested value, with its unit
    pub value: String,
    /// Minimum that the kernel accepts, with its unit
    pub least: String,
    /// Maximum that the kernel accepts, with its unit
    pub most: String,
}

impl KeepaliveChange {
    /// Options that detect a silent peer after `seconds`. Idle time and probes add up to it; a user timeout of equal
    /// length covers data in flight, which keepalive does not watch. About half of the time goes to three probes.
    /// `None` for less than 2 s, which one probe takes, and for more than the kernel accepts.
    pub(crate) fn detecting(seconds: u32) -> Option<Self> {
        let probes = 3.min(seconds / 2);
        let interval_s = (seconds.checked_div(2 * probes)?).max(1);
        let idle_s = seconds.checked_sub(probes * interval_s)?;
        let change = Self {
            enabled: Some(true),
            idle_s: Some(idle_s),
            interval_s: Some(interval_s),
            probes: Some(probes),
            user_timeout_ms: seconds.checked_mul(1_000),
        };
        (change.check().is_ok() && change.user_timeout_ms.is_some()).then_some(change)
    }

    /// Checks that the kernel would accept every value.
    ///
    /// # Errors
    /// The first value that it would refuse.
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let check = |name, value: Option<u32>, range: std::ops::RangeInclusive<u32>, unit: &str| match value {
            Some(value) if !range.contains(&value) => Err(OutOfRange {
                name,
                value: format!("{value}{unit}"),
                least: format!("{}{unit}", range.start()),
                most: format!("{}{unit}", range.end()),
            }),
            _ => Ok(()),
        };
        check("idle", self.idle_s, SECONDS, "s")?;
        check("interval", self.interval_s, SECONDS, "s")?;
        check("probes", self.probes, PROBES, "")?;
        check("user-timeout", self.user_timeout_ms, USER_TIMEOUT_MS, "ms")
    }

    /// Whether the change sets nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Merges two changes. A value of `self` takes precedence over that of `other`.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            enabled: self.enabled.or(other.enabled),
            idle_s: self.idle_s.or(other.idle_s),
            interval_s: self.interval_s.or(other.interval_s),
            probes: self.probes.or(other.probes),
            user_timeout_ms: self.user_timeout_ms.or(other.user_timeout_ms),
        }
    }

    /// The options after the change.
    pub(crate) fn applied_to(&self, options: SocketOptions) -> SocketOptions {
        let KeepaliveValues { enabled, idle_s, interval_s, probes, user_timeout_ms } = options.keepalive;
        SocketOptions {
            keepalive: KeepaliveValues {
                enabled: self.enabled.unwrap_or(enabled),
                idle_s: self.idle_s.unwrap_or(idle_s),
                interval_s: self.interval_s.unwrap_or(interval_s),
                probes: self.probes.unwrap_or(probes),
                user_timeout_ms: self.user_timeout_ms.unwrap_or(user_timeout_ms),
            },
            ..options
        }
    }

    /// Whether a socket with these options already has all requested values.
    pub(crate) fn is_in(&self, options: &SocketOptions) -> bool {
        self.applied_to(*options) == *options
    }

    /// What the kernel does as soon as this is set. If keepalive was on, and the peer has been silent for longer than
    /// the new idle time, the timer fires (`tcp_sock_set_keepidle_locked`): the kernel sends a probe, or ends the
    /// connection if enough are unanswered (`tcp_keepalive_timer`). A timer that the change turns on runs its full
    /// time.
    pub(crate) fn at_once(&self, silence: Silence, options: Option<&SocketOptions>) -> AtOnce {
        let stays_on = silence.is_watched && self.enabled != Some(false);
        let is_overdue = |idle_s: u32| silence.time.is_some_and(|time| time >= Millis::from_secs(idle_s));
        if !stays_on || !self.idle_s.is_some_and(is_overdue) {
            return AtOnce::Nothing;
        }
        let ends = options.is_some_and(|options| {
            let KeepaliveValues { probes, user_timeout_ms, .. } = self.applied_to(*options).keepalive;
            match user_timeout_ms {
                0 => silence.unanswered >= probes.into(),
                limit => silence.unanswered > 0 && silence.time >= Some(limit.into()),
            }
        });
        if ends { AtOnce::End } else { AtOnce::Probe }
    }
}

/// Silence of a peer when keepalive is changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence {
    /// Keepalive is on
    pub is_watched: bool,
    /// How long the peer has been silent
    pub time: Option<Millis>,
    /// Number of unanswered probes
    pub unanswered: u64,
}

/// What the kernel does as soon as keepalive is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtOnce {
    Nothing,
    Probe,
    /// The program gets ETIMEDOUT
    End,
}

#[cfg(test)]
mod tests {
    use super::{AtOnce, KeepaliveChange, Silence};
    use crate::model::keepalive::KeepaliveValues;
    use crate::model::options::SocketOptions;
    use crate::model::time::Millis;

    #[test]
    fn idle_time_and_probes_add_up_to_the_time_to_detect() {
        for seconds in 2..=60_000 {
            let Some(change) = KeepaliveChange::detecting(seconds) else {
                assert!(seconds > 32_767, "{seconds}");
                continue;
            };
            let sum = change.idle_s.unwrap() + change.probes.unwrap() * change.interval_s.unwrap();
            assert_eq!((sum, change.user_timeout_ms), (seconds, Some(seconds * 1000)));
            assert_eq!(change.check(), Ok(()));
        }
        let thirty = KeepaliveChange::detecting(30).unwrap();
        assert_eq!((thirty.idle_s, thirty.interval_s, thirty.probes), (Some(15), Some(5), Some(3)));
        assert_eq!([0, 1, u32::MAX].map(KeepaliveChange::detecting), [None; 3]);
    }

    #[test]
    fn what_the_kernel_would_refuse_is_named() {
        let change = KeepaliveChange { idle_s: Some(40_000), ..KeepaliveChange::default() };
        assert_eq!(change.check().unwrap_err().to_string(), "idle is 40000s; the kernel takes 1s to 32767s");
        for change in [
            KeepaliveChange { probes: Some(0), ..KeepaliveChange::default() },
            KeepaliveChange { interval_s: Some(0), ..KeepaliveChange::default() },
            KeepaliveChange { user_timeout_ms: Some(u32::MAX), ..KeepaliveChange::default() },
        ] {
            assert!(change.check().is_err(), "{change:?}");
        }
    }

    #[test]
    fn a_probe_goes_out_at_once_only_where_the_timer_was_running() {
        let change = KeepaliveChange { idle_s: Some(60), ..KeepaliveChange::default() };
        let at_once = |change: KeepaliveChange, is_watched, ms| {
            change.at_once(Silence { is_watched, time: Some(Millis::new(ms)), unanswered: 0 }, None)
        };
        assert_eq!(at_once(change, true, 60_000), AtOnce::Probe);
        assert_eq!([at_once(change, true, 59_999), at_once(change, false, 90_000)], [AtOnce::Nothing; 2]);
        assert_eq!(at_once(KeepaliveChange { enabled: Some(false), ..change }, true, 90_000), AtOnce::Nothing);
        assert_eq!(at_once(KeepaliveChange::default(), true, 90_000), AtOnce::Nothing);
    }

    #[test]
    fn the_connection_ends_at_once_if_enough_probes_are_unanswered() {
        let keepalive = KeepaliveValues { enabled: true, idle_s: 1, interval_s: 5, probes: 9, user_timeout_ms: 0 };
        let options = SocketOptions {
            keepalive,
            syncnt: None,
            defer_accept_s: None,
            rto_max_ms: None,
            thin_linear: None,
            dontroute: false,
            more: None,
        };
        let silence = Silence { is_watched: true, time: Some(Millis::from_secs(20)), unanswered: 4 };
        let change = KeepaliveChange { idle_s: Some(2), ..KeepaliveChange::default() };
        for (change, expected) in [
            (change, AtOnce::Probe),
            (KeepaliveChange { probes: Some(5), ..change }, AtOnce::Probe),
            (KeepaliveChange { probes: Some(4), ..change }, AtOnce::End),
            (KeepaliveChange { user_timeout_ms: Some(20_000), ..change }, AtOnce::End),
            (KeepaliveChange { user_timeout_ms: Some(20_001), probes: Some(1), ..change }, AtOnce::Probe),
            (KeepaliveChange { probes: Some(2), ..KeepaliveChange::default() }, AtOnce::Nothing),
        ] {
            assert_eq!(change.at_once(silence, Some(&options)), expected, "{change:?}");
        }
    }
}
