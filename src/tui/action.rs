//! What the user can do, and what comes of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ratatui::crossterm::event::Event as Input;

use crate::model::change::KeepaliveChange;
use crate::model::socket::SocketId;
use crate::track::frame::Frame;
use crate::track::query::Query;
use crate::track::sheet::Sheet;
use crate::track::table::Table;
use crate::track::views::View;

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// End the program
    Quit,
    /// Close what is open; in the table: forget marks, then the filter
    Back,
    /// Every key
    Help,
    /// One row up
    Up,
    /// One row down
    Down,
    /// Half a screen up
    HalfUp,
    /// Half a screen down
    HalfDown,
    /// First row
    Top,
    /// Last row
    Bottom,
    /// Everything known of the selected connection; the connections of a group
    Open,
    /// Mark the selected row, or not
    Mark,
    /// Mark every row, or none
    MarkAll,
    /// Destroy, after a question
    Destroy,
    /// Set keepalive, in a form
    Set,
    /// Copy the row to the clipboard
    Copy,
    /// Write what is shown to a file
    Save,
    /// Open the filter box
    Filter,
    /// Choose a named filter
    Bookmarks,
    /// Another view
    Show(View),
    /// The next view
    NextView,
    /// The one before
    PreviousView,
    /// Sort by the next column
    Sort,
    /// Turn the order around
    Reverse,
    /// Choose columns
    Columns,
    /// Choose a namespace
    Namespaces,
    /// Group processes otherwise
    GroupBy,
    /// Show what is left out: sockets that are no connections, counters that are 0
    All,
    /// Names for addresses, or not
    Names,
    /// Whole addresses, or not
    Wide,
    /// Another theme
    Theme,
    /// Freeze the data
    Pause,
    /// Look more often
    Faster,
    /// Look less often
    Slower,
    /// Draw all of it anew
    Redraw,
    /// Give the terminal back to the shell for a while
    Suspend,
}

impl Action {
    /// Whether it is done to sockets, so that it means nothing in views whose rows are something else.
    pub(crate) fn is_on_sockets(self) -> bool {
        matches!(self, Self::Mark | Self::MarkAll | Self::Destroy | Self::Set)
    }
}

/// What happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// The terminal says something: a key, another size
    Input(Input),
    /// A look at the sockets
    Frame(Box<Frame>),
    /// All that is known of one socket; `None` where it is gone
    Detail(SocketId, Option<Box<Sheet>>),
    /// Names of addresses; `None` for those that have none, or not in time
    Names(Vec<(IpAddr, Option<String>)>),
    /// What came of an order
    Told(String),
    /// A look failed
    Failed(String),
    /// No look has come for so long
    Late(Duration),
    /// All that has come was taken in, and a frame is about to be drawn
    Settled,
    /// A frame was drawn, and nothing has come meanwhile
    Drawn,
    /// A signal asks for the terminal
    Suspend,
    /// The process was stopped, and goes on
    Continued,
    /// Its terminal is gone
    End,
    /// A signal tells it to end: which
    Signal(i32),
}

/// A socket that somebody means, and what finds it without looking through all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketRef {
    /// Which
    pub id: SocketId,
    /// Its local and its remote port, where they are known
    pub ports: Option<(u16, u16)>,
}

/// A table that is shared: equal to itself only.
#[derive(Debug, Clone)]
pub(crate) struct SharedTable(pub Arc<Table>);

impl PartialEq for SharedTable {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Look at the sockets this way from now on, and at once
    Look(Box<Query>),
    /// Look so often
    Every(Duration),
    /// Look no more, or again
    Pause(bool),
    /// Find out all about one socket
    Inspect(SocketRef),
    /// Destroy these
    Destroy(Vec<SocketId>),
    /// Set keepalive of these
    Set(Vec<SocketId>, KeepaliveChange),
    /// Find names for these addresses
    Resolve(Vec<IpAddr>),
    /// Put this text into the clipboard
    Copy(String),
    /// Write a table to a file
    Save(String, SharedTable),
    /// Forget what stands on the screen
    Redraw,
    /// Take the terminal over once more: whoever stopped this process has changed it
    Retake,
    /// Stop this process until the shell lets it go on
    Suspend,
    /// End
    Quit,
    /// End as this signal would have it
    EndBy(i32),
    /// End with this error: there is nothing to show
    Fail(String),
}
