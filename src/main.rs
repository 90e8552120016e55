//! tcpulse: parse, run, tell the error, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    tcpulse::cli::run(std::env::args_os()).unwrap_or_else(|error| tcpulse::cli::report(&error)).into()
}
