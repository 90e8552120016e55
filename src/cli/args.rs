//! Syntax of the command line. No logic: `settings` validates the arguments.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::choices;
use super::habits::{self, Habits};
use super::not_taken;
use crate::text::quantity::time_us;

/// Every TCP connection of this host, and whether its peer is still there.
///
/// Without a command tcpulse opens the dashboard. With --json or --format ndjson it prints one snapshot of every TCP socket;
/// where stdout is no terminal it does what `tcpulse ls` does. FILTER selects sockets, in ss's grammar and more: see `tcpulse help filter`.
#[derive(Debug, Parser)]
#[command(name = "tcpulse", version, disable_version_flag = true, max_term_width = 100, disable_help_subcommand = true, after_help = EXIT_CODES, after_long_help = concat!(
"Examples:
  tcpulse                               the dashboard; in a pipe, the connections of every network namespace
  tcpulse --json | jq '.summary'        one snapshot of every socket, for scripts
  tcpulse dport = :443 and idle \\> 10m   connections to port 443 that heard nothing for ten minutes
  tcpulse stat --by process,state       who holds how many connections in which state
  tcpulse ls -l -o local,accept-q,backlog,drops,process
                                        listeners, and how full their accept queues are
  tcpulse kernel -N web                 the keepalive sysctls and TCP counters of the namespace web
  tcpulse -tanp                         as with ss or netstat: a listing; -o -e -i -m add columns

", "Exit codes: 0 done, 1 failed, 2 usage, 3 nothing matched (set, kill), 4 something could not be seen and --strict was given, 130 interrupted"))]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    #[command(flatten)]
    pub(super) shared: Shared,
    /// Print the version; with --verbose also what of this kernel can be used, and what cannot and why
    #[arg(short = 'V', long)]
    pub(super) version: bool,
    /// With --version: more
    #[arg(long, requires = "version", hide = true)]
    pub(super) verbose: bool,
}

/// Which sockets.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Which sockets, in one argument or many: `tcpulse help filter`
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
}

const EXIT_CODES: &str = "tcpulse --help has details and examples.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List connections; with -a listeners too, with -l listeners only
    Ls(FilterArgs),
    /// Everything known about one socket, or a few: the reason first
    #[command(after_long_help = choices::SHOW_EXAMPLES)]
    Show {
        /// local->peer, one end, inode=N, cookie=HEX, the bare number, or any other filter
        #[arg(value_name = "FILTER", required = true)]
        filter: Vec<String>,
    },
    /// Count sockets by state, or by the columns of --by
    Stat {
        /// Count by one or two of the columns of `ls`, such as process,state; a socket that several processes hold
        /// counts for each of them
        #[arg(long, value_name = "KEY[,KEY]", default_value = "state")]
        by: String,
        #[command(flatten)]
        filter: FilterArgs,
    },
    /// Show sysctls, socket gauges and TCP counters of each network namespace, with what they mean
    #[command(after_long_help = choices::KERNEL_EXAMPLES)]
    Kernel,
    /// Change keepalive and user timeout of live sockets
    #[command(after_long_help = choices::SET_EXAMPLES)]
    Set {
        #[command(flatten)]
        set: SetArgs,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Destroy connections; their programs go on, with ECONNABORTED
    #[command(after_long_help = choices::KILL_EXAMPLES)]
    Kill {
        #[command(flatten)]
        filter: FilterArgs,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Print the dashboard's configuration with all defaults, to be saved and changed
    Config,
    /// Print a script that lets a shell complete commands, columns, filters and their values
    #[command(after_long_help = choices::COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        #[arg(value_name = "bash|zsh|fish", hide_possible_values = true)]
        shell: Shell,
    },
    /// Print a manual page: of the program, of a command, or of the filter language
    #[command(after_long_help = choices::MAN_EXAMPLES)]
    Man {
        /// A command, or `filter`
        #[arg(value_name = "TOPIC")]
        topic: Option<String>,
    },
    /// This help, that of a command, or the filter language: `tcpulse help filter`
    Help {
        /// A command, or `filter`
        #[arg(value_name = "TOPIC")]
        topic: Option<String>,
    },
}

