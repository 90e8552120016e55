//! The printed tables: Markdown, aligned, so that they are readable in a terminal and in README.md.

use std::fmt::Write;

use crate::Dashboards;
use crate::facts::Facts;
use crate::jobs::{Missing, What};
use crate::measure::Series;

const MEANT_FOR: u64 = 100_000;
const MIB_LIMIT: f64 = 32.0;
const IDLE_LIMIT_MS: f64 = 10.0;
const OPTIONS_LIMIT_US: f64 = 6.0;
const VERDICT_LIMIT_US: f64 = 0.2;

/// All measurements.
struct Results<'a>(&'a [Series]);

/// A limit, and whether it is met. `verdict` is empty if there is no limit.
struct Target {
    what: &'static str,
    limit: String,
    measured: String,
    verdict: &'static str,
}

/// The whole report.
pub(crate) fn report(facts: &Facts, series: &[Series], missing: &[Missing], dashboards: &Dashboards) -> String {
    let results = Results(series);
    let mut text = String::from("\n");
    describe(&mut text, facts);
    text.push('\n');
    measurements(&mut text, &results);
    for Missing { tool, remedy } in missing {
        let _ = writeln!(text, "\n{tool} is not on this machine and was not measured: {remedy}");
    }
    text.push('\n');
    let rows = results.targets(facts).into_iter().chain(of_dashboards(facts, dashboards));
    let rows = rows.map(|Target { what, limit, measured, verdict }| [what.into(), limit, measured, verdict.into()]);
    table(&mut text, ["target", "limit", "measured", ""], &rows.collect::<Vec<_>>());
    text
}

// Writing to a String cannot fail.
fn describe(text: &mut String, facts: &Facts) {
    let Facts {
        kernel, processor, cores, idle, sockets, descriptors, loaders, sources, peak_floor_mib, guarded, ..
    } = facts;
    let _ = writeln!(text, "Linux {kernel}, {cores} cores ({processor}).");
    let _ = writeln!(
        text,
        "Load: {sockets} TCP sockets in {loaders} processes, from {sources} addresses; {descriptors} descriptors; keepalive on {guarded}."
    );
    let _ = writeln!(
        text,
        "Idle: {} TCP sockets, load average {}. Peaks below {peak_floor_mib:.1} MiB, the bench's own, cannot be seen.",
        idle.sockets, idle.load_average
    );
    if *sockets < MEANT_FOR {
        let _ = writeln!(text, "The targets are meant for {MEANT_FOR} sockets and more.");
    }
}

