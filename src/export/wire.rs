//! Wire types of everything but connection rows, written by serde (docs/json.md). The order of fields is part of the
//! contract. Connection rows are written by `json`, for speed.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde::ser::Serializer;
use serde_json::ser::{CharEscape, Formatter};

use super::SCHEMA;
use crate::fields::value::Value;
use crate::model::gap::Gap;
use crate::model::namespace::Namespace;
use crate::model::snapshot::{Head, Tail, Undecoded};
use crate::model::sysctl::SysctlValue;
use crate::text::timestamp;

/// Appends `value` as JSON.
pub(crate) fn write(out: &mut Vec<u8>, value: &impl Serialize) {
    let done = value.serialize(&mut serde_json::Serializer::with_formatter(out, JsonFormat));
    debug_assert!(done.is_ok(), "a Vec takes any bytes, and every key is text: {done:?}");
}

/// Appends `value`, an object, without its last bracket, so that more members can follow.
pub(crate) fn open(out: &mut Vec<u8>, value: &impl Serialize) {
    write(out, value);
    out.pop();
}

/// Appends the members of `value`, an object, and its last bracket.
pub(crate) fn close(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    write(out, value);
    out.remove(start);
}

/// JSON as the contract has it: times with one decimal; control characters beyond JSON's own are escaped too, so that a
/// terminal is safe from them.
struct JsonFormat;

impl Formatter for JsonFormat {
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        write!(out, "{value:.1}")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((before, control)) = rest.find(char::is_control).map(|at| rest.split_at(at)) {
            out.write_all(before.as_bytes())?;
            let mut characters = control.chars();
            if let Some(control) = characters.next() {
                write!(out, "\\u{:04x}", control as u32)?;
            }
            rest = characters.as_str();
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        out.write_all(match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::Backspace => b"\\u0008",
            CharEscape::FormFeed => b"\\u000c",
            CharEscape::AsciiControl(byte) => return write!(out, "\\u{byte:04x}"),
        })
    }
}

/// An object whose keys are data, in this order.
#[derive(Debug)]
pub(crate) struct Members<K, V>(pub Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Members<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<K, V> FromIterator<(K, V)> for Members<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

/// Appends `value` as a line of its own.
pub(crate) fn write_line(out: &mut Vec<u8>, value: &impl Serialize) {
    write(out, value);
    out.push(b'\n');
}

/// A document, or a line of NDJSON: its type, then its members.
#[derive(Debug, Serialize)]
pub(crate) struct Document<T> {
    pub r#type: &'static str,
    #[serde(flatten)]
    pub members: T,
}

/// The first line of NDJSON. It ends with the hostname, which `host` has too, in a form that can become a column.
#[derive(Debug, Serialize)]
pub(crate) struct FirstLine<'a, T> {
    r#type: &'static str,
    #[serde(flatten)]
    members: T,
    hostname: &'a str,
}

/// Any other line of NDJSON. It begins with the time and host of its snapshot.
#[derive(Debug, Serialize)]
pub(crate) struct LaterLine<'a, T> {
    r#type: &'static str,
    #[serde(flatten)]
    origin: &'a Origin,
    #[serde(flatten)]
    members: T,
}

/// The first line of a snapshot.
pub(crate) fn first_line<'a, T>(r#type: &'static str, head: &'a Head, members: T) -> FirstLine<'a, T> {
    FirstLine { r#type, members, hostname: &head.host.hostname }
}

/// A line of a snapshot other than the first.
pub(crate) fn later_line<'a, T>(r#type: &'static str, origin: &'a Origin, members: T) -> LaterLine<'a, T> {
    LaterLine { r#type, origin, members }
}

/// A cell: numbers as numbers, null for what is not known. A bounded time is its number, without the kind of bound.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Bounded { ms, .. } => ms.serialize(serializer),
            text => serializer.serialize_str(&text.plain()),
        }
    }
}

/// Two lists of members as one.
#[derive(Debug, Serialize)]
pub(crate) struct Joined<A, B> {
    #[serde(flatten)]
    pub before: A,
    #[serde(flatten)]
    pub after: B,
}

/// Time and host of a snapshot.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Origin {
    taken_at: Option<String>,
    hostname: String,
}

impl Origin {
    pub(crate) fn of(head: &Head) -> Self {
        Self { taken_at: timestamp(head.taken_at), hostname: head.host.hostname.clone() }
    }
}

/// Version, time and host.
#[derive(Debug, Serialize)]
pub(crate) struct Preamble<'a> {
    schema: u64,
    tcpulse: &'static str,
    taken_at: Option<String>,
    host: WireHost<'a>,
}

#[derive(Debug, Serialize)]
struct WireHost<'a> {
    hostname: &'a str,
    kernel: &'a str,
}

impl<'a> Preamble<'a> {
    pub(crate) fn of(head: &'a Head) -> Self {
        Self {
            schema: SCHEMA,
            tcpulse: env!("CARGO_PKG_VERSION"),
            taken_at: timestamp(head.taken_at),
            host: WireHost { hostname: &head.host.hostname, kernel: &head.host.kernel },
        }
    }
}

/// What precedes the rows: version, time, host, namespaces.
#[derive(Debug, Serialize)]
pub(crate) struct WireHead<'a> {
    #[serde(flatten)]
    preamble: Preamble<'a>,
    namespaces: Vec<WireNamespace<'a>>,
}

