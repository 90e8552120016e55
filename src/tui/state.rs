//! All that the dashboard knows. `update` changes it, `view` draws it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::action::{Effect, SocketRef};
use super::editor::Editor;
use super::form::Form;
use super::keymap::Keys;
use super::theme::Theme;
use crate::filter::{Filter, FilterError};
use crate::track::counts::History;
use crate::track::frame::Frame;
use crate::track::line::RowId;
use crate::track::query::Query;
use crate::track::sheet::{Sample, Sheet};
use crate::track::table::Table;
use crate::track::views::View;

/// What the user has chosen once and for all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// Colours to begin with
    pub theme: Theme,
    /// The terminal shows no more than ASCII
    pub is_ascii: bool,
    /// Which key means what
    pub keys: Keys,
    /// Named filters, as they are typed
    pub bookmarks: Vec<(String, String)>,
}

impl Setup {
    fn looks(&self) -> Looks {
        Looks { theme: self.theme, is_ascii: self.is_ascii, ..Looks::default() }
    }
}

/// What the keys go to.
#[derive(Debug, Default)]
pub(crate) enum Mode {
    /// The table, or the detail where one is open
    #[default]
    Browse,
    /// The filter box
    Typing(Box<Typing>),
    /// A question that only `y` says yes to
    Asking(Asking),
    /// Keepalive is to be set
    Form(Box<Form>),
    /// Something is chosen from a list
    Menu(Menu),
    /// The name of a file is typed
    Saving(Saving),
    /// Every key; the first line shown
    Help(usize),
}

/// Something that cannot be undone.
#[derive(Debug)]
pub(crate) struct Asking {
    /// What is asked
    pub question: String,
    /// What is done where the answer is yes
    pub effect: Effect,
    /// It was drawn: what was typed before is no answer to it
    pub is_shown: bool,
    /// Where every other answer leads
    pub otherwise: Box<Mode>,
}

/// The filter box.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    /// What is typed
    pub line: Editor,
    /// It was changed, and is not understood yet
    pub is_new: bool,
    /// What is wrong with it
    pub wrong: Option<FilterError>,
    /// The filter to go back to, as it was typed and as it was understood
    pub before: (String, Filter),
    /// What Tab has offered: where the word begins, the words, and which of them stands there
    pub offered: Option<(usize, Vec<String>, usize)>,
    /// How far back in what was typed before
    pub back: usize,
    /// What was typed before going back
    pub draft: String,
}

impl Typing {
    /// Begins with the filter that is there.
    pub(super) fn over(before: (String, Filter)) -> Self {
        Self { line: Editor::new(before.0.as_str()), before, ..Self::default() }
    }
}

/// A file name.
#[derive(Debug)]
pub(crate) struct Saving {
    /// What is typed
    pub line: Editor,
    /// What is wrong with it
    pub wrong: Option<String>,
}

/// What is chosen from a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The columns that are shown
    Columns,
    /// The namespace
    Namespace,
    /// A named filter
    Bookmark,
}

/// One line of a list.
#[derive(Debug, Clone)]
pub(crate) struct MenuItem {
    /// What it is called
    pub label: String,
    /// What is said of it
    pub help: String,
    /// Whether it is chosen
    pub is_on: bool,
}

/// A list to choose from.
#[derive(Debug)]
pub(crate) struct Menu {
    /// What is chosen
    pub choice: Choice,
    /// The lines
    pub items: Vec<MenuItem>,
    /// The line that the keys go to
    pub at: usize,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Detail {
    /// Which
    pub socket: SocketRef,
    /// What is known; `None` until it has come
    pub sheet: Option<Box<Sheet>>,
    /// It has closed since
    pub is_gone: bool,
    /// First line shown
    pub top: usize,
    /// Its last moments, the newest last
    pub samples: VecDeque<Sample>,
}

/// Moments of one connection that are kept.
pub(crate) const MOST_SAMPLES: usize = 120;

/// Where in the table the user is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// The selected row
    pub selected: Option<RowId>,
    /// Its number
    pub row: usize,
    /// Number of the first row shown
    pub top: usize,
}

/// How things are shown.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    /// Colours
    pub theme: Theme,
    /// The terminal shows no more than ASCII
    pub is_ascii: bool,
    /// Whole addresses
    pub is_wide: bool,
    /// Names for addresses
    pub has_names: bool,
    /// The names that were found; `None` where there is none, or it is being looked for
    pub names: FxHashMap<IpAddr, Option<String>>,
}

/// How often is looked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The data is frozen
    pub is_paused: bool,
    /// Time from look to look
    pub interval: Duration,
}

/// The dashboard.
#[derive(Debug)]
pub(crate) struct State {
    /// What is looked at
    pub query: Query,
    /// What the other views were left with
    pub others: Vec<Query>,
    /// The last look
    pub frame: Option<Box<Frame>>,
    /// How old it is, where the next one is late
    pub late: Option<Duration>,
    /// Why there was none since
    pub failure: Option<String>,
    /// What came of the last order, until the next key
    pub told: Option<String>,
    /// Where the user is
    pub cursor: Cursor,
    /// Rows that are marked
    pub marked: FxHashSet<RowId>,
    /// One connection, where one is open
    pub detail: Option<Detail>,
    /// What the keys go to
    pub mode: Mode,
    /// How often is looked
    pub pace: Pace,
    /// How things are shown
    pub looks: Looks,
    /// The view, with its filter, of whose row these are the connections
    pub came_from: Option<(View, String, Filter)>,
    /// Counts of the last minutes
    pub history: History,
    /// Filters that were typed, the newest last
    pub typed: Vec<String>,
    /// Cells of the terminal
    pub size: (u16, u16),
    /// What the user has chosen once and for all
    pub setup: Setup,
}

impl State {
    /// Nothing seen yet.
    pub(crate) fn new(query: Query, others: Vec<Query>, interval: Duration, size: (u16, u16), setup: Setup) -> Self {
        Self {
            query,
            others,
            frame: None,
            late: None,
            failure: None,
            told: None,
            cursor: Cursor::default(),
            marked: FxHashSet::default(),
            detail: None,
            mode: Mode::Browse,
            pace: Pace { is_paused: false, interval },
            looks: setup.looks(),
            came_from: None,
            history: History::default(),
            typed: Vec::new(),
            size,
            setup,
        }
    }

    /// The rows, where there are any yet.
    pub(crate) fn table(&self) -> Option<&Table> {
        self.frame.as_ref().map(|frame| &*frame.table)
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.table().map_or(0, Table::len)
    }

    /// The view.
    pub(crate) fn view(&self) -> View {
        self.query.view
    }
}
