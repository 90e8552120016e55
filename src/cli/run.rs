//! Carries settings out: once, or again and again.

use std::io::{self, Write};

use super::args::FormatArg;
use super::exit::Exit;
use super::settings::{Report, Settings};
use super::signals::Interrupt;
use super::terminal::Terminal;
use super::watch::{OtherScreen, Screen};
use crate::export::csv::CsvListing;
use crate::export::kernel::Kernel;
use crate::export::list::{Encoder, Listing, Order};
use crate::export::snapshot::{JsonSnapshot, NdjsonSnapshot};
use crate::export::stat::{Stat, StatFormat};
use crate::export::table::TableListing;
use crate::inspect::{InspectError, Request, inspect};
use crate::model::gap::Gaps;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};
use crate::model::state::StateSet;

/// Does what the settings say.
pub(super) fn run(settings: &Settings, interrupt: &Interrupt) -> anyhow::Result<Exit> {
    if let Some(note) = settings.note {
        say(note);
    }
    let (mut told, mut first) = (Gaps::default(), true);
    let Some(interval) = settings.watch else {
        let tail = snapshot(settings, interrupt, first)?;
        if !settings.quiet {
            tell(&tail.gaps);
        }
        return Ok(if settings.strict && !tail.gaps.is_empty() { Exit::Partial } else { Exit::Done });
    };
    let screen = settings.draws_over().then(OtherScreen::enter).transpose()?;
    while !interrupt.is_asked() {
        let ended = snapshot(settings, interrupt, first);
        if let Err(InspectError::Interrupted) = ended {
            break;
        }
        let tail = ended?;
        // On a screen that is drawn over, talk would be drawn over too: there it waits for the end.
        if screen.is_none() {
            if !settings.quiet && tail.gaps != told {
                tell(&tail.gaps);
            }
            if settings.format() == FormatArg::Table {
                io::stdout().write_all(b"\n")?;
            }
        }
        (told, first) = (tail.gaps, false);
        interrupt.wait(interval)?;
    }
    if screen.is_some() {
        drop(screen);
        if !settings.quiet {
            tell(&told);
        }
    }
    Ok(Exit::Interrupted)
}

impl Settings {
    /// Whether each round is drawn over the last.
    fn draws_over(&self) -> bool {
        self.watch.is_some() && self.screen.is_some() && self.format() == FormatArg::Table
    }

    fn format(&self) -> FormatArg {
        match self.report {
            Report::List { format, .. } | Report::Stat { format, .. } | Report::Kernel { format, .. } => format,
        }
    }
}

/// One snapshot to stdout.
fn snapshot(settings: &Settings, interrupt: &Interrupt, first: bool) -> Result<Tail, InspectError> {
    let stdout = io::stdout().lock();
    match settings.screen.filter(|_| settings.draws_over()) {
        // The terminal may have another size by now.
        Some(rows) => {
            let rows = Terminal::of_stdout().size.map_or(rows, |(_, rows)| rows);
            report(settings, interrupt, Screen::new(stdout, rows), first)
        }
        None => report(settings, interrupt, stdout, first),
    }
}

fn report(settings: &Settings, interrupt: &Interrupt, output: impl Write, first: bool) -> Result<Tail, InspectError> {
    let Settings { mut look, totals, .. } = *settings;
    if settings.draws_over() {
        look.room = Terminal::of_stdout().room();
    }
    let interrupted = || interrupt.is_asked();
    let request = &settings.request;
    match &settings.report {
        Report::List { format: FormatArg::Json, order, .. } => {
            list(request, output, JsonSnapshot::default(), order, &interrupted)
        }
        Report::List { format: FormatArg::Ndjson, order, .. } => {
            list(request, output, NdjsonSnapshot::default(), order, &interrupted)
        }
        Report::List { format: FormatArg::Csv, columns, order, .. } => {
            let csv = CsvListing::new(columns.clone(), look.header && first);
            list(request, output, csv, order, &interrupted)
        }
        Report::List { format: FormatArg::Table, columns, chosen, order } => {
            let nothing = || nothing(request, settings.quiet, &interrupted);
            let table = TableListing::new(columns.clone(), !chosen, look, totals, &nothing);
            list(request, output, table, order, &interrupted)
        }
        Report::Stat { format, by, limit } => {
            let mut look = look;
            look.header &= first || *format != FormatArg::Csv;
            let mut sink = Stat::new(output, by.clone(), (*format).into(), look, totals, *limit);
            inspect(request, &mut sink, &interrupted)
        }
        Report::Kernel { format, all } => {
            let mut look = look;
            look.header &= first || *format != FormatArg::Csv;
            inspect(request, &mut Kernel::new(output, (*format).into(), look, *all), &interrupted)
        }
    }
}

fn list(
    request: &Request,
    output: impl Write,
    encoder: impl Encoder,
    order: &Order,
    interrupted: &dyn Fn() -> bool,
) -> Result<Tail, InspectError> {
    inspect(request, &mut Listing::new(output, encoder, order.clone()), interrupted)
}

/// What to say under an empty table. "No TCP sockets" must be true: where only some states were asked for, all are counted.
fn nothing(request: &Request, quiet: bool, interrupted: &dyn Fn() -> bool) -> Option<String> {
    struct Count;
    impl Sink for Count {
        fn head(&mut self, _: &Head) -> io::Result<()> {
            Ok(())
        }
        fn row(&mut self, _: &Row<'_>) -> io::Result<()> {
            Ok(())
        }
        fn tail(&mut self, _: &Tail) -> io::Result<()> {
            Ok(())
        }
    }
    let everything = Request { states: StateSet::ALL, needs: Needs::empty(), ..request.clone() };
    match inspect(&everything, &mut Count, interrupted).map(|tail| tail.summary.total()) {
        Ok(others) if others > 0 => {
            if !quiet {
                say(&format!("none of the {others} TCP sockets is of this kind; -a shows all"));
            }
            None
        }
        _ => Some("no TCP sockets".to_owned()),
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

/// All gaps in one line on stderr.
fn tell(gaps: &Gaps) {
    if gaps.is_empty() {
        return;
    }
    let unseen: Vec<_> = gaps.iter().map(|gap| format!("{} ({}, {})", gap.what, gap.count, gap.why)).collect();
    let mut remedies: Vec<_> = gaps.iter().map(|gap| gap.remedy).collect();
    remedies.sort_unstable();
    remedies.dedup();
    say(&format!("not seen: {}; to see it: {}", unseen.join(", "), remedies.join("; ")));
}

/// One line on stderr. If nobody can read it, so be it.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "tcpulse: {}", crate::text::printable(text));
}
