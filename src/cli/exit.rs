//! Exit codes and error messages: one line with what failed and why, then what to do.

use std::io::{self, Write};

use clap::error::ErrorKind;

use super::args::ColorChoice;
use super::output::{OutputError, print};
use super::terminal::Terminal;
use super::usage::UsageError;
use crate::collect::error::CollectError;
use crate::inspect::InspectError;
use crate::text::printable;

/// Exit codes of the program. Usage errors are clap's 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done
    Done = 0,
    /// The run failed
    Failed = 1,
    /// The command line is invalid
    Usage = 2,
    /// No socket to change matched
    NothingMatched = 3,
    /// `--strict` was given and something could not be seen
    Partial = 4,
    /// Ctrl-C
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Prints the error to stderr unless it is a closed pipe or an interrupt; returns the exit code.
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
    // An `InspectError` already contains its cause; print the chain of causes only for other errors.
    let text = error.downcast_ref().map_or_else(|| format!("{error:#}"), with_remedy);
    // A usage error may have several lines. In other errors a line break comes from outside, e.g. from a namespace's
    // name, and is escaped.
    let text = if error.is::<UsageError>() { lines(&text) } else { printable(&text).into_owned() };
    // If stderr is closed, there is no place to report an error.
    let _ = writeln!(io::stderr(), "tcpulse: {text}");
    exit
}

/// The error, and the option that helps if there is one.
pub(super) fn with_remedy(error: &InspectError) -> String {
    match error {
        InspectError::Collect(CollectError::SockDiag { .. }) => {
            format!("{error}; --source procfs reads /proc/net/tcp instead")
        }
        error => error.to_string(),
    }
}

/// Prints help and version to stdout, without an error. Clap's errors begin with the program's name like all others.
fn report_clap(error: &clap::Error) -> Result<Exit, OutputError> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Not clap's own printing: it writes through the standard library, which takes a closed stdout for success.
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

/// Removes clap's tip to write `-- -t`: as a filter, that would search for the text `-t`.
fn without_bad_advice(text: &str) -> String {
    let is_bad = |line: &&str| line.trim_start().starts_with("tip: to pass ");
    text.lines().filter(|line| !is_bad(line)).collect::<Vec<_>>().join("\n").replace("\n\n\n", "\n\n")
}

/// Escapes control characters in each line.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Whether the reader of a listing closed the pipe, which is not an error. A broken pipe anywhere else is one.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<InspectError>() {
        Some(InspectError::Output(error)) => error.kind() == io::ErrorKind::BrokenPipe,
        _ => error.downcast_ref::<OutputError>().is_some_and(OutputError::is_broken_pipe),
    }
}
