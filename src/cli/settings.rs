//! Validation of the command line: every error in it is found here, before the kernel is asked.

use std::time::Duration;

use super::action::{self, ActingTask};
use super::args::{ActingArgs, Choose, Cli, Command, FilterArgs, FormatArg, Shared, ShowOptions, SourceArg};
use super::asked;
use super::change;
use super::choices::{parse_by, parse_order};
use super::columns::ColumnChoice;
use super::config::Config;
use super::dashboard::{Dashboard, Services};
use super::hints::refuse_slip;
use super::terminal::Terminal;
use super::usage::UsageError;
use crate::act::assignment::Assignment;
use crate::act::plan::Deed;
use crate::collect::discovery::NetnsChoice;
use crate::collect::visit::SourceChoice;
use crate::export::list::ListOrder;
use crate::export::style::Styles;
use crate::export::table::TableLayout;
use crate::fields::column::Heading;
use crate::fields::id::ColumnId;
use crate::fields::socket::SocketColumn;
use crate::fields::table::{ALL_COLUMNS, CONNECTION_COLUMNS, LISTENER_COLUMNS, listed};
use crate::filter::Filter;
use crate::inspect::Request;
use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::state::StateSet;
use crate::track::query::Query;
use crate::track::views::View;
use crate::tui::state::Setup;

/// Settings of a report.
#[derive(Debug)]
pub(super) struct Settings {
    /// The snapshot to take
    pub(super) request: Request,
    /// The report to print
    pub(super) report: Report,
    /// Layout and styles of tables
    pub(super) layout: TableLayout,
    /// Rows of the terminal, for a repeated table
    pub(super) screen: Option<u16>,
    /// Interval of `--watch`
    pub(super) watch: Option<Duration>,
    /// Whether tables end with totals: only on a terminal
    pub(super) totals: bool,
    /// Whether messages on gaps are suppressed
    pub(super) quiet: bool,
    /// Whether gaps fail the run
    pub(super) strict: bool,
    /// The filter as typed; empty if there is none
    pub(super) typed: String,
    /// `show`: the filter with both addresses swapped, if it is a pair
    pub(super) turned: Option<Filter>,
}

/// Report to print from a snapshot.
#[derive(Debug)]
pub(super) enum Report {
    /// A listing
    List {
        /// Output format
        format: FormatArg,
        /// Columns of tables and CSV
        columns: Vec<SocketColumn>,
        /// Whether the user's choice also decides about the namespace column
        chosen: bool,
        /// Order and limit
        order: ListOrder,
    },
    /// All fields of a few sockets
    Show,
    /// Counts
    Stat {
        /// Output format
        format: FormatArg,
        /// Columns to group by
        by: Vec<SocketColumn>,
        /// Maximum number of groups
        limit: Option<u64>,
    },
    /// Kernel values
    Kernel {
        /// Output format
        format: FormatArg,
        /// Whether to include zeros
        all: bool,
    },
}

/// Task of the command line.
#[derive(Debug)]
pub(super) enum Task {
    /// Print a report
    Report(Settings),
    /// Change sockets
    Act(ActingTask),
    /// Print how the filter is evaluated
    Explain(String),
    /// Open the dashboard
    Watch(Dashboard),
}

/// Validates the command line; returns the task, and notes to print on stderr first.
pub(super) fn judge(cli: Cli, terminal: &Terminal) -> Result<(Task, Vec<String>), UsageError> {
    let Cli { command, shared, filter: FilterArgs { filter: bare }, .. } = cli;
    let format = match shared.show.format {
        Some(format) => format,
        None if shared.show.json => FormatArg::Json,
        None => FormatArg::Table,
    };
    let TypedWords { typed, assignment } = TypedWords::of(command.as_ref(), &bare)?;
    let filter = match command {
        Some(Command::Show { .. }) => asked::socket(&typed)?,
        _ => asked::filter(&typed)?,
    };
    refuse_blindness(&shared, filter.needs(), "this filter")?;
    let notes = notes(&shared.show, format, &filter);
    let line = CommandLine { shared, format, typed, filter };
    let task = match (&command, assignment) {
        (Some(Command::Kill { acting, .. }), _) => line.act(Deed::Destroy, acting, terminal),
        (Some(Command::Set { acting, .. }), Some(assignment)) => line.act(Deed::Set(assignment), acting, terminal),
        (None, _) if !asks_for_a_list(&line.shared) => match terminal.dashboard_size() {
            Some(size) => line.watch(size, terminal),
            None => line.report(None, terminal),
        },
        (command, _) => line.report(command.as_ref(), terminal),
    };
    Ok((task?, notes))
}

/// Command line with a parsed filter.
struct CommandLine {
    shared: Shared,
    format: FormatArg,
    typed: String,
    filter: Filter,
}

