//! Values of cells as bytes. A hundred thousand rows are kept while the next hundred thousand come, so a row takes some
//! fifty bytes. Unpacking yields the packed value, except that words of this program come out as text.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustc_hash::FxHashMap;
use unicode_width::UnicodeWidthStr;

use crate::fields::value::{Unit, Value};
use crate::model::holder::HolderKind;
use crate::model::liveness::Bound;
use crate::model::time::Millis;
use crate::text::{self, digits, duration_width};

/// Maximum number of texts in the dictionary: a column of sentences has a new text in each row.
const MOST_TEXTS: usize = 4096;

/// Size of the cache of texts that are found without a hash lookup.
const RECENT: usize = 64;

const ABSENT: u8 = 0;
const NUMBER: u8 = 1;
const NEVER: u8 = 2;
const NOT_APPLICABLE: u8 = 3;
const EXACT: u8 = 4;
const AT_MOST: u8 = 5;
const AT_LEAST: u8 = 6;
/// The number of a text in the dictionary follows
const KNOWN_TEXT: u8 = 7;
const TEXT: u8 = 8;
const ADDR_V4: u8 = 9;
const ADDR_V6: u8 = 10;
const END_V4: u8 = 11;
const END_V6: u8 = 12;
const HOLDER: u8 = 13;
/// Flag: the device follows, as a text
const WITH_DEVICE: u8 = 16;

/// Texts shared by many rows.
#[derive(Debug, Clone)]
pub(crate) struct Dictionary {
    /// Each text with its display width
    texts: Vec<(Box<str>, usize)>,
    numbers: FxHashMap<Box<str>, u32>,
    /// The last text for each hash of a text's end: few texts stand in most rows, and need no lookup
    recent: [u32; RECENT],
}

impl Default for Dictionary {
    fn default() -> Self {
        Self { texts: Vec::new(), numbers: FxHashMap::default(), recent: [u32::MAX; RECENT] }
    }
}

impl Dictionary {
    /// The number of a text, which is added if it is new; `None` if the dictionary is full.
    pub(crate) fn number(&mut self, text: &str) -> Option<u32> {
        let place = end_of(text) % RECENT;
        let recent = self.recent[place];
        if self.texts.get(recent as usize).is_some_and(|(known, _)| **known == *text) {
            return Some(recent);
        }
        let number = self.look_up(text)?;
        self.recent[place] = number;
        Some(number)
    }

    fn look_up(&mut self, text: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        let number = u32::try_from(self.texts.len()).ok().filter(|_| self.texts.len() < MOST_TEXTS)?;
        self.texts.push((text.into(), text::printable(text).width()));
        self.numbers.insert(text.into(), number);
        Some(number)
    }

    /// The text with this number.
    pub(crate) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |(text, _)| text)
    }

    /// Display width of the text with this number, in cells.
    pub(crate) fn width(&self, number: u32) -> usize {
        self.texts.get(number as usize).map_or(0, |(_, width)| *width)
    }
}

