//! The dead-peer lab: peers really vanish, tcpulse predicts when the kernel will notice, and the test waits for the
//! kernel. `make lab` prints the table.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up is a failed test")]
#![allow(clippy::print_stdout, reason = "the table is for whoever runs the lab")]

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod observe;
mod path;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use observe::Report;

/// Lets one lab run at a time: two would make each other's looks slow, and the times of their rows vague.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs every case at once, each in its own namespaces, and compares each prediction with what the kernel did.
#[test]
fn the_kernel_ends_each_connection_when_tcpulse_said_it_would() {
    if !support::is_root("the_kernel_ends_each_connection_when_tcpulse_said_it_would") {
        return;
    }
    let _alone = alone();
    let reports: Vec<Report> = thread::scope(|scope| {
        let running: Vec<_> =
            cases::ALL.iter().map(|(name, case)| scope.spawn(move || observe::run(name, *case))).collect();
        running.into_iter().map(|case| case.join().unwrap()).collect()
    });
    println!("{}\n{}", observe::table(&reports), observe::summary(&reports));
    let lies: Vec<_> = reports.iter().flat_map(Report::lies).collect();
    assert!(lies.is_empty(), "{}", lies.join("\n"));
}
