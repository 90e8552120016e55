//! Runs a report once, or repeatedly (`--watch`).

use std::io::{self, Write};

use super::args::FormatArg;
use super::asked::advice;
use super::exit::Exit;
use super::output::{Output, print};
use super::settings::{Report, Settings};
use super::signals::Interrupt;
use super::stderr::{say, tell};
use super::terminal::Terminal;
use super::watch::{FullScreen, OtherScreen};
use crate::collect::confine::{Deeds, confine};
use crate::export::csv::CsvListing;
use crate::export::kernel::Kernel;
use crate::export::list::{Encoder, ListOrder, Listing};
use crate::export::show::Show;
use crate::export::snapshot::{JsonSnapshot, NdjsonSnapshot};
use crate::export::stat::{Stat, StatFormat, StatOptions};
use crate::export::table::TableListing;
use crate::filter::Filter;
use crate::inspect::{Cache, CacheUse, InspectError, Request, count, inspect};
use crate::model::gap::Gaps;
use crate::model::needs::Needs;
use crate::model::snapshot::{Sink, Tail};
use crate::model::state::StateSet;

/// Capacity in bytes of the pipe on stdout, so that a slow reader does not block the dump. More would need
/// CAP_SYS_RESOURCE (/proc/sys/fs/pipe-max-size).
const PIPE_BYTES: usize = 1 << 20;

/// Runs a report.
pub(super) fn run(settings: &Settings, interrupt: &Interrupt) -> anyhow::Result<Exit> {
    // This fails if stdout is not a pipe.
    let _ = rustix::pipe::fcntl_setpipe_size(io::stdout(), PIPE_BYTES);
    let (mut told, mut first, mut advice_at_end) = (Gaps::default(), true, None);
    let Some(interval) = settings.watch else {
        confine(Deeds::Reads);
        let tail = snapshot(settings, interrupt, None, first)?;
        if !settings.quiet {
            unfound(settings, &tail).iter().for_each(|advice| say(advice));
            tell(&tail.gaps);
        }
        let nothing = settings.seeks() && tail.summary.total() == 0;
        return Ok(match (nothing, settings.strict && !tail.gaps.is_empty()) {
            (true, _) => Exit::Failed,
            (false, true) => Exit::Partial,
            (false, false) => Exit::Done,
        });
    };
    let screen = settings.draws_over().then(OtherScreen::enter).transpose()?;
    confine(Deeds::Reads);
    let mut cache = Cache::default();
    while !interrupt.is_asked() {
        let ended = snapshot(settings, interrupt, Some(cache.whole()), first);
        if let Err(InspectError::Interrupted) = ended {
            break;
        }
        let tail = ended?;
        // On the alternate screen the next round would overwrite messages, so they wait for the end.
        if screen.is_none() {
            if !settings.quiet && first {
                unfound(settings, &tail).iter().for_each(|advice| say(advice));
            }
            if !settings.quiet && tail.gaps != told {
                tell(&tail.gaps);
            }
            if settings.format() == FormatArg::Table {
                print("\n")?;
            }
        }
        advice_at_end = unfound(settings, &tail);
        (told, first) = (tail.gaps, false);
        interrupt.wait(interval)?;
    }
    if screen.is_some() {
        drop(screen);
        if !settings.quiet {
            advice_at_end.iter().for_each(|advice| say(advice));
            tell(&told);
        }
    }
    Ok(Exit::Interrupted)
}

/// Advice if nothing was found, or if the filter may not mean what was found.
fn unfound(settings: &Settings, tail: &Tail) -> Option<String> {
    let found = tail.summary.total();
    advice(&settings.request, found).or_else(|| settings.request.filter.doubt().filter(|_| found > 0))
}

impl Settings {
    /// Whether finding nothing is a failure.
    fn seeks(&self) -> bool {
        matches!(self.report, Report::Show)
    }

    /// Whether each round overwrites the previous one.
    fn draws_over(&self) -> bool {
        self.watch.is_some() && self.screen.is_some() && self.format() == FormatArg::Table
    }

    fn format(&self) -> FormatArg {
        match self.report {
            Report::List { format, .. } | Report::Stat { format, .. } | Report::Kernel { format, .. } => format,
            Report::Show => FormatArg::Table,
        }
    }
}

