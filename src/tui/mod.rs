//! The dashboard. A look at the sockets comes in as an event like a key does; `update` alone changes the state and says
//! what is to be done (`Effect`), which whoever runs it carries out; `view` draws the state and changes nothing.
//!
//! The rows, and what has changed of them, come from [`crate::track`]. `screen` has a sketch of the screen.

pub mod action;
pub mod editor;
pub mod form;
pub mod glyphs;
pub mod inbox;
pub mod input;
pub mod keymap;
pub mod run;
pub mod screen;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
