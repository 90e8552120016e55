//! Counts the sockets of this network namespace by state: `cargo run --example count`.

use std::collections::BTreeMap;
use std::io;

use tcpulse::{NetnsChoice, Request, Row, Sink, inspect};

#[derive(Default)]
struct ByState(BTreeMap<&'static str, u64>);

impl Sink for ByState {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        *self.0.entry(row.socket.state.name().unwrap_or("unknown")).or_default() += 1;
        Ok(())
    }
}

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]
fn main() -> Result<(), tcpulse::InspectError> {
    let mut counts = ByState::default();
    let tail = inspect(&Request::new(NetnsChoice::Current), None, &mut counts, &|| false)?;
    for (state, count) in &counts.0 {
        println!("{state} {count}");
    }
    for gap in &tail.gaps {
        eprintln!("not seen: {gap:?}");
    }
    Ok(())
}
