//! `tcpulse help`: help of the program, of a command, or of the filter language.

use super::args::command;
use super::exit::Exit;
use super::output;
use super::usage::UsageError;
use crate::filter;

/// Prints the help of a topic; without a topic, that of the program.
pub(super) fn print(topic: Option<&str>) -> anyhow::Result<Exit> {
    let mut program = command();
    program.build();
    let text = match topic {
        None => program.render_long_help().to_string(),
        Some("filter") => filter::help(),
        Some(name) => {
            let Some(command) = program.find_subcommand_mut(name) else {
                let commands = program.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>().join(", ");
                return Err(UsageError(format!("no help for '{name}'; choose filter, or one of: {commands}")).into());
            };
            command.render_long_help().to_string()
        }
    };
    output::print(text)?;
    Ok(Exit::Done)
}
