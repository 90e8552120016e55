//! Writes durations, addresses and names from outside for people. Pure formatting: nothing is rounded up, and nothing
//! that a terminal would obey gets through.

pub(crate) mod cut;
pub(crate) mod keepalive;
pub(crate) mod near;
pub(crate) mod quantity;
pub(crate) mod reason;
pub(crate) mod setting;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::model::liveness::Bound;
use crate::model::time::Millis;

/// Text for a value that is not known or does not apply.
pub(crate) const DASH: &str = "—";

/// A duration in its largest units, cut and never rounded: `812ms`, `4.3s`, `15m 16s`, `1h 59m 59s`, `3d 4h 5m 6s`.
pub(crate) fn duration(time: Millis) -> String {
    let mut out = Vec::with_capacity(16);
    push_duration(&mut out, time);
    // These are digits and letters, so the conversion cannot fail.
    String::from_utf8(out).unwrap_or_default()
}

/// Appends a duration to `out`.
fn push_duration(out: &mut Vec<u8>, time: Millis) {
    for (number, unit) in duration_parts(time).iter().filter(|(_, unit)| !unit.is_empty()) {
        out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        out.extend_from_slice(unit.as_bytes());
    }
}

/// Display width of a duration, in cells.
pub(crate) fn duration_width(time: Millis) -> usize {
    let used = |(number, unit): &(u64, &str)| if unit.is_empty() { 0 } else { digits(*number) + unit.len() };
    duration_parts(time).iter().map(used).sum()
}

/// Numbers, each with the text after it; that text is empty if the number is not needed.
fn duration_parts(time: Millis) -> [(u64, &'static str); 4] {
    let ms = time.get();
    let (seconds, minutes, hours) = (ms / 1000, ms / 60_000, ms / 3_600_000);
    let none = (0, "");
    match ms {
        0..1_000 => [(ms, "ms"), none, none, none],
        // Tenths as an integer: a float would round 59.99 up to 60.0.
        1_000..60_000 => [(seconds, "."), (ms % 1000 / 100, "s"), none, none],
        60_000..3_600_000 => [(minutes, "m "), (seconds % 60, "s"), none, none],
        3_600_000..86_400_000 => [(hours, "h "), (minutes % 60, "m "), (seconds % 60, "s"), none],
        _ => [(hours / 24, "d "), (hours % 24, "h "), (minutes % 60, "m "), (seconds % 60, "s")],
    }
}

/// Number of digits of a number.
pub(crate) fn digits(number: u64) -> usize {
    match number {
        0..10 => 1,
        10..100 => 2,
        100..1_000 => 3,
        1_000..10_000 => 4,
        _ => number.ilog10() as usize + 1,
    }
}

/// A short time: `812us`, `12.3ms`, from 1 s on as [`duration`].
pub(crate) fn micros(us: u64) -> String {
    match us {
        0..1_000 => format!("{us}us"),
        1_000..1_000_000 => format!("{}.{}ms", us / 1000, us % 1000 / 100),
        _ => duration(Millis::new(us / 1000)),
    }
}

/// A time in UTC after RFC 3339, to the millisecond: `2026-11-20T12:00:00.123Z`; `None` beyond the year 9999.
pub(crate) fn timestamp(time: SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(|time| format!("{time:.3}"))
}

/// A time with its bound: `40.0s`, `≤40.0s`, `≥40.0s`, `never`; empty if there is none.
pub(crate) fn bounded(time: Option<Millis>, bound: Bound) -> Cow<'static, str> {
    match (time, bound) {
        (_, Bound::Never) => Cow::Borrowed("never"),
        (None, _) | (_, Bound::NotApplicable) => Cow::Borrowed(""),
        (Some(time), Bound::Exact) => Cow::Owned(duration(time)),
        (Some(time), Bound::AtMost) => Cow::Owned(format!("≤{}", duration(time))),
        (Some(time), Bound::AtLeast) => Cow::Owned(format!("≥{}", duration(time))),
    }
}

/// A number with its noun: `1 socket`, `3 sockets`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A share, as a bar of `cells` cells and in percent: `███▌     43%`. A share above the whole fills the bar.
pub(crate) fn bar(part: u64, whole: u64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = usize::try_from(part.min(whole) * 8 * cells as u64 / whole.max(1)).unwrap_or(0);
    // A share above 0 is always visible.
    let eighths = if part > 0 { eighths.max(1) } else { 0 };
    let partial = EIGHTHS[eighths % 8];
    let filled = "█".repeat(eighths / 8) + partial;
    let empty = cells - eighths / 8 - usize::from(!partial.is_empty());
    format!("{filled}{} {:>4}", " ".repeat(empty), percent(part, whole))
}

