//! Checks whether the tests that need root and tools can run.

use std::process::Command;
use std::sync::LazyLock;

use super::skip;

/// Whether the test may create namespaces, and has the tools that most tests run in them. If not, it is skipped with the reason.
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

/// Reason why tests in namespaces cannot run, if there is one.
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

/// Each tool, its Debian package as in tests/setup, and a text in its version output, which excludes busybox: its own
/// `ip` and `ss` lack what the tests need.
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
