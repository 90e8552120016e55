//! The shape of `config.toml`: what each value may be. serde and toml read it, and add the line of what is wrong.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::time::Duration;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::text::near::nearest;
use crate::text::quantity::time_us;
use crate::track::views::{VIEWS, ViewSpec};
use crate::tui::keymap::{COMMANDS, Key, KeyCommand, command_called};
use crate::tui::theme::{THEMES, Theme};

/// Theme name for a choice by the terminal.
const AUTO: &str = "auto";

/// Content of the file. A setting that the file lacks is `None` or empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) view: Option<ViewName>,
    pub(super) interval: Option<Interval>,
    pub(super) theme: Option<ThemeName>,
    pub(super) mouse: Option<bool>,
    pub(super) cpu: Option<Percent>,
    /// Names of columns; which there are depends on the view
    pub(super) columns: OrderedTable<ViewName, Spanned<Vec<Spanned<String>>>>,
    pub(super) keys: OrderedTable<CommandName, Spanned<Vec<KeyName>>>,
    /// Filters by name
    pub(super) bookmarks: OrderedTable<String, Spanned<String>>,
}

/// A view by its name.
#[derive(Debug)]
pub(super) struct ViewName(pub(super) &'static ViewSpec);

/// Time between snapshots.
#[derive(Debug)]
pub(super) struct Interval(pub(super) Duration);

/// A theme by its name; `None` for `auto`.
#[derive(Debug)]
pub(super) struct ThemeName(pub(super) Option<Theme>);

/// 1 to 100.
#[derive(Debug)]
pub(super) struct Percent(pub(super) u32);

/// A command of the dashboard by its name.
#[derive(Debug)]
pub(super) struct CommandName(pub(super) &'static KeyCommand);

/// A key by its name.
#[derive(Debug)]
pub(super) struct KeyName(pub(super) Key);

impl<'de> Deserialize<'de> for ViewName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let view = VIEWS.iter().find(|spec| spec.name == name).map(Self);
        view.ok_or_else(|| D::Error::custom(unknown("view", &name, VIEWS.iter().map(|spec| spec.name))))
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let us = time_us(&String::deserialize(from)?).map_err(D::Error::custom)?;
        if !(200_000..=60_000_000).contains(&us) {
            return Err(D::Error::custom("the interval is not between 200ms and 60s"));
        }
        Ok(Self(Duration::from_micros(us)))
    }
}

impl<'de> Deserialize<'de> for ThemeName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let known = std::iter::once(AUTO).chain(THEMES.iter().map(|theme| theme.name));
        match Theme::called(&name) {
            None if name != AUTO => Err(D::Error::custom(unknown("theme", &name, known))),
            theme => Ok(Self(theme)),
        }
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let percent = i64::deserialize(from)?;
        match u32::try_from(percent) {
            Ok(percent @ 1..=100) => Ok(Self(percent)),
            _ => Err(D::Error::custom(format!("{percent} is no percentage between 1 and 100"))),
        }
    }
}

impl<'de> Deserialize<'de> for CommandName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let known = COMMANDS.iter().map(|command| command.name);
        command_called(&name).map(Self).ok_or_else(|| D::Error::custom(unknown("command", &name, known)))
    }
}

impl<'de> Deserialize<'de> for KeyName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        const KEYS: &str = "write a character, Ctrl- and a small letter, F1 to F12, or one of Enter, Esc, Tab, Shift-Tab, Space, Up, \
                            Down, Left, Right, PageUp, PageDown, Home, End, Delete, Backspace";
        let name = String::deserialize(from)?;
        name.parse().map(Self).map_err(|()| D::Error::custom(format!("there is no key '{name}'; {KEYS}")))
    }
}

/// A table, its lines in their order.
#[derive(Debug)]
pub(super) struct OrderedTable<K, V>(pub(super) Vec<(K, V)>);

impl<K, V> Default for OrderedTable<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for OrderedTable<K, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(OrderedTableVisitor(PhantomData))
    }
}

struct OrderedTableVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for OrderedTableVisitor<K, V> {
    type Value = OrderedTable<K, V>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a table: its name in brackets, and a line for each entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(OrderedTable(pairs))
    }
}

/// An error with the number of its line.
pub(super) fn at_line(text: &str, span: Option<Range<usize>>, why: &str) -> String {
    let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or(text);
    format!("line {}: {}", before.matches('\n').count() + 1, why.trim())
}

/// The error for a word that is none of the known ones.
pub(super) fn unknown<'a>(what: &str, typed: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = nearest(typed, known.clone()).map_or(".".to_owned(), |near| format!("; did you mean '{near}'?"));
    format!("there is no {what} '{typed}'{near} There are: {}", known.collect::<Vec<_>>().join(", "))
}
