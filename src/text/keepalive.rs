//! Keepalive in a few cells.

use std::borrow::Cow;

use crate::model::keepalive::{Keepalive, KeepaliveSource};

/// `60s/10s/6`, `off`, `on?` where it is on and the values are not known; `None` where nothing is.
pub fn summary(keepalive: &Keepalive) -> Option<Cow<'static, str>> {
    if !keepalive.enabled? {
        return Some(Cow::Borrowed("off"));
    }
    let (Some(idle), true) = (keepalive.idle_s, keepalive.source != Some(KeepaliveSource::Sysctl)) else {
        return Some(Cow::Borrowed("on?"));
    };
    let or_unknown = |value: Option<u32>, unit: &str| value.map_or("?".to_owned(), |value| format!("{value}{unit}"));
    Some(format!("{idle}s/{}/{}", or_unknown(keepalive.interval_s, "s"), or_unknown(keepalive.probes, "")).into())
}

#[cfg(test)]
mod tests {
    use super::summary;
    use crate::model::keepalive::{Keepalive, KeepaliveSource};

    #[test]
    fn only_known_values_are_shown() {
        let on = Keepalive { enabled: Some(true), ..Keepalive::default() };
        let read = Keepalive { idle_s: Some(60), interval_s: Some(10), probes: Some(6), ..on };
        let shown = |keepalive: Keepalive| summary(&keepalive).map(std::borrow::Cow::into_owned);
        assert_eq!(shown(read).as_deref(), Some("60s/10s/6"));
        assert_eq!(shown(Keepalive { idle_s: Some(60), ..on }).as_deref(), Some("60s/?/?"));
        assert_eq!(shown(Keepalive { source: Some(KeepaliveSource::Sysctl), ..read }).as_deref(), Some("on?"));
        assert_eq!(shown(on).as_deref(), Some("on?"));
        assert_eq!(shown(Keepalive { enabled: Some(false), ..read }).as_deref(), Some("off"));
        assert_eq!(shown(Keepalive::default()), None);
    }
}
