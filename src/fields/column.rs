//! What a column is, whatever the rows: how it is called and shown, and where its values come from.

use std::fmt::Debug;
use std::ops::Deref;

use super::id::ColumnId;
use super::value::{Unit, Value};
use crate::model::address::Side;
use crate::model::needs::Needs;

/// A kind of row that columns can be of: sockets, groups, kernel values, changes.
pub(crate) trait RowKind: Copy + Debug + 'static {
    /// One row
    type Of<'a>;
    /// How a column takes its value from a row: of any but this kind it cannot
    type Get: Copy + Debug;

    /// The value of a row.
    fn value<'a>(get: Self::Get, row: &Self::Of<'a>) -> Value<'a>;
}

/// A column of one kind of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<K: RowKind> {
    /// How it is called and shown
    pub heading: Heading,
    /// Whether `stat --by` takes it
    pub groups: bool,
    /// Where the value comes from
    pub get: K::Get,
}

/// A column without its rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heading {
    /// Which column
    pub id: ColumnId,
    /// As printed above the column: the name in capitals, so that what is read can be typed
    pub title: &'static str,
    /// Unit of its numbers
    pub unit: Unit,
    /// What is left out first where the terminal is too narrow: the lowest
    pub importance: u8,
    /// How it may be squeezed
    pub width: Width,
    /// What a filter compares it with
    pub kind: Kind,
    /// Whether a cell may hold several values, with commas between
    pub is_list: bool,
    /// What has to be asked for
    pub needs: Needs,
    /// One line of help
    pub help: &'static str,
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// As wide as its widest cell, text
    Text,
    /// As wide as its widest cell, set to the right
    Number,
    /// As wide as its widest cell where there is room, cut down to this many cells where there is not
    Flexible(u8),
}

/// What somebody who filters by a column may compare it with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text, equal letter by letter
    Text,
    /// Text of which less is enough: whether what was typed (first) stands for what is there (second)
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
    /// Whether it is compared with numbers.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Flag | Self::Deadline)
    }
}

/// The words that a column knows, in the order of the help.
pub(crate) type Words = fn() -> Vec<&'static str>;

/// A name or a word of ours as it is compared: in any case, with `_` or `-`.
pub(crate) fn folded(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
}

/// There is one column of each id among rows of one kind.
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
    /// As it is typed after `-o`, `--sort` and `--by`, and in the configuration.
    pub(crate) fn name(&self) -> &'static str {
        self.id.name()
    }

    /// Whether `name`, in any case and with `_` for `-`, means this column: by its name, or by its key.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
        let mut typed = name.bytes().map(fold);
        let is_name = typed.by_ref().take(self.name().len()).eq(self.name().bytes());
        is_name && (typed.len() == 0 || typed.eq(self.unit.suffix().bytes().map(fold)))
    }

    /// The key of its values where they stand without a unit (CSV): with the unit in the key.
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

    /// The value for one cell.
    pub(crate) fn value<'a>(&self, row: &K::Of<'a>) -> Value<'a> {
        K::value(self.get, row)
    }

    fn with(self, heading: Heading) -> Self {
        Self { heading, ..self }
    }

    /// `stat --by` takes it.
    #[must_use]
    pub(crate) fn grouped(self) -> Self {
        Self { groups: true, ..self }
    }

    /// Its numbers have this unit.
    #[must_use]
    pub(crate) fn unit(self, unit: Unit) -> Self {
        self.with(Heading { unit, ..self.heading })
    }

    /// This has to be asked for.
    #[must_use]
    pub(crate) fn needs(self, needs: Needs) -> Self {
        self.with(Heading { needs, ..self.heading })
    }

    /// A filter compares it with this.
    #[must_use]
    pub(crate) fn kind(self, kind: Kind) -> Self {
        self.with(Heading { kind, ..self.heading })
    }

    /// It is one of these words.
    #[must_use]
    pub(crate) fn word(self, words: Words) -> Self {
        self.kind(Kind::Word(words))
    }

    /// A cell may hold several values.
    #[must_use]
    pub(crate) fn list(self) -> Self {
        self.with(Heading { is_list: true, ..self.heading })
    }

    /// It may be squeezed to so many cells.
    #[must_use]
    pub(crate) fn flexible(self, least: u8) -> Self {
        self.width(Width::Flexible(least))
    }

    /// How wide it is.
    #[must_use]
    pub(crate) fn width(self, width: Width) -> Self {
        self.with(Heading { width, ..self.heading })
    }

    /// What is left out first where the terminal is too narrow: the lowest.
    #[must_use]
    pub(crate) fn importance(self, importance: u8) -> Self {
        self.with(Heading { importance, ..self.heading })
    }
}
