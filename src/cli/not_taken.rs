//! Options that a command does not take. They are read before and after every command; this table leaves them out of the
//! command's help, and says why one that was given is refused.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::usage::UsageError;

/// What happens to an option that a command does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// An error with this reason
    Refused(&'static str),
    /// It changes nothing: the command does so anyway, or reads nothing that the option is about
    NoEffect,
    /// `settings` decides, by the other options
    Depends,
}

use Given::{Depends, NoEffect, Refused};

const NO_SOCKETS: Given = Refused("it lists no sockets");
const OWN_LIST: Given = Refused("it lists what it changes in its own way");
const BY_COUNT: Given = Refused("it sorts by count; say what to count by with --by");

/// `set` and `kill` list sockets in their own table, once, and need their owners.
const ACTING: &[(&str, Given)] = &[
    ("no_processes", Refused("it needs the owners")),
    ("columns", OWN_LIST),
    ("sort", OWN_LIST),
    ("limit", Refused("--max N stops where more match")),
    ("format", Refused("it prints one line per socket")),
    ("json", Refused("it prints one line per socket")),
    ("watch", Refused("it changes once")),
];

/// The options that each command does not take, by their ids. Without options: it takes none.
const NOT_TAKEN: &[(&str, &[(&str, Given)])] = &[
    (
        "show",
        &[
            ("all", NoEffect),
            ("listening", NoEffect),
            ("columns", Depends),
            ("sort", Depends),
            ("limit", NoEffect),
            ("no_header", NoEffect),
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
            ("explain_filter", NoEffect),
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
    for (id, reason) in options {
        if let (Refused(reason), Some(ValueSource::CommandLine)) = (reason, given.value_source(id)) {
            let option =
                program.get_arguments().find(|option| option.get_id() == id).and_then(|option| option.get_long());
            let option = option.unwrap_or(id);
            return Err(UsageError(format!("--{option} does not go with {name}: {reason}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::NOT_TAKEN;
    use crate::cli::args::command;

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
}
