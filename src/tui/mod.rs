//! The dashboard. A look at the sockets comes in as an event like a key does; `update` alone changes the state and says
//! what is to be done (`Effect`), which whoever runs it carries out; `view` draws the state and changes nothing.
//!
//! ```text
//! ┌ header: host, counts, who is silent ─────────────┐
//! │ table of connections, or the detail of one, or   │
//! │ the help                                         │
//! │ the filter box, while it is open                 │
//! └ footer: the keys of the moment, what is not seen ┘
//! ```

pub mod action;
pub mod keymap;
pub mod run;
pub mod sight;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
