//! Prints the changes of the sockets of this network namespace once a second: `cargo run --example watch -- [SECONDS]`;
//! without a number, for ever.

use std::io::{self, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tcpulse::{Cache, Change, ChangeSink, Needs, NetnsChoice, Request, Tracker, What, inspect};

const INTERVAL: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(u64::MAX), |seconds| seconds.parse())?;
    let needs = Needs::LIVENESS | Needs::OWNERS;
    let request = Request { needs, ..Request::new(NetnsChoice::Current) };
    let (mut cache, mut tracker) = (Cache::default(), Tracker::default());
    let (opened, mut printed) = (Instant::now(), 0);
    for _ in 0..=rounds {
        let mut sink = ChangeSink::new(&mut tracker, opened.elapsed());
        inspect(&request, Some(cache.whole()), &mut sink, &|| false)?;
        for change in tracker.changes.iter().filter(|change| change.number > printed) {
            writeln!(io::stdout(), "{}", line(change))?;
        }
        printed = tracker.changes.iter().next_back().map_or(printed, |change| change.number);
        sleep(INTERVAL);
    }
    Ok(())
}

fn line(change: &Change) -> String {
    let socket = &change.socket;
    let ends = format!("{:?} -> {:?}", socket.local, socket.remote);
    match change.what {
        What::Opened => format!("opened {ends} in {:?} by {:?}", socket.state, change.holder),
        What::Closed(reason) => format!("closed {ends}: {reason:?}"),
        What::State(before) => format!("{before:?} -> {:?}: {ends}", socket.state),
        What::Verdict(before) => format!("{before:?} -> {:?}: {ends}", change.verdict),
    }
}
