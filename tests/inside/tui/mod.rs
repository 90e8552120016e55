//! The dashboard without a terminal: how keys and snapshots change its state, and what is drawn.

#![allow(clippy::unwrap_used, reason = "tests")]

mod acting;
mod browsing;
mod frames;
mod motion;
mod scene;
mod typing;
