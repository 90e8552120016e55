//! Parses the assignments (`keepalive=on idle=60s …`) that precede the filter of `set`.

use super::args::SetArgs;
use super::asked::joined;
use super::usage::UsageError;
use crate::act::assignment::Assignment;
use crate::fields::column::folded;
use crate::fields::table::column_called;
use crate::filter::is_keyword;
use crate::model::change::KeepaliveChange;
use crate::text::keepalive;
use crate::text::near::nearest;
use crate::text::setting::{Setting, detecting};

/// Splits the leading assignments from the words, whether in one argument or many; the remainder is the filter.
pub(super) fn parse(arguments: &SetArgs) -> Result<(Assignment, String), UsageError> {
    refuse_slips(&arguments.words)?;
    let mut change = KeepaliveChange::default();
    let text = joined(&arguments.words);
    let mut filter = text.trim_start();
    loop {
        let (word, rest) = filter.split_once(char::is_whitespace).unwrap_or((filter, ""));
        let Some((setting, value)) = assignment(word) else { break };
        assign_once(&mut change, setting, value)?;
        filter = rest.trim_start();
    }
    if let Some(time) = arguments.detect {
        if change.enabled == Some(false) {
            let help = "--detect turns keepalive on; to filter by it, write spaces: 'keepalive = off'";
            return Err(UsageError(help.to_owned()));
        }
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        change = change.or(detecting(us).map_err(|wrong| UsageError(format!("--detect {wrong}")))?);
    }
    change.check().map_err(|wrong| UsageError(wrong.to_string()))?;
    let assignment = Assignment { change, like_sysctl: arguments.like_sysctl };
    if change.is_empty() && !arguments.like_sysctl {
        let keys: Vec<_> =
            Setting::ALL.iter().map(|setting| format!("{}={}", setting.name(), setting.takes())).collect();
        return Err(UsageError(format!(
            "nothing to set; give one or more of: {} (without spaces), --detect TIME, --like-sysctl; then which sockets",
            keys.join(", ")
        )));
    }
    Ok((assignment, filter.to_owned()))
}

/// Description of an assignment: "keepalive on, idle 60s".
pub(super) fn in_words(assignment: &Assignment) -> String {
    let change = keepalive::change(&assignment.change);
    let sysctls = if assignment.like_sysctl { "the values of tcp_keepalive_*" } else { "" };
    let between = if change.is_empty() || sysctls.is_empty() { "" } else { ", " };
    format!("{change}{between}{sysctls}")
}

/// Parses a word `key=value` with a known key. A comparison of a filter has spaces around its operator, or another
/// field.
fn assignment(word: &str) -> Option<(Setting, &str)> {
    let (key, value) = word.split_once('=')?;
    let is_value = !value.is_empty() && !value.starts_with(['=', '~']);
    Setting::called(&folded(key)).filter(|_| is_value).map(|setting| (setting, value))
}

/// Synonyms of the keys, for hints.
const OTHER_KEYS: &[(&str, &[&str])] = &[
    ("keepalive", &["ka", "so-keepalive"]),
    ("idle", &["time", "keepalive-time", "tcp-keepidle"]),
    ("interval", &["intvl", "keepalive-intvl", "tcp-keepintvl"]),
    ("probes", &["count", "cnt", "keepalive-probes", "tcp-keepcnt"]),
    ("user-timeout", &["timeout", "tcp-user-timeout"]),
];

/// Refuses words such as `idel=60s`: almost an assignment, and not a comparison with a field.
fn refuse_slips(arguments: &[String]) -> Result<(), UsageError> {
    let alone = arguments.iter().filter(|argument| !argument.contains(char::is_whitespace));
    let leading =
        arguments.iter().flat_map(|argument| argument.split_whitespace().take_while(|word| word.contains('=')));
    for word in leading.chain(alone.map(String::as_str)) {
        let Some((key, value)) = word.split_once('=') else { continue };
        let folded = folded(key);
        let is_known = Setting::called(&folded).is_some() || column_called(key).is_some() || is_keyword(key);
        if is_known || key.ends_with(['!', '<', '>']) || value.starts_with(['=', '~']) {
            continue;
        }
        let other = OTHER_KEYS.iter().find(|(_, others)| others.contains(&folded.as_str())).map(|(known, _)| *known);
        if let Some(near) = other.or_else(|| nearest(key, Setting::ALL.map(Setting::name))) {
            return Err(UsageError(format!("unknown key '{key}'; did you mean '{near}'?")));
        }
    }
    Ok(())
}

fn assign_once(change: &mut KeepaliveChange, setting: Setting, value: &str) -> Result<(), UsageError> {
    let key = setting.name();
    match setting.assign(change, value) {
        Ok(true) => Ok(()),
        Ok(false) => Err(UsageError(format!("{key} is set twice; to filter by it, write spaces: '{key} = {value}'"))),
        Err(wrong) => Err(UsageError(format!("{key}={value}: {wrong}"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::args::SetArgs;
    use crate::model::change::KeepaliveChange;
    use std::time::Duration;

    fn parse(words: &[&str], detect: Option<u64>) -> Result<(KeepaliveChange, String), String> {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        let arguments = SetArgs { words, detect: detect.map(Duration::from_secs), like_sysctl: false };
        let parsed = super::parse(&arguments).map_err(|error| error.to_string())?;
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
    fn given_values_go_before_derived_ones() {
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
            (&["keepalive=maybe"], "type on or off"),
            (&["user-timeout=30d"], "the kernel takes 0ms"),
            (&["user-timeout=5us"], "whole milliseconds"),
            (&["idle=5s", "idle=6s"], "set twice"),
            (&["dport", "=", ":443"], "nothing to set"),
            (&["idel=60s"], "unknown key 'idel'; did you mean 'idle'?"),
            (&["keepalive=on", "idel=60s", "dport=:443"], "did you mean 'idle'?"),
            (&["dport=:443", "idel=60s"], "did you mean 'idle'?"),
            (&["keepalive=on idel=60s dport = :443"], "did you mean 'idle'?"),
            (&["KeepAlve=on", "dport=:443"], "unknown key 'KeepAlve'; did you mean 'keepalive'?"),
            (&["user_timout=5s"], "did you mean 'user-timeout'?"),
            (&["timeout=30s", "dport=:443"], "did you mean 'user-timeout'?"),
            (&["idel="], "did you mean 'idle'?"),
            (&["foo=1"], "nothing to set"),
        ] {
            let error = parse(words, None).unwrap_err();
            assert!(error.contains(part), "{words:?}: {error}");
        }
        assert!(parse(&[], Some(1)).unwrap_err().contains("from 2s on"));
    }
}