fn measurements(text: &mut String, results: &Results<'_>) {
    let dump = results.find(What::Dump);
    let rows = results.0.iter().map(|series| {
        let idle = matches!(series.what, What::IdleDump | What::IdleStat | What::IdleJson);
        let ratio = dump.filter(|_| !idle).map_or("-".to_owned(), |dump| format!("{:.2}", series.times(&[dump])));
        [
            series.title.clone(),
            format!("{:.1}", series.wall_ms()),
            ratio,
            format!("{:.1}", series.cpu_ms()),
            format!("{:.1}", series.peak_mib()),
            series.runs().to_string(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    table(text, ["what", "median ms", "x bare dump", "CPU ms", "peak MiB", "runs"], &rows);
}

fn of_dashboards(facts: &Facts, dashboards: &Dashboards) -> [Target; 5] {
    let Dashboards { empty, few, many, dump_ms, frame_ms } = dashboards;
    let bytes =
        (many.rss_mib - empty.rss_mib) * 1024.0 * 1024.0 / f64::from(u32::try_from(facts.sockets).unwrap_or(u32::MAX));
    let cpu = Some(many.cpu_ms_a_second / dump_ms);
    let limit = |limit: f64, unit: &str| format!("<= {limit} {unit}");
    [
        target("dashboard: key to frame, 99 of 100", limit(30.0, "ms"), Some(many.key_ms), "ms", |ms| ms <= 30.0),
        target("dashboard: a frame", limit(4.0, "ms"), Some(*frame_ms), "ms", |ms| ms <= 4.0),
        target("dashboard: memory of a socket", limit(400.0, "bytes"), Some(bytes), "bytes", |bytes| bytes <= 400.0),
        target("dashboard: CPU at 1 s / bare dump, tcp_info", limit(1.6, "x"), cpu, "x", |cpu| cpu <= 1.6),
        target(
            "dashboard over 1,000 sockets: CPU at 1 s",
            limit(1.0, "% of a core"),
            Some(few.cpu_ms_a_second / 10.0),
            "%",
            |percent| percent <= 1.0,
        ),
    ]
}

impl Results<'_> {
    fn find(&self, what: What) -> Option<&Series> {
        self.0.iter().find(|series| series.what == what)
    }

    /// Ratio of the time of `what` to that of `others` together.
    fn times(&self, what: What, others: &[What]) -> Option<f64> {
        let others: Option<Vec<_>> = others.iter().map(|&other| self.find(other)).collect();
        Some(self.find(what)?.times(&others?))
    }

    /// Ratio of medians, for commands that were not measured in the same rounds.
    fn ratio(&self, what: What, other: What) -> Option<f64> {
        Some(self.find(what)?.wall_ms() / self.find(other)?.wall_ms())
    }

    fn targets(&self, facts: &Facts) -> Vec<Target> {
        let at_most =
            |what, limit: f64, ratio| target(what, format!("<= {limit} x"), ratio, "x", |ratio| ratio <= limit);
        let at_least =
            |what, limit, ratio| target(what, format!(">= {limit:.1} x"), ratio, "x", |ratio| ratio >= limit);
        let told = |what, ratio| Target { verdict: "", ..target(what, String::new(), ratio, "x", |_| true) };
        let idle = |what, series: What| {
            let time = self.find(series).map(Series::wall_ms);
            target(what, format!("< {IDLE_LIMIT_MS:.0} ms"), time, "ms", |time| time < IDLE_LIMIT_MS)
        };
        let wall_ms = |what| self.find(what).map(Series::wall_ms);
        let options = wall_ms(What::Json).zip(wall_ms(What::JsonNoSockopts));
        let options = options.map(|(with, without)| (with - without) * 1000.0 / f64::from(facts.asked));
        let peak = self.find(What::Json).map(Series::peak_mib);
        vec![
            at_most("stat / bare dump", 1.3, self.times(What::Stat, &[What::Dump])),
            at_most(
                "stat of half by a filter / bare dump, same bytecode",
                1.1,
                self.times(What::StatHalf, &[What::DumpHalf]),
            ),
            at_most(
                "stat of few by a filter / bare dump, same bytecode",
                1.1,
                self.times(What::StatFew, &[What::DumpFew]),
            ),
            at_most(
                "ls by a filter without a match / bare dump, same bytecode",
                1.2,
                self.times(What::LsNone, &[What::DumpNone]),
            ),
            at_most("ls of a few, with owners / bare scan of all", 0.6, self.times(What::LsOwners, &[What::Scan])),
            at_most("stat beside 100 empty namespaces / stat", 1.3, self.ratio(What::StatNamespaces, What::Stat)),
            at_most(
                "json without sockopts to a pipe / to /dev/null",
                1.4,
                self.times(What::JsonPiped, &[What::JsonNoSockopts]),
            ),
            at_most("ls by predicates that all pass / ls", 1.15, self.times(What::LsFiltered, &[What::Ls])),
            at_most("json without owners / bare dump", 4.0, self.times(What::JsonNoProcesses, &[What::Dump])),
            told(
                "json without owners / bare dump, attributes",
                self.times(What::JsonNoProcesses, &[What::DumpAttributes]),
            ),
            at_most(
                "json without sockopts / (bare dump + bare scan)",
                2.2,
                self.times(What::JsonNoSockopts, &[What::Dump, What::Scan]),
            ),
            told(
                "json without sockopts / (bare dump, attributes + bare scan)",
                self.times(What::JsonNoSockopts, &[What::DumpAttributes, What::Scan]),
            ),
            at_least(
                "ss -tanoiemp / json without sockopts",
                5.0,
                self.times(What::SsProcesses, &[What::JsonNoSockopts]),
            ),
            at_least("somo / json without sockopts", 2.0, self.times(What::Somo, &[What::JsonNoSockopts])),
            target("sockopts, each of those asked", format!("<= {OPTIONS_LIMIT_US:.0} us"), options, "us", |us| {
                us <= OPTIONS_LIMIT_US
            }),
            target("verdicts, each row", format!("<= {VERDICT_LIMIT_US:.1} us"), Some(facts.verdict_us), "us", |us| {
                us <= VERDICT_LIMIT_US
            }),
            target("peak memory of json", format!("<= {MIB_LIMIT:.0} MiB"), peak, "MiB", |peak| peak <= MIB_LIMIT),
            idle("stat, idle host", What::IdleStat),
            idle("json, idle host", What::IdleJson),
        ]
    }
}

fn target(what: &'static str, limit: String, measured: Option<f64>, unit: &str, kept: impl Fn(f64) -> bool) -> Target {
    match measured {
        None => Target { what, limit, measured: "-".to_owned(), verdict: "not measured" },
        Some(value) => {
            let verdict = if kept(value) { "ok" } else { "MISSED" };
            Target { what, limit, measured: format!("{value:.2} {unit}"), verdict }
        }
    }
}

/// Prints a Markdown table; the first column and those without a heading are left-aligned, numbers right-aligned.
fn table<const N: usize>(text: &mut String, heads: [&str; N], rows: &[[String; N]]) {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].len());
        cells.chain([heads[column].len()]).max().unwrap_or(0)
    });
    let left = |column: usize| column == 0 || heads[column].is_empty();
    let mut line = |cells: [&str; N]| {
        for (column, cell) in cells.into_iter().enumerate() {
            let width = widths[column];
            let _ = if left(column) { write!(text, "| {cell:<width$} ") } else { write!(text, "| {cell:>width$} ") };
        }
        text.push_str("|\n");
    };
    line(heads);
    let rules: [String; N] = std::array::from_fn(|column| {
        let dashes = "-".repeat(widths[column] - usize::from(!left(column)));
        if left(column) { dashes } else { dashes + ":" }
    });
    line(rules.each_ref().map(String::as_str));
    rows.iter().for_each(|row| line(row.each_ref().map(String::as_str)));
}
