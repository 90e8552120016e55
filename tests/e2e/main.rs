//! The program from outside: real sockets, real namespaces, the built binary.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod against_ss;
mod churn;
mod cli;
mod endings;
mod fallback;
mod inference;
mod namespaces;
mod options;
mod owners;
mod streaming;
