//! The dashboard. A look at the sockets comes in as an event like a key does; `update` alone changes the state and says
//! what is to be done (`Effect`), which whoever runs it carries out; `view` draws the state and changes nothing.
//!
//! A look is made into a [`sight::Sight`] by the thread that looks: [`sight::Gathering`] receives its rows and packs the
//! [`table::Table`] of the view that is shown, [`memory::Memory`] compares them with the look before. `screen` has a sketch
//! of the screen.

pub mod action;
pub mod change;
pub mod counts;
pub mod editor;
pub mod form;
pub mod glyphs;
pub mod group;
pub mod heading;
pub mod inbox;
pub mod input;
pub mod keymap;
pub mod memory;
pub mod numbers;
pub mod pack;
pub mod run;
pub mod screen;
pub mod sheet;
pub mod sight;
pub mod state;
pub mod table;
pub mod terminal;
pub mod theme;
pub mod timeline;
pub mod update;
pub mod view;
pub mod views;
