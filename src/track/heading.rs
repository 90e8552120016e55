//! A column of a view: what it is called, how wide it may be, and where its cells come from.

use std::borrow::Cow;

use super::change::Change;
use super::group::Group;
use super::kernel_rows::KernelRow;
use super::motion::Motion;
use crate::fields::column::{Column, Width};
use crate::fields::value::{Unit, Value};
use crate::model::needs::Needs;
use crate::model::row::Row;

/// One column.
#[derive(Debug, Clone)]
pub struct Heading {
    /// As it is called in the chooser and in the configuration
    pub name: Cow<'static, str>,
    /// As it stands above the column
    pub title: Cow<'static, str>,
    /// Unit of its numbers
    pub unit: Unit,
    /// What is left out first where the terminal is too narrow: the lowest
    pub importance: u8,
    /// How it may be squeezed
    pub width: Width,
    /// One line of help
    pub help: Cow<'static, str>,
    /// Where its cells come from
    pub source: Source,
}

/// Where the cells of a column come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// From a row of the snapshot
    Field(Box<Column>),
    /// From a row, and from how it has moved since the snapshot before
    Moving(for<'a> fn(&Row<'a>, &Motion) -> Value<'a>),
    /// From a group of rows
    Group(for<'a> fn(&'a Group) -> Value<'a>),
    /// From a number of the kernel's
    Kernel(for<'a> fn(&'a KernelRow) -> Value<'a>),
    /// From something that happened
    Change(for<'a> fn(&'a Change) -> Value<'a>),
}

/// A view has one column of each name.
impl PartialEq for Heading {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl From<Column> for Heading {
    fn from(column: Column) -> Self {
        Self {
            name: column.name.clone(),
            title: column.title.clone(),
            unit: column.unit,
            importance: column.importance,
            width: column.width,
            help: column.help.into(),
            source: Source::Field(Box::new(column)),
        }
    }
}

impl Heading {
    /// A column of text.
    pub fn text(name: &'static str, title: &'static str, importance: u8, help: &'static str, source: Source) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            unit: Unit::None,
            importance,
            width: Width::Text,
            help: help.into(),
            source,
        }
    }

    /// A column of numbers.
    pub fn number(name: &'static str, title: &'static str, importance: u8, help: &'static str, source: Source) -> Self {
        Self { width: Width::Number, ..Self::text(name, title, importance, help, source) }
    }

    /// Its numbers have this unit.
    #[must_use]
    pub fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// It may be squeezed to so many cells.
    #[must_use]
    pub fn flexible(self, least: u8) -> Self {
        Self { width: Width::Flexible(least), ..self }
    }

    /// What has to be asked for.
    pub fn needs(&self) -> Needs {
        match &self.source {
            Source::Field(column) => column.needs,
            Source::Moving(_) => Needs::INFO | Needs::MEMORY,
            Source::Group(_) | Source::Kernel(_) | Source::Change(_) => Needs::empty(),
        }
    }

    /// The key of its values where they stand without a unit: with the unit in the key.
    pub fn key(&self) -> String {
        self.unit.key_of(&self.name)
    }

    /// The cell of a row of the snapshot; absent where it is a column of another view.
    pub fn of_row<'a>(&self, row: &Row<'a>, motion: &Motion) -> Value<'a> {
        match &self.source {
            Source::Field(column) => column.value(row),
            Source::Moving(get) => get(row, motion),
            Source::Group(_) | Source::Kernel(_) | Source::Change(_) => Value::Absent,
        }
    }
}
