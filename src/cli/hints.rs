//! Hints for unknown options: the filter or option to use instead, or the most similar option, but never its opposite.

use super::usage::UsageError;
use crate::fields::table::column_called;
use crate::filter::{as_filter, begins_with_comparison, is_keyword, is_state};
use crate::text::near::nearest;
use crate::text::setting::Setting;

/// Words that are not options, with what to use instead.
const INSTEAD: &[(&[&str], &str)] = &[
    (&["csv"], "write --format csv"),
    (&["ndjson", "jsonl", "json-lines"], "write --format ndjson"),
    (&["table"], "write --format table"),
    (&["no-color", "no-colour", "nocolor"], "write --color never"),
    (&["colour"], "write --color"),
    (&["all-namespaces", "all-netns"], "all network namespaces are shown unless -N chooses one"),
    (&["net", "namespace", "ns"], "write -N NAME or --netns NAME"),
    (&["interval", "every", "refresh", "delay"], "write -w SECONDS or --watch SECONDS"),
    (&["head", "top", "lines", "max-rows"], "write -n N or --limit N"),
    (&["order", "order-by", "sort-by"], "write -s KEY or --sort KEY"),
    (&["fields", "output"], "write -o LIST or --columns LIST"),
    (&["group-by", "group", "count", "count-by"], "write tcpulse stat --by KEY"),
    (&["filter", "query", "where"], "write the filter without an option: tcpulse ls 'dport = :443'"),
    (&["dashboard", "tui", "interactive"], "tcpulse without a command opens the dashboard"),
];

/// Unknown option.
pub(super) struct WrongOption<'a> {
    /// The word without its dashes
    pub(super) word: &'a str,
    /// Its value, or the next argument
    pub(super) value: Option<&'a str>,
    /// The command to suggest with a filter
    pub(super) listing: &'a str,
    /// The command whose options are candidates
    pub(super) known: &'a clap::Command,
}

impl WrongOption<'_> {
    /// What to write instead, if there is a suggestion.
    pub(super) fn hint(&self, program: &clap::Command, others: impl Iterator<Item = &'static str>) -> Option<String> {
        let unknown = format!("unknown option '--{}'", self.word);
        let word = self.word.to_lowercase().replace('_', "-");
        if let Some((_, instead)) = INSTEAD.iter().find(|(words, _)| words.contains(&word.as_str())) {
            return Some(format!("{unknown}; {instead}"));
        }
        if let ("set", Some(key)) = (self.listing, Setting::called(&word)) {
            let value = self.value.unwrap_or("VALUE");
            return Some(format!(
                "{unknown}; write it without dashes, before the filter: tcpulse set {}={value}",
                key.name()
            ));
        }
        if let Some(filter) = as_filter(&word, self.value.filter(|value| !value.is_empty())) {
            let listing = self.listing;
            return Some(format!("{unknown}; write it as a filter: tcpulse {listing} '{filter}'"));
        }
        if let Some(others) = owners(&word, program) {
            return Some(format!("'--{word}' belongs to {others}, and goes after the command"));
        }
        if word.starts_with("all-") {
            return Some(format!(
                "{unknown}; -a lists listeners and bound sockets too; namespaces are all shown unless -N chooses"
            ));
        }
        // Never suggest the opposite: --processes is similar to --no-processes.
        let denies = |option: &str| option.starts_with("no-");
        let options = self.known.get_arguments().filter_map(clap::Arg::get_long);
        let mut options: Vec<&str> = options.collect();
        options.extend(others.map(|word| -> &str { word }));
        let alike = options.into_iter().filter(|option| denies(option) == denies(&word));
        nearest(&word, alike).map(|near| format!("{unknown}; did you mean '--{near}'?"))
    }
}

/// The commands that have this option.
fn owners(word: &str, program: &clap::Command) -> Option<String> {
    let has = |command: &&clap::Command| {
        command.get_arguments().any(|option| option.get_long() == Some(word) && !option.is_global_set())
    };
    let owners: Vec<_> = program.get_subcommands().filter(has).map(clap::Command::get_name).collect();
    (!owners.is_empty()).then(|| owners.join(" and "))
}

