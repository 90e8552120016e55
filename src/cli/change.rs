//! `keepalive=on idle=60s …`: what `set` is to set, taken from the words before its filter.

use super::args::SetArgs;
use super::asked::joined;
use super::exit::UsageError;
use crate::fields::column::folded;
use crate::filter::time_us;
use crate::model::change::KeepaliveChange;
use crate::model::namespace::Namespace;
use crate::model::options::SocketOptions;
use crate::model::sysctl::Sysctl;

/// What is to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assignment {
    change: KeepaliveChange,
    /// Idle time, interval and probes of each socket's namespace, where nothing else is said
    like_sysctl: bool,
}

/// What can be set, and what it takes.
const KEYS: [(&str, &str); 5] =
    [("keepalive", "on|off"), ("idle", "TIME"), ("interval", "TIME"), ("probes", "N"), ("user-timeout", "TIME")];

impl Assignment {
    /// Takes the assignments off the front of the words, in one argument or many; what is left is the filter.
    pub(super) fn parse(arguments: &SetArgs) -> Result<(Self, String), UsageError> {
        let mut change = KeepaliveChange::default();
        let text = joined(&arguments.words);
        let mut filter = text.trim_start();
        loop {
            let (word, rest) = filter.split_once(char::is_whitespace).unwrap_or((filter, ""));
            let Some((key, value)) = assignment(word) else { break };
            assign(&mut change, key, value)?;
            filter = rest.trim_start();
        }
        if let Some(time) = arguments.detect {
            if change.enabled == Some(false) {
                let help = "--detect turns keepalive on; to filter by it, write spaces: 'keepalive = off'";
                return Err(UsageError(help.to_owned()));
            }
            change = change.or(detecting(time)?);
        }
        change.check().map_err(|wrong| UsageError(wrong.to_string()))?;
        let assignment = Self { change, like_sysctl: arguments.like_sysctl };
        if change.is_empty() && !arguments.like_sysctl {
            let keys: Vec<_> = KEYS.iter().map(|(key, value)| format!("{key}={value}")).collect();
            return Err(UsageError(format!(
                "nothing to set; say one or more of: {} (without spaces), --detect TIME, --like-sysctl; then which sockets",
                keys.join(", ")
            )));
        }
        Ok((assignment, filter.to_owned()))
    }

    /// The change for sockets of a namespace.
    pub(super) fn within(&self, namespace: &Namespace) -> Result<KeepaliveChange, String> {
        if !self.like_sysctl {
            return Ok(self.change);
        }
        let number = |sysctl| namespace.sysctls.number(sysctl).and_then(|number| u32::try_from(number).ok());
        let sysctls = KeepaliveChange {
            idle_s: number(Sysctl::KeepaliveTime),
            interval_s: number(Sysctl::KeepaliveIntvl),
            probes: number(Sysctl::KeepaliveProbes),
            ..KeepaliveChange::default()
        };
        let change = self.change.or(sysctls);
        match change.check() {
            Ok(()) => Ok(change),
            Err(wrong) => {
                Err(format!("the sysctls of namespace '{}' cannot be set on a socket: {wrong}", namespace.name))
            }
        }
    }
}

/// "keepalive on, idle 60s".
impl std::fmt::Display for Assignment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let KeepaliveChange { enabled, idle_s, interval_s, probes, user_timeout_ms } = self.change;
        let mut parts = Vec::new();
        parts.extend(enabled.map(|on| format!("keepalive {}", if on { "on" } else { "off" })));
        parts.extend(idle_s.map(|seconds| format!("idle {seconds}s")));
        parts.extend(interval_s.map(|seconds| format!("interval {seconds}s")));
        parts.extend(probes.map(|probes| format!("probes {probes}")));
        parts.extend(user_timeout_ms.map(|ms| format!("user-timeout {}", user_timeout(ms))));
        if self.like_sysctl {
            parts.push("the values of tcp_keepalive_*".to_owned());
        }
        out.write_str(&parts.join(", "))
    }
}

/// A word of the form `key=value` whose key is one of ours. A filter's comparison has spaces around its sign, or another
/// field.
fn assignment(word: &str) -> Option<(&'static str, &str)> {
    let (key, value) = word.split_once('=')?;
    let key = folded(key);
    // As the options, and the columns of ls, are called.
    let key = match key.as_str() {
        "keepidle" => "idle",
        "keepintvl" => "interval",
        "keepcnt" => "probes",
        key => key,
    };
    let is_value = !value.is_empty() && !value.starts_with(['=', '~']);
    KEYS.iter().find(|(known, _)| *known == key && is_value).map(|(known, _)| (*known, value))
}

