//! `make bench`: cost of tcpulse on a host with 100,000 sockets, compared to the kernel's lower bound and to the usual
//! tools. Prints tables; never fails because something was slow.
//!
//! `TCPULSE_BENCH_CONNECTIONS` (default: 50,000, two sockets each) and `TCPULSE_BENCH_ROUNDS` (default: 5) set the
//! size. Cargo passes `--bench`; without it, as in `cargo test --benches`, a small run checks that the bench still
//! works. The load and the lower bounds are this program again with a hidden argument, so that each is a separate
//! process.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its tables, and what it is doing")]

mod bare;
mod dashboard;
mod facts;
mod jobs;
mod load;
mod measure;
mod report;

use std::env;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dashboard::Effort;

/// First argument of the re-executed bench: hold connections (their number, number of the first).
const HOLD: &str = "@hold";
/// Dump all TCP sockets with these attributes (bits of `idiag_ext`); with `src` or `dst`, an address and a prefix
/// length, only those within the prefix.
const DUMP: &str = "@dump";
/// Judge rows, and print the nanoseconds per row.
const JUDGE: &str = "@judge";
/// Read the links of all descriptors.
const SCAN: &str = "@scan";

/// Stay in a new network namespace.
const INHABIT: &str = "@inhabit";

/// Pause before measuring, so that delayed ACKs and the rest of the loaders' work are not measured.
const SETTLE: Duration = Duration::from_secs(1);

/// Connections of a typical host; each is two sockets.
const FEW_CONNECTIONS: usize = 500;

/// Measurements of the dashboard: over no sockets, over a thousand, and over all.
struct Dashboards {
    empty: dashboard::Run,
    few: dashboard::Run,
    many: dashboard::Run,
    /// CPU time in milliseconds of a bare dump with tcp_info, taken just before and after the last of them: a virtual
    /// machine may be half as fast a minute later
    dump_ms: f64,
    /// Milliseconds to draw a frame
    frame_ms: f64,
}

/// Size of the bench.
struct Size {
    connections: usize,
    rounds: usize,
    idle_runs: usize,
    effort: Effort,
}

const SMOKE: Size = Size { connections: 50, rounds: 1, idle_runs: 1, effort: Effort { seconds: 1, keys: 5 } };

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [HOLD, count, first] => load::hold(count.parse()?, first.parse()?),
        [DUMP, attributes] => bare::dump(attributes.parse()?, &[]).map(|sockets| println!("{sockets}")),
        [DUMP, attributes, side, addr, bits] => {
            let code = if side == "src" { bare::SRC } else { bare::DST };
            let bytecode = bare::prefix(code, addr.parse()?, bits.parse()?);
            bare::dump(attributes.parse()?, &bytecode).map(|sockets| println!("{sockets}"))
        }
        [INHABIT] => load::inhabit(),
        [JUDGE] => tcpulse::measure::judge_ns().map(|nanos| println!("{nanos}")),
        [SCAN] => bare::scan().map(|links| println!("{links}")),
        ["--bench"] => bench(&Size::from_environment()?),
        [] => bench(&SMOKE),
        _ => bail!("arguments mean nothing here; set TCPULSE_BENCH_CONNECTIONS or TCPULSE_BENCH_ROUNDS"),
    }
}

impl Size {
    fn from_environment() -> Result<Self> {
        Ok(Self {
            connections: number("TCPULSE_BENCH_CONNECTIONS", 50_000)?,
            rounds: number("TCPULSE_BENCH_ROUNDS", 5)?,
            idle_runs: 21,
            effort: Effort { seconds: 20, keys: 300 },
        })
    }
}

fn number(variable: &str, default: usize) -> Result<usize> {
    match env::var(variable) {
        Err(env::VarError::NotPresent) => Ok(default),
        Ok(text) => match text.parse() {
            Ok(0) | Err(_) => bail!("{variable}={text}: not a number from 1 up"),
            Ok(number) => Ok(number),
        },
        Err(error) => Err(error).context(variable.to_owned()),
    }
}

fn bench(size: &Size) -> Result<()> {
    let bench = env::current_exe().context("the path of the bench itself")?;
    let idle = facts::Idle::gather(&bench)?;
    eprintln!("measuring the idle host: {} runs", size.idle_runs);
    let idle_series = measure::interleaved(&jobs::idle(&bench), size.idle_runs)?;

    let few = {
        let _load = load::Load::new(&bench, FEW_CONNECTIONS)?;
        eprintln!("measuring the dashboard over {} sockets", 2 * FEW_CONNECTIONS);
        dashboard::measure(jobs::tcpulse_path(), false, size.effort)?
    };
    eprintln!("loading {} connections", size.connections);
    let load = load::Load::new(&bench, size.connections)?;
    std::thread::sleep(SETTLE);
    let connections = u32::try_from(size.connections)?;
    let facts = facts::Facts::gather(&bench, &load, idle, connections)?;
    if facts.sockets < 2 * size.connections as u64 {
        bail!("{} connections were made, but a dump shows only {} sockets", size.connections, facts.sockets);
    }
    let (jobs, missing) = jobs::loaded(&bench);
    let mut all = measure::interleaved(&jobs, size.rounds)?;
    match load::Namespaces::new(&bench, jobs::EMPTY_NAMESPACES) {
        Ok(_namespaces) => all.extend(measure::interleaved(&jobs::among_namespaces(), size.rounds)?),
        Err(error) => eprintln!("not measured beside empty namespaces: {error:#}"),
    }
    eprintln!("measuring the dashboard");
    let dump_ms = || -> Result<f64> {
        let series = measure::interleaved(&[jobs::dump_info(&bench)], size.rounds)?;
        Ok(series.iter().map(measure::Series::cpu_ms).sum())
    };
    let before = dump_ms()?;
    let many = dashboard::measure(jobs::tcpulse_path(), false, size.effort)?;
    let dump_ms = f64::midpoint(before, dump_ms()?);
    let dashboard = Dashboards {
        empty: dashboard::measure(jobs::tcpulse_path(), true, size.effort)?,
        few,
        many,
        dump_ms,
        frame_ms: tcpulse::measure::frame_ms(size.effort.keys)?,
    };
    drop(load);

    all.extend(idle_series);
    print!("{}", report::report(&facts, &all, &missing, &dashboard));
    Ok(())
}
