//! Draws the state and changes nothing; `screen` places the areas.

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
