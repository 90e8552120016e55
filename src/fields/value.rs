//! A cell before it is written: typed, so that it sorts by its type and each format writes it in its own way.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

use crate::model::holder::HolderKind;
use crate::model::liveness::{Bound, Verdict};
use crate::model::state::TcpState;
use crate::model::time::Millis;
use crate::text;

/// Value of a column for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Not known, or does not apply
    Absent,
    /// A number in the column's unit
    Number(u64),
    /// A time of which only a bound may be known, or which never comes
    Bounded {
        /// Milliseconds; `None` for never and not applicable
        ms: Option<u64>,
        /// Meaning of the number
        bound: Bound,
    },
    /// State of a socket
    State(TcpState),
    /// Verdict on a socket
    Verdict(Verdict),
    /// Another word of this program, or a number that is not in decimal digits
    Word(Cow<'static, str>),
    /// Kind of holder in the place of a process, if no process holds the socket
    Holder(HolderKind),
    /// Text from outside, which is escaped before it is written
    Name(Cow<'a, str>),
    /// A date with time of day
    Time(SystemTime),
    /// An address
    Addr(IpAddr),
    /// An address with port and device
    Endpoint {
        /// Address
        addr: IpAddr,
        /// Device that it is bound to
        device: Option<&'a str>,
        /// Port, 0 for none
        port: u16,
    },
}

/// Unit of a column's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A count, a plain number, or no number at all
    None,
    /// Bytes
    Bytes,
    /// Bytes per second
    BytesPerSecond,
    /// Milliseconds
    Millis,
    /// Microseconds
    Micros,
    /// Seconds, the unit of options and sysctls
    Seconds,
    /// Tenths per second
    Tenths,
}

impl Unit {
    /// Suffix of a key with this unit.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Bytes => "_bytes",
            Self::BytesPerSecond => "_bytes_per_s",
            Self::Millis => "_ms",
            Self::Micros => "_us",
            Self::Seconds => "_s",
            Self::Tenths => "_tenths_per_s",
        }
    }

    /// Key of a column: its name, with the unit unless the name contains it (`bytes-acked`).
    pub fn key_of(self, name: &str) -> String {
        let is_said = self == Self::Bytes && name.split('-').any(|part| part == "bytes");
        name.replace('-', "_") + if is_said { "" } else { self.suffix() }
    }

    /// A key without its unit, and the unit.
    pub fn split(key: &str) -> (&str, Self) {
        [Self::BytesPerSecond, Self::Bytes, Self::Millis, Self::Micros]
            .into_iter()
            .find_map(|unit| Some((key.strip_suffix(unit.suffix())?, unit)))
            .unwrap_or((key, Self::None))
    }
}

impl<'a> Value<'a> {
    /// A number, or absent.
    pub fn number(number: Option<impl Into<u64>>) -> Self {
        number.map_or(Self::Absent, |number| Self::Number(number.into()))
    }

    /// Text from outside, or absent.
    pub fn name(name: Option<&'a str>) -> Self {
        name.map_or(Self::Absent, |name| Self::Name(Cow::Borrowed(name)))
    }

    /// A word of this program.
    pub fn word(word: &'static str) -> Self {
        Self::Word(Cow::Borrowed(word))
    }

