//! Choices by column name: `--sort`, `stat --by`, errors with suggestions, and the help generated from the column
//! table.

use std::fmt::Write;

use super::usage::UsageError;
use crate::export::list::ListOrder;
use crate::fields::socket::SocketColumn;
use crate::fields::synonyms::meant;
use crate::fields::table::{column_called, columns};
use crate::text::near::nearest;

/// Examples under `ls --help`.
const LS_EXAMPLES: &str = "Examples:
  tcpulse ls -s idle:desc -n 20         the twenty connections silent for longest
  tcpulse ls -o state,local,peer,pid,rtt,total-retrans --format csv
                                        chosen columns for a spreadsheet, units in the header
  tcpulse ls -o +rtt,+total-retrans,-idle
                                        two more columns than usual, and one less; -o all: all
  tcpulse ls -a -N current -w 1         this namespace, listeners too, every second
";
/// Examples under `stat --help`.
const STAT_EXAMPLES: &str = "Examples:
  tcpulse stat                          sockets by state, zeros too
  tcpulse stat --by peer-addr,state     which peers, in which states
  tcpulse stat --by process --json      for scripts
";
/// Examples under `show --help`.
pub(super) const SHOW_EXAMPLES: &str = "Examples:
  tcpulse show '10.0.0.5:48350->10.0.0.9:5432'
                                        one connection; mind the quotes: > is the shell's
  tcpulse show 10.0.0.9:5432            every connection with this end
  tcpulse show inode=123456             by inode, as /proc/PID/fd shows it
";
/// Examples under `set --help`.
pub(super) const SET_EXAMPLES: &str = "Examples:
  tcpulse set keepalive=on idle=60s interval=10s probes=6 dport = :5432
                                        turn keepalive on for the connections to port 5432; asks first
  tcpulse set --detect 30s 'process = app and keepalive = off' --dry-run
                                        what would be set so that a dead peer is noticed in 30 s
  tcpulse set --like-sysctl dst 10.0.0.9 --yes
                                        back to the namespace's values, without asking
  tcpulse set user-timeout=0 'user-timeout > 0'
                                        mind the spaces: those with spaces are the filter

Exit codes: 0 all set, 1 some not (each is named), 2 usage, 3 nothing matched
";
/// Examples under `kill --help`.
pub(super) const KILL_EXAMPLES: &str = "Examples:
  tcpulse kill verdict = probing        connections whose peer does not answer any more; asks first
  tcpulse kill 'process = nginx and state close-wait and close-wait-age > 1h' --dry-run
                                        what would be destroyed
  tcpulse kill dst 10.0.0.9:5432 --yes --max 1000
                                        without asking, from a script

A destroyed connection sends its peer a reset; its program gets ECONNABORTED at its next call and keeps the
descriptor until it closes it. Needs CAP_NET_ADMIN, and a kernel with CONFIG_INET_DIAG_DESTROY.
Exit codes: 0 all destroyed, 1 some not (each is named), 2 usage, 3 nothing matched
";
/// Examples under `kernel --help`.
pub(super) const KERNEL_EXAMPLES: &str = "Examples:
  tcpulse kernel -N current             this namespace
  tcpulse kernel -a                     every counter, zeros too
  tcpulse kernel --json | jq '.namespaces[] | {name, time: .sysctls.tcp_keepalive_time_s}'
";

/// Examples under `completions --help`.
pub(super) const COMPLETIONS_EXAMPLES: &str = "Examples:
  source <(tcpulse completions bash)    for this bash; a line of ~/.bashrc for all
  source <(tcpulse completions zsh)     for this zsh, after compinit; a line of ~/.zshrc for all
  tcpulse completions fish | source     for this fish
";
/// Examples under `man --help`.
pub(super) const MAN_EXAMPLES: &str = "Examples:
  tcpulse man | man -l -                the page of the program
  tcpulse man ls > tcpulse-ls.1         that of a command, to be installed
  tcpulse man filter > tcpulse-filter.7 that of the filter language
";

/// Parses `KEY`, `KEY:asc` or `KEY:desc`.
pub(super) fn parse_order(sort: Option<&str>, limit: Option<u64>) -> Result<ListOrder, UsageError> {
    let Some(sort) = sort else { return Ok(ListOrder { limit, ..ListOrder::default() }) };
    let (name, descending) = match sort.split_once(':') {
        None | Some((_, "asc")) => (sort.split(':').next().unwrap_or(sort), false),
        Some((name, "desc")) => (name, true),
        Some((_, other)) => {
            return Err(UsageError(format!("unknown order '{other}' in '--sort {sort}'; choose asc or desc")));
        }
    };
    let by = column_called(name).ok_or_else(|| {
        UsageError(format!("cannot sort by '{name}': no such column; {}", hint(name, LISTED, |_| true)))
    })?;
    Ok(ListOrder { by: Some(*by), descending, limit })
}

/// Parses one or two columns that `stat` can count by.
pub(super) fn parse_by(list: &str) -> Result<Vec<SocketColumn>, UsageError> {
    let names: Vec<_> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > 2 {
        return Err(UsageError(format!("--by '{list}' names {} columns; it takes one or two; {COUNTED}", names.len())));
    }
    let mut by: Vec<SocketColumn> = Vec::new();
    for name in names {
        let column = match column_called(name) {
            Some(column) if column.groups => column,
            Some(_) => return Err(UsageError(format!("cannot count by '{name}': too many values; {COUNTED}"))),
            None => {
                let hint = hint(name, COUNTED, |column| column.groups);
                return Err(UsageError(format!("cannot count by '{name}': no such column; {hint}")));
            }
        };
        if !by.contains(column) {
            by.push(*column);
        }
    }
    Ok(by)
}

/// Reference to the list of columns.
const LISTED: &str = "tcpulse ls --help lists the columns";
/// Reference to the list of keys of `stat --by`.
const COUNTED: &str = "tcpulse stat --help lists the keys";

/// Error for an unknown column of a listing.
pub(super) fn unknown_column(name: &str) -> UsageError {
    UsageError(format!("unknown column '{name}'; {}", hint(name, LISTED, |_| true)))
}

/// Suggested columns for an unknown name, and the reference to all columns.
fn hint(name: &str, all: &str, keep: fn(&SocketColumn) -> bool) -> String {
    let known: Vec<_> = columns().filter(|column| keep(column)).map(|column| column.name()).collect();
    let mut meant: Vec<_> = meant(name).iter().map(|id| id.name()).filter(|name| known.contains(name)).collect();
    if meant.is_empty() {
        meant.extend(nearest(name, known.iter().copied()));
    }
    let meant: Vec<_> = meant.iter().map(|name| format!("'{name}'")).collect();
    if meant.is_empty() { all.to_owned() } else { format!("did you mean {}? {all}", meant.join(" or ")) }
}

/// Examples, then each column with its description.
pub(super) fn ls_help() -> String {
    LS_EXAMPLES.to_owned() + "\nColumns:\n" + &describe(|_| true)
}

/// Examples, then each column that `--by` accepts.
pub(super) fn stat_help() -> String {
    STAT_EXAMPLES.to_owned() + "\nKeys for --by:\n" + &describe(|column| column.groups)
}

fn describe(keep: impl Fn(&SocketColumn) -> bool) -> String {
    let mut text = String::new();
    for column in columns().filter(|column| keep(column)) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:<26}{}", column.name(), column.help);
    }
    text
}
