//! Runs commands and measures time and memory. Runs are interleaved in rounds, so that a temporary slowdown of the
//! machine affects all commands. Results are medians.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::jobs::{Job, What};

/// One run of a command.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    wall: Duration,
    /// User and system time of the command and of its waited-for children
    cpu: Duration,
    /// Of the largest process. Never less than that of the bench: until exec, the child is a copy of it
    peak_kib: i64,
}

/// All runs of a command, in the order of the rounds.
pub(crate) struct Series {
    pub(crate) what: What,
    pub(crate) title: String,
    samples: Vec<Sample>,
}

/// Runs each job once per round.
pub(crate) fn interleaved(jobs: &[Job], rounds: usize) -> Result<Vec<Series>> {
    let mut series: Vec<_> = jobs
        .iter()
        .map(|job| Series { what: job.what, title: job.title.clone(), samples: Vec::with_capacity(rounds) })
        .collect();
    for round in 0..rounds {
        for (job, series) in jobs.iter().zip(&mut series).filter(|(job, _)| round < job.most_rounds) {
            series.samples.push(run(job)?);
        }
        if jobs.iter().any(|job| job.what == What::Dump) {
            eprintln!("round {} of {rounds} done", round + 1);
        }
    }
    Ok(series)
}

fn run(job: &Job) -> Result<Sample> {
    let begun = Instant::now();
    let child = Command::new(&job.program)
        .args(&job.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("starting {}", job.title))?;
    let (status, usage) = wait(child.id()).with_context(|| format!("waiting for {}", job.title))?;
    let wall = begun.elapsed();
    if !status.success() {
        bail!("{} failed: {status}", job.title);
    }
    let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
    Ok(Sample { wall, cpu, peak_kib: usage.ru_maxrss })
}

/// Like std's `wait`, and also returns the resource usage of the child.
#[allow(unsafe_code, reason = "neither std, nix nor rustix wraps wait4")]
fn wait(child: u32) -> std::io::Result<(ExitStatus, libc::rusage)> {
    let mut status = 0;
    // SAFETY: rusage is a struct of integers, for which zeros are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live variables of the types that wait4 fills in.
        let waited = unsafe { libc::wait4(child.cast_signed(), &raw mut status, 0, &raw mut usage) };
        if waited >= 0 {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
}

impl Sample {
    fn wall_ms(&self) -> f64 {
        self.wall.as_secs_f64() * 1000.0
    }
}

impl Series {
    pub(crate) fn runs(&self) -> usize {
        self.samples.len()
    }

    pub(crate) fn wall_ms(&self) -> f64 {
        median(self.samples.iter().map(Sample::wall_ms))
    }

    pub(crate) fn cpu_ms(&self) -> f64 {
        median(self.samples.iter().map(|sample| sample.cpu.as_secs_f64() * 1000.0))
    }

    /// The highest of all runs: a memory limit must hold in each.
    pub(crate) fn peak_mib(&self) -> f64 {
        self.samples.iter().map(|sample| mib(sample.peak_kib)).fold(0.0, f64::max)
    }

    /// Ratio of the time of this command to that of all `others` together: the median over the rounds that all took
    /// part in.
    pub(crate) fn times(&self, others: &[&Series]) -> f64 {
        let rounds = others.iter().map(|other| other.runs()).fold(self.runs(), usize::min);
        median((0..rounds).map(|round| {
            let others: f64 = others.iter().map(|other| other.samples[round].wall_ms()).sum();
            self.samples[round].wall_ms() / others
        }))
    }
}

/// Converts KiB, the unit of getrusage, to MiB.
pub(crate) fn mib(kib: i64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => values[even / 2 - 1].midpoint(values[even / 2]),
    }
}