/// The equivalent of lsof's `-i SPEC` (`[46][protocol][@host][:port]`) with its `-s`; `None` if it has another form.
pub(super) fn lsof(spec: &str, states: Option<&str>) -> Option<String> {
    let lower = spec.to_ascii_lowercase();
    let (family, rest) = match lower.split_at_checked(1) {
        Some(("4", rest)) => (" -4", rest),
        Some(("6", rest)) => (" -6", rest),
        _ => ("", lower.as_str()),
    };
    if rest.starts_with("udp") {
        return Some(format!("-i {spec}: tcpulse shows TCP only; for UDP sockets: lsof -i {spec}"));
    }
    let (has_protocol, ends) = rest.strip_prefix("tcp").map_or((false, rest), |ends| (true, ends));
    let filter = match ends.strip_prefix('@').map(|end| end.rsplit_once(':').unwrap_or((end, ""))) {
        None if ends.is_empty() && has_protocol => String::new(),
        None => ports(ends.strip_prefix(':')?),
        Some((host, "")) => as_filter("host", Some(host))?,
        Some((host, port)) => as_filter("host", Some(&format!("{host}:{port}")))?,
    };
    let filter = match states {
        Some(states) => in_states(states, &filter),
        None if filter.is_empty() => " -a".to_owned(),
        None => format!(" -a '{filter}'"),
    };
    Some(format!("-i {spec} is lsof's; it is: tcpulse ls{family}{filter}"))
}

fn ports(ports: &str) -> String {
    let is_list = ports.contains([',', '-']);
    if is_list {
        format!("sport in {{{ports}}} or dport in {{{ports}}}")
    } else {
        format!("sport = :{ports} or dport = :{ports}")
    }
}

/// The states in lsof's `-s TCP:LISTEN`.
pub(super) fn lsof_states(spec: &str) -> Option<&str> {
    let (protocol, states) = spec.split_once(':')?;
    protocol.eq_ignore_ascii_case("tcp").then_some(states)
}

/// Adds lsof's list of states to a filter.
pub(super) fn in_states(states: &str, filter: &str) -> String {
    let states: Vec<_> = states.split(',').map(|state| state.to_lowercase().replace('_', "-")).collect();
    let states =
        if let [one] = &states[..] { format!("state {one}") } else { format!("state in {{{}}}", states.join(", ")) };
    if filter.is_empty() { format!(" '{states}'") } else { format!(" '{states} and ({filter})'") }
}

/// Words of other programs for commands, with the command to use instead.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["list", "lst"], "did you mean 'ls'?"),
    (&["summary", "count", "stats", "status"], "did you mean 'stat'?"),
    (&["destroy", "delete", "close"], "did you mean 'kill'?"),
    (&["detail", "details", "describe"], "did you mean 'show'?"),
    (&["watch"], "did you mean 'ls -w'?"),
    (&["top", "dashboard", "tui"], "tcpulse without a command opens the dashboard."),
    (&["sysctl", "sysctls"], "did you mean 'kernel'?"),
    (&["version"], "did you mean '--version'?"),
];

/// Refuses a first word that is almost a command, unless it is part of a filter.
pub(super) fn refuse_slip(words: &[String], program: &clap::Command) -> Result<(), UsageError> {
    let Some((word, rest)) = words.split_first() else { return Ok(()) };
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let joins = |next: &String| {
        ["and", "or", "&&", "||", "&", "|"].contains(&next.to_lowercase().as_str()) || begins_with_comparison(next)
    };
    if !is_word
        || rest.first().is_some_and(joins)
        || is_keyword(word)
        || is_state(word)
        || column_called(word).is_some()
    {
        return Ok(());
    }
    let lower = word.to_lowercase();
    let other =
        COMMANDS.iter().find(|(words, _)| words.contains(&lower.as_str())).map(|(_, meant)| (*meant).to_owned());
    let near = || nearest(word, program.get_subcommands().map(clap::Command::get_name));
    let meant = other.or_else(|| Some(format!("did you mean '{}'?", near()?)));
    meant.map_or(Ok(()), |meant| {
        Err(UsageError(format!("no command '{word}'; {meant} To search for the word: tcpulse ls '{word}'")))
    })
}
