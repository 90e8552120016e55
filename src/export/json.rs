//! A JSON writer for connection rows, which appends to a byte buffer. All else is written by serde (`wire`).
//!
//! serde_json takes about 1.8 ns per byte on this project's machine (69 ms for 39 MB). A connection with all of
//! tcp_info is 2 KB, so 100,000 of them would cost 350 ms, but the whole snapshot may cost 220 ms. This writer is
//! faster because the keys, most of the bytes, are literals, which are copied and not escaped.

use std::net::IpAddr;

/// A key with its quotes and its colon, padded to a length that is copied without a call: keys are most of the bytes of
/// a row, and most of the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonKey {
    padded: [u8; Self::MOST],
    len: u8,
}

impl JsonKey {
    const MOST: usize = 40;

    /// The key with this name, which must be short and need no escaping; `key!` checks literals at compile time.
    pub(crate) const fn new(name: &str) -> Self {
        let name = name.as_bytes();
        let mut padded = [0; Self::MOST];
        padded[0] = b'"';
        let mut index = 0;
        while index < name.len() {
            padded[index + 1] = name[index];
            index += 1;
        }
        padded[index + 1] = b'"';
        padded[index + 2] = b':';
        Self { padded, len: name.len() as u8 + 3 }
    }
}

/// Makes a [`JsonKey`] of a literal.
macro_rules! key {
    ($name:literal) => {
        const { $crate::export::json::JsonKey::new($name) }
    };
}
pub(crate) use key;

/// Appends values to a buffer, with commas between them. The caller balances the brackets.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    out: &'a mut Vec<u8>,
    comma: bool,
}

