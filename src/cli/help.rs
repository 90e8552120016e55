//! `tcpulse help`: help of the program, of a command, or of the filter language.

use super::args::command;
use super::usage::UsageError;
use crate::filter;

/// The topic that is no command.
pub(super) const FILTER: &str = "filter";

/// The help of a topic; without a topic, that of the program.
pub(super) fn text(topic: Option<&str>) -> Result<String, UsageError> {
    let mut program = command();
    program.build();
    Ok(match topic {
        None => program.render_long_help().to_string(),
        Some(FILTER) => filter::help(),
        Some(name) => {
            let Some(command) = program.find_subcommand_mut(name) else {
                return Err(unknown("help", name, &program));
            };
            command.render_long_help().to_string()
        }
    })
}

/// Error for a topic that there is no help or page for.
pub(super) fn unknown(what: &str, topic: &str, program: &clap::Command) -> UsageError {
    let commands = program.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>().join(", ");
    UsageError(format!("no {what} for '{topic}'; choose {FILTER}, or one of: {commands}"))
}
