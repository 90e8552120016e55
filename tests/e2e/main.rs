//! The program from outside: real sockets, real namespaces, the built binary.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod against_ss;
