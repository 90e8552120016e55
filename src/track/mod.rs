//! How sockets change from snapshot to snapshot. Rows come in by a sink ([`frame::FrameBuilder`]), are compared with the
//! snapshot before ([`tracker::Tracker`]) and packed as the rows of the view that is asked for ([`table::Table`]). Imports no
//! screen, no command line and no kernel; the time is an argument.

pub(crate) mod change;
pub(crate) mod change_log;
pub(crate) mod closing;
pub(crate) mod columns;
pub(crate) mod counts;
pub(crate) mod frame;
pub(crate) mod group;
pub(crate) mod group_history;
pub(crate) mod holders;
pub(crate) mod kernel_rows;
mod known;
pub(crate) mod line;
mod moments;
pub(crate) mod motion;
pub(crate) mod pack;
pub(crate) mod query;
pub(crate) mod sheet;
pub(crate) mod shown;
pub(crate) mod sink;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod tracker;
pub(crate) mod views;
