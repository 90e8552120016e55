//! Completion of the command line: the script for a shell, and the answers when that script asks this program. It knows
//! columns, fields with their words, namespaces, and the values that sockets have now.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;

use clap::Arg;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, EnvCompleter, Fish, Shells, Zsh};

use super::args::{Shell, command};
use crate::collect::confine::{Deeds, confine};
use crate::collect::discovery::NetnsChoice;
use crate::fields::column::Kind;
use crate::fields::socket::SocketColumn;
use crate::fields::table::{column_called, columns};
use crate::filter::{compared_at_end, completions};
use crate::inspect::{Request, inspect};
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink};
use crate::text::setting::Setting;

/// Environment variable by which the script of a shell asks. Its value is the name of the shell.
const ASKED: &str = "_TCPULSE_COMPLETE";
const NAME: &str = "tcpulse";
const SHELLS: Shells<'_> = Shells(&[&Bash, &Zsh, &Fish]);
/// Values of a field that are offered, at most.
const MOST_VALUES: usize = 500;

/// The script that lets a shell ask.
pub(super) fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let shell: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let mut script = Vec::new();
    shell.write_registration(ASKED, NAME, NAME, NAME, &mut script)?;
    Ok(script)
}

/// Answers the script of a shell, if it asks. The arguments are then this program's path, `--`, and the words typed so far.
pub(super) fn answer(arguments: &[OsString]) -> anyhow::Result<bool> {
    let program = || {
        confine(Deeds::Reads);
        let typed = arguments.iter().skip_while(|argument| *argument != "--").skip(1);
        completed(&typed.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>())
    };
    Ok(CompleteEnv::with_factory(program).var(ASKED).shells(SHELLS).try_complete(arguments, None)?)
}

/// The command line with a completer for each argument whose values clap does not know.
fn completed(typed: &[String]) -> clap::Command {
    fn added(arg: Arg, typed: &[String]) -> Arg {
        let complete: fn(&[String], &str) -> Vec<CompletionCandidate> = match arg.get_id().as_str() {
            "filter" => |typed, current| of_filter(typed, current),
            "words" => |typed, current| of_setting(typed, current),
            "columns" => |_, current| of_list(current, |_| true),
            "by" => |_, current| of_list(current, |column| column.groups),
            "sort" => |_, current| of_columns("", current, |_| true),
            "netns" => |_, current| of_namespaces(current),
            "topic" => |_, current| of_topics(current),
            _ => return arg,
        };
        let typed = typed.to_vec();
        arg.add(ArgValueCompleter::new(move |current: &OsStr| {
            current.to_str().map_or_else(Vec::new, |current| complete(&typed, current))
        }))
    }
    let program = command().mut_args(|arg| added(arg, typed));
    program.mut_subcommands(|command| command.mut_args(|arg| added(arg, typed)))
}

/// Words of the filter language, and values of the field that is compared.
fn of_filter(typed: &[String], current: &str) -> Vec<CompletionCandidate> {
    // The script names the word that is completed by its number, which `clap_complete` keeps to itself.
    let before = typed.iter().rposition(|word| word == current).map_or(typed, |at| &typed[..at]).join(" ");
    let text = format!("{before} {current}");
    let (start, words) = completions(&text);
    let has_own_words = |column: &&SocketColumn| matches!(column.kind, Kind::Word(_));
    let words = match compared_at_end(&text[..start]).filter(|column| column.groups && !has_own_words(column)) {
        Some(column) => values_now(column),
        None => words,
    };
    let same_argument = text.get(before.len() + 1..start).unwrap_or_default();
    let candidates = words.into_iter().map(|word| (column_called(&word), format!("{same_argument}{word}")));
    let candidates = candidates.filter(|(_, word)| word.starts_with(current));
    candidates.map(|(column, word)| candidate(word, column.map(|column| column.help))).collect()
}

/// What `set` sets, and words of its filter.
fn of_setting(typed: &[String], current: &str) -> Vec<CompletionCandidate> {
    let keys = Setting::ALL.iter().map(|setting| format!("{}=", setting.name())).filter(|key| key.starts_with(current));
    let keys = keys.map(|key| candidate(key, None));
    keys.chain(of_filter(typed, current)).collect()
}

/// The last name of a list of columns, each with or without a sign.
fn of_list(current: &str, keep: fn(&SocketColumn) -> bool) -> Vec<CompletionCandidate> {
    let comma = current.rfind(',').map_or(0, |at| at + 1);
    let start = if current[comma..].starts_with(['-', '+']) { comma + 1 } else { comma };
    of_columns(&current[..start], &current[start..], keep)
}

fn of_columns(prefix: &str, current: &str, keep: fn(&SocketColumn) -> bool) -> Vec<CompletionCandidate> {
    let fitting = columns().filter(|column| keep(column) && column.name().starts_with(current));
    fitting.map(|column| candidate(format!("{prefix}{}", column.name()), Some(column.help))).collect()
}

fn of_topics(current: &str) -> Vec<CompletionCandidate> {
    let program = command();
    let commands = program.get_subcommands().map(|command| command.get_name().to_owned());
    let topics = commands.chain(["filter".to_owned()]).filter(|topic| topic.starts_with(current));
    topics.map(|topic| candidate(topic, None)).collect()
}

/// Network namespaces that are there now.
fn of_namespaces(current: &str) -> Vec<CompletionCandidate> {
    let mut seen = Seen::default();
    let nothing = Request { families: Vec::new(), ..Request::new(NetnsChoice::All) };
    // A shell that completes has no place for an error: fewer names are offered.
    let _ = inspect(&nothing, None, &mut seen, &|| false);
    let names = ["current".to_owned(), "all".to_owned()].into_iter().chain(seen.namespaces);
    names.filter(|name| name.starts_with(current)).map(|name| candidate(name, None)).collect()
}

/// The values that sockets have in a column now, those that need quotes left out.
fn values_now(column: &SocketColumn) -> Vec<String> {
    let mut seen = Seen { column: Some(*column), ..Seen::default() };
    let request = Request { needs: column.needs, ..Request::new(NetnsChoice::All) };
    // As in `of_namespaces`.
    let _ = inspect(&request, None, &mut seen, &|| false);
    seen.values.into_iter().collect()
}

/// Sink that collects what can be completed.
#[derive(Default)]
struct Seen {
    column: Option<SocketColumn>,
    values: BTreeSet<String>,
    namespaces: Vec<String>,
}

impl Sink for Seen {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.namespaces = head.namespaces.iter().map(|namespace| namespace.name.clone()).collect();
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let Some(column) = self.column.filter(|_| self.values.len() < MOST_VALUES) else { return Ok(()) };
        let value = column.value(row);
        let plain = value.plain();
        let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
        if !plain.is_empty() && plain.bytes().all(is_bare) {
            self.values.insert(plain.into_owned());
        }
        Ok(())
    }
}

fn candidate(word: String, help: Option<&str>) -> CompletionCandidate {
    CompletionCandidate::new(word).help(help.map(|help| help.to_owned().into()))
}