/// What is to be set, on which sockets.
#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// keepalive=on|off idle=TIME interval=TIME probes=N user-timeout=TIME, each optional; then the filter
    #[arg(value_name = "KEY=VALUE… FILTER")]
    pub(super) words: Vec<String>,
    /// Choose values that notice a silent peer in this time: idle + probes × interval, and the user timeout
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) detect: Option<Duration>,
    /// Set idle time, interval and probes to the namespace's tcp_keepalive_* sysctls
    #[arg(long, conflicts_with = "detect")]
    pub(super) like_sysctl: bool,
}

/// Safeguards of `set` and `kill`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Safeguards")]
pub(super) struct ActingArgs {
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Show what would be changed, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Change nothing if more than N sockets match
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(super) max: u64,
    /// Do not leave out the ssh connection that this is run over
    #[arg(long)]
    pub(super) include_self: bool,
    /// Do not note the changes in the journal; refused if tcpulse has more rights than the user who started it
    #[arg(long, conflicts_with = "require_log")]
    pub(super) no_log: bool,
    /// Change nothing that cannot be noted in the journal first
    #[arg(long)]
    pub(super) require_log: bool,
}

/// Options that stand before or after the command.
#[derive(Debug, Args)]
pub(super) struct Shared {
    #[command(flatten)]
    pub(super) choose: Choose,
    #[command(flatten)]
    pub(super) show: ShowOptions,
    /// Options of ss, netstat and lsof
    #[arg(skip)]
    pub(super) habits: Habits,
}

/// Selection of sockets, options common to all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct Choose {
    /// Network namespaces: current, all that may be entered, a name (host, one of /run/netns, a container id), or the
    /// one of a process
    #[arg(short = 'N', long, global = true, value_name = "current|all|NAME|PID", default_value = "all")]
    pub(super) netns: String,
    /// IPv4 sockets only
    #[arg(short = '4', long = "ipv4", global = true)]
    pub(super) ipv4: bool,
    /// IPv6 sockets only; dual-stack sockets with IPv4 peers are among them
    #[arg(short = '6', long = "ipv6", global = true)]
    pub(super) ipv6: bool,
    /// Listeners and bound sockets too
    #[arg(short, long, global = true)]
    pub(super) all: bool,
    /// Listeners only
    #[arg(short, long, global = true, conflicts_with = "all")]
    pub(super) listening: bool,
    /// Where rows come from: sock_diag, else /proc/net/tcp; or one of them
    #[arg(long, global = true, value_enum, default_value_t = SourceArg::Auto, hide_possible_values = true, value_name = "auto|sock_diag|procfs")]
    pub(super) source: SourceArg,
    /// Show how the filter is read, what of it goes to the kernel, and what stays; list nothing
    #[arg(long, global = true)]
    pub(super) explain_filter: bool,
    /// Do not look for the processes that hold the sockets
    #[arg(long, global = true)]
    pub(super) no_processes: bool,
    /// Do not read options (keepalive, user timeout) from descriptors of other processes: infer them
    #[arg(long, global = true)]
    pub(super) no_sockopts: bool,
    /// A peer heard within this time is active
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(super) active_within: Duration,
}

/// Form of the output.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to show it")]
pub(super) struct ShowOptions {
    /// Columns, in this order, or `all`; +NAME adds one to the usual columns, -NAME leaves one out; `tcpulse ls --help`
    /// lists them
    #[arg(short = 'o', long, global = true, value_name = "LIST")]
    pub(super) columns: Option<String>,
    /// Sort by a column, with :desc from large to small
    #[arg(short, long, global = true, value_name = "KEY[:desc]")]
    pub(super) sort: Option<String>,
    /// Show N rows at most
    #[arg(short = 'n', long, global = true, value_name = "N")]
    pub(super) limit: Option<u64>,
    /// Output format
    #[arg(long, global = true, value_enum, hide_possible_values = true, value_name = "table|json|ndjson|csv")]
    pub(super) format: Option<FormatArg>,
    /// The same as --format json
    #[arg(long, global = true, conflicts_with = "format")]
    pub(super) json: bool,
    /// Leave the line of column names out
    #[arg(long, global = true)]
    pub(super) no_header: bool,
    /// Colours: auto (on a terminal, unless NO_COLOR is set), always, never
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, hide_possible_values = true, value_name = "auto|always|never")]
    pub(super) color: ColorChoice,
    /// Repeat every SECONDS, or a time with its unit (2 s by default)
    #[arg(short, long, global = true, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = interval)]
    pub(super) watch: Option<Duration>,
    /// Do not report on stderr what could not be read
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Exit with 4 if something could not be seen
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    pub(super) strict: bool,
}

