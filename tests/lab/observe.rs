//! Looks at one connection through tcpulse until the kernel ends it, and compares.

use std::fmt::Write;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::diag::Diag;
use crate::support::link::Link;
use crate::support::netns::User;
use crate::support::program::tcpulse_in;

/// The promise of "exact".
const EXACT: (Duration, u32) = (Duration::from_millis(300), 2);
/// What the watching itself may be late by.
const WATCHING: Duration = Duration::from_millis(60);

/// A connection whose peer has vanished, or has not.
pub(crate) struct Scene {
    pub(crate) link: Link,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// What has to stay open meanwhile
    pub(crate) keep: Vec<OwnedFd>,
    /// Verdicts that must be seen
    pub(crate) verdicts: &'static [&'static str],
    /// Mechanisms that must be seen
    pub(crate) mechanism: &'static str,
    /// Which bounds may be given
    pub(crate) bounds: &'static [&'static str],
    /// One that must be
    pub(crate) surely: &'static str,
    /// How often to look
    pub(crate) every: Duration,
    /// Where it is not to end: how long to look at it
    pub(crate) stays: Option<Duration>,
}

/// One look.
pub(crate) struct Prediction {
    /// The look began, and ended, at these times since the first
    looked: (Duration, Duration),
    state: String,
    verdict: String,
    bound: String,
    mechanism: String,
    ms: Option<u64>,
}

/// What came of a case.
pub(crate) struct Report {
    name: &'static str,
    predictions: Vec<Prediction>,
    /// When the kernel ended it
    ended: Option<Duration>,
    wrong: Vec<String>,
}

/// Runs a case; a case that cannot be set up is a case that failed.
pub(crate) fn run(name: &'static str, case: fn() -> Scene) -> Report {
    match catch_unwind(AssertUnwindSafe(|| observe(name, &case()))) {
        Ok(report) => report,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let wrong = vec![text.unwrap_or_else(|| "panicked".to_owned())];
            Report { name, predictions: Vec::new(), ended: None, wrong }
        }
    }
}

fn observe(name: &'static str, scene: &Scene) -> Report {
    let begin = Instant::now();
    let most = scene.stays.unwrap_or(Duration::from_secs(150));
    let mut predictions = Vec::new();
    let mut ended = None;
    let eyes = Eyes::new(scene);
    while begin.elapsed() < most {
        let before = begin.elapsed();
        let document = tcpulse_in(&scene.link.ours, User::Root, &["--json", "-q", "-N", "current"]).json();
        let after = begin.elapsed();
        if let Some(row) = row(&document, scene) {
            predictions.push(prediction(row, (before, after)));
        }
        let next = begin + before + scene.every;
        if let Some(end) = eyes.watch_until(next.min(begin + most)) {
            ended = Some(end - begin);
            break;
        }
    }
    let mut report = Report { name, predictions, ended, wrong: Vec::new() };
    report.judge(scene);
    report
}

fn row<'a>(document: &'a Value, scene: &Scene) -> Option<&'a Value> {
    let is = |end: &Value, wanted: SocketAddr| end["addr"] == wanted.ip().to_string() && end["port"] == wanted.port();
    let rows = document["connections"].as_array().unwrap();
    rows.iter().find(|row| is(&row["local"], scene.local) && is(&row["remote"], scene.remote))
}

fn prediction(row: &Value, looked: (Duration, Duration)) -> Prediction {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let liveness = &row["liveness"];
    Prediction {
        looked,
        state: text(&row["state"]),
        verdict: text(&liveness["verdict"]),
        bound: text(&liveness["bound"]),
        mechanism: text(&liveness["mechanism"]),
        ms: liveness["dead_in_ms"].as_u64(),
    }
}

/// Watches whether the kernel still has the socket.
struct Eyes {
    diag: Diag,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Eyes {
    fn new(scene: &Scene) -> Self {
        Self { diag: scene.link.ours.run(Diag::open), local: scene.local, remote: scene.remote }
    }

    /// When it was found to be gone.
    fn watch_until(&self, deadline: Instant) -> Option<Instant> {
        loop {
            let now = Instant::now();
            if !self.diag.has(self.local, self.remote) {
                return Some(now);
            }
            if now >= deadline {
                return None;
            }
            std::thread::park_timeout(Duration::from_millis(25).min(deadline - now));
        }
    }
}

impl Report {
    fn judge(&mut self, scene: &Scene) {
        let mut wrong = Vec::new();
        if self.predictions.is_empty() {
            wrong.push("was never seen".to_owned());
        }
        if scene.stays.is_some() != self.ended.is_none() {
            wrong.push(format!("ended: {:?}, to stay for: {:?}", self.ended, scene.stays));
        }
        for verdict in scene.verdicts {
            if !self.predictions.iter().any(|prediction| prediction.verdict == *verdict) {
                wrong.push(format!("was never '{verdict}'"));
            }
        }
        if !self.predictions.iter().any(|prediction| prediction.mechanism == scene.mechanism) {
            wrong.push(format!("never by '{}'", scene.mechanism));
        }
        if !self.predictions.iter().any(|prediction| prediction.bound == scene.surely) {
            wrong.push(format!("never said '{}'", scene.surely));
        }
        for prediction in &self.predictions {
            if !scene.bounds.contains(&prediction.bound.as_str()) {
                wrong.push(format!("said {} at {:.2?}", prediction.bound, prediction.looked.0));
            }
            if let Err(lie) = prediction.hold_against(self.ended) {
                wrong.push(lie);
            }
        }
        self.wrong = wrong;
    }

