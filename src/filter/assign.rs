//! `keepalive=on`, `idle=60s`: what is to be set, written as comparisons are.

use super::time_us;
use crate::fields::column::folded;
use crate::model::change::KeepaliveChange;

/// What can be set, and what it takes.
pub(crate) const SETTABLE: [(&str, &str); 5] =
    [("keepalive", "on|off"), ("idle", "TIME"), ("interval", "TIME"), ("probes", "N"), ("user-timeout", "TIME")];

/// The key that is meant, in any spelling, or as the options and the columns of ls are called.
pub(crate) fn settable(key: &str) -> Option<&'static str> {
    let key = folded(key);
    let key = match key.as_str() {
        "keepidle" => "idle",
        "keepintvl" => "interval",
        "keepcnt" => "probes",
        key => key,
    };
    SETTABLE.iter().map(|(known, _)| *known).find(|known| *known == key)
}

/// Adds to a change what one of the keys is to be; says whether it was not said before.
///
/// # Errors
/// The value cannot be understood.
pub(crate) fn assign(change: &mut KeepaliveChange, key: &str, value: &str) -> Result<bool, String> {
    let seconds = || {
        let us = time_us(value)?;
        let is_whole = us.is_multiple_of(1_000_000);
        let seconds = is_whole.then_some(us / 1_000_000).ok_or("the kernel counts whole seconds")?;
        Ok::<_, String>(u32::try_from(seconds).unwrap_or(u32::MAX))
    };
    Ok(match key {
        "keepalive" => {
            let on = match value.to_ascii_lowercase().as_str() {
                "on" | "1" => true,
                "off" | "0" => false,
                _ => return Err("say on or off".to_owned()),
            };
            change.enabled.replace(on).is_none()
        }
        "idle" => change.idle_s.replace(seconds()?).is_none(),
        "interval" => change.interval_s.replace(seconds()?).is_none(),
        "probes" => {
            let probes = value.parse().map_err(|_| "say a number of probes, such as 6")?;
            change.probes.replace(probes).is_none()
        }
        _ => {
            let us = time_us(value)?;
            if !us.is_multiple_of(1_000) {
                return Err("the kernel counts whole milliseconds".to_owned());
            }
            change.user_timeout_ms.replace(u32::try_from(us / 1_000).unwrap_or(u32::MAX)).is_none()
        }
    })
}

/// Values that notice a silent peer in this time.
///
/// # Errors
/// It is no whole number of seconds that the kernel's limits allow.
pub(crate) fn detecting(us: u64) -> Result<KeepaliveChange, &'static str> {
    let seconds =
        us.is_multiple_of(1_000_000).then_some(us / 1_000_000).and_then(|seconds| u32::try_from(seconds).ok());
    seconds
        .and_then(KeepaliveChange::detecting)
        .ok_or("takes whole seconds from 2s on, as much as the kernel's limits of 32767s allow")
}
