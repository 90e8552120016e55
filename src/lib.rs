//! tcpulse tells what every TCP connection of a Linux host is doing, whether its peer is still there, and when the
//! kernel would notice if it were not. ARCHITECTURE.md shows the rooms and how data flows through them.

pub mod act;
pub mod cli;
pub mod collect;
pub mod decode;
pub mod diagnose;
pub mod export;
pub mod fields;
pub mod filter;
pub mod inspect;
pub mod model;
pub mod text;
pub mod track;
pub mod tui;
