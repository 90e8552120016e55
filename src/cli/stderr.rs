//! Messages on stderr, one line each.

use std::io::{self, Write};

use crate::model::gap::Gaps;

/// Prints all gaps in one line.
pub(super) fn tell(gaps: &Gaps) {
    if gaps.is_empty() {
        return;
    }
    let unseen: Vec<_> =
        gaps.iter().map(|gap| format!("{} ({}, {})", gap.kind.name(), gap.count, gap.cause())).collect();
    let mut remedies: Vec<_> = gaps.iter().filter_map(|gap| gap.remedy.phrase()).collect();
    remedies.sort_unstable();
    remedies.dedup();
    let to_see = if remedies.is_empty() { String::new() } else { format!("; to see it: {}", remedies.join("; ")) };
    say(&format!("not seen: {}{to_see}", unseen.join(", ")));
}

/// Prints one line. Errors are ignored: there is no other place to report them.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "tcpulse: {}", crate::text::printable(text));
}
