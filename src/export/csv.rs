//! CSV after RFC 4180, except that lines end with LF as everywhere on Linux: awk would read a CR as part of the last
//! cell. Cells are quoted if needed, and there is one header. A cell of a number column holds a number or nothing.
//! Cells that a spreadsheet would run as a formula are defused, and control characters are escaped.

use std::borrow::Cow;

use super::list::Encoder;
use crate::fields::column::{Heading, Kind};
use crate::fields::socket::SocketColumn;
use crate::fields::value::Value;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Tail};

/// Listing of the chosen columns, with their units in the header.
#[derive(Debug)]
pub(crate) struct CsvListing {
    columns: Vec<SocketColumn>,
    header: bool,
}

impl CsvListing {
    /// If `header` is set, the first line names the columns.
    pub(crate) fn new(columns: Vec<SocketColumn>, header: bool) -> Self {
        Self { columns, header }
    }
}

impl Encoder for CsvListing {
    fn head(&mut self, _: &Head, out: &mut Vec<u8>) {
        // Only once, even if --watch repeats the listing.
        if std::mem::take(&mut self.header) {
            line(out, self.columns.iter().map(|column| Value::Word(column.key().into())));
        }
    }

    fn encode(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        line(out, self.columns.iter().map(|column| suited(&column.heading, column.value(row))));
    }

    fn emit(&mut self, encoded: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(encoded);
    }

    fn stream(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        self.encode(row, out);
    }

    fn tail(&mut self, _: &Tail, _: u64, _: &mut Vec<u8>) {}
}

/// Writes one line of cells.
pub(crate) fn line<'a>(out: &mut Vec<u8>, values: impl Iterator<Item = Value<'a>>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        cell(out, &value);
    }
    out.push(b'\n');
}

/// The value of a cell, without words in a number column: the column `holder` shows whether the kernel holds a socket.
pub(crate) fn number_or_nothing<'a>(column: &Heading, value: Value<'a>) -> Value<'a> {
    match value {
        Value::Holder(_) if matches!(column.kind, Kind::Number) => Value::Absent,
        value => value,
    }
}

/// The value of a cell for machines. Several processes are separated by semicolons, so that few cells need quotes:
/// DuckDB decides by the first 20,480 lines whether a file has any, and cannot read one that comes later.
pub(crate) fn suited<'a>(column: &Heading, value: Value<'a>) -> Value<'a> {
    match number_or_nothing(column, value) {
        Value::Name(text) if column.is_list && text.contains(',') => Value::Name(text.replace(',', ";").into()),
        Value::Word(text) if column.is_list && text.contains(',') => Value::Word(text.replace(',', ";").into()),
        value => value,
    }
}

fn cell(out: &mut Vec<u8>, value: &Value<'_>) {
    let text = match value {
        // The column `bound` shows "never" or "not applicable".
        Value::Bounded { ms: None, .. } => Cow::Borrowed(""),
        value => value.plain(),
    };
    let formula = matches!(value, Value::Name(_)) && is_formula(&text);
    let quoted = text.contains([',', '"', '\r', '\n']);
    if quoted {
        out.push(b'"');
    }
    if formula {
        out.push(b'\'');
    }
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    if quoted {
        out.push(b'"');
    }
}

/// Whether a spreadsheet may run the text: it begins with the sign of a formula, also of full width, and also after
/// white space, which some programs remove.
fn is_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫'])
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::fields::value::Value;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        line(&mut out, [Value::Name(text.into()), Value::Number(1)].into_iter());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells_follow_rfc_4180() {
        assert_eq!(written("plain"), "plain,1\n");
        assert_eq!(written("a,b \"c\""), "\"a,b \"\"c\"\"\",1\n");
        assert_eq!(written("two\nlines"), "two\\nlines,1\n");
    }

    #[test]
    fn formulas_are_defused() {
        assert_eq!(written("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0,1\n");
        assert_eq!(written("@SUM(1,2)"), "\"'@SUM(1,2)\",1\n");
        for sign in ["=", "+", "-", "@", "＝", "＋", "－", "＠"] {
            assert_eq!(written(&format!("{sign}1")), format!("'{sign}1,1\n"));
            assert_eq!(written(&format!(" \u{3000}{sign}1")), format!("' \u{3000}{sign}1,1\n"));
        }
        // These are escaped, so they begin with a backslash.
        for space in ["\t", "\r", "\n"] {
            assert!(written(&format!("{space}=1")).starts_with('\\'));
        }
        assert_eq!(written("a=1"), "a=1,1\n");
    }
}
