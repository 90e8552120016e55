//! What the user can do, and what comes of it.

use std::time::Duration;

use ratatui::crossterm::event::Event as Input;

use super::sight::Sight;
use super::state::{View, Wanted};
use crate::model::socket::SocketId;

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// End the program
    Quit,
    /// Close what is open; in the table: forget the filter
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
    /// Everything known of the selected connection
    Open,
    /// Destroy the selected connection, after a question
    Destroy,
    /// Open the filter box
    Filter,
    /// Another view
    Show(View),
    /// The next view
    NextView,
    /// Sort by the next column
    Sort,
    /// Turn the order around
    Reverse,
    /// Freeze the data
    Pause,
    /// Look more often
    Faster,
    /// Look less often
    Slower,
    /// Give the terminal back to the shell for a while
    Suspend,
}

/// What happens.
#[derive(Debug)]
pub enum Event {
    /// The terminal says something: a key, another size
    Input(Input),
    /// A look at the sockets
    Sight(Box<Sight>),
    /// All that is known of one socket, in lines; `None` where it is gone
    Detail(SocketId, Option<Vec<String>>),
    /// What came of an order
    Told(String),
    /// A look failed
    Failed(String),
    /// The program is told to end, or its terminal is gone
    End,
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Look at the sockets this way from now on, and at once
    Look(Box<Wanted>),
    /// Look so often
    Every(Duration),
    /// Look no more, or again
    Pause(bool),
    /// Find out all about one socket
    Inspect(SocketId),
    /// Destroy it
    Destroy(SocketId),
    /// Stop this process until the shell lets it go on
    Suspend,
    /// End
    Quit,
}
