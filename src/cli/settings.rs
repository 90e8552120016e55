//! What was typed, judged: everything that can be wrong with the command line is found here, before the kernel is asked.

use std::time::Duration;

use super::args::{Choose, Cli, Command, FormatArg, Shared, Show, SourceArg};
use super::choices::{parse_by, parse_columns, parse_order};
use super::exit::UsageError;
use super::terminal::Terminal;
use crate::collect::discovery::NetnsChoice;
use crate::collect::visit::SourceChoice;
use crate::export::list::Order;
use crate::export::style::Styles;
use crate::export::table::Look;
use crate::fields::column::Column;
use crate::fields::table::{ALL_COLUMNS, CONNECTION_COLUMNS, LISTENER_COLUMNS, column};
use crate::filter::Selector;
use crate::inspect::Request;
use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::state::StateSet;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Settings {
    /// What to ask the kernel
    pub(super) request: Request,
    /// What to make of it
    pub(super) report: Report,
    /// How tables look
    pub(super) look: Look,
    /// Terminal rows that a repeated table may fill
    pub(super) screen: Option<u16>,
    /// Repeat this often
    pub(super) watch: Option<Duration>,
    /// Whether somebody is looking: then tables end with totals
    pub(super) totals: bool,
    /// Do not talk about gaps
    pub(super) quiet: bool,
    /// Gaps fail the run
    pub(super) strict: bool,
    /// The socket that is to be shown, as the user wrote it
    pub(super) sought: Option<String>,
    /// Something to say on stderr first
    pub(super) note: Option<&'static str>,
}

/// What is made of a snapshot.
#[derive(Debug)]
pub(super) enum Report {
    /// A listing
    List {
        /// Format
        format: FormatArg,
        /// Columns of tables and CSV
        columns: Vec<Column>,
        /// Whether the user chose them
        chosen: bool,
        /// Order and limit
        order: Order,
    },
    /// Everything about a few sockets
    Show,
    /// Counts
    Stat {
        /// Format
        format: FormatArg,
        /// Count by these
        by: Vec<Column>,
        /// Groups at most
        limit: Option<u64>,
    },
    /// Kernel values
    Kernel {
        /// Format
        format: FormatArg,
        /// Zeros too
        all: bool,
    },
}

impl Settings {
    /// Judges.
    pub(super) fn from_args(cli: Cli, terminal: &Terminal) -> Result<Self, UsageError> {
        let Cli { command, shared } = cli;
        let format = match shared.show.format {
            Some(format) => format,
            None if shared.show.json => FormatArg::Json,
            None => FormatArg::Table,
        };
        let (report, states, needs) = match command {
            Some(Command::Kernel) => kernel(&shared, format)?,
            Some(Command::Stat { ref by }) => stat(&shared, format, by)?,
            Some(Command::Show { .. }) => show(&shared, format)?,
            Some(Command::Ls) => list(&shared, format, false)?,
            None => list(&shared, format, matches!(format, FormatArg::Json | FormatArg::Ndjson))?,
        };
        let sought = match command {
            Some(Command::Show { socket }) => Some(socket),
            _ => None,
        };
        let only = sought.as_deref().map(Selector::parse).transpose().map_err(|bad| UsageError(bad.to_string()))?;
        let look = Look {
            room: terminal.room(),
            header: !shared.show.no_header,
            styles: Styles::new(terminal.colours(shared.show.color)),
        };
        Ok(Self {
            request: Request {
                netns: netns(&shared.choose.netns),
                source: source(shared.choose.source),
                families: if matches!(report, Report::Kernel { .. }) { Vec::new() } else { families(&shared) },
                states,
                needs: complete(needs, &shared.choose),
                active_within: shared.choose.active_within,
                only,
            },
            sought,
            note: note(&shared.show, format),
            report,
            look,
            screen: terminal.size.map(|(_, rows)| rows).filter(|&rows| rows > 1),
            watch: shared.show.watch,
            totals: terminal.is_terminal(),
            quiet: shared.show.quiet,
            strict: shared.show.strict,
        })
    }
}

/// What the judgement needs besides, and what the user does not want looked for.
fn complete(mut needs: Needs, choose: &Choose) -> Needs {
    if needs.contains(Needs::LIVENESS) {
        needs |= Needs::INFO | Needs::SYSCTLS | Needs::OPTIONS;
    }
    if choose.no_sockopts {
        needs -= Needs::OPTIONS | Needs::MORE_OPTIONS | Needs::ALL_OPTIONS;
    }
    if needs.contains(Needs::OPTIONS) {
        needs |= Needs::OWNERS;
    }
    if choose.no_processes {
        needs -= Needs::OWNERS | Needs::OPTIONS | Needs::MORE_OPTIONS | Needs::ALL_OPTIONS;
    }
    needs
}

