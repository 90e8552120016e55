//! The programmable path: some hundred cases, each a socket on a path that loses, delays, refuses or falls silent. Every
//! prediction that nothing disturbed later is held against the kernel.

mod case;
mod judge;
mod report;
mod run;
mod stage;
mod table;
mod watch;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::support::skip::skip;
use case::Case;
use run::{Lab, Record, Turns};
use watch::Watch;

const TEST: &str = "no_prediction_on_a_programmable_path_is_false";
/// Environment variable: `all` runs every case (`make lab`), `few` a sixth (`make kernels`), else a half.
const WHICH: &str = "TCPULSE_LAB";
/// Environment variable: only the cases whose class or name holds this text.
const ONLY: &str = "TCPULSE_LAB_ONLY";
/// Cases at a time at most, and runs of tcpulse at a time.
const CASES: usize = 32;
const RUNS: usize = 3;
/// One of so many of the part is among the few.
const FEW: usize = 3;
/// How often a case is tried again of which no look saw the socket.
const TRIES: usize = 3;

/// Runs the cases, prints the table, and fails on what is false.
#[test]
fn no_prediction_on_a_programmable_path_is_false() {
    if !crate::support::is_root(TEST) || !has_tun() {
        return;
    }
    let _alone = crate::alone();
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let cases = chosen();
    let records = run_all(&cases);
    let classes = report::classes(&records);
    if std::env::var_os(ONLY).is_some() {
        println!("{}", report::looks(&records));
    }
    println!("{}\n{}", report::wrong(&classes), report::table(&classes));
    assert!(report::is_judge_awake(&classes), "a prediction that was distorted on purpose was not found to be false");
    let wrong: Vec<_> = classes.iter().flat_map(|class| class.wrong.iter().cloned()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The cases to run.
fn chosen() -> Vec<Case> {
    let all: Vec<_> = table::cases(&controls()).into_iter().filter(can_run).collect();
    if let Ok(only) = std::env::var(ONLY) {
        return all.into_iter().filter(|case| format!("{}: {}", case.class, case.name).contains(&only)).collect();
    }
    match std::env::var(WHICH).as_deref() {
        Ok("all") => all,
        Ok("few") => part(all).into_iter().step_by(FEW).collect(),
        _ => part(all),
    }
}

/// A part of the cases: of those that differ in family and congestion control only, one, and not always the same
/// family.
fn part(all: Vec<Case>) -> Vec<Case> {
    let mut seen = BTreeSet::new();
    let mut scenes: Vec<Vec<Case>> = Vec::new();
    for case in all {
        let scene = (case.class, case.scene.clone());
        if seen.insert(scene.clone()) {
            scenes.push(Vec::new());
        }
        let index = scenes
            .iter()
            .position(|cases| cases.first().is_none_or(|first| (first.class, first.scene.clone()) == scene));
        scenes[index.unwrap()].push(case);
    }
    scenes.into_iter().enumerate().map(|(index, mut cases)| cases.swap_remove(index % cases.len())).collect()
}

fn run_all(cases: &[Case]) -> Vec<Record> {
    let lab = Lab { watch: Watch::default(), turns: Turns::new(RUNS) };
    let (next, records) = (Mutex::new(0..cases.len()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        scope.spawn(|| lab.watch.run());
        let work = || {
            loop {
                let Some(index) = next.lock().unwrap().next() else { return };
                // A busy machine may look at a socket too late, but not always.
                let mut record = run::run(&cases[index], &lab);
                for _ in 0..TRIES {
                    if record.looks.is_empty() {
                        record = run::run(&cases[index], &lab);
                    }
                }
                records.lock().unwrap().push((index, record));
            }
        };
        let workers: Vec<_> = (0..CASES.min(crate::at_once())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        lab.watch.finish();
    });
    let mut records = records.into_inner().unwrap();
    records.sort_by_key(|(index, _)| *index);
    records.into_iter().map(|(_, record)| record).collect()
}

/// Which of the congestion controls that differ for the deadline this kernel offers.
fn controls() -> Vec<&'static str> {
    let offered = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control").unwrap();
    let (there, missing): (Vec<_>, Vec<_>) =
        ["bbr", "cubic"].into_iter().partition(|name| offered.split_whitespace().any(|offer| offer == *name));
    for name in missing {
        skip(&format!("{TEST}, {name}"), "the kernel does not offer this congestion control");
    }
    there
}

/// Whether the kernel has the sysctls of the case.
fn can_run(case: &Case) -> bool {
    let is_missing = |name: &&str| !std::path::Path::new("/proc/sys/net").join(name).exists();
    let missing = case.needed_sysctls().find(is_missing);
    if let Some(name) = missing {
        skip(&format!("{TEST}, {}: {}", case.class, case.name), &format!("the kernel has no net/{name}"));
    }
    missing.is_none()
}

fn has_tun() -> bool {
    let has = std::fs::File::open("/dev/net/tun").is_ok();
    if !has {
        skip(TEST, "/dev/net/tun cannot be opened");
    }
    has
}
