//! Actions (what the user can do), events (what reaches the loop) and effects (what the loop has to carry out).

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

/// Command that a key is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// End the program
    Quit,
    /// Close what is open; in the table: clear the marks, then the filter
    Back,
    /// Show the help: every key
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
    /// Open the detail of the selected connection, or list the connections of a group
    Open,
    /// Mark or unmark the selected row
    Mark,
    /// Mark every row, or unmark all
    MarkAll,
    /// Destroy, after confirmation
    Destroy,
    /// Set keepalive, in a form
    Set,
    /// Copy the row to the clipboard
    Copy,
    /// Write the shown table to a file
    Save,
    /// Open the filter box
    Filter,
    /// Choose a bookmark: a filter that the configuration names
    Bookmarks,
    /// Switch to this view
    Show(View),
    /// Switch to the next view
    NextView,
    /// Switch to the previous view
    PreviousView,
    /// Sort by the next column
    Sort,
    /// Reverse the order
    Reverse,
    /// Choose columns
    Columns,
    /// Choose a namespace
    Namespaces,
    /// Group processes by the next key: process, program, unit or container
    GroupBy,
    /// Show what is hidden by default: sockets without a connection, counters that are 0
    All,
    /// Show host names or addresses
    Names,
    /// Show addresses in full or shortened
    Wide,
    /// Switch to the next theme
    Theme,
    /// Freeze the data
    Pause,
    /// Shorten the interval between snapshots
    Faster,
    /// Lengthen the interval between snapshots
    Slower,
    /// Redraw the whole screen
    Redraw,
    /// Suspend to the shell (`SIGTSTP`)
    Suspend,
}

impl Action {
    /// Whether it acts on sockets; such an action has no meaning in views whose rows are not sockets.
    pub(crate) fn is_on_sockets(self) -> bool {
        matches!(self, Self::Mark | Self::MarkAll | Self::Destroy | Self::Set)
    }
}

/// Input of [`update`](super::update::update): one thing that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// Input from the terminal: a key, a paste, a click, a new size
    Input(Input),
    /// The frame of a new snapshot
    Frame(Box<Frame>),
    /// The detail of one socket; `None` if it is closed
    Detail(SocketId, Option<Box<Sheet>>),
    /// Host names of addresses; `None` for an address without a name, or whose look-up timed out
    Names(Vec<(IpAddr, Option<String>)>),
    /// Result of an action, to be shown
    Told(String),
    /// A snapshot failed: the error
    Failed(String),
    /// No snapshot for this long
    Late(Duration),
    /// All waiting events are processed and a frame is about to be drawn
    Settled,
    /// A frame was drawn and no event arrived meanwhile
    Drawn,
    /// A signal asks to stop the process (`SIGTSTP`)
    Suspend,
    /// The process was stopped and continues (`SIGCONT`)
    Continued,
    /// The terminal is closed
    End,
    /// A signal terminates the process: its number
    Signal(i32),
}

/// Socket, with the ports that let the kernel find it without a dump of all sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketRef {
    /// Identity of the socket
    pub id: SocketId,
    /// Local and remote port, if known
    pub ports: Option<(u16, u16)>,
}

/// Shared table; equal only to itself.
#[derive(Debug, Clone)]
pub(crate) struct SharedTable(pub Arc<Table>);

impl PartialEq for SharedTable {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Output of [`update`](super::update::update): what the loop or its caller has to carry out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Take a snapshot for this query now, and use the query for later snapshots
    Look(Box<Query>),
    /// Take a snapshot at this interval
    Every(Duration),
    /// Stop (`true`) or resume (`false`) snapshots
    Pause(bool),
    /// Collect the detail of one socket
    Inspect(SocketRef),
    /// Destroy these sockets
    Destroy(Vec<SocketId>),
    /// Set keepalive options of these sockets
    Set(Vec<SocketId>, KeepaliveChange),
    /// Resolve these addresses to names
    Resolve(Vec<IpAddr>),
    /// Copy this text to the clipboard
    Copy(String),
    /// Write a table to the file of this name
    Save(String, SharedTable),
    /// Discard what is on the screen and draw a whole frame
    Redraw,
    /// Set the terminal up again: the shell changed its modes while this process was stopped
    Retake,
    /// Stop this process until the shell continues it
    Suspend,
    /// Exit
    Quit,
    /// Restore the terminal and die from this signal
    EndBy(i32),
    /// Exit with this error: no snapshot succeeded, so there is nothing to show
    Fail(String),
}
