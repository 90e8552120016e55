//! All that the dashboard knows. `update` changes it, `view` draws it.

use std::time::Duration;

use super::sight::{Line, Sight};
use crate::fields::column::Column;
use crate::fields::table::{CONNECTION_COLUMNS, LISTENER_COLUMNS, column};
use crate::filter::{Filter, FilterError};
use crate::model::socket::SocketId;

/// How rows are ordered.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// What is most alarming first
    Alarm,
    /// By a column
    By {
        /// The column
        column: Column,
        /// From large to small
        descending: bool,
    },
}

/// What the table lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Connections
    Connections,
    /// Listeners, with their accept queues
    Listeners,
}

impl View {
    /// What so many of its rows are called.
    pub fn count(self, rows: u64) -> String {
        let one = match self {
            Self::Connections => "connection",
            Self::Listeners => "listener",
        };
        format!("{rows} {one}{}", if rows == 1 { "" } else { "s" })
    }

    /// The view after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Connections => Self::Listeners,
            Self::Listeners => Self::Connections,
        }
    }

    /// What a view that nobody changed shows.
    pub fn columns(self) -> Vec<Column> {
        let names = match self {
            Self::Connections => CONNECTION_COLUMNS,
            Self::Listeners => LISTENER_COLUMNS,
        };
        names.iter().filter_map(|name| column(name)).collect()
    }
}

/// What is looked at, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Which kind of rows
    pub view: View,
    /// Which rows
    pub filter: Filter,
    /// Which columns
    pub columns: Vec<Column>,
    /// In which order
    pub order: Order,
}

/// What the keys go to.
#[derive(Debug)]
pub enum Mode {
    /// The table
    Table,
    /// The filter box
    Typing(Typing),
    /// All that is known of one connection
    Detail(Detail),
    /// A question that only `y` says yes to
    Asking(Asking),
    /// Every key
    Help,
}

/// Something that cannot be undone.
#[derive(Debug)]
pub struct Asking {
    /// Which socket it is about
    pub id: SocketId,
    /// What is asked
    pub question: String,
}

/// The filter box.
#[derive(Debug, Default)]
pub struct Typing {
    /// What is typed
    pub text: String,
    /// What is wrong with it
    pub wrong: Option<FilterError>,
    /// The filter to go back to, as it was typed and as it was understood
    pub before: (String, Filter),
}

/// One connection.
#[derive(Debug)]
pub struct Detail {
    /// Which
    pub id: SocketId,
    /// What is known; `None` until it has come
    pub lines: Option<Vec<String>>,
    /// It has closed since
    pub is_gone: bool,
    /// First line shown
    pub top: usize,
}

/// The dashboard.
#[derive(Debug)]
pub struct State {
    /// What is looked at
    pub wanted: Wanted,
    /// The filter as it was typed
    pub typed: String,
    /// The last look
    pub sight: Option<Box<Sight>>,
    /// Why there was none since
    pub failure: Option<String>,
    /// What came of the last order, until the next key
    pub told: Option<String>,
    /// The selected connection
    pub selected: Option<SocketId>,
    /// Number of its row, and of the first row shown
    pub row: usize,
    /// First row shown
    pub top: usize,
    /// What the keys go to
    pub mode: Mode,
    /// The data is frozen
    pub is_paused: bool,
    /// How often is looked
    pub interval: Duration,
    /// Cells of the terminal
    pub size: (u16, u16),
    /// What the other view was left with
    pub others: Vec<Wanted>,
}

impl State {
    /// Nothing seen yet.
    pub fn new(wanted: Wanted, typed: String, size: (u16, u16)) -> Self {
        Self {
            wanted,
            typed,
            sight: None,
            failure: None,
            told: None,
            selected: None,
            row: 0,
            top: 0,
            mode: Mode::Table,
            is_paused: false,
            interval: Duration::from_secs(1),
            size,
            others: Vec::new(),
        }
    }

    /// The rows.
    pub fn lines(&self) -> &[Line] {
        self.sight.as_ref().map_or(&[], |sight| &sight.lines)
    }

    /// How many rows the table has room for: all but header, titles and footer.
    pub fn page(&self) -> usize {
        let others = if matches!(self.mode, Mode::Typing(_)) { 7 } else { 4 };
        usize::from(self.size.1).saturating_sub(others).max(1)
    }
}
