//! Tests of private items: compiled into the library's own tests (`src/lib.rs`), so that nothing has to be public for
//! them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod act;
mod deadlines;
mod decoder;
mod ending;
mod filter;
mod inference;
mod judgement;
mod schema;
#[path = "../support"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the other tests, which use more of it")]
#[allow(clippy::print_stderr, reason = "a test says what it leaves out")]
mod support {
    pub(crate) mod netns;
    pub(crate) mod root;
    pub(crate) mod schema;
    pub(crate) mod skip;
    pub(crate) mod sockets;
    pub(crate) mod terminal;
    pub(crate) mod wait;
}
mod tui;