/// A share in percent, cut and never rounded up to 100.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    format!("{}%", u128::from(part) * 100 / u128::from(whole.max(1)))
}

/// A rate in bytes per second: `812 B/s`, `1.2 kB/s`, `34.5 MB/s`; cut and never rounded.
pub(crate) fn rate(bytes_per_s: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB/s"), (1_000_000_000, "GB/s"), (1_000_000, "MB/s"), (1_000, "kB/s")];
    match UNITS.iter().find(|(least, _)| bytes_per_s >= *least) {
        Some((unit, name)) => format!("{}.{} {name}", bytes_per_s / unit, bytes_per_s % unit / (unit / 10)),
        None => format!("{bytes_per_s} B/s"),
    }
}

/// Numbers per holder, the largest first: "2 of nginx, 1 of curl, the rest of 3 others".
pub(crate) fn shares<'a>(holders: impl IntoIterator<Item = &'a str>, most_names: usize) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    holders.into_iter().for_each(|holder| *counts.entry(holder).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named = counts.iter().take(most_names).map(|(holder, count)| format!("{count} of {holder}"));
    let more = counts.len().saturating_sub(most_names);
    let rest = (more > 0).then(|| format!("the rest of {more} others"));
    named.chain(rest).collect::<Vec<_>>().join(", ")
}

/// An address with port, and the device that a link-local or bound address belongs to, as ss writes it:
/// `10.0.0.5:443`, `[::1]:443`, `[fe80::1%eth0]:443`. An IPv4-mapped address is written as its IPv4 address.
pub(crate) fn endpoint(addr: IpAddr, device: Option<&str>, port: u16) -> String {
    let mut text = String::with_capacity(24);
    let addr = addr.to_canonical();
    if addr.is_ipv6() {
        text.push('[');
    }
    // Writing to a String cannot fail.
    let _ = write!(text, "{addr}");
    if let Some(device) = device {
        let _ = write!(text, "%{}", printable(device));
    }
    if addr.is_ipv6() {
        text.push(']');
    }
    match port {
        0 => text.push_str(":*"),
        port => {
            let _ = write!(text, ":{port}");
        }
    }
    text
}

/// Escapes what a terminal would obey or hide: control characters, changes of writing direction, characters without
/// width. They become `\n`, `\x1b`, `\u{202e}` and the like.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) || !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            harmful if is_harmful(harmful) && (harmful as u32) < 0x100 => {
                let _ = write!(safe, "\\x{:02x}", harmful as u32);
            }
            harmful if is_harmful(harmful) => {
                let _ = write!(safe, "\\u{{{:x}}}", harmful as u32);
            }
            harmless => safe.push(harmless),
        }
    }
    Cow::Owned(safe)
}

/// Whether a character is a control character, or one that Unicode calls default-ignorable or bidirectional control.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{duration, endpoint, micros, printable};
    use crate::model::time::Millis;

    #[test]
    fn durations_are_cut_not_rounded() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (9_328, "9.3s"),
            (59_999, "59.9s"),
            (72_000, "1m 12s"),
            (3_599_999, "59m 59s"),
            (3_600_000, "1h 0m 0s"),
            (7_199_999, "1h 59m 59s"),
            (7_875_000, "2h 11m 15s"),
            (86_399_999, "23h 59m 59s"),
            (86_400_000, "1d 0h 0m 0s"),
            (273_906_000, "3d 4h 5m 6s"),
        ] {
            assert_eq!(duration(Millis::new(ms)), text);
        }
        assert_eq!([micros(812), micros(12_345), micros(1_500_000)], ["812us", "12.3ms", "1.5s"]);
    }

    #[test]
    fn endpoints_are_written_as_ss_writes_them() {
        let addr = |text: &str| text.parse().unwrap();
        assert_eq!(endpoint(addr("10.0.0.5"), None, 443), "10.0.0.5:443");
        assert_eq!(endpoint(addr("::1"), None, 443), "[::1]:443");
        assert_eq!(endpoint(addr("fe80::1"), Some("eth0"), 443), "[fe80::1%eth0]:443");
        assert_eq!(endpoint(addr("::ffff:10.0.0.5"), None, 443), "10.0.0.5:443");
        assert_eq!(endpoint(addr("0.0.0.0"), None, 0), "0.0.0.0:*");
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_gets_through() {
        assert_eq!(printable("nginx: worker"), "nginx: worker");
        assert_eq!(printable("a\x1b[31mb\nc\u{9b}d"), "a\\x1b[31mb\\nc\\x9bd");
        assert_eq!(printable("evil\u{202e}txt\u{200b}"), "evil\\u{202e}txt\\u{200b}");
        assert_eq!(printable("naïve 日本 \u{fffd}"), "naïve 日本 \u{fffd}");
    }
}
