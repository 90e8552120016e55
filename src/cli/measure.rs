//! Cost of single parts of the program, for `make bench`: judging a row, and drawing a frame of the dashboard.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::collect::diag::DiagSocket;
use crate::collect::discovery::NetnsChoice;
use crate::collect::host::ticks_per_second;
use crate::collect::kernel_values::sysctls;
use crate::collect::refusals::Refusals;
use crate::collect::request::DumpRequest;
use crate::collect::visit::SourceChoice;
use crate::diagnose::{Facts, Judge, keepalive};
use crate::filter::NoNames;
use crate::inspect::{Request, inspect};
use crate::model::address::NetnsId;
use crate::model::needs::Needs;
use crate::model::state::StateSet;
use crate::model::time::Millis;
use crate::model::unread::Unread;
use crate::track::frame::FrameBuilder;
use crate::track::query::Query;
use crate::track::tracker::Tracker;
use crate::track::views::View;
use crate::tui::action::Event;
use crate::tui::measure::times;
use crate::tui::state::{Setup, State};
use crate::tui::update::update;

/// Nanoseconds to judge one row that is in memory: keepalive, deadline and verdict.
///
/// # Errors
/// The dump failed.
pub fn judge_ns() -> Result<u128> {
    /// About what stays in the CPU cache during a dump.
    const MOST_ROWS: usize = 10_000;
    const ROUNDS: u32 = 50;
    let mut rows = Vec::new();
    let (states, needs) = (StateSet::ALL, Needs::INFO);
    let request = DumpRequest { family: None, states, needs, bytecode: &[], in_parallel: false };
    let mut diag = DiagSocket::open(NetnsId(0)).context("sock_diag")?;
    let dumped = diag.dump(request, |socket| {
        if rows.len() < MOST_ROWS {
            rows.push(socket.clone());
        }
        Ok::<(), Infallible>(())
    });
    dumped.map_err(|error| anyhow!("the dump failed: {error:?}"))?;
    let (sysctls, judge) =
        (sysctls(&mut Refusals::default()), Judge { hz: ticks_per_second(), active_within: Millis::from_secs(60) });
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        for socket in &rows {
            let keepalive = keepalive::of(socket, None, Unread::Unneeded, &sysctls);
            let facts = Facts {
                socket,
                keepalive: &keepalive,
                options: None,
                sysctls: &sysctls,
                doubt: None,
                may_be_mptcp: false,
            };
            black_box(judge.liveness(&facts));
        }
    }
    Ok(begin.elapsed().as_nanos() / u128::from(ROUNDS) / rows.len().max(1) as u128)
}

/// Median milliseconds to draw a frame with all sockets of this namespace through the terminal backend.
///
/// # Errors
/// The snapshot or the drawing failed.
pub fn frame_ms(frames: usize) -> Result<f64> {
    const SIZE: (u16, u16) = (200, 60);
    let wanted = Query::new(View::Connections);
    let (source, states, needs) = (SourceChoice::SockDiag, wanted.states(), wanted.needs());
    let request = Request { source, states, needs, ..Request::new(NetnsChoice::Current) };
    let mut tracker = Tracker::default();
    let mut builder = FrameBuilder::new(wanted.clone(), &mut tracker, Duration::ZERO);
    let tail = inspect(&request, None, &mut builder, &|| false)?;
    let frame = builder.finish(tail, Vec::new());
    let mut state = State::new(wanted, Vec::new(), Duration::from_secs(1), SIZE, Setup::default());
    update(&mut state, Event::Frame(Box::new(frame)), &NoNames);
    let mut times = times(&mut state, frames)?;
    times.sort();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1000.0)
}
