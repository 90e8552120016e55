//! What the tests share: namespaces of their own, sockets in every state, the program and ss run inside.
//!
//! Everything lives in file descriptors of the test process, so that nothing outlives it, also when it panics.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up is a failed test")]
#![allow(clippy::print_stderr, reason = "a test says what it leaves out")]
#![allow(unreachable_pub, reason = "a test binary exports nothing")]
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::process::Command;
use std::sync::LazyLock;

pub mod host;
pub mod link;
pub mod netns;
pub mod processes;
pub mod program;
pub mod seccomp;
pub mod skip;
pub mod sockets;
pub mod ss;
pub mod terminal;
pub mod wait;
pub mod zoo;

/// Whether the test may make namespaces, and has the tools that most tests run in them. Else it is skipped, and says why.
pub fn is_root(test: &str) -> bool {
    static REASON: LazyLock<Option<String>> = LazyLock::new(lacking);
    match &*REASON {
        None => true,
        Some(reason) => {
            skip::skip(test, reason);
            false
        }
    }
}

/// What the tests in namespaces cannot do without.
fn lacking() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("making network namespaces needs root".to_owned());
    }
    let unshared = std::thread::spawn(|| nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)).join().unwrap();
    if let Err(errno) = unshared {
        return Some(format!("making network namespaces is refused: {}", errno.desc()));
    }
    let missing: Vec<_> = TOOLS.iter().filter(|tool| !is_there(tool)).collect();
    let listed: Vec<_> = missing.iter().map(|(name, package, _)| format!("{name} (package {package})")).collect();
    (!missing.is_empty()).then(|| format!("not found: {}", listed.join(", ")))
}

/// Each tool with its package of Debian, as in tests/setup, and what its version says: busybox has an `ip` and an `ss` of
/// its own, which cannot do what the tests need.
const TOOLS: [(&str, &str, &str); 4] = [
    ("ip", "iproute2", "iproute2"),
    ("ss", "iproute2", "iproute2"),
    ("unshare", "util-linux", ""),
    ("mount", "mount", ""),
];

fn is_there((tool, _, version): &(&str, &str, &str)) -> bool {
    let output = Command::new(tool).arg("-V").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(version))
}