/// Hash of the end of a text: labels of processes differ in their process ids.
fn end_of(text: &str) -> usize {
    let end = text.as_bytes().last_chunk().map_or(text.len() as u64, |end| u64::from(u32::from_ne_bytes(*end)));
    (end.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

/// Appends a text of the dictionary to `out`.
pub(crate) fn pack_known(number: u32, out: &mut Vec<u8>) {
    tagged(KNOWN_TEXT, number.into(), out);
}

/// Appends a value to `out`.
pub(crate) fn pack(value: &Value<'_>, dictionary: &mut Dictionary, out: &mut Vec<u8>) {
    match value {
        Value::Absent => out.push(ABSENT),
        Value::Number(number) => tagged(NUMBER, *number, out),
        Value::Bounded { ms: Some(ms), bound } => tagged(
            match bound {
                Bound::AtMost => AT_MOST,
                Bound::AtLeast => AT_LEAST,
                Bound::Exact | Bound::Never | Bound::NotApplicable => EXACT,
            },
            *ms,
            out,
        ),
        Value::Bounded { ms: None, bound: Bound::Never } => out.push(NEVER),
        Value::Bounded { ms: None, .. } => out.push(NOT_APPLICABLE),
        Value::Holder(kind) => out.extend([HOLDER, *kind as u8]),
        Value::State(state) => pack_text(&state.word(), dictionary, out),
        Value::Verdict(verdict) => pack_text(verdict.name(), dictionary, out),
        Value::Word(word) => pack_text(word, dictionary, out),
        Value::Name(name) => pack_text(name, dictionary, out),
        Value::Time(_) => pack_text(&value.plain(), dictionary, out),
        Value::Addr(addr) => pack_addr(*addr, ADDR_V4, ADDR_V6, out),
        Value::Endpoint { addr, device, port } => {
            let first = out.len();
            pack_addr(*addr, END_V4, END_V6, out);
            out.extend(port.to_ne_bytes());
            if let Some(device) = device {
                out[first] |= WITH_DEVICE;
                pack_text(device, dictionary, out);
            }
        }
    }
}

fn tagged(tag: u8, mut number: u64, out: &mut Vec<u8>) {
    out.push(tag);
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn pack_text(text: &str, dictionary: &mut Dictionary, out: &mut Vec<u8>) {
    if let Some(number) = dictionary.number(text) {
        return tagged(KNOWN_TEXT, number.into(), out);
    }
    tagged(TEXT, text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn pack_addr(addr: IpAddr, v4: u8, v6: u8, out: &mut Vec<u8>) {
    match addr {
        IpAddr::V4(addr) => {
            out.push(v4);
            out.extend(addr.octets());
        }
        IpAddr::V6(addr) => {
            out.push(v6);
            out.extend(addr.octets());
        }
    }
}

/// Takes the next value off the front of `bytes`; absent if there is none.
pub(crate) fn unpack<'a>(bytes: &mut &'a [u8], dictionary: &'a Dictionary) -> Value<'a> {
    let Some(tag) = take::<1>(bytes) else { return Value::Absent };
    let bounded = |ms, bound| Value::Bounded { ms: Some(ms), bound };
    match tag[0] {
        NUMBER => Value::Number(number(bytes)),
        NEVER => Value::Bounded { ms: None, bound: Bound::Never },
        NOT_APPLICABLE => Value::Bounded { ms: None, bound: Bound::NotApplicable },
        EXACT => bounded(number(bytes), Bound::Exact),
        AT_MOST => bounded(number(bytes), Bound::AtMost),
        AT_LEAST => bounded(number(bytes), Bound::AtLeast),
        tag @ (KNOWN_TEXT | TEXT) => Value::Name(Cow::Borrowed(text_of(tag, bytes, dictionary))),
        HOLDER => holder(bytes),
        tag @ (ADDR_V4 | ADDR_V6) => Value::Addr(addr(tag == ADDR_V6, bytes)),
        tag if matches!(tag & !WITH_DEVICE, END_V4 | END_V6) => {
            let addr = addr(tag & !WITH_DEVICE == END_V6, bytes);
            let port = u16::from_ne_bytes(take(bytes).unwrap_or_default());
            let device = (tag & WITH_DEVICE != 0).then(|| {
                let tag = take::<1>(bytes).unwrap_or_default();
                text_of(tag[0], bytes, dictionary)
            });
            Value::Endpoint { addr, device, port }
        }
        _ => Value::Absent,
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

fn number(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let Some([byte]) = take::<1>(bytes) else { break };
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}

fn text_of<'a>(tag: u8, bytes: &mut &'a [u8], dictionary: &'a Dictionary) -> &'a str {
    let number = number(bytes);
    if tag == KNOWN_TEXT {
        return dictionary.text(number as u32);
    }
    let (text, rest) = bytes.split_at((number as usize).min(bytes.len()));
    *bytes = rest;
    std::str::from_utf8(text).unwrap_or_default()
}

fn holder(bytes: &mut &[u8]) -> Value<'static> {
    let [number] = take::<1>(bytes).unwrap_or_default();
    let kind = HolderKind::ALL.into_iter().find(|kind| *kind as u8 == number);
    kind.map_or(Value::Absent, Value::Holder)
}

fn addr(is_v6: bool, bytes: &mut &[u8]) -> IpAddr {
    if is_v6 {
        Ipv6Addr::from(take::<16>(bytes).unwrap_or_default()).into()
    } else {
        Ipv4Addr::from(take::<4>(bytes).unwrap_or_default()).into()
    }
}

/// Display width of a value, in cells. Values that stand in every row are measured without being formatted.
pub(crate) fn width(value: &Value<'_>, unit: Unit) -> usize {
    match (value, unit) {
        (Value::Absent, _) => 1,
        (Value::Number(number), Unit::None | Unit::Bytes) => digits(*number),
        (Value::Number(ms), Unit::Millis) | (Value::Bounded { ms: Some(ms), bound: Bound::Exact }, _) => {
            duration_width(Millis::new(*ms))
        }
        (Value::Bounded { ms: Some(ms), bound: Bound::AtMost | Bound::AtLeast }, _) => {
            1 + duration_width(Millis::new(*ms))
        }
        (Value::Endpoint { addr: IpAddr::V4(addr), device: None, port: port @ 1.. }, _) => {
            let octets: usize = addr.octets().into_iter().map(|octet| digits(octet.into())).sum();
            octets + 3 + 1 + digits((*port).into())
        }
        _ => value.for_people(unit).width(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Dictionary, MOST_TEXTS, pack, unpack, width};
    use crate::fields::value::{Unit, Value};
    use crate::model::holder::HolderKind;
    use crate::model::liveness::Bound;
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
    use std::borrow::Cow;
    use std::net::IpAddr;
    use unicode_width::UnicodeWidthStr;

    fn value() -> impl Strategy<Value = Value<'static>> {
        let bound = prop_oneof![Just(Bound::Exact), Just(Bound::AtMost), Just(Bound::AtLeast)];
        prop_oneof![
            Just(Value::Absent),
            Just(Value::Bounded { ms: None, bound: Bound::Never }),
            Just(Value::Bounded { ms: None, bound: Bound::NotApplicable }),
            any::<u64>().prop_map(Value::Number),
            (any::<u64>(), bound).prop_map(|(ms, bound)| Value::Bounded { ms: Some(ms), bound }),
            ".*".prop_map(|text: String| Value::Name(Cow::Owned(text))),
            proptest::sample::select(HolderKind::ALL.to_vec()).prop_map(Value::Holder),
            any::<IpAddr>().prop_map(Value::Addr),
            (any::<IpAddr>(), prop_oneof![Just(None), Just(Some("eth0"))], any::<u16>())
                .prop_map(|(addr, device, port)| Value::Endpoint { addr, device, port }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_as_it_was(values in proptest::collection::vec(value(), 0..20)) {
            let (mut dictionary, mut bytes) = (Dictionary::default(), Vec::new());
            values.iter().for_each(|value| pack(value, &mut dictionary, &mut bytes));
            let mut rest = &bytes[..];
            for value in &values {
                assert_eq!(&unpack(&mut rest, &dictionary), value);
            }
            assert_eq!(unpack(&mut rest, &dictionary), Value::Absent);
        }

        #[test]
        fn the_width_is_that_of_the_text(value in value(), millis in any::<bool>()) {
            let unit = if millis { Unit::Millis } else { Unit::None };
            assert_eq!(width(&value, unit), value.for_people(unit).width(), "{value:?}");
        }
    }

    #[test]
    fn texts_beyond_the_dictionary_are_kept_all_the_same() {
        let (mut dictionary, mut bytes) = (Dictionary::default(), Vec::new());
        for number in 0..MOST_TEXTS + 2 {
            pack(&Value::Name(number.to_string().into()), &mut dictionary, &mut bytes);
        }
        let mut rest = &bytes[..];
        for number in 0..MOST_TEXTS + 2 {
            assert_eq!(unpack(&mut rest, &dictionary).plain(), number.to_string());
        }
    }
}
