//! How sockets change from snapshot to snapshot. A sink ([`frame::FrameBuilder`]) receives the rows,
//! [`tracker::Tracker`] compares them with the previous snapshot, and [`table::Table`] packs them as rows of the
//! requested view. Imports no screen, no command line and no kernel interface; the time is an argument.

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