    /// What was not as it should be, each with the case's name.
    pub(crate) fn lies(&self) -> impl Iterator<Item = String> + '_ {
        self.wrong.iter().map(|wrong| format!("{}: {wrong}", self.name))
    }
}

impl Prediction {
    /// How far the end was from what was said, in milliseconds; below 0 it came early.
    fn error_ms(&self, ended: Duration) -> Option<i64> {
        let said = Duration::from_millis(self.ms?);
        // The row was written some time during the look.
        let (earliest, latest) = (self.looked.0 + said, self.looked.1 + said);
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap();
        Some(if ended < earliest {
            millis(ended) - millis(earliest)
        } else if ended > latest {
            millis(ended) - millis(latest)
        } else {
            0
        })
    }

    fn hold_against(&self, ended: Option<Duration>) -> Result<(), String> {
        let Some(ended) = ended else {
            return if matches!(self.bound.as_str(), "never" | "at_least" | "not_applicable") {
                Ok(())
            } else {
                Err(format!("said {} {:?} and lived on", self.bound, self.ms))
            };
        };
        let Some(error) = self.error_ms(ended) else { return Err(format!("said {} and ended", self.bound)) };
        let said = Duration::from_millis(self.ms.unwrap());
        let watching = i64::try_from(WATCHING.as_millis()).unwrap();
        let held = match self.bound.as_str() {
            "exact" => u128::from(error.unsigned_abs()) <= (EXACT.0 + said * EXACT.1 / 100 + WATCHING).as_millis(),
            "at_most" => error <= watching,
            "at_least" => error >= -watching,
            _ => false,
        };
        if held {
            return Ok(());
        }
        Err(format!("said {} {said:.2?} at {:.2?}, ended at {ended:.2?}: off by {error} ms", self.bound, self.looked.0))
    }
}

/// A line a case, as README shows it: what was said first, and how far off the worst of all that was said.
pub(crate) fn summary(reports: &[Report]) -> String {
    let mut text = String::from(
        "| case | verdicts | by | said first | came after | looks | largest error |\n| --- | --- | --- | ---: | ---: | ---: | ---: |\n",
    );
    let mut largest = 0;
    for report in reports {
        let Some(first) = report.predictions.first() else { continue };
        let mut verdicts: Vec<_> = report.predictions.iter().map(|prediction| prediction.verdict.as_str()).collect();
        verdicts.dedup();
        let said = match (first.ms, first.bound.as_str()) {
            (Some(ms), "exact") => format!("{:.2} s", Duration::from_millis(ms).as_secs_f64()),
            (Some(ms), "at_most") => format!("≤ {:.2} s", Duration::from_millis(ms).as_secs_f64()),
            (Some(ms), _) => format!("≥ {:.2} s", Duration::from_millis(ms).as_secs_f64()),
            (None, bound) => bound.to_owned(),
        };
        let came = report.ended.map(|ended| ended.saturating_sub(first.looked.0));
        let came = came.map_or_else(|| "it lives".to_owned(), |came| format!("{:.2} s", came.as_secs_f64()));
        let exact = report.predictions.iter().filter(|prediction| prediction.bound == "exact");
        let errors = exact.filter_map(|prediction| prediction.error_ms(report.ended?));
        let worst = errors.map(i64::abs).max();
        largest = largest.max(worst.unwrap_or(0));
        let worst = worst.map_or_else(|| "-".to_owned(), |worst| format!("{worst} ms"));
        let (name, by, looks) = (report.name, &first.mechanism, report.predictions.len());
        writeln!(text, "| {name} | {} | {by} | {said} | {came} | {looks} | {worst} |", verdicts.join(", ")).unwrap();
    }
    writeln!(text, "\nLargest error of all that was said to be exact: {largest} ms").unwrap();
    text
}

/// Case, what was said when, and what came.
pub(crate) fn table(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        writeln!(text, "{}{}", report.name, if report.wrong.is_empty() { "" } else { "  WRONG" }).unwrap();
        for prediction in &report.predictions {
            let Prediction { looked, state, verdict, bound, mechanism, ms } = prediction;
            let said =
                ms.map_or_else(|| "-".to_owned(), |ms| format!("{:.2}s", Duration::from_millis(ms).as_secs_f64()));
            let actual = report.ended.map_or_else(
                || "-".to_owned(),
                |ended| format!("{:.2}s", ended.saturating_sub(looked.0).as_secs_f64()),
            );
            let error = report.ended.and_then(|ended| prediction.error_ms(ended));
            let error = error.map_or_else(|| "-".to_owned(), |error| format!("{error}ms"));
            writeln!(
                text,
                "  at {:>6.2}s {state:<12} {verdict:<15} {mechanism:<15} {bound:<8} {said:>8}  actual {actual:>8}  error {error}",
                looked.0.as_secs_f64()
            )
            .unwrap();
        }
    }
    text
}
