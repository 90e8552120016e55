//! What a judgement costs: keepalive, deadline and verdict of rows that lie in memory, by the program's own functions.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use tcpulse::collect::diag::DiagSocket;
use tcpulse::collect::host::ticks_per_second;
use tcpulse::collect::kernel_values::sysctls;
use tcpulse::collect::refusals::Refusals;
use tcpulse::collect::request::DumpRequest;
use tcpulse::diagnose::{Facts, Judge, keepalive};
use tcpulse::model::address::NetnsId;
use tcpulse::model::needs::Needs;
use tcpulse::model::state::StateSet;

/// Rows that are looked at: about what fits the cache while a dump is worked on.
const MOST_ROWS: usize = 10_000;
const ROUNDS: u32 = 50;

/// Nanoseconds a row.
pub(crate) fn judge() -> Result<u128> {
    let mut rows = Vec::new();
    let (states, needs) = (StateSet::ALL, Needs::INFO);
    let request = DumpRequest { family: None, states, needs, bytecode: &[], beside: false };
    let mut diag = DiagSocket::open(NetnsId(0)).context("sock_diag")?;
    let dumped = diag.dump(request, |socket| {
        if rows.len() < MOST_ROWS {
            rows.push(socket.clone());
        }
        Ok::<(), std::convert::Infallible>(())
    });
    dumped.map_err(|error| anyhow!("the dump failed: {error:?}"))?;
    let (sysctls, judge) =
        (sysctls(&mut Refusals::default()), Judge { hz: ticks_per_second(), active_within_ms: 60_000 });
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        for socket in &rows {
            let keepalive = keepalive::of(socket, None, "not read", None, &sysctls);
            let facts = Facts { socket, keepalive: &keepalive, options: None, sysctls: &sysctls, doubt: None };
            black_box(judge.liveness(&facts));
        }
    }
    Ok(begin.elapsed().as_nanos() / u128::from(ROUNDS) / rows.len().max(1) as u128)
}