/// Columns that tell of processes, and no looking for processes: one of the two was not meant.
fn refuse_blindness(shared: &Shared, columns: &[Column]) -> Result<(), UsageError> {
    match columns.iter().find(|column| column.needs.contains(Needs::OWNERS)) {
        Some(column) if shared.choose.no_processes => Err(UsageError(format!(
            "--no-processes does not go with the column '{}', which needs them; leave one of the two out",
            column.name
        ))),
        _ => Ok(()),
    }
}

type Judged = (Report, StateSet, Needs);

fn list(shared: &Shared, format: FormatArg, everything: bool) -> Result<Judged, UsageError> {
    let choose = &shared.choose;
    let order = parse_order(shared.show.sort.as_deref(), shared.show.limit)?;
    let chosen = shared.show.columns.as_deref().map(parse_columns).transpose()?;
    let (states, defaults) = match (choose.listening, choose.all || everything) {
        (true, _) => (StateSet::listeners(), LISTENER_COLUMNS),
        (false, true) => (StateSet::ALL, ALL_COLUMNS),
        (false, false) => (StateSet::connections(), CONNECTION_COLUMNS),
    };
    let keep = |column: &Column| !(choose.no_processes && column.needs.contains(Needs::OWNERS));
    let is_chosen = chosen.is_some();
    refuse_blindness(shared, chosen.as_deref().unwrap_or_default())?;
    refuse_blindness(shared, order.by.as_slice())?;
    let columns = chosen.unwrap_or_else(|| defaults.iter().filter_map(|name| column(name)).filter(keep).collect());
    let mut needs = match format {
        FormatArg::Json | FormatArg::Ndjson => Needs::all() - Needs::ALL_OPTIONS,
        FormatArg::Table | FormatArg::Csv => needs_of(&columns),
    };
    needs |= needs_of(order.by.as_slice());
    Ok((Report::List { format, columns, chosen: is_chosen, order }, states, needs))
}

fn show(shared: &Shared, format: FormatArg) -> Result<Judged, UsageError> {
    if format != FormatArg::Table {
        let (report, _, needs) = list(shared, format, true)?;
        return Ok((report, StateSet::ALL, needs | Needs::ALL_OPTIONS));
    }
    refuse(&shared.show, "show", "it shows all that is known; ls takes columns")?;
    Ok((Report::Show, StateSet::ALL, Needs::all() - Needs::KERNEL))
}

fn stat(shared: &Shared, format: FormatArg, by: &str) -> Result<Judged, UsageError> {
    refuse(&shared.show, "stat", "it sorts by count; say what to count by with --by")?;
    let by = parse_by(by)?;
    refuse_blindness(shared, &by)?;
    let needs = needs_of(&by);
    let states = if shared.choose.listening { StateSet::listeners() } else { StateSet::ALL };
    Ok((Report::Stat { format, by, limit: shared.show.limit }, states, needs))
}

fn kernel(shared: &Shared, format: FormatArg) -> Result<Judged, UsageError> {
    refuse(&shared.show, "kernel", "it lists no sockets")?;
    if shared.show.limit.is_some() {
        return Err(UsageError("--limit does not go with kernel: it lists no sockets".to_owned()));
    }
    Ok((Report::Kernel { format, all: shared.choose.all }, StateSet::NONE, Needs::KERNEL))
}

/// Options that a command cannot follow are refused, not ignored.
fn refuse(show: &Show, command: &str, why: &str) -> Result<(), UsageError> {
    for (given, option) in [(show.columns.is_some(), "--columns"), (show.sort.is_some(), "--sort")] {
        if given {
            return Err(UsageError(format!("{option} does not go with {command}: {why}")));
        }
    }
    Ok(())
}

fn needs_of(columns: &[Column]) -> Needs {
    columns.iter().fold(Needs::empty(), |needs, column| needs | column.needs)
}

fn netns(text: &str) -> NetnsChoice {
    match text {
        "all" => NetnsChoice::All,
        "current" => NetnsChoice::Current,
        named => NetnsChoice::Named(named.to_owned()),
    }
}

fn source(source: SourceArg) -> SourceChoice {
    match source {
        SourceArg::Auto => SourceChoice::Auto,
        SourceArg::SockDiag => SourceChoice::SockDiag,
        SourceArg::Procfs => SourceChoice::Procfs,
    }
}

/// Both flags, or none, mean both families.
fn families(shared: &Shared) -> Vec<Family> {
    match (shared.choose.ipv4, shared.choose.ipv6) {
        (true, false) => vec![Family::Ipv4],
        (false, true) => vec![Family::Ipv6],
        _ => Family::ALL.to_vec(),
    }
}

fn note(show: &Show, format: FormatArg) -> Option<&'static str> {
    (show.columns.is_some() && matches!(format, FormatArg::Json | FormatArg::Ndjson))
        .then_some("--columns chooses the columns of table and csv; JSON carries every key")
}