impl<'a> WireHead<'a> {
    pub(crate) fn of(head: &'a Head) -> Self {
        Self { preamble: Preamble::of(head), namespaces: head.namespaces.iter().map(WireNamespace::of).collect() }
    }
}

#[derive(Debug, Serialize)]
struct WireNamespace<'a> {
    netns: u64,
    name: &'a str,
    source: &'static str,
    sysctls: Members<&'static str, Option<WireSysctl<'a>>>,
    sockstat: Members<&'static str, Option<i64>>,
    counters: Members<&'static str, Members<&'a str, i64>>,
}

/// Value of a sysctl, written as its kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum WireSysctl<'a> {
    Number(i64),
    Numbers(&'a [i64]),
    Text(&'a str),
}

impl<'a> WireNamespace<'a> {
    fn of(namespace: &'a Namespace) -> Self {
        let value = |value: &'a SysctlValue| match value {
            SysctlValue::Number(number) => WireSysctl::Number(*number),
            SysctlValue::Numbers(numbers) => WireSysctl::Numbers(numbers),
            SysctlValue::Text(text) => WireSysctl::Text(text),
        };
        let counters =
            |counters: &'a [(String, i64)]| counters.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        Self {
            netns: namespace.id.0,
            name: &namespace.name,
            source: namespace.source.name(),
            sysctls: namespace.sysctls.iter().map(|(spec, known)| (spec.key, known.map(value))).collect(),
            sockstat: namespace.sockstat.iter().map(|(gauge, value)| (gauge.key, value)).collect(),
            counters: namespace
                .counters
                .groups()
                .into_iter()
                .map(|(group, values)| (group, counters(values)))
                .collect(),
        }
    }
}

/// What follows the rows of a snapshot.
#[derive(Debug, Serialize)]
pub(crate) struct WireTail<'a> {
    summary: WireSummary,
    #[serde(flatten)]
    end: WireEnd<'a>,
}

impl<'a> WireTail<'a> {
    /// `listed` of the counted rows were written.
    pub(crate) fn of(tail: &'a Tail, listed: u64) -> Self {
        let Undecoded { attributes, malformed_attributes, states, timers } = tail.summary.undecoded();
        Self {
            summary: WireSummary {
                total: tail.summary.total(),
                listed,
                by_state: tail.summary.by_state().map(|(state, count)| (state.to_string(), count)).collect(),
                by_verdict: tail.summary.by_verdict().map(|(verdict, count)| (verdict.name(), count)).collect(),
                undecoded: WireUndecoded { attributes, malformed_attributes, states, timers },
            },
            end: WireEnd::of(tail),
        }
    }
}

#[derive(Debug, Serialize)]
struct WireSummary {
    total: u64,
    listed: u64,
    by_state: Members<String, u64>,
    by_verdict: Members<&'static str, u64>,
    undecoded: WireUndecoded,
}

#[derive(Debug, Serialize)]
struct WireUndecoded {
    attributes: u64,
    malformed_attributes: u64,
    states: u64,
    timers: u64,
}

/// The last members of every document: what could not be read, and how long it took.
#[derive(Debug, Serialize)]
pub(crate) struct WireEnd<'a> {
    gaps: Vec<WireGap<'a>>,
    elapsed_ms: f64,
}

impl<'a> WireEnd<'a> {
    pub(crate) fn of(tail: &'a Tail) -> Self {
        Self { gaps: tail.gaps.iter().map(WireGap::of).collect(), elapsed_ms: tail.elapsed.as_secs_f64() * 1000.0 }
    }
}

/// Text in place of a remedy, if nothing on this host helps.
const NO_REMEDY: &str = "none: the kernel, a security module or another user namespace refuses it";

#[derive(Debug, Serialize)]
struct WireGap<'a> {
    what: &'static str,
    why: &'a str,
    count: u64,
    remedy: Cow<'static, str>,
    example: Option<&'a str>,
}

impl<'a> WireGap<'a> {
    fn of(gap: &'a Gap) -> Self {
        Self {
            what: gap.kind.name(),
            why: &gap.why,
            count: gap.count,
            remedy: gap.remedy.phrase().unwrap_or(Cow::Borrowed(NO_REMEDY)),
            example: gap.example.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Members, close, open, write};
    use proptest::prelude::{any, proptest};

    #[test]
    fn a_document_can_be_opened_and_closed_around_what_is_written_between() {
        let mut out = Vec::new();
        open(&mut out, &Members(vec![("a", 1.25)]));
        out.push(b',');
        close(&mut out, &Members(vec![("b\"", Some(2)), ("c", None)]));
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":1.2,"b\"":2,"c":null}"#);
    }

    proptest! {
        #[test]
        fn text_survives_and_no_control_character_reaches_a_terminal(text in any::<String>()) {
            let mut out = Vec::new();
            write(&mut out, &text);
            assert!(!std::str::from_utf8(&out).unwrap().contains(char::is_control));
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn text_is_escaped_as_in_connection_rows(text in any::<String>()) {
            let (mut by_serde, mut by_hand) = (Vec::new(), Vec::new());
            write(&mut by_serde, &text);
            super::super::json::Json::new(&mut by_hand).string(&text);
            assert_eq!(by_serde, by_hand);
        }
    }
}
