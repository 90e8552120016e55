//! tcpulse: parse the arguments, run, report the error, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    tcpulse::run(std::env::args_os()).unwrap_or_else(|error| tcpulse::report(&error)).into()
}
