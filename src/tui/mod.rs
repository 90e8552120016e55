//! The dashboard. Frames of snapshots and keys arrive as events. `update` alone changes the state and returns effects
//! (`Effect`), which the loop or its caller carries out. `view` draws the state and changes nothing.
//!
//! The rows and their changes come from [`crate::track`]. `screen` sketches the screen.

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
