//! How sockets change from snapshot to snapshot. Rows come in by a sink ([`frame::FrameBuilder`]), are compared with the
//! snapshot before ([`tracker::Tracker`]) and packed as the rows of the view that is asked for ([`table::Table`]). Imports no
//! screen, no command line and no kernel; the time is an argument.

pub mod change;
pub mod change_log;
pub mod closing;
pub mod columns;
pub mod counts;
pub mod frame;
pub mod group;
pub mod group_history;
pub mod holders;
pub mod kernel_rows;
mod known;
pub mod line;
mod moments;
pub mod motion;
pub mod pack;
pub mod query;
pub mod sheet;
pub mod shown;
pub mod table;
pub mod timeline;
pub mod tracker;
pub mod views;
