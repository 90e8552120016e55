//! What a reader has to know about the machine to compare the numbers with others.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail};

use crate::load::{KEEPALIVE_EACH, Load};
use crate::measure::mib;
use crate::{DUMP, JUDGE, SCAN};

/// The machine and its load.
pub(crate) struct Facts {
    pub(crate) kernel: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) idle: Idle,
    pub(crate) sockets: u64,
    pub(crate) descriptors: u64,
    pub(crate) loaders: usize,
    pub(crate) sources: usize,
    /// Sockets whose options are read for JSON
    pub(crate) asked: u32,
    /// Those with keepalive on, whose options are read for a table too
    pub(crate) guarded: u32,
    /// Microseconds that the judgement of a row takes
    pub(crate) verdict_us: f64,
    /// Peak memory of the bench, below which no other peak can be seen
    pub(crate) peak_floor_mib: f64,
}

impl Facts {
    pub(crate) fn gather(bench: &Path, load: &Load, idle: Idle, connections: u32) -> Result<Self> {
        Ok(Self {
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            processor: processor().unwrap_or_else(|| "unknown processor".to_owned()),
            cores: available_parallelism().context("the number of cores")?.get(),
            idle,
            sockets: answer(bench, &[DUMP, "0"])?,
            descriptors: answer(bench, &[SCAN])?,
            loaders: load.processes(),
            sources: load.sources,
            asked: 2 * connections,
            guarded: 2 * connections.div_ceil(KEEPALIVE_EACH),
            verdict_us: f64::from(u32::try_from(answer(bench, &[JUDGE])?)?) / 1000.0,
            peak_floor_mib: mib(peak_kib()?),
        })
    }
}

/// The host before the load was made: whether somebody else was at work on it.
pub(crate) struct Idle {
    pub(crate) sockets: u64,
    /// Of the last minute, as the kernel writes it
    pub(crate) load_average: String,
}

impl Idle {
    pub(crate) fn gather(bench: &Path) -> Result<Self> {
        let averages = fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
        let load_average = averages.split(' ').next().unwrap_or_default().to_owned();
        Ok(Self { sockets: answer(bench, &[DUMP, "0"])?, load_average })
    }
}

/// The number that one of the floors prints.
pub(crate) fn answer(bench: &Path, arguments: &[&str]) -> Result<u64> {
    let output = Command::new(bench).args(arguments).output().with_context(|| format!("starting {arguments:?}"))?;
    if !output.status.success() {
        bail!("{arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| format!("{arguments:?} answered {text:?}, which is no number"))
}

/// Not from getrusage, which tells the peak of the cargo that started us if it was higher.
fn peak_kib() -> Result<i64> {
    let text = fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let value = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("/proc/self/status: no VmHWM")?;
    let kib = value.trim().trim_end_matches(" kB");
    kib.parse().with_context(|| format!("/proc/self/status: VmHWM: {kib:?} is no number"))
}

/// Not every architecture has the line.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