    /// Its text, if it is one; not escaped yet.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::State(state) => Some(state.word()),
            Self::Verdict(verdict) => Some(Cow::Borrowed(verdict.name())),
            Self::Word(word) => Some(Cow::Borrowed(word)),
            Self::Name(name) => Some(Cow::Borrowed(name)),
            _ => None,
        }
    }

    /// Text for people: durations with units, a dash if absent, escaped.
    pub fn for_people(&self, unit: Unit) -> Cow<'_, str> {
        match self {
            Self::Absent => Cow::Borrowed(text::DASH),
            Self::Number(number) => Cow::Owned(match unit {
                Unit::Millis => text::duration(Millis::new(*number)),
                Unit::Micros => text::micros(*number),
                Unit::Seconds => format!("{number}s"),
                Unit::Tenths => format!("{}.{}", number / 10, number % 10),
                Unit::BytesPerSecond => text::rate(*number),
                Unit::None | Unit::Bytes => number.to_string(),
            }),
            Self::Bounded { ms, bound } => match (text::bounded(ms.map(Millis::new), *bound), bound) {
                (_, Bound::NotApplicable) => Cow::Borrowed(text::DASH),
                (text, _) => text,
            },
            _ => self.plain(),
        }
    }

    /// Text for machines: bare numbers, empty if absent, escaped.
    pub fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Number(number) | Self::Bounded { ms: Some(number), .. } => Cow::Owned(number.to_string()),
            Self::Bounded { ms: None, bound: Bound::Never } => Cow::Borrowed("never"),
            Self::Absent | Self::Bounded { ms: None, .. } => Cow::Borrowed(""),
            Self::State(state) => state.word(),
            Self::Verdict(verdict) => Cow::Borrowed(verdict.name()),
            Self::Word(word) => Cow::Borrowed(word),
            Self::Holder(holder) => Cow::Owned(holder.enclosed()),
            Self::Name(name) => text::printable(name),
            Self::Time(time) => Cow::Owned(text::timestamp(*time).unwrap_or_default()),
            Self::Addr(addr) => Cow::Owned(addr.to_canonical().to_string()),
            Self::Endpoint { addr, device, port } => Cow::Owned(text::endpoint(*addr, *device, *port)),
        }
    }

    /// Key that rows are sorted by.
    pub fn sort_key(&self) -> SortKey {
        match self {
            Self::Number(number) | Self::Bounded { ms: Some(number), .. } => SortKey::Number(*number),
            // Never is later than any time.
            Self::Bounded { ms: None, bound: Bound::Never } => SortKey::Number(u64::MAX),
            Self::Absent | Self::Bounded { ms: None, .. } => SortKey::Absent,
            Self::State(state) => SortKey::Text(state.word().into_owned()),
            Self::Verdict(verdict) => SortKey::Text(verdict.name().to_owned()),
            Self::Word(word) => SortKey::Text(word.to_string()),
            Self::Holder(holder) => SortKey::Text(holder.enclosed()),
            Self::Name(name) => SortKey::Text(name.to_string()),
            Self::Time(time) => text::timestamp(*time).map_or(SortKey::Absent, SortKey::Text),
            Self::Addr(addr) => SortKey::Addr(addr.to_canonical(), 0),
            Self::Endpoint { addr, port, .. } => SortKey::Addr(addr.to_canonical(), *port),
        }
    }
}

/// A value that can be kept and compared. IPv4 comes before IPv6, numbers are compared as numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// A number
    Number(u64),
    /// Text
    Text(String),
    /// Address, then port
    Addr(IpAddr, u16),
    /// No value: always last, in either direction
    Absent,
}

impl SortKey {
    /// Orders two keys for output.
    pub fn compare(&self, other: &Self, descending: bool) -> std::cmp::Ordering {
        let order = self.cmp(other);
        if descending && *self != Self::Absent && *other != Self::Absent { order.reverse() } else { order }
    }
}

#[cfg(test)]
mod tests {
    use super::{SortKey, Unit, Value};

    #[test]
    fn the_absent_are_last_in_either_direction() {
        for descending in [false, true] {
            let mut keys = [SortKey::Absent, SortKey::Number(9), SortKey::Number(10)];
            keys.sort_by(|a, b| a.compare(b, descending));
            assert_eq!(keys[2], SortKey::Absent);
            assert_eq!(keys[0], SortKey::Number(if descending { 10 } else { 9 }));
        }
    }

    #[test]
    fn units_are_taken_from_keys() {
        assert_eq!(Unit::split("rtt_us"), ("rtt", Unit::Micros));
        assert_eq!(Unit::split("pacing_rate_bytes_per_s"), ("pacing_rate", Unit::BytesPerSecond));
        assert_eq!(Unit::split("snd_cwnd"), ("snd_cwnd", Unit::None));
    }

    #[test]
    fn absent_is_a_dash_for_people_and_empty_for_machines() {
        assert_eq!((Value::Absent.for_people(Unit::None), Value::Absent.plain()), ("—".into(), "".into()));
        assert_eq!(Value::Number(72_000).for_people(Unit::Millis), "1m 12s");
        assert_eq!(Value::Number(72_000).plain(), "72000");
    }
}
