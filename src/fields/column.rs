//! Column of any kind of rows: its name, how it is shown, and where its values come from.

use std::fmt::Debug;
use std::ops::Deref;

use super::id::ColumnId;
use super::value::{Unit, Value};
use crate::model::address::Side;
use crate::model::needs::Needs;

/// Kind of rows that have columns: sockets, groups, kernel values, changes.
pub(crate) trait RowKind: Copy + Debug + 'static {
    /// One row
    type Of<'a>;
    /// Function that reads a column's value; it takes rows of this kind only
    type Get: Copy + Debug;

    /// Reads the value of a row.
    fn value<'a>(get: Self::Get, row: &Self::Of<'a>) -> Value<'a>;
}

/// A column of one kind of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<K: RowKind> {
    /// Name and presentation
    pub heading: Heading,
    /// Whether `stat --by` accepts it
    pub groups: bool,
    /// Where the value comes from
    pub get: K::Get,
}

/// Name and presentation of a column, without access to rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heading {
    /// Identity of the column
    pub id: ColumnId,
    /// Title printed above the column: the name in capitals, so that it can be typed as it is read
    pub title: &'static str,
    /// Unit of its numbers
    pub unit: Unit,
    /// Rank: if the terminal is too narrow, the lowest is left out first
    pub importance: u8,
    /// Width rule
    pub width: Width,
    /// Kind of value that a filter compares it with
    pub kind: Kind,
    /// Whether a cell may hold several values, separated by commas
    pub is_list: bool,
    /// Data that has to be collected for it
    pub needs: Needs,
    /// One line of help
    pub help: &'static str,
}

/// Width rule of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// As wide as its widest cell; text, aligned left
    Text,
    /// As wide as its widest cell; numbers, aligned right
    Number,
    /// As wide as its widest cell if there is room, else cut down to this many cells
    Flexible(u8),
}

/// Kind of value that a filter can compare a column with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text, compared exactly
    Text,
    /// Text that may be abbreviated: whether the typed text (first) stands for the value (second)
    Short(fn(&str, &str) -> bool),
    /// One of these words
    Word(Words),
    /// A number in the column's unit
    Number,
    /// 0 or 1
    Flag,
    /// A time that may never come
    Deadline,
    /// A number in hexadecimal digits
    Hexadecimal,
    /// An address with port
    End(Side),
    /// An address or a prefix
    Address(Side),
    /// A port
    Port(Side),
}

impl Kind {
    /// Whether the column is compared with numbers.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Flag | Self::Deadline)
    }
}

/// Lists the words of a column, in the order of the help.
pub(crate) type Words = fn() -> Vec<&'static str>;

/// A name, or a word of this program, in the form that is compared: lower case, with `-` for `_`.
pub(crate) fn folded(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
}

/// Among rows of one kind, there is only one column of each id.
impl PartialEq for Heading {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<K: RowKind> PartialEq for Column<K> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<K: RowKind> Deref for Column<K> {
    type Target = Heading;

    fn deref(&self) -> &Heading {
        &self.heading
    }
}

impl<K: RowKind> From<Column<K>> for Heading {
    fn from(column: Column<K>) -> Self {
        column.heading
    }
}

impl Heading {
    /// Name as typed after `-o`, `--sort` and `--by`, and in the configuration.
    pub(crate) fn name(&self) -> &'static str {
        self.id.name()
    }

    /// Whether `name`, in any case and with `_` for `-`, is the name or the key of this column.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
        let mut typed = name.bytes().map(fold);
        let is_name = typed.by_ref().take(self.name().len()).eq(self.name().bytes());
        is_name && (typed.len() == 0 || typed.eq(self.unit.suffix().bytes().map(fold)))
    }

    /// Key of the column for values without a unit (CSV): the name with the unit.
    pub(crate) fn key(&self) -> String {
        self.unit.key_of(self.name())
    }
}

impl<K: RowKind> Column<K> {
    /// A column of text.
    pub(crate) fn text(id: ColumnId, importance: u8, help: &'static str, get: K::Get) -> Self {
        let heading = Heading {
            id,
            // The tables of columns are built once, and live as long as the program.
            title: id.name().to_uppercase().leak(),
            unit: Unit::None,
            importance,
            width: Width::Text,
            kind: Kind::Text,
            is_list: false,
            needs: Needs::empty(),
            help,
        };
        Self { heading, groups: false, get }
    }

    /// A column of numbers.
    pub(crate) fn number(id: ColumnId, importance: u8, help: &'static str, get: K::Get) -> Self {
        Self::text(id, importance, help, get).kind(Kind::Number).width(Width::Number)
    }

    /// The value of a cell.
    pub(crate) fn value<'a>(&self, row: &K::Of<'a>) -> Value<'a> {
        K::value(self.get, row)
    }

    fn with(self, heading: Heading) -> Self {
        Self { heading, ..self }
    }

    /// Lets `stat --by` accept the column.
    #[must_use]
    pub(crate) fn grouped(self) -> Self {
        Self { groups: true, ..self }
    }

    /// Sets the unit of its numbers.
    #[must_use]
    pub(crate) fn unit(self, unit: Unit) -> Self {
        self.with(Heading { unit, ..self.heading })
    }

    /// Sets the data that has to be collected.
    #[must_use]
    pub(crate) fn needs(self, needs: Needs) -> Self {
        self.with(Heading { needs, ..self.heading })
    }

    /// Sets the kind of value that a filter compares it with.
    #[must_use]
    pub(crate) fn kind(self, kind: Kind) -> Self {
        self.with(Heading { kind, ..self.heading })
    }

    /// Sets the words that it can hold.
    #[must_use]
    pub(crate) fn word(self, words: Words) -> Self {
        self.kind(Kind::Word(words))
    }

    /// Lets a cell hold several values.
    #[must_use]
    pub(crate) fn list(self) -> Self {
        self.with(Heading { is_list: true, ..self.heading })
    }

    /// Lets the column be narrowed to `least` cells.
    #[must_use]
    pub(crate) fn flexible(self, least: u8) -> Self {
        self.width(Width::Flexible(least))
    }

    /// Sets the width rule.
    #[must_use]
    pub(crate) fn width(self, width: Width) -> Self {
        self.with(Heading { width, ..self.heading })
    }

    /// Sets the rank: if the terminal is too narrow, the lowest is left out first.
    #[must_use]
    pub(crate) fn importance(self, importance: u8) -> Self {
        self.with(Heading { importance, ..self.heading })
    }
}
