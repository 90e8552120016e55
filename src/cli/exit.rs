//! Exit codes, and how an error is told: one line that names what failed and why, then what to do.

use std::io::{self, Write};

use clap::error::ErrorKind;

use super::args::ColorChoice;
use super::output::{OutputError, print};
use super::terminal::Terminal;
use super::usage::UsageError;
use crate::collect::error::CollectError;
use crate::inspect::InspectError;
use crate::text::printable;

/// Codes of PRODUCT.md 3. Usage errors are clap's 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done
    Done = 0,
    /// It failed
    Failed = 1,
    /// The command line cannot be understood
    Usage = 2,
    /// Nothing matched what was to be changed
    NothingMatched = 3,
    /// `--strict`, and something could not be seen
    Partial = 4,
    /// Ctrl-C
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Prints the error to stderr, if it is one to be told, and says how to exit.
pub fn report(error: &anyhow::Error) -> Exit {
    if is_broken_pipe(error) {
        return Exit::Done;
    }
    if let Some(error) = error.downcast_ref::<clap::Error>() {
        return report_clap(error).unwrap_or_else(|unwritten| report(&unwritten.into()));
    }
    let exit = match error.downcast_ref::<InspectError>() {
        Some(InspectError::Interrupted) => return Exit::Interrupted,
        Some(InspectError::Collect(CollectError::UnknownNetns(..))) => Exit::Usage,
        _ if error.is::<UsageError>() => Exit::Usage,
        _ => Exit::Failed,
    };
    // Our own errors name their cause in their text; only what anyhow put on top of another error has to be unrolled.
    let text = if error.is::<InspectError>() { error.to_string() } else { format!("{error:#}") };
    // What is said of the command line has lines of its own. In any other error a line break comes from outside: from the
    // name of a namespace, say.
    let text = if error.is::<UsageError>() { lines(&text) } else { printable(&text).into_owned() };
    // Nobody is left to be told if stderr is closed.
    let _ = writeln!(io::stderr(), "tcpulse: {text}");
    exit
}

/// Help and version go to stdout and are no errors; the rest begins with the program's name like every other error.
fn report_clap(error: &clap::Error) -> Result<Exit, OutputError> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Not clap's own printing, which writes through the standard library and takes a closed stdout for success.
        let help = error.render();
        let has_colours = Terminal::of_stdout().colours(ColorChoice::Auto);
        print(if has_colours { help.ansi().to_string() } else { help.to_string() })?;
        return Ok(Exit::Done);
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let _ = writeln!(io::stderr(), "tcpulse: {}", lines(&without_bad_advice(text)));
    Ok(Exit::Usage)
}

/// Without clap's advice to write `-- -t`, which would search for a text that nobody looks for.
fn without_bad_advice(text: &str) -> String {
    let is_bad = |line: &&str| line.trim_start().starts_with("tip: to pass ");
    text.lines().filter(|line| !is_bad(line)).collect::<Vec<_>>().join("\n").replace("\n\n\n", "\n\n")
}

/// Harmless, line by line.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Whether the reader of a listing has read enough, which is no error. A broken pipe anywhere else is one.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<InspectError>() {
        Some(InspectError::Output(error)) => error.kind() == io::ErrorKind::BrokenPipe,
        _ => error.downcast_ref::<OutputError>().is_some_and(OutputError::is_broken_pipe),
    }
}
