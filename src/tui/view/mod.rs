//! Draws the state. Reads only. Where things stand is `screen`'s.

mod canvas;
mod detail;
mod draw;
mod footer;
mod header;
mod help;
mod popup;
mod prompt;
mod table;

pub(crate) use draw::draw;
