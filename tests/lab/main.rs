//! The dead-peer lab: peers really vanish, tcpulse predicts when the kernel will notice, and the test waits for the
//! kernel. `make lab` prints the table.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up is a failed test")]
#![allow(clippy::print_stdout, reason = "the table is for whoever runs the lab")]

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod observe;

use std::thread;

use observe::Report;

/// Cases that run: all, or those that `TCPULSE_LAB_CASES` names, separated by semicolons.
fn chosen() -> Vec<cases::Case> {
    let Ok(names) = std::env::var("TCPULSE_LAB_CASES") else { return cases::ALL.to_vec() };
    let find =
        |name| *cases::ALL.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no case '{name}'"));
    names.split(';').map(find).collect()
}

/// Number of cases that run at once: all, or `TCPULSE_LAB_AT_ONCE`.
fn at_once() -> usize {
    std::env::var("TCPULSE_LAB_AT_ONCE").map_or(usize::MAX, |number| number.parse().unwrap())
}

/// Runs the cases, each in its own namespaces, and compares each prediction with what the kernel did.
#[test]
fn the_kernel_ends_each_connection_when_tcpulse_said_it_would() {
    if !support::is_root("the_kernel_ends_each_connection_when_tcpulse_said_it_would") {
        return;
    }
    let mut reports = Vec::new();
    for group in chosen().chunks(at_once()) {
        reports.extend(observed(group));
    }
    println!("{}\n{}", observe::table(&reports), observe::summary(&reports));
    let lies: Vec<_> = reports.iter().flat_map(Report::lies).collect();
    assert!(lies.is_empty(), "{}", lies.join("\n"));
}

/// Reports of cases that run at once.
fn observed(cases: &[cases::Case]) -> Vec<Report> {
    thread::scope(|scope| {
        let running: Vec<_> = cases.iter().map(|&(name, case)| scope.spawn(move || observe::run(name, case))).collect();
        running.into_iter().map(|case| case.join().unwrap()).collect()
    })
}
