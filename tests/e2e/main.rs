//! The program from outside: real sockets, real namespaces, the built binary.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/schema.rs"]
mod schema_support;

mod against_ss;
mod blind;
mod churn;
mod cli;
mod complete;
mod dashboard;
mod endings;
mod fallback;
mod filter;
mod habits;
mod hostile;
mod inference;
mod journal;
mod judged;
mod keepalive;
mod kill;
mod library;
mod namespaces;
mod options;
mod output;
mod owners;
mod privilege;
mod readme;
mod rights;
mod set;
mod streaming;
mod terminal;
