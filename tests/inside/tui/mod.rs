//! The dashboard without a terminal: what keys and looks make of the state, and what is drawn of it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod acting;
mod browsing;
mod frames;
mod motion;
mod scene;
mod typing;