/// Shells that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    /// GNU bash
    Bash,
    /// The Z shell
    Zsh,
    /// The friendly interactive shell
    Fish,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArg {
    /// For people
    Table,
    /// One JSON object
    Json,
    /// One JSON object a line
    Ndjson,
    /// RFC 4180
    Csv,
}

impl FormatArg {
    /// Whether it is a table of bare values for programs: its header is written once, a bound needs a column of its
    /// own, and so does the time if the table is repeated.
    pub(super) fn is_bare_table(self) -> bool {
        match self {
            Self::Csv => true,
            Self::Table | Self::Json | Self::Ndjson => false,
        }
    }
}

/// Sources of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SourceArg {
    /// sock_diag, else /proc/net/tcp
    Auto,
    /// sock_diag or an error
    #[value(name = "sock_diag", alias = "sock-diag")]
    SockDiag,
    /// /proc/net/tcp
    Procfs,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Reads the command line.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Cli> {
    let mut program = command();
    program.build();
    let (arguments, habits) = habits::read(arguments, &program)?;
    let matches = program.try_get_matches_from_mut(arguments)?;
    not_taken::refuse(&program, &matches)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.shared.habits = habits;
    Ok(cli)
}

/// The command line with the help that is made from the column table, each command's with the options it takes.
pub(super) fn command() -> clap::Command {
    let command = Cli::command().mut_subcommand("ls", |ls| ls.after_long_help(choices::ls_help()));
    let command = command.mut_subcommand("stat", |stat| stat.after_long_help(choices::stat_help()));
    let all = command.get_arguments().find(|option| option.get_id() == "all").cloned();
    let zeros = all.map(|all| all.help("Counters that are 0 too"));
    not_taken::hide(command.mut_subcommand("kernel", |kernel| kernel.args(zeros)))
}

/// A time with its unit, or a bare number of seconds: `2`, `0.5`, `500ms`, `1m30s`, `1h`.
fn interval(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_millis(100);
    const MOST: Duration = Duration::from_secs(86_400);
    let bare = text.parse::<f64>().ok().map(|_| format!("{text}s"));
    match time_us(bare.as_deref().unwrap_or(text)).map(Duration::from_micros) {
        Ok(time) if (LEAST..=MOST).contains(&time) => Ok(time),
        Ok(_) => Err("the interval goes from 100ms to 1d".to_owned()),
        Err(_) => Err("not a number of seconds, such as 2, 0.5 or 500ms; a bare -w goes after the command".to_owned()),
    }
}

/// A time with its unit: `500ms`, `60s`, `5m`, `2h`.
fn duration(text: &str) -> Result<Duration, String> {
    time_us(text).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::{FormatArg, command, duration, interval};
    use clap::ValueEnum;
    use std::time::Duration;

    #[test]
    fn the_help_names_every_format() {
        let names: Vec<_> = FormatArg::value_variants()
            .iter()
            .map(|format| format.to_possible_value().unwrap().get_name().to_owned())
            .collect();
        let program = command();
        let format = program.get_arguments().find(|option| option.get_id() == "format").unwrap();
        assert_eq!(format.get_value_names().unwrap()[0].as_str(), names.join("|"));
    }

    #[test]
    fn a_time_needs_its_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for bad in ["60", "", "s", "-1s", "1x", "99999999999999999999s", "18446744073709551615h"] {
            assert!(duration(bad).unwrap_err().contains("such as"), "{bad}");
        }
    }

    #[test]
    fn intervals_are_seconds_with_or_without_a_unit() {
        assert_eq!(interval("2"), Ok(Duration::from_secs(2)));
        assert_eq!(interval("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(interval("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(interval("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(interval("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(interval("1d"), Ok(Duration::from_secs(86_400)));
        for bad in ["0", "-1", "0.05", "nan", "inf", "1e9", "", "s", "two"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }
}
