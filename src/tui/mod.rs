//! The dashboard. A look at the sockets comes in as an event like a key does; `update` alone changes the state and says
//! what is to be done (`Effect`), which whoever runs it carries out; `view` draws the state and changes nothing.
//!
//! The rows, and what has changed of them, come from [`crate::track`]. `screen` has a sketch of the screen.

pub(crate) mod action;
pub(crate) mod editor;
pub(crate) mod form;
pub(crate) mod glyphs;
pub(crate) mod inbox;
pub(crate) mod input;
pub(crate) mod keymap;
#[cfg(feature = "measure")]
pub(crate) mod measure;
pub(crate) mod run;
pub(crate) mod screen;
pub(crate) mod state;
pub(crate) mod terminal;
pub(crate) mod theme;
pub(crate) mod update;
pub(crate) mod view;