impl CommandLine {
    /// Task of `set` and `kill`.
    fn act(self, deed: Deed, how: &ActingArgs, terminal: &Terminal) -> Result<Task, UsageError> {
        let Self { shared, typed, filter, .. } = self;
        let request = request_to_act(&shared, deed, filter)?;
        if shared.choose.explain_filter {
            return Ok(Task::Explain(explained(&request)));
        }
        let (quiet, strict) = (shared.show.quiet, shared.show.strict);
        Ok(Task::Act(ActingTask {
            deed,
            request,
            typed,
            how: how.clone(),
            layout: layout(&shared, terminal),
            quiet,
            strict,
        }))
    }

    /// Task of the dashboard.
    fn watch(self, size: (u16, u16), terminal: &Terminal) -> Result<Task, UsageError> {
        let Self { shared, typed, filter, .. } = self;
        let config = Config::load(&Services)?;
        let chosen = column_choices(&shared)?;
        let view = if shared.choose.listening { View::Listeners } else { config.view };
        let is_blind = |heading: &Heading| shared.choose.no_processes && heading.needs.contains(Needs::OWNERS);
        let mut others: Vec<_> = config
            .columns
            .into_iter()
            .map(|(view, mut columns)| {
                columns.retain(|heading| !is_blind(heading));
                Query { columns, all: shared.choose.all, ..Query::new(view) }
            })
            .collect();
        let mut wanted = others
            .iter()
            .position(|wanted| wanted.view == view)
            .map_or_else(|| Query::new(view), |index| others.swap_remove(index));
        for of_sockets in others.iter_mut().chain([&mut wanted]).filter(|wanted| wanted.view != View::Kernel) {
            (of_sockets.typed, of_sockets.filter) = (typed.clone(), filter.clone());
        }
        for choice in chosen {
            wanted.columns = choice.apply(wanted.columns, |column| !is_blind_to(&shared, column))?;
        }
        let theme = terminal.theme(shared.show.color, config.theme);
        Ok(Task::Watch(Dashboard {
            request: request(&shared, families(&shared), StateSet::ALL, Needs::empty(), filter),
            wanted,
            others,
            size,
            interval: config.interval,
            has_mouse: config.has_mouse,
            most_of_a_core: f64::from(config.cpu) / 100.0,
            setup: Setup { theme, is_ascii: Terminal::is_ascii(), keys: config.keys, bookmarks: config.bookmarks },
        }))
    }

    /// Task of the commands that only print.
    fn report(self, command: Option<&Command>, terminal: &Terminal) -> Result<Task, UsageError> {
        let Self { shared, format, typed, filter } = self;
        let (report, states, needs) = match command {
            Some(Command::Kernel) => kernel(&shared, format),
            Some(Command::Stat { by, .. }) => stat(&shared, format, by)?,
            Some(Command::Show { .. }) => show(&shared, format, &filter)?,
            Some(Command::Ls(_)) => list(&shared, format, false, &filter)?,
            _ => list(&shared, format, matches!(format, FormatArg::Json | FormatArg::Ndjson), &filter)?,
        };
        let turned = matches!(command, Some(Command::Show { .. })).then(|| filter.turned()).flatten();
        let families = if matches!(report, Report::Kernel { .. }) { Vec::new() } else { families(&shared) };
        let request = request(&shared, families, states, needs, filter);
        if shared.choose.explain_filter {
            return Ok(Task::Explain(explained(&request)));
        }
        Ok(Task::Report(Settings {
            request,
            typed,
            turned,
            report,
            layout: layout(&shared, terminal),
            screen: terminal.size.map(|(_, rows)| rows).filter(|&rows| rows > 1),
            watch: shared.show.watch,
            totals: terminal.is_terminal(),
            quiet: shared.show.quiet,
            strict: shared.show.strict,
        }))
    }
}

fn layout(shared: &Shared, terminal: &Terminal) -> TableLayout {
    TableLayout {
        room: terminal.room(),
        header: !shared.show.no_header,
        styles: Styles::new(terminal.colours(shared.show.color)),
    }
}

/// Whether an option asks for a listing, so that no dashboard opens.
fn asks_for_a_list(shared: &Shared) -> bool {
    let ShowOptions { format, json, watch, limit, sort, no_header, .. } = &shared.show;
    let is_shaped = format.is_some() || *json || *no_header || limit.is_some() || sort.is_some();
    is_shaped || watch.is_some() || shared.choose.explain_filter || shared.habits.lists
}

/// The words that are not options: the filter, and the assignments of `set`.
struct TypedWords {
    typed: String,
    assignment: Option<Assignment>,
}