/// Prints one snapshot to stdout.
fn snapshot(
    settings: &Settings,
    interrupt: &Interrupt,
    cache: Option<CacheUse<'_>>,
    first: bool,
) -> Result<Tail, InspectError> {
    let round = Round { settings, interrupt, first };
    match settings.screen.filter(|_| settings.draws_over()) {
        // The terminal may have been resized.
        Some(rows) => {
            let rows = Terminal::of_stdout().size.map_or(rows, |(_, rows)| rows);
            round.report(cache, FullScreen::new(Output, rows))
        }
        None => round.report(cache, Output),
    }
}

/// One snapshot of a run.
#[derive(Clone, Copy)]
struct Round<'a> {
    settings: &'a Settings,
    interrupt: &'a Interrupt,
    first: bool,
}

impl Round<'_> {
    fn report(self, cache: Option<CacheUse<'_>>, output: impl Write) -> Result<Tail, InspectError> {
        let Settings { mut layout, totals, .. } = *self.settings;
        if self.settings.draws_over() {
            layout.room = Terminal::of_stdout().room();
        }
        match &self.settings.report {
            Report::List { format: FormatArg::Json, order, .. } => {
                self.list(cache, output, JsonSnapshot::default(), order)
            }
            Report::List { format: FormatArg::Ndjson, order, .. } => {
                self.list(cache, output, NdjsonSnapshot::default(), order)
            }
            Report::List { format: FormatArg::Csv, columns, order, .. } => {
                let csv = CsvListing::new(columns.clone(), layout.header && self.first);
                self.list(cache, output, csv, order)
            }
            Report::List { format: FormatArg::Table, columns, chosen, order } => {
                let nothing = |population| self.nothing(population);
                let table = TableListing::new(columns.clone(), !chosen, layout, totals, &nothing);
                self.list(cache, output, table, order)
            }
            Report::Show => self.inspect(cache, &mut Show::new(output, layout.styles)),
            Report::Stat { format, by, limit } => {
                layout.header &= self.first || !format.is_bare_table();
                let options = StatOptions { format: (*format).into(), layout, totals, limit: *limit };
                self.inspect(cache, &mut Stat::new(output, by.clone(), options))
            }
            Report::Kernel { format, all } => {
                layout.header &= self.first || !format.is_bare_table();
                self.inspect(cache, &mut Kernel::new(output, (*format).into(), layout, *all))
            }
        }
    }

    fn list(
        self,
        cache: Option<CacheUse<'_>>,
        output: impl Write,
        encoder: impl Encoder,
        order: &ListOrder,
    ) -> Result<Tail, InspectError> {
        self.inspect(cache, &mut Listing::new(output, encoder, order.clone()))
    }

    fn inspect(self, cache: Option<CacheUse<'_>>, sink: &mut impl Sink) -> Result<Tail, InspectError> {
        let tail = inspect(&self.settings.request, cache, sink, &|| self.interrupt.is_asked())?;
        if self.settings.seeks() && tail.summary.total() == 0 {
            say(&format!("no socket matches '{}'; tcpulse ls -a lists all", self.settings.typed));
        }
        Ok(tail)
    }

    /// Text under an empty table. "No TCP sockets" must be true: if only some states were dumped and the gauges do not
    /// give the total, all sockets are counted.
    fn nothing(self, population: Option<u64>) -> Option<String> {
        match population.filter(|population| *population > 0).unwrap_or_else(|| self.count()) {
            0 => Some("no TCP sockets".to_owned()),
            _ if self.settings.quiet => None,
            others => {
                let why = if self.settings.request.filter.is_everything() {
                    "is of this kind; -a shows all".to_owned()
                } else {
                    format!("matches '{}'", self.settings.typed)
                };
                say(&format!("none of the {others} TCP sockets {why}"));
                None
            }
        }
    }

    /// Number of TCP sockets in all states.
    fn count(self) -> u64 {
        let (states, needs, filter) = (StateSet::ALL, Needs::empty(), Filter::default());
        let everything = Request { states, needs, filter, ..self.settings.request.clone() };
        count(&everything, &|| self.interrupt.is_asked()).unwrap_or(0)
    }
}

impl From<FormatArg> for StatFormat {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Table => Self::Table,
            FormatArg::Json => Self::Json,
            FormatArg::Ndjson => Self::Ndjson,
            FormatArg::Csv => Self::Csv,
        }
    }
}
