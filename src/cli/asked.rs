//! Parses the filter of the command line, with the service and host names that this host knows.

use std::net::IpAddr;

use super::usage::UsageError;
use crate::collect::names;
use crate::filter::{Filter, Names, quoted};
use crate::inspect::Request;
use crate::model::address::Cookie;
use crate::model::state::StateSet;

/// Looks names up in /etc/services and the resolver, only if the filter contains one.
struct HostNames;

impl Names for HostNames {
    fn service(&self, name: &str) -> Option<u16> {
        names::service(name)
    }

    fn host(&self, name: &str) -> Vec<IpAddr> {
        names::host(name)
    }
}

/// Joins the words of the command line. The shell has removed the quotes of a value after a comparison, so they are
/// added again: `process = 'tmux: server'`.
pub(super) fn joined(words: &[String]) -> String {
    const COMPARISONS: [&str; 8] = ["=", "==", "!=", "~", "!~", "eq", "ne", "neq"];
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        let before = index.checked_sub(1).map_or("", |before| words[before].as_str());
        let is_value = COMPARISONS.contains(&before) && word.contains(char::is_whitespace);
        let is_bare = !word.starts_with(['"', '\'', '{', '/']);
        if index > 0 {
            text.push(' ');
        }
        if is_value && is_bare {
            text.push_str(&quoted(word));
        } else {
            text.push_str(word);
        }
    }
    text
}

/// Parses a filter.
pub(super) fn filter(typed: &str) -> Result<Filter, UsageError> {
    Filter::parse(typed, &HostNames).map_err(|error| UsageError(error.to_string()))
}

/// Parses the filter of `show`: a bare number is an inode or a cookie.
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

/// Filter for the sockets with these cookies; there must be at least one.
pub(super) fn cookies(cookies: impl IntoIterator<Item = Cookie>) -> Result<Filter, UsageError> {
    let cookies: Vec<_> = cookies.into_iter().map(|cookie| format!("{:x}", cookie.0)).collect();
    filter(&format!("cookie in {{{}}}", cookies.join(", ")))
}

/// States to dump: the usual ones, or all if the filter refers to others.
pub(super) fn states(filter: &Filter, usual: StateSet) -> StateSet {
    if filter.asks_beyond(usual) { StateSet::ALL } else { usual }
}

/// Advice if a text search found nothing.
pub(super) fn advice(request: &Request, found: u64) -> Option<String> {
    request.filter.advice(request.states).filter(|_| found == 0)
}

/// Note on a filter that mixes `and` and `or` without parentheses.
pub(super) fn note(filter: &Filter) -> Option<String> {
    filter
        .is_mixed()
        .then(|| format!("'and' and 'or' bind alike, from left to right, as in ss; with parentheses: {filter}"))
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn a_value_that_the_shell_kept_together_stays_together() {
        let joined = |words: &[&str]| joined(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(
            joined(&["process", "=", "tmux: server", "and", "sport = 1"]),
            "process = \"tmux: server\" and sport = 1"
        );
        assert_eq!(joined(&["dport", "in", "{80, 443}"]), "dport in {80, 443}");
        assert_eq!(joined(&["process", "=", "\"a b\""]), "process = \"a b\"");
        assert_eq!(joined(&["state established dport", "=", ":443"]), "state established dport = :443");
    }
}
