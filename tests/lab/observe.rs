//! Takes snapshots of one connection with tcpulse until the kernel ends it, and checks the predictions.

use std::fmt::Write;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::diag::Diag;
use crate::support::link::Link;
use crate::support::netns::User;
use crate::support::program::tcpulse_in;

/// Accuracy of "exact": 300 ms and 2 %.
const EXACT: (Duration, u32) = (Duration::from_millis(300), 2);
/// Maximum delay of the observation itself.
const WATCHING: Duration = Duration::from_millis(60);

/// A connection, and what tcpulse has to predict for it. Its peer may have vanished.
pub(crate) struct Scene {
    pub(crate) link: Link,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// Descriptors that have to stay open during the observation
    pub(crate) keep: Vec<OwnedFd>,
    /// Verdicts that must occur
    pub(crate) verdicts: &'static [&'static str],
    /// Mechanism that must occur
    pub(crate) mechanism: &'static str,
    /// Bounds that may occur
    pub(crate) bounds: &'static [&'static str],
    /// Bound that must occur
    pub(crate) surely: &'static str,
    /// Interval of the snapshots
    pub(crate) every: Duration,
    /// Duration of the observation of a connection that is not to end
    pub(crate) stays: Option<Duration>,
}

/// Prediction of one snapshot.
pub(crate) struct Prediction {
    /// Start and end of the snapshot, since the observation began
    looked: (Duration, Duration),
    state: String,
    verdict: String,
    bound: String,
    mechanism: String,
    ms: Option<u64>,
}

/// Result of a case.
pub(crate) struct Report {
    name: &'static str,
    predictions: Vec<Prediction>,
    /// Time at which the kernel ended the connection
    ended: Option<Duration>,
    /// Predictions that were false
    false_ones: Vec<String>,
    /// What the case did not show, as far as that is known
    unmet: Vec<String>,
}

/// How often a case is run again that did not show what it is for: a packet that waits too long, a look that comes too late.
/// A false prediction stays one.
const AGAIN: usize = 2;

/// Permits to set up a case: if all did so at once, the time limits of some would pass before they are observed.
static SETTING_UP: [Mutex<()>; 3] = [const { Mutex::new(()) }; 3];

/// Runs the case with this number. A case that cannot be set up has failed.
pub(crate) fn run(number: usize, name: &'static str, case: fn() -> Scene) -> Report {
    let mut report = run_once(number, name, case);
    for _ in 0..AGAIN {
        if report.false_ones.is_empty() && !report.unmet.is_empty() {
            report = run_once(number, name, case);
        }
    }
    report
}

fn run_once(number: usize, name: &'static str, case: fn() -> Scene) -> Report {
    let set_up = || {
        let _permit = SETTING_UP[number % SETTING_UP.len()].lock().unwrap_or_else(PoisonError::into_inner);
        case()
    };
    match catch_unwind(AssertUnwindSafe(|| observe(name, &set_up()))) {
        Ok(report) => report,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let unmet = vec![text.unwrap_or_else(|| "panicked".to_owned())];
            Report { name, predictions: Vec::new(), ended: None, false_ones: Vec::new(), unmet }
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
    let mut report = Report { name, predictions, ended, false_ones: Vec::new(), unmet: Vec::new() };
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

/// Observes whether the kernel still has the socket.
struct Eyes {
    diag: Diag,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Eyes {
    fn new(scene: &Scene) -> Self {
        Self { diag: scene.link.ours.run(Diag::open), local: scene.local, remote: scene.remote }
    }

    /// Waits until the socket is gone, and returns the time; `None` if the deadline passes before.
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
        let (mut unmet, mut false_ones) = (Vec::new(), Vec::new());
        if self.predictions.is_empty() {
            unmet.push("was never seen".to_owned());
        }
        if scene.stays.is_some() != self.ended.is_none() {
            unmet.push(format!("ended: {:?}, to stay for: {:?}", self.ended, scene.stays));
        }
        for verdict in scene.verdicts {
            if !self.predictions.iter().any(|prediction| prediction.verdict == *verdict) {
                unmet.push(format!("was never '{verdict}'"));
            }
        }
        if !self.predictions.iter().any(|prediction| prediction.mechanism == scene.mechanism) {
            unmet.push(format!("never by '{}'", scene.mechanism));
        }
        if !self.predictions.iter().any(|prediction| prediction.bound == scene.surely) {
            unmet.push(format!("never said '{}'", scene.surely));
        }
        for prediction in &self.predictions {
            if !scene.bounds.contains(&prediction.bound.as_str()) {
                unmet.push(format!("said {} at {:.2?}", prediction.bound, prediction.looked.0));
            }
            if let Err(lie) = prediction.hold_against(self.ended) {
                false_ones.push(lie);
            }
        }
        (self.unmet, self.false_ones) = (unmet, false_ones);
    }

    /// Failures of the case, each with the case's name.
    pub(crate) fn lies(&self) -> impl Iterator<Item = String> + '_ {
        self.false_ones.iter().chain(&self.unmet).map(|wrong| format!("{}: {wrong}", self.name))
    }
}

impl Prediction {
    /// Deviation of the end from the prediction, in milliseconds; negative if it came early.
    fn error_ms(&self, ended: Duration) -> Option<i64> {
        let said = Duration::from_millis(self.ms?);
        // The row was written at some time during the snapshot.
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

/// One line for each case, as in README: the first prediction, and the largest deviation of all predictions.
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

/// Table of every case: each prediction, its time, and the outcome.
pub(crate) fn table(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        writeln!(text, "{}{}", report.name, if report.lies().next().is_none() { "" } else { "  WRONG" }).unwrap();
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
