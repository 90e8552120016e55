//! Settings that `set` and the form of the dashboard can change: how each is named, typed and shown.

use super::keepalive::user_timeout;
use super::quantity::time_us;
use crate::model::change::KeepaliveChange;
use crate::model::keepalive::KeepaliveValues;

/// One of the five settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// `SO_KEEPALIVE`
    Keepalive,
    /// `TCP_KEEPIDLE`
    Idle,
    /// `TCP_KEEPINTVL`
    Interval,
    /// `TCP_KEEPCNT`
    Probes,
    /// `TCP_USER_TIMEOUT`
    UserTimeout,
}

impl Setting {
    /// All settings, in the order of the help.
    pub(crate) const ALL: [Self; 5] = [Self::Keepalive, Self::Idle, Self::Interval, Self::Probes, Self::UserTimeout];

    /// Name of the setting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keepalive => "keepalive",
            Self::Idle => "idle",
            Self::Interval => "interval",
            Self::Probes => "probes",
            Self::UserTimeout => "user-timeout",
        }
    }

    /// Values that it takes.
    pub(crate) fn takes(self) -> &'static str {
        match self {
            Self::Keepalive => "on|off",
            Self::Idle | Self::Interval | Self::UserTimeout => "TIME",
            Self::Probes => "N",
        }
    }

    /// The setting with this name, in lower case with dashes: its own name, or that of its column.
    pub(crate) fn called(name: &str) -> Option<Self> {
        let name = match name {
            "keepidle" => "idle",
            "keepintvl" => "interval",
            "keepcnt" => "probes",
            name => name,
        };
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// Sets the value in a change; returns whether it was not set before.
    ///
    /// # Errors
    /// The value cannot be parsed.
    pub(crate) fn assign(self, change: &mut KeepaliveChange, value: &str) -> Result<bool, String> {
        let seconds = || {
            let us = time_us(value)?;
            let is_whole = us.is_multiple_of(1_000_000);
            let seconds = is_whole.then_some(us / 1_000_000).ok_or("the kernel counts whole seconds")?;
            Ok::<_, String>(u32::try_from(seconds).unwrap_or(u32::MAX))
        };
        Ok(match self {
            Self::Keepalive => {
                let on = match value.to_ascii_lowercase().as_str() {
                    "on" | "1" => true,
                    "off" | "0" => false,
                    _ => return Err("type on or off".to_owned()),
                };
                change.enabled.replace(on).is_none()
            }
            Self::Idle => change.idle_s.replace(seconds()?).is_none(),
            Self::Interval => change.interval_s.replace(seconds()?).is_none(),
            Self::Probes => {
                let probes = value.parse().map_err(|_| "type a number of probes, such as 6")?;
                change.probes.replace(probes).is_none()
            }
            Self::UserTimeout => {
                let us = time_us(value)?;
                if !us.is_multiple_of(1_000) {
                    return Err("the kernel counts whole milliseconds".to_owned());
                }
                let ms = u32::try_from(us / 1_000).map_err(|_| format!("the kernel takes at most {}ms", i32::MAX))?;
                change.user_timeout_ms.replace(ms).is_none()
            }
        })
    }

    /// Its value as text.
    pub(crate) fn shown(self, values: &KeepaliveValues) -> String {
        match self {
            Self::Keepalive => if values.enabled { "on" } else { "off" }.to_owned(),
            Self::Idle => format!("{}s", values.idle_s),
            Self::Interval => format!("{}s", values.interval_s),
            Self::Probes => values.probes.to_string(),
            Self::UserTimeout => user_timeout(values.user_timeout_ms),
        }
    }
}

/// Keepalive values that detect a silent peer in `us` microseconds.
///
/// # Errors
/// The time is no whole number of seconds within the kernel's limits.
pub(crate) fn detecting(us: u64) -> Result<KeepaliveChange, &'static str> {
    let seconds =
        us.is_multiple_of(1_000_000).then_some(us / 1_000_000).and_then(|seconds| u32::try_from(seconds).ok());
    seconds
        .and_then(KeepaliveChange::detecting)
        .ok_or("takes whole seconds from 2s on, as much as the kernel's limits of 32767s allow")
}

/// "keepalive=on idle=60s interval=10s probes=6 user-timeout=0", as `set` accepts it.
pub(crate) fn assignments(values: &KeepaliveValues) -> String {
    Setting::ALL.map(|setting| format!("{}={}", setting.name(), setting.shown(values))).join(" ")
}

/// "keepalive off -> on, idle 7200s -> 60s": the values that have changed.
pub(crate) fn differences(before: &KeepaliveValues, after: &KeepaliveValues) -> String {
    let changed = Setting::ALL.iter().map(|setting| (setting.name(), setting.shown(before), setting.shown(after)));
    let changed: Vec<_> =
        changed.filter(|(_, old, new)| old != new).map(|(name, old, new)| format!("{name} {old} -> {new}")).collect();
    if changed.is_empty() { "had these values already".to_owned() } else { changed.join(", ") }
}
