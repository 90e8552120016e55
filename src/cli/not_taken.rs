//! Options that a command does not take. They are read before and after every command; this table leaves them out of the
//! command's help, and says what happens if one is given: most are refused, some have no effect.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::usage::UsageError;

/// What is done about an option that a command does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    /// An error with this reason
    Refused(&'static str),
    /// It changes nothing: the command does so anyway, or reads nothing that the option is about
    NoEffect,
    /// `settings` decides, by the other options
    Depends,
}

use Treatment::{Depends, NoEffect, Refused};

const NO_SOCKETS: Treatment = Refused("it lists no sockets");
const OWN_LIST: Treatment = Refused("it lists what it changes in its own way");
const BY_COUNT: Treatment = Refused("it sorts by count; say what to count by with --by");

/// `set` and `kill` list sockets in their own table, once, and need their owners.
const ACTING: &[(&str, Treatment)] = &[
    ("no_processes", Refused("it needs the owners")),
    ("columns", OWN_LIST),
    ("sort", OWN_LIST),
    ("limit", Refused("--max N stops where more match")),
    ("format", Refused("it prints one line per socket")),
    ("json", Refused("it prints one line per socket")),
    ("watch", Refused("it changes once")),
];

/// The options that each command does not take, by their ids. An empty list hides all of them and ignores them.
const NOT_TAKEN: &[(&str, &[(&str, Treatment)])] = &[
    (
        "show",
        &[
            ("all", NoEffect),
            ("listening", NoEffect),
            ("columns", Depends),
            ("sort", Depends),
            ("limit", Depends),
            ("no_header", Depends),
        ],
    ),
    ("stat", &[("all", NoEffect), ("columns", BY_COUNT), ("sort", BY_COUNT)]),
    (
        "kernel",
        &[
            ("ipv4", NoEffect),
            ("ipv6", NoEffect),
            ("listening", NoEffect),
            ("source", NoEffect),
            ("explain_filter", Refused("it takes no filter")),
            ("no_processes", NoEffect),
            ("no_sockopts", NoEffect),
            ("active_within", NoEffect),
            ("columns", NO_SOCKETS),
            ("sort", NO_SOCKETS),
            ("limit", NO_SOCKETS),
        ],
    ),
    ("set", ACTING),
    ("kill", ACTING),
    ("config", &[]),
    ("completions", &[]),
    ("man", &[]),
    ("help", &[]),
];

/// Leaves the options that a command does not take out of its help.
pub(super) fn hide(command: Command) -> Command {
    let shared: Vec<_> = command.get_arguments().filter(|option| option.is_global_set()).cloned().collect();
    NOT_TAKEN.iter().fold(command, |command, (name, options)| {
        let is_hidden = |option: &&clap::Arg| options.is_empty() || options.iter().any(|(id, _)| option.get_id() == id);
        // A command's own option hides the global option of the same name.
        let own: Vec<_> = shared.iter().filter(is_hidden).map(|option| option.clone().hide(true)).collect();
        command.mut_subcommand(name, |command| command.args(own))
    })
}

/// Refuses an option that was given to a command that does not take it.
pub(super) fn refuse(program: &Command, matches: &ArgMatches) -> Result<(), UsageError> {
    let Some((name, given)) = matches.subcommand() else { return Ok(()) };
    let options = NOT_TAKEN.iter().find(|(command, _)| *command == name).map_or(&[][..], |(_, options)| *options);
    for (id, treatment) in options {
        if let (Refused(reason), Some(ValueSource::CommandLine)) = (treatment, given.value_source(id)) {
            let option = program.get_arguments().find(|option| option.get_id() == id);
            let long = option.and_then(clap::Arg::get_long).unwrap_or(id);
            return Err(UsageError(format!("--{long} does not go with {name}: {reason}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{NOT_TAKEN, Refused};
    use crate::cli::args::{command, parse};

    #[test]
    fn options_that_are_not_taken_exist() {
        let program = command();
        for (name, options) in NOT_TAKEN {
            assert!(program.find_subcommand(name).is_some(), "{name}");
            for (id, _) in *options {
                assert!(program.get_arguments().any(|option| option.get_id() == id), "{id}");
            }
        }
        command().debug_assert();
    }

    #[test]
    fn a_refused_option_is_refused_before_and_after_the_command() {
        let program = command();
        for (name, options) in NOT_TAKEN {
            for (id, treatment) in *options {
                let Refused(reason) = treatment else { continue };
                let option = program.get_arguments().find(|option| option.get_id() == id).unwrap();
                let long = option.get_long().unwrap();
                let value = option.get_action().takes_values().then_some(if *id == "format" { "=csv" } else { "=2" });
                let typed = format!("--{long}{}", value.unwrap_or_default());
                for words in [["tcpulse", *name, typed.as_str()], ["tcpulse", typed.as_str(), *name]] {
                    let error = parse(words.map(Into::into)).err().map(|error| error.to_string());
                    let expected = format!("--{long} does not go with {name}: {reason}");
                    assert_eq!(error.as_deref(), Some(expected.as_str()), "{words:?}");
                }
            }
        }
    }
}
