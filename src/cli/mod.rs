//! The command line: arguments become settings, settings become a request and a sink, results become exit codes. The
//! only module that uses all others, the terminal, the environment and the signals.

mod act;
mod action;
mod args;
mod asked;
mod candidates;
mod change;
mod choices;
mod columns;
mod complete;
mod config;
mod config_file;
mod dashboard;
mod exit;
mod habits;
mod help;
mod hints;
mod journal;
mod manual;
#[cfg(feature = "measure")]
pub mod measure;
mod named;
mod not_taken;
mod note;
mod noted;
mod output;
mod pair;
mod policy;
mod run;
mod settings;
mod signals;
mod stderr;
mod terminal;
mod usage;
mod version;
mod watch;

use std::ffi::OsString;

use crate::collect::caller::{Caller, forget_environment};
use crate::collect::confine::{Deeds, confine};
use crate::collect::limits;
pub(crate) use exit::Exit;
pub use exit::report;
use settings::Task;

/// Runs the program with these arguments, the first being its name.
///
/// # Errors
/// The failure; [`report`] prints it and maps it to an exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Exit> {
    limits::raise();
    if Caller::find().has_rights_of_file {
        forget_environment();
    }
    let arguments: Vec<_> = arguments.into_iter().collect();
    if complete::answer(&arguments)? {
        return Ok(Exit::Done);
    }
    let arguments = args::parse(arguments)?;
    if arguments.version {
        confine(Deeds::Reads);
        output::print(if arguments.verbose { version::report() } else { version::line() })?;
        return Ok(Exit::Done);
    }
    if let Some(text) = arguments.command.as_ref().map(text_of).transpose()?.flatten() {
        output::print(text)?;
        return Ok(Exit::Done);
    }
    // Before configuration is read; then, once it is known what is to be done, the rest.
    confine(Deeds::Writes);
    let (task, notes) = settings::judge(arguments, &terminal::Terminal::of_stdout())?;
    if !matches!(task, Task::Watch(_)) {
        // A report opens its terminal before it gives up more (`run`).
        confine(Deeds::Acts);
    }
    output::check()?;
    notes.iter().for_each(|note| stderr::say(note));
    match task {
        Task::Explain(text) => {
            output::print(text)?;
            Ok(Exit::Done)
        }
        Task::Report(settings) => {
            let interrupt = signals::Interrupt::install()?;
            run::run(&pair::turn(settings, &interrupt)?, &interrupt)
        }
        Task::Watch(dashboard) => dashboard::open(dashboard),
        Task::Act(action) => act::run(&action, &signals::Interrupt::install()?),
    }
}

/// What a command prints that needs neither sockets nor settings.
fn text_of(command: &args::Command) -> anyhow::Result<Option<Vec<u8>>> {
    use args::Command::{Completions, Config, Help, Kernel, Kill, Ls, Man, Set, Show, Stat};
    Ok(match command {
        Help { topic } => Some(help::text(topic.as_deref())?.into_bytes()),
        Man { topic } => Some(manual::page(topic.as_deref())?),
        Config => Some(config::commented_defaults().into()),
        Completions { shell } => Some(complete::script(*shell)?),
        Ls(_) | Show { .. } | Stat { .. } | Kernel | Set { .. } | Kill { .. } => None,
    })
}
