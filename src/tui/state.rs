//! State of the dashboard. `update` changes it, `view` draws it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::action::{Effect, SocketRef};
use super::editor::Editor;
use super::form::Form;
use super::keymap::Keys;
use super::theme::Theme;
use crate::fields::id::ColumnId;
use crate::filter::{Filter, FilterError};
use crate::track::counts::History;
use crate::track::frame::Frame;
use crate::track::line::RowId;
use crate::track::query::Query;
use crate::track::sheet::{Sample, Sheet};
use crate::track::table::Table;
use crate::track::views::View;

/// Settings that are fixed at start-up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// Initial theme
    pub theme: Theme,
    /// Whether the terminal is limited to ASCII
    pub is_ascii: bool,
    /// Keys of each action
    pub keys: Keys,
    /// Bookmarks: name and filter, as typed
    pub bookmarks: Vec<(String, String)>,
}

impl Setup {
    fn display(&self, size: (u16, u16)) -> Display {
        Display { size, theme: self.theme, is_ascii: self.is_ascii, ..Display::default() }
    }
}

/// Input mode: what handles the keys.
#[derive(Debug, Default)]
pub(crate) enum Mode {
    /// The table, or the detail if one is open
    #[default]
    Browse,
    /// The filter box
    Typing(Box<Typing>),
    /// A question: `y` confirms, any other key cancels
    Confirming(Confirmation),
    /// The keepalive form
    Form(Box<Form>),
    /// A list to choose from
    Menu(Menu),
    /// The prompt for a file name
    Saving(Saving),
    /// The help; index of its first visible line
    Help(usize),
}

/// Confirmation of an action that cannot be undone.
#[derive(Debug)]
pub(crate) struct Confirmation {
    /// The question
    pub question: String,
    /// Carried out on `y`
    pub effect: Effect,
    /// Whether the question was drawn: keys typed before that are no answer
    pub is_shown: bool,
    /// Mode after any other answer
    pub otherwise: Box<Mode>,
}

/// State of the filter box.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    /// The typed filter
    pub line: Editor,
    /// Whether it was changed and is not parsed yet
    pub is_new: bool,
    /// Error of the last parse
    pub wrong: Option<FilterError>,
    /// The filter that Esc restores: as typed, and parsed
    pub before: (String, Filter),
    /// Completions of Tab: start of the word in the line, the words, and the index of the one in the line
    pub offered: Option<(usize, Vec<String>, usize)>,
    /// Position in the history of typed filters; 0 for the line itself
    pub back: usize,
    /// The typed line before the history was opened
    pub draft: String,
}

impl Typing {
    /// Filter box with the current filter.
    pub(super) fn over(before: (String, Filter)) -> Self {
        Self { line: Editor::new(before.0.as_str()), before, ..Self::default() }
    }
}

/// State of the prompt for a file name.
#[derive(Debug)]
pub(crate) struct Saving {
    /// The typed name
    pub line: Editor,
    /// Error of the name
    pub wrong: Option<String>,
}

/// What a list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The columns to show
    Columns,
    /// The network namespace
    Namespace,
    /// A bookmark
    Bookmark,
}

/// One line of a list.
#[derive(Debug, Clone)]
pub(crate) struct MenuItem {
    /// Name that is shown
    pub label: String,
    /// The column, in a list of columns
    pub column: Option<ColumnId>,
    /// Description
    pub help: String,
    /// Whether it is chosen
    pub is_on: bool,
}

/// List to choose from.
#[derive(Debug)]
pub(crate) struct Menu {
    /// What it is for
    pub choice: Choice,
    /// The lines
    pub items: Vec<MenuItem>,
    /// Index of the line with the focus
    pub at: usize,
}

/// Open detail of one connection.
#[derive(Debug)]
pub(crate) struct Detail {
    /// The connection
    pub socket: SocketRef,
    /// Its detail; `None` until it arrives
    pub sheet: Option<Box<Sheet>>,
    /// Whether it has closed since
    pub is_gone: bool,
    /// Index of the first visible line
    pub top: usize,
    /// Its last samples, the newest last
    pub samples: VecDeque<Sample>,
}

/// Maximum number of samples of one connection.
pub(crate) const MOST_SAMPLES: usize = 120;

/// Selection and scroll position in the table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// The selected row
    pub selected: Option<RowId>,
    /// Its index
    pub row: usize,
    /// Index of the first visible row
    pub top: usize,
}

/// Size of the terminal, and how it is drawn on.
#[derive(Debug, Default)]
pub(crate) struct Display {
    /// Size of the terminal in cells, columns first
    pub size: (u16, u16),
    /// Colours
    pub theme: Theme,
    /// Whether the terminal is limited to ASCII
    pub is_ascii: bool,
    /// Whether addresses are shown in full
    pub is_wide: bool,
    /// Whether host names are shown
    pub has_names: bool,
    /// Host names; `None` if there is none or the look-up is still running
    pub names: FxHashMap<IpAddr, Option<String>>,
}

/// Interval of snapshots.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Whether the data is frozen
    pub is_paused: bool,
    /// Time from the start of one snapshot to the start of the next
    pub interval: Duration,
}

/// Queries, group and filters that the user can return to.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// Queries of the other views, as they were left
    pub queries: Vec<Query>,
    /// View, typed text and filter of the group whose connections are listed
    pub group: Option<(View, String, Filter)>,
    /// Typed filters, the newest last
    pub filters: Vec<String>,
}

/// What the header says beside the data.
#[derive(Debug, Default)]
pub(crate) struct HeaderMessages {
    /// Age of the data, if the next snapshot is late
    pub late: Option<Duration>,
    /// Error of the last snapshot, if it failed
    pub failure: Option<String>,
    /// Result of the last action, until the next key
    pub outcome: Option<String>,
}

/// State of the dashboard.
#[derive(Debug)]
pub(crate) struct State {
    /// Query of the current view
    pub query: Query,
    /// Queries, group and filters that the user can return to
    pub earlier: Earlier,
    /// The last frame
    pub frame: Option<Box<Frame>>,
    /// What the header says beside the data
    pub messages: HeaderMessages,
    /// Selection and scroll position
    pub cursor: Cursor,
    /// The marked rows
    pub marked: FxHashSet<RowId>,
    /// The open detail, if any
    pub detail: Option<Detail>,
    /// What handles the keys
    pub mode: Mode,
    /// Interval of snapshots
    pub pace: Pace,
    /// Size of the terminal, and how it is drawn on
    pub display: Display,
    /// Counts of the last minutes
    pub history: History,
    /// Settings that are fixed at start-up
    pub setup: Setup,
}

impl State {
    /// State before the first snapshot.
    pub(crate) fn new(query: Query, others: Vec<Query>, interval: Duration, size: (u16, u16), setup: Setup) -> Self {
        Self {
            query,
            earlier: Earlier { queries: others, ..Earlier::default() },
            frame: None,
            messages: HeaderMessages::default(),
            cursor: Cursor::default(),
            marked: FxHashSet::default(),
            detail: None,
            mode: Mode::Browse,
            pace: Pace { is_paused: false, interval },
            display: setup.display(size),
            history: History::default(),
            setup,
        }
    }

    /// The rows; `None` before the first frame.
    pub(crate) fn table(&self) -> Option<&Table> {
        self.frame.as_ref().map(|frame| &*frame.table)
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.table().map_or(0, Table::len)
    }

    /// The current view.
    pub(crate) fn view(&self) -> View {
        self.query.view
    }
}
