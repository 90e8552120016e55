//! Helpers of the tests: separate namespaces, sockets in every state, tcpulse and ss run inside.
//!
//! File descriptors of the test process hold namespaces and sockets, so that nothing outlives it, even if it panics.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up is a failed test")]
#![allow(clippy::print_stderr, reason = "a test says what it leaves out")]
#![allow(unreachable_pub, reason = "a test binary exports nothing")]
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub mod diag;
pub mod frame;
pub mod host;
pub mod link;
pub mod netns;
pub mod path;
pub mod processes;
pub mod program;
pub mod relay;
pub mod root;
pub mod seccomp;
pub mod skip;
pub mod sockets;
pub mod ss;
pub mod tap;
pub mod terminal;
pub mod wait;
pub mod zoo;

pub use root::is_root;