impl TypedWords {
    /// `bare` are the words before or without a command.
    fn of(command: Option<&Command>, bare: &[String]) -> Result<Self, UsageError> {
        let assignment = None;
        let words = match command {
            None => {
                let typed = asked::joined(bare);
                refuse_slip(bare, &super::args::command())?;
                return Ok(Self { typed, assignment });
            }
            Some(_) if !bare.is_empty() => {
                return Err(UsageError(format!(
                    "'{}' stands before the command; write the filter after it",
                    bare.join(" ")
                )));
            }
            Some(
                Command::Ls(FilterArgs { filter })
                | Command::Stat { filter: FilterArgs { filter }, .. }
                | Command::Kill { filter: FilterArgs { filter }, .. }
                | Command::Show { filter },
            ) => filter.clone(),
            Some(Command::Set { set, .. }) => {
                let (parsed, rest) = change::parse(set)?;
                return Ok(Self { typed: rest, assignment: Some(parsed) });
            }
            Some(
                Command::Kernel
                | Command::Config
                | Command::Completions { .. }
                | Command::Man { .. }
                | Command::Help { .. },
            ) => Vec::new(),
        };
        Ok(Self { typed: asked::joined(&words), assignment })
    }
}

/// Explains how the filter of a request is evaluated.
fn explained(request: &Request) -> String {
    let text = request.filter.explain(request.states, &request.families);
    if request.source == SourceChoice::Procfs {
        return text + "all of it is decided here: /proc/net/tcp takes no filter\n";
    }
    text
}

fn request(shared: &Shared, families: Vec<Family>, states: StateSet, needs: Needs, filter: Filter) -> Request {
    Request {
        netns: netns(&shared.choose.netns),
        source: source(shared.choose.source),
        families,
        states,
        needs,
        allowed: allowed(&shared.choose),
        active_within: shared.choose.active_within,
        filter,
    }
}

/// Request of `set` and `kill`.
fn request_to_act(shared: &Shared, deed: Deed, filter: Filter) -> Result<Request, UsageError> {
    let command = if matches!(deed, Deed::Destroy) { "kill" } else { "set" };
    if filter.is_always_true() {
        return Err(UsageError(format!(
            "{command} needs a filter that leaves some sockets out; to select all of them, write 'state all'. \
             See tcpulse help filter"
        )));
    }
    // Changing the wrong sockets is worse than asking again.
    if let Some(doubt) = filter.doubt() {
        return Err(UsageError(doubt));
    }
    let usual = match (shared.choose.listening, shared.choose.all, deed) {
        (true, ..) => StateSet::listeners(),
        (false, true, _) => StateSet::ALL,
        (false, false, Deed::Destroy) => StateSet::connections(),
        // Minisockets have no options: include them only if the filter asks for them.
        (false, false, Deed::Set(_)) => StateSet::connections().without(StateSet::minisockets()),
    };
    let columns = listed(action::columns(deed));
    let states = asked::states(&filter, usual);
    Ok(request(shared, families(shared), states, needs_of(&columns) | Needs::OWNERS, filter))
}

/// What the options permit to collect.
fn allowed(choose: &Choose) -> Needs {
    let options = Needs::OPTIONS | Needs::MORE_OPTIONS | Needs::ALL_OPTIONS;
    match (choose.no_processes, choose.no_sockopts) {
        (true, _) => Needs::all() - Needs::OWNERS - options,
        (false, true) => Needs::all() - options,
        (false, false) => Needs::all(),
    }
}

/// Refuses to combine what needs processes with `--no-processes`: one of the two is a mistake.
fn refuse_blindness(shared: &Shared, needs: Needs, what: &str) -> Result<(), UsageError> {
    if shared.choose.no_processes && needs.contains(Needs::OWNERS) {
        return Err(UsageError(format!(
            "--no-processes does not go with {what}, which needs them; leave one of the two out"
        )));
    }
    Ok(())
}

fn refuse_blind_columns<'a>(
    shared: &Shared,
    columns: impl IntoIterator<Item = &'a SocketColumn>,
) -> Result<(), UsageError> {
    columns
        .into_iter()
        .try_for_each(|column| refuse_blindness(shared, column.needs, &format!("the column '{}'", column.name())))
}

/// Whether the options exclude what the column shows.
fn is_blind_to(shared: &Shared, column: &SocketColumn) -> bool {
    shared.choose.no_processes && column.needs.contains(Needs::OWNERS)
}

/// The chosen columns: by -o, and by the equivalent options of other programs.
fn column_choices(shared: &Shared) -> Result<Vec<ColumnChoice>, UsageError> {
    let typed = shared.show.columns.as_deref().map(ColumnChoice::parse).transpose()?;
    let habits = Some(&shared.habits.columns).filter(|columns| !columns.is_empty());
    let choices: Vec<_> = typed.into_iter().chain(habits.map(|columns| ColumnChoice::added(columns))).collect();
    refuse_blind_columns(shared, choices.iter().flat_map(ColumnChoice::named))?;
    Ok(choices)
}

