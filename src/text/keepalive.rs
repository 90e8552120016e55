//! Writes keepalive in a few cells.

use std::borrow::Cow;

use crate::model::change::KeepaliveChange;
use crate::model::keepalive::{Keepalive, KeepaliveSource, SomeKeepaliveValues};

/// `60s/10s/6`: idle time, interval and probes, with `?` for each unknown value and `~` before values taken from
/// sysctls. `on?` if none of the three is known, `off` if keepalive is off, `None` if even that is not known.
pub(crate) fn summary(keepalive: &Keepalive) -> Option<Cow<'static, str>> {
    if !keepalive.values.enabled? {
        return Some(Cow::Borrowed("off"));
    }
    let Keepalive { values: SomeKeepaliveValues { idle_s, interval_s, probes, .. }, source, .. } = keepalive;
    if (idle_s, interval_s, probes) == (&None, &None, &None) {
        return Some(Cow::Borrowed("on?"));
    }
    // This text is in every row, and `format!` took three allocations for it.
    let mut text = String::with_capacity(16);
    let mut number = itoa::Buffer::new();
    let mut push = |before: &str, value: &Option<u32>, unit: &str| {
        text.push_str(before);
        match value {
            Some(value) => text.extend([number.format(*value), unit]),
            None => text.push('?'),
        }
    };
    push(if *source == Some(KeepaliveSource::Sysctl) { "~" } else { "" }, idle_s, "s");
    push("/", interval_s, "s");
    push("/", probes, "");
    Some(text.into())
}

/// "keepalive on, idle 60s": the settings of a change.
pub(crate) fn change(change: &KeepaliveChange) -> String {
    let KeepaliveChange { enabled, idle_s, interval_s, probes, user_timeout_ms } = change;
    let mut parts = Vec::new();
    parts.extend(enabled.map(|on| format!("keepalive {}", if on { "on" } else { "off" })));
    parts.extend(idle_s.map(|seconds| format!("idle {seconds}s")));
    parts.extend(interval_s.map(|seconds| format!("interval {seconds}s")));
    parts.extend(probes.map(|probes| format!("probes {probes}")));
    parts.extend(user_timeout_ms.map(|ms| format!("user-timeout {}", user_timeout(ms))));
    parts.join(", ")
}

/// The exact time, in seconds if they are whole.
pub(crate) fn user_timeout(ms: u32) -> String {
    match ms {
        0 => "0".to_owned(),
        ms if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::summary;
    use crate::model::keepalive::{Keepalive, KeepaliveSource, SomeKeepaliveValues};

    #[test]
    fn only_known_values_are_shown() {
        let on = SomeKeepaliveValues { enabled: Some(true), ..SomeKeepaliveValues::default() };
        let read = SomeKeepaliveValues { idle_s: Some(60), interval_s: Some(10), probes: Some(6), ..on };
        let shown_from = |values, source| summary(&Keepalive { values, source, ..Keepalive::default() });
        let shown = |values| shown_from(values, None);
        assert_eq!(shown(read).as_deref(), Some("60s/10s/6"));
        assert_eq!(shown(SomeKeepaliveValues { idle_s: Some(60), ..on }).as_deref(), Some("60s/?/?"));
        assert_eq!(shown(SomeKeepaliveValues { interval_s: Some(75), ..on }).as_deref(), Some("?/75s/?"));
        assert_eq!(shown_from(read, Some(KeepaliveSource::Sysctl)).as_deref(), Some("~60s/10s/6"));
        assert_eq!(shown(on).as_deref(), Some("on?"));
        assert_eq!(shown(SomeKeepaliveValues { enabled: Some(false), ..read }).as_deref(), Some("off"));
        assert_eq!(shown(SomeKeepaliveValues::default()), None);
    }
}