impl<'a> Json<'a> {
    /// A writer at the end of `out`, whose next value is the first one there.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, comma: false }
    }

    /// A writer at the end of `out`, after a value or a member of the same list.
    pub(crate) fn after(out: &'a mut Vec<u8>) -> Self {
        Self { out, comma: true }
    }

    /// Opens an object.
    pub(crate) fn object(&mut self) {
        self.separate();
        self.out.push(b'{');
    }

    /// Closes an object.
    pub(crate) fn end_object(&mut self) {
        self.out.push(b'}');
        self.comma = true;
    }

    /// Opens an array.
    pub(crate) fn array(&mut self) {
        self.separate();
        self.out.push(b'[');
    }

    /// Closes an array.
    pub(crate) fn end_array(&mut self) {
        self.out.push(b']');
        self.comma = true;
    }

    /// Writes the key of the next value.
    pub(crate) fn key(&mut self, key: JsonKey) -> &mut Self {
        self.separate();
        let end = self.out.len() + usize::from(key.len);
        self.out.extend_from_slice(&key.padded);
        self.out.truncate(end);
        self
    }

    /// `null`
    pub(crate) fn null(&mut self) {
        self.raw(b"null");
    }

    /// A number.
    pub(crate) fn number(&mut self, number: impl itoa::Integer) {
        self.separate();
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self.comma = true;
    }

    /// A number that is often small: a single digit is written as one byte.
    pub(crate) fn small(&mut self, number: u64) {
        self.separate();
        match number {
            0..10 => self.out.push(b'0' + number as u8),
            _ => self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        }
        self.comma = true;
    }

    /// A word of this program, which needs no escaping.
    pub(crate) fn word(&mut self, word: &'static str) {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'"');
        self.comma = true;
    }

    /// A word of this program, or null.
    pub(crate) fn optional_word(&mut self, word: Option<&'static str>) {
        match word {
            Some(word) => self.word(word),
            None => self.null(),
        }
    }

    /// An IP address.
    pub(crate) fn addr(&mut self, addr: IpAddr) {
        let IpAddr::V4(addr) = addr else { return self.display(addr) };
        self.separate();
        let [a, b, c, d] = addr.octets();
        // An eighth of the time that the formatter takes, twice per row.
        for (before, octet) in [(b'"', a), (b'.', b), (b'.', c), (b'.', d)] {
            self.out.push(before);
            self.out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
        }
        self.out.push(b'"');
        self.comma = true;
    }

    /// A number in hexadecimal, as text.
    pub(crate) fn hex(&mut self, number: u64) {
        let mut digits = [0; 16];
        let mut rest = number;
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b"0123456789abcdef"[(rest & 15) as usize];
            rest >>= 4;
            if rest == 0 {
                break;
            }
        }
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(&digits[first..]);
        self.out.push(b'"');
        self.comma = true;
    }

    /// `true` or `false`
    pub(crate) fn bool(&mut self, value: bool) {
        self.raw(if value { b"true" } else { b"false" });
    }

    /// `true`, `false` or null
    pub(crate) fn optional_bool(&mut self, value: Option<bool>) {
        match value {
            Some(value) => self.bool(value),
            None => self.null(),
        }
    }

    /// Text, escaped. Control characters beyond JSON's own are escaped too, so that a terminal is safe from them.
    pub(crate) fn string(&mut self, text: &str) {
        self.separate();
        self.out.push(b'"');
        if text.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\') {
            self.out.extend_from_slice(text.as_bytes());
        } else {
            text.chars().for_each(|character| self.escape(character));
        }
        self.out.push(b'"');
        self.comma = true;
    }

    /// The text that `value` displays as, in quotes. It must need no escaping.
    pub(crate) fn display(&mut self, value: impl std::fmt::Display) {
        use std::io::Write;
        self.separate();
        self.out.push(b'"');
        // Writing to a Vec cannot fail.
        let _ = write!(self.out, "{value}");
        self.out.push(b'"');
        self.comma = true;
    }

    /// The text that `write` appends, in quotes. It must need no escaping.
    pub(crate) fn written(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.separate();
        self.out.push(b'"');
        write(self.out);
        self.out.push(b'"');
        self.comma = true;
    }

    /// A number, or null.
    pub(crate) fn optional(&mut self, number: Option<impl itoa::Integer>) {
        match number {
            Some(number) => self.number(number),
            None => self.null(),
        }
    }

    /// Text, or null.
    pub(crate) fn optional_string(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    /// A value, or members of an object, that are JSON already.
    pub(crate) fn raw(&mut self, json: &[u8]) {
        self.separate();
        self.out.extend_from_slice(json);
        self.comma = true;
    }

    fn separate(&mut self) {
        if std::mem::take(&mut self.comma) {
            self.out.push(b',');
        }
    }

    fn escape(&mut self, character: char) {
        match character {
            '"' => self.out.extend_from_slice(b"\\\""),
            '\\' => self.out.extend_from_slice(b"\\\\"),
            '\n' => self.out.extend_from_slice(b"\\n"),
            '\r' => self.out.extend_from_slice(b"\\r"),
            '\t' => self.out.extend_from_slice(b"\\t"),
            control if control.is_control() => {
                self.out.extend_from_slice(format!("\\u{:04x}", control as u32).as_bytes());
            }
            other => self.out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Json;
    use proptest::prelude::{any, proptest};

    #[test]
    fn commas_stand_between_values_and_nowhere_else() {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        json.object();
        json.key(key!("a")).number(-1);
        json.key(key!("b")).array();
        json.null();
        json.bool(true);
        json.object();
        json.end_object();
        json.end_array();
        json.key(key!("c")).word("d");
        json.end_object();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":-1,"b":[null,true,{}],"c":"d"}"#);
    }

    proptest! {
        #[test]
        fn addresses_and_hexadecimal_are_written_as_std_writes_them(bits in any::<u32>(), number in any::<u64>()) {
            let addr = std::net::Ipv4Addr::from(bits);
            let mut out = Vec::new();
            let mut json = Json::new(&mut out);
            json.array();
            json.addr(addr.into());
            json.hex(number);
            json.hex(number >> 48);
            json.end_array();
            assert_eq!(String::from_utf8(out).unwrap(), format!("[\"{addr}\",\"{number:x}\",\"{:x}\"]", number >> 48));
        }

        #[test]
        fn any_text_survives(text in any::<String>()) {
            let mut out = Vec::new();
            Json::new(&mut out).string(&text);
            assert!(!out.iter().any(u8::is_ascii_control));
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