type Listed = (Report, StateSet, Needs);

fn list(shared: &Shared, format: FormatArg, everything: bool, filter: &Filter) -> Result<Listed, UsageError> {
    let order = parse_order(shared.show.sort.as_deref(), shared.show.limit)?;
    refuse_blind_columns(shared, &order.by)?;
    let choices = column_choices(shared)?;
    let chosen = choices.iter().any(|choice| choice.settles(ColumnId::Netns));
    let (columns, states, needs) = chosen_columns(shared, (format, everything), filter, &choices)?;
    let needs = needs | needs_of(order.by.as_slice());
    Ok((Report::List { format, columns, chosen, order }, states, needs))
}

/// The columns of a listing, the states to dump, and what a row needs.
fn chosen_columns(
    shared: &Shared,
    (format, everything): (FormatArg, bool),
    filter: &Filter,
    choices: &[ColumnChoice],
) -> Result<(Vec<SocketColumn>, StateSet, Needs), UsageError> {
    let choose = &shared.choose;
    let usual = match (choose.listening, choose.all || everything) {
        (true, _) => StateSet::listeners(),
        (false, true) => StateSet::ALL,
        (false, false) => StateSet::connections(),
    };
    let states = asked::states(filter, usual);
    let defaults = match states.intersection(filter.states()) {
        shown if shown.without(StateSet::listeners()).is_empty() => LISTENER_COLUMNS,
        shown if shown.without(StateSet::connections()).is_empty() => CONNECTION_COLUMNS,
        _ => ALL_COLUMNS,
    };
    let keep = |column: &SocketColumn| !is_blind_to(shared, column);
    let defaults = defaults.iter().flat_map(|id| match (format.is_bare_table(), *id) {
        // There the time is a number, so a column beside it gives the kind of bound.
        (true, ColumnId::DeadIn) => &[ColumnId::DeadIn, ColumnId::Bound][..],
        _ => std::slice::from_ref(id),
    });
    // Nothing separates the rounds, so each row carries its time.
    let first = (format.is_bare_table() && shared.show.watch.is_some()).then_some(&ColumnId::TakenAt);
    let usual: Vec<_> = first.into_iter().chain(defaults).copied().collect();
    let usual = listed(&usual).into_iter().filter(keep).collect();
    let columns = choices.iter().try_fold(usual, |columns, choice| choice.apply(columns, keep))?;
    let needs = match format {
        FormatArg::Json | FormatArg::Ndjson => Needs::all(),
        FormatArg::Table | FormatArg::Csv => needs_of(&columns),
    };
    Ok((columns, states, needs))
}

fn show(shared: &Shared, format: FormatArg, filter: &Filter) -> Result<Listed, UsageError> {
    if format != FormatArg::Table {
        let (report, _, needs) = list(shared, format, true, filter)?;
        return Ok((report, StateSet::ALL, needs));
    }
    let ShowOptions { columns, sort, .. } = &shared.show;
    for (given, option) in [(columns, "--columns"), (sort, "--sort")] {
        if given.is_some() {
            return Err(UsageError(format!(
                "{option} does not go with show: it shows all that is known; ls takes columns"
            )));
        }
    }
    Ok((Report::Show, StateSet::ALL, Needs::all() - Needs::KERNEL))
}

fn stat(shared: &Shared, format: FormatArg, by: &str) -> Result<Listed, UsageError> {
    let by = parse_by(by)?;
    refuse_blind_columns(shared, &by)?;
    let needs = needs_of(&by);
    let states = if shared.choose.listening { StateSet::listeners() } else { StateSet::ALL };
    Ok((Report::Stat { format, by, limit: shared.show.limit }, states, needs))
}

fn kernel(shared: &Shared, format: FormatArg) -> Listed {
    (Report::Kernel { format, all: shared.choose.all }, StateSet::NONE, Needs::KERNEL)
}

fn needs_of(columns: &[SocketColumn]) -> Needs {
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

/// Address families to dump: both if both flags are given, or none.
fn families(shared: &Shared) -> Vec<Family> {
    match (shared.choose.ipv4, shared.choose.ipv6) {
        (true, false) => vec![Family::Ipv4],
        (false, true) => vec![Family::Ipv6],
        _ => Family::ALL.to_vec(),
    }
}

fn notes(show: &ShowOptions, format: FormatArg, filter: &Filter) -> Vec<String> {
    let mut notes = Vec::new();
    if show.columns.is_some() && matches!(format, FormatArg::Json | FormatArg::Ndjson) {
        notes.push("--columns chooses the columns of table and csv; JSON carries every key".to_owned());
    }
    notes.extend(asked::note(filter).filter(|_| !show.quiet));
    notes
}
