//! The filter of the command line: read with the names that this host knows.

use std::net::IpAddr;

use super::exit::UsageError;
use crate::collect::names;
use crate::filter::{Filter, Names, nearest};
use crate::model::state::StateSet;

/// /etc/services and the resolver, asked only where a filter holds a name.
struct Host;

impl Names for Host {
    fn service(&self, name: &str) -> Option<u16> {
        names::service(name)
    }

    fn host(&self, name: &str) -> Vec<IpAddr> {
        names::host(name)
    }
}

/// The filter that was typed.
pub(super) fn filter(typed: &str) -> Result<Filter, UsageError> {
    Filter::parse(typed, &Host).map_err(|error| UsageError(error.to_string()))
}

/// The same where one socket is meant: a number alone is its inode or its cookie.
pub(super) fn socket(typed: &str) -> Result<Filter, UsageError> {
    let number = typed.trim();
    let digits = number.strip_prefix("0x").unwrap_or(number);
    let is_hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (is_hexadecimal, number.parse::<u32>()) {
        (true, Ok(inode)) => filter(&format!("inode = {inode} or cookie = {digits}")),
        (true, Err(_)) => filter(&format!("cookie = {digits}")),
        (false, _) => filter(typed),
    }
}

/// A lone word that is nearly a command was meant as one.
pub(super) fn refuse_slip(typed: &str) -> Result<(), UsageError> {
    let command = super::args::command();
    let near = nearest(typed, command.get_subcommands().map(clap::Command::get_name));
    near.map_or(Ok(()), |near| {
        Err(UsageError(format!(
            "no command '{typed}'; did you mean '{near}'? To search for the word: tcpulse ls '{typed}'"
        )))
    })
}

/// The states to look at: the usual ones, or all where the filter asks for others.
pub(super) fn states(filter: &Filter, usual: StateSet) -> StateSet {
    if filter.asks_beyond(usual) { StateSet::ALL } else { usual }
}

/// What has to be said of a filter that can be read in two ways.
pub(super) fn note(filter: &Filter) -> Option<String> {
    filter
        .is_mixed()
        .then(|| format!("'and' and 'or' bind alike, from left to right, as in ss; with parentheses: {filter}"))
}
