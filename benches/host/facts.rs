//! Facts about the machine that are needed to compare the numbers with others.

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
    /// Number of sockets whose options are read for JSON
    pub(crate) asked: u32,
    /// Number of sockets with keepalive on, whose options are read for a table too
    pub(crate) guarded: u32,
    /// Microseconds to judge one row
    pub(crate) verdict_us: f64,
    /// Peak memory of the bench in MiB; a lower peak cannot be measured
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

/// The host before the load: whether other programs were busy.
pub(crate) struct Idle {
    pub(crate) sockets: u64,
    /// Load average of the last minute, as in /proc/loadavg
    pub(crate) load_average: String,
}

impl Idle {
    pub(crate) fn gather(bench: &Path) -> Result<Self> {
        let averages = fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
        let load_average = averages.split(' ').next().unwrap_or_default().to_owned();
        Ok(Self { sockets: answer(bench, &[DUMP, "0"])?, load_average })
    }
}

/// Runs the bench with these arguments and parses the number that it prints.
pub(crate) fn answer(bench: &Path, arguments: &[&str]) -> Result<u64> {
    let output = Command::new(bench).args(arguments).output().with_context(|| format!("starting {arguments:?}"))?;
    if !output.status.success() {
        bail!("{arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| format!("{arguments:?} answered {text:?}, which is no number"))
}

/// Peak memory of this process in KiB. Not from getrusage, which returns the peak of the parent cargo if that was
/// higher.
fn peak_kib() -> Result<i64> {
    let text = fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let value = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("/proc/self/status: no VmHWM")?;
    let kib = value.trim().trim_end_matches(" kB");
    kib.parse().with_context(|| format!("/proc/self/status: VmHWM: {kib:?} is no number"))
}

/// Model of the processor; `None` on architectures without the line.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