fn assign(change: &mut KeepaliveChange, key: &str, value: &str) -> Result<(), UsageError> {
    let wrong = |what: &str| UsageError(format!("{key}={value}: {what}"));
    let time = || time_us(value).map_err(|why| wrong(&why));
    let seconds = || {
        let us = time()?;
        let is_whole = us.is_multiple_of(1_000_000);
        let seconds = is_whole.then_some(us / 1_000_000).ok_or_else(|| wrong("the kernel counts whole seconds"))?;
        Ok(u32::try_from(seconds).unwrap_or(u32::MAX))
    };
    let is_new = match key {
        "keepalive" => {
            let on = match value.to_ascii_lowercase().as_str() {
                "on" | "1" => true,
                "off" | "0" => false,
                _ => return Err(wrong("say on or off")),
            };
            change.enabled.replace(on).is_none()
        }
        "idle" => change.idle_s.replace(seconds()?).is_none(),
        "interval" => change.interval_s.replace(seconds()?).is_none(),
        "probes" => {
            let probes = value.parse().map_err(|_| wrong("say a number of probes, such as 6"))?;
            change.probes.replace(probes).is_none()
        }
        _ => {
            let us = time()?;
            if !us.is_multiple_of(1_000) {
                return Err(wrong("the kernel counts whole milliseconds"));
            }
            change.user_timeout_ms.replace(u32::try_from(us / 1_000).unwrap_or(u32::MAX)).is_none()
        }
    };
    if is_new {
        return Ok(());
    }
    Err(UsageError(format!("{key} is set twice; to filter by it, write spaces: '{key} = {value}'")))
}

fn detecting(time: std::time::Duration) -> Result<KeepaliveChange, UsageError> {
    let seconds = (time.subsec_nanos() == 0).then_some(time.as_secs()).and_then(|seconds| u32::try_from(seconds).ok());
    seconds.and_then(KeepaliveChange::detecting).ok_or_else(|| {
        UsageError("--detect takes whole seconds from 2s on, as much as the kernel's limits of 32767s allow".to_owned())
    })
}

/// Exactly, in seconds where they are whole.
fn user_timeout(ms: u32) -> String {
    match ms {
        0 => "0".to_owned(),
        ms if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// An option's name, and how it is shown.
type Shown<'a> = (&'a str, &'a dyn Fn(&SocketOptions) -> String);

/// "keepalive off -> on, idle 7200s -> 60s": what is other than before.
pub(super) fn differences(before: &SocketOptions, after: &SocketOptions) -> String {
    let on_off = |on: bool| if on { "on" } else { "off" }.to_owned();
    let seconds = |seconds: u32| format!("{seconds}s");
    let all: [Shown<'_>; 5] = [
        ("keepalive", &|options| on_off(options.keepalive)),
        ("idle", &|options| seconds(options.keepidle_s)),
        ("interval", &|options| seconds(options.keepintvl_s)),
        ("probes", &|options| options.keepcnt.to_string()),
        ("user-timeout", &|options| user_timeout(options.user_timeout_ms)),
    ];
    let changed = all.iter().map(|(name, shown)| (name, shown(before), shown(after)));
    let changed: Vec<_> =
        changed.filter(|(_, old, new)| old != new).map(|(name, old, new)| format!("{name} {old} -> {new}")).collect();
    if changed.is_empty() { "had these values already".to_owned() } else { changed.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::Assignment;
    use crate::cli::args::SetArgs;
    use crate::model::change::KeepaliveChange;
    use std::time::Duration;

    fn parse(words: &[&str], detect: Option<u64>) -> Result<(KeepaliveChange, String), String> {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        let arguments = SetArgs { words, detect: detect.map(Duration::from_secs), like_sysctl: false };
        let parsed = Assignment::parse(&arguments).map_err(|error| error.to_string())?;
        Ok((parsed.0.change, parsed.1))
    }

    #[test]
    fn assignments_come_first_and_the_rest_is_the_filter() {
        let (change, filter) = parse(
            &["keepalive=on", "idle=1m", "interval=10s", "probes=6", "User_Timeout=0", "dport=:443", "idle=5s"],
            None,
        )
        .unwrap();
        let expected = KeepaliveChange {
            enabled: Some(true),
            idle_s: Some(60),
            interval_s: Some(10),
            probes: Some(6),
            user_timeout_ms: Some(0),
        };
        assert_eq!((change, filter.as_str()), (expected, "dport=:443 idle=5s"));
        assert_eq!(parse(&["keepalive=off", "keepalive", "=", "on"], None).unwrap().1, "keepalive = on");
        assert_eq!(
            parse(&["keepalive=on idle=60s dport = :443 process = \"a  b\""], None).unwrap().1,
            "dport = :443 process = \"a  b\""
        );
    }

    #[test]
    fn what_is_said_outright_goes_before_what_is_derived() {
        let (change, _) = parse(&["user-timeout=0", "probes=5"], Some(30)).unwrap();
        assert_eq!((change.user_timeout_ms, change.probes, change.idle_s), (Some(0), Some(5), Some(15)));
    }

    #[test]
    fn what_cannot_be_set_is_refused_before_anything_is_touched() {
        for (words, part) in [
            (&["idle=60"][..], "needs a unit"),
            (&["idle=1500ms"], "whole seconds"),
            (&["idle=0"], "the kernel takes 1s to 32767s"),
            (&["interval=10h"], "the kernel takes 1s to 32767s"),
            (&["probes=128"], "the kernel takes 1 to 127"),
            (&["probes=six"], "number of probes"),
            (&["keepalive=maybe"], "say on or off"),
            (&["user-timeout=30d"], "the kernel takes 0ms"),
            (&["user-timeout=5us"], "whole milliseconds"),
            (&["idle=5s", "idle=6s"], "set twice"),
            (&["dport", "=", ":443"], "nothing to set"),
        ] {
            let error = parse(words, None).unwrap_err();
            assert!(error.contains(part), "{words:?}: {error}");
        }
        assert!(parse(&[], Some(1)).unwrap_err().contains("from 2s on"));
    }
}
