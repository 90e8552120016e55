//! The command line: arguments become settings, settings become a request and a sink, results become exit codes.
//! The only room that knows all others, the terminal, the environment and the signals.

mod args;
mod choices;
mod exit;
mod run;
mod settings;
mod signals;
mod terminal;
mod watch;

use std::ffi::OsString;

pub use exit::{Exit, report};
use settings::Settings;

/// Runs the program with these arguments, the first being its name.
///
/// # Errors
/// What failed, for [`report`] to print and to turn into an exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Exit> {
    let arguments = args::parse(arguments)?;
    let settings = Settings::from_args(arguments, &terminal::Terminal::of_stdout())?;
    run::run(&settings, &signals::Interrupt::install()?)
}
