//! Options of ss, netstat and lsof: harmless ones are translated, for others an error names the equivalent command. A
//! pure function over the arguments before clap parses them, driven by one table of meanings.

use std::collections::VecDeque;
use std::ffi::OsString;

use super::hints;
use super::usage::UsageError;
use crate::fields::id::ColumnId;
use crate::fields::table::column_called;
use crate::filter::{begins_with_comparison, is_keyword, is_state};
use crate::model::tcp_info::Field;

/// Meaning of another program's option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// No effect: tcpulse always does this
    Done,
    /// Adds these columns to the listing
    Columns(&'static [ColumnId]),
    /// Equivalent option of tcpulse
    Option(&'static str),
    /// Selects sockets that tcpulse does not show
    Kind(&'static str),
    /// Not supported: what to do instead
    Instead(&'static str),
}

/// Option of another program. An option of tcpulse with the same letter takes precedence.
struct Habit {
    letter: Option<char>,
    words: &'static [&'static str],
    meaning: Meaning,
}

const fn habit(letter: Option<char>, words: &'static [&'static str], meaning: Meaning) -> Habit {
    Habit { letter, words, meaning }
}

/// Long options of other programs that are accepted.
fn words() -> impl Iterator<Item = &'static str> {
    let is_taken = |habit: &&Habit| matches!(habit.meaning, Meaning::Done | Meaning::Columns(_) | Meaning::Option(_));
    HABITS.iter().filter(is_taken).flat_map(|habit| habit.words.iter().copied())
}

/// The known options of ss, netstat and lsof.
const HABITS: &[Habit] = &[
    habit(Some('t'), &["tcp"], Meaning::Done),
    habit(Some('n'), &["numeric", "numeric-hosts", "numeric-ports"], Meaning::Done),
    habit(Some('P'), &[], Meaning::Done),
    habit(Some('p'), &["processes", "programs"], Meaning::Done),
    habit(Some('O'), &["oneline"], Meaning::Done),
    habit(Some('W'), &["wide"], Meaning::Done),
    habit(Some('o'), &["options", "timers"], Meaning::Columns(&[ColumnId::Timer, ColumnId::Expires])),
    habit(Some('e'), &["extended", "extend"], Meaning::Columns(&[ColumnId::Uid, ColumnId::Inode, ColumnId::Cookie])),
    habit(
        Some('i'),
        &["info"],
        Meaning::Columns(&[
            ColumnId::Cc,
            ColumnId::Info(Field::Rtt),
            ColumnId::Info(Field::Rto),
            ColumnId::Info(Field::SndCwnd),
            ColumnId::Info(Field::TotalRetrans),
            ColumnId::Info(Field::DeliveryRate),
        ]),
    ),
    habit(
        Some('m'),
        &["memory"],
        Meaning::Columns(&[ColumnId::Rmem, ColumnId::Rcvbuf, ColumnId::Wmem, ColumnId::Sndbuf]),
    ),
    habit(Some('H'), &[], Meaning::Option("--no-header")),
    habit(Some('u'), &["udp"], Meaning::Kind("UDP")),
    habit(Some('x'), &["unix"], Meaning::Kind("unix")),
    habit(None, &["raw"], Meaning::Kind("raw")),
    habit(Some('d'), &["dccp"], Meaning::Kind("DCCP")),
    habit(Some('S'), &["sctp"], Meaning::Kind("SCTP")),
    habit(Some('M'), &["mptcp"], Meaning::Kind("MPTCP")),
    habit(Some('0'), &["packet"], Meaning::Kind("packet")),
    habit(
        Some('s'),
        &["summary", "statistics"],
        Meaning::Instead(
            "the summary of ss is 'tcpulse stat', the statistics of netstat are 'tcpulse kernel'; to sort: -s idle:desc",
        ),
    ),
    habit(Some('K'), &["kill"], Meaning::Instead("'tcpulse kill FILTER' destroys connections; it asks first")),
    habit(
        Some('c'),
        &["continuous"],
        Meaning::Instead(
            "'tcpulse ls -w' repeats every 2 s, -w SECONDS at that interval; by program: 'process = NAME'",
        ),
    ),
    habit(
        Some('r'),
        &["resolve", "route"],
        Meaning::Instead(
            "tcpulse prints addresses as numbers; the dashboard shows names with the key r; routes: ip route",
        ),
    ),
    habit(
        Some('E'),
        &["events"],
        Meaning::Instead("the dashboard's view 'changes' shows connections that come and go"),
    ),
    habit(Some('B'), &["bound-inactive"], Meaning::Instead("write it as a filter: tcpulse ls 'state bound-inactive'")),
    habit(Some('f'), &["family"], Meaning::Instead("-4 lists IPv4 sockets, -6 lists IPv6 sockets")),
    habit(Some('A'), &["query", "socket"], Meaning::Instead("tcpulse shows TCP only; leave it out, or ask ss")),
];

/// What the options of other programs ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Habits {
    /// Whether an option asks for a listing, so that no dashboard opens
    pub(super) lists: bool,
    /// Columns to add
    pub(super) columns: Vec<ColumnId>,
}

/// Splits the arguments, the first being the program's name: those for clap, and what other programs' options ask for.
/// `program` must be built.
pub(super) fn read(
    arguments: impl IntoIterator<Item = OsString>,
    program: &clap::Command,
) -> Result<(Vec<OsString>, Habits), UsageError> {
    let mut left: VecDeque<_> = arguments.into_iter().collect();
    let mut reader = HabitReader {
        out: left.pop_front().into_iter().collect(),
        left,
        program,
        command: None,
        after_word: false,
        habits: Habits::default(),
        typed: String::new(),
        both: false,
    };
    while let Some(argument) = reader.left.pop_front() {
        match argument.to_str() {
            Some("--") => {
                reader.out.push(argument);
                break;
            }
            // The arrow of `show` as a separate argument.
            Some("->") => reader.word("\u{2192}".into()),
            Some(text) if text.starts_with("--") => reader.long(&text.to_owned()[2..])?,
            Some(text) if text.len() > 1 && text.starts_with('-') => reader.cluster(&text.to_owned()[1..])?,
            Some(text) => {
                if reader.is_command(text) {
                    reader.command = Some(text.to_owned());
                    // No option of another program applies to these commands.
                    if matches!(text, "help" | "config") {
                        reader.out.push(argument);
                        break;
                    }
                } else {
                    reader.after_word = true;
                }
                reader.out.push(argument);
            }
            None => reader.word(argument),
        }
    }
    reader.finish()
}

struct HabitReader<'a> {
    left: VecDeque<OsString>,
    out: Vec<OsString>,
    program: &'a clap::Command,
    /// The command, once it is known
    command: Option<String>,
    /// Whether the last argument was a word of the filter
    after_word: bool,
    habits: Habits,
    /// The last option that added columns
    typed: String,
    /// Whether -a and -l were given in one argument
    both: bool,
}

/// How an option of tcpulse takes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OptionTakes {
    Nothing,
    Value,
    /// Optional value: -w
    Perhaps,
}

impl HabitReader<'_> {
    /// The command, or before it the program, whose options apply.
    fn known(&self) -> &clap::Command {
        let command = self.command.as_deref().and_then(|name| self.program.find_subcommand(name));
        command.unwrap_or(self.program)
    }

    fn option(&self, is_it: impl Fn(&clap::Arg) -> bool) -> Option<(String, OptionTakes)> {
        let option = self.known().get_arguments().find(|option| is_it(option))?;
        let takes = match option.get_num_args() {
            Some(range) if !range.takes_values() => OptionTakes::Nothing,
            Some(range) if range.min_values() == 0 => OptionTakes::Perhaps,
            Some(_) => OptionTakes::Value,
            None if option.get_action().takes_values() => OptionTakes::Value,
            None => OptionTakes::Nothing,
        };
        Some((option.get_id().to_string(), takes))
    }

    fn letter(&self, letter: char) -> Option<(String, OptionTakes)> {
        self.option(|option| option.get_short() == Some(letter))
    }

    fn is_command(&self, word: &str) -> bool {
        self.command.is_none() && !self.after_word && self.program.find_subcommand(word).is_some()
    }

    fn word(&mut self, word: OsString) {
        self.after_word = true;
        self.out.push(word);
    }

    fn next_text(&self) -> Option<&str> {
        self.left.front().and_then(|next| next.to_str())
    }

    /// Handles a cluster of short options; the last may take a value.
    fn cluster(&mut self, letters: &str) -> Result<(), UsageError> {
        self.after_word = false;
        self.both |= letters.contains('a') && letters.contains('l');
        for (at, letter) in letters.char_indices() {
            let rest = &letters[at + letter.len_utf8()..];
            if let Some(instead) = self.lsof(letter, rest) {
                return Err(UsageError(instead));
            }
            let is_ours = match letter {
                'n' => self.is_limit(rest),
                'o' | 's' => self.is_list(letter, rest),
                _ => true,
            };
            match self.letter(letter).filter(|_| is_ours) {
                Some((_, OptionTakes::Nothing)) => self.out.push(format!("-{letter}").into()),
                // -wt is -w -t; -w4 is 4 seconds.
                Some((_, OptionTakes::Perhaps)) if self.are_letters(rest) && rest.starts_with(char::is_alphabetic) => {
                    self.out.push(format!("-{letter}").into());
                }
                Some((id, _)) => {
                    self.value(&id, &format!("-{letter}"), rest);
                    return Ok(());
                }
                None => self.habit(letter, letters, rest)?,
            }
        }
        Ok(())
    }

    /// Passes on an option with its value: the remainder of the cluster, or the next argument.
    fn value(&mut self, id: &str, option: &str, rest: &str) {
        if !rest.is_empty() {
            return self.out.push(format!("{option}{rest}").into());
        }
        // A list of columns may begin with a dash: -o -idle.
        if id == "columns" && self.is_list('o', "") {
            let list = self.left.pop_front().unwrap_or_default();
            let mut joined = OsString::from("--columns=");
            joined.push(list);
            return self.out.push(joined);
        }
        self.out.push(option.into());
        if self.left.front().is_some_and(|next| !next.as_encoded_bytes().starts_with(b"-")) {
            self.out.extend(self.left.pop_front());
        }
    }

    /// Handles a letter that is an option of another program.
    fn habit(&mut self, letter: char, letters: &str, rest: &str) -> Result<(), UsageError> {
        let next = self.next_text().unwrap_or_default();
        let is_number = |text: &str| text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit());
        if letter == 'p'
            && let Some(pid) = [rest, next].into_iter().find(|text| is_number(text))
        {
            return Err(UsageError(format!(
                "-p takes no number; the sockets of process {pid}: tcpulse {} 'pid = {pid}'",
                self.listing()
            )));
        }
        match HABITS.iter().find(|habit| habit.letter == Some(letter)) {
            Some(Habit { meaning: Meaning::Kind(kind), .. }) => Err(UsageError(other_kind(kind, letter, letters))),
            Some(habit) => self.take(habit.meaning, &format!("-{letter}")),
            None => Err(UsageError(format!("unknown option '-{letter}'; {}", self.all_options()))),
        }
    }

    /// Applies the meaning of another program's option.
    fn take(&mut self, meaning: Meaning, typed: &str) -> Result<(), UsageError> {
        self.habits.lists = true;
        match meaning {
            Meaning::Done => {}
            Meaning::Columns(names) => {
                typed.clone_into(&mut self.typed);
                self.habits.columns.extend(names);
            }
            Meaning::Option(option) => self.out.push(option.into()),
            Meaning::Kind(kind) => {
                return Err(UsageError(format!("{typed}: tcpulse shows TCP only; for {kind} sockets: ss {typed}")));
            }
            Meaning::Instead(instead) => return Err(UsageError(format!("{typed}: {instead}"))),
        }
        Ok(())
    }

    /// Handles `--word` or `--word=value`.
    fn long(&mut self, text: &str) -> Result<(), UsageError> {
        self.after_word = false;
        let (word, value) = text.split_once('=').map_or((text, None), |(word, value)| (word, Some(value)));
        if let Some((id, takes)) = self.option(|option| option.get_long() == Some(word)) {
            match (takes, value) {
                (OptionTakes::Value | OptionTakes::Perhaps, None) => self.value(&id, &format!("--{word}"), ""),
                _ => self.out.push(format!("--{text}").into()),
            }
            return Ok(());
        }
        let habit = HABITS.iter().find(|habit| habit.words.contains(&word));
        if let Some(habit) = habit.filter(|_| value.is_none()) {
            return self.take(habit.meaning, &format!("--{word}"));
        }
        let next = self.next_text().filter(|next| !next.starts_with('-') && !self.is_command(next));
        let wrong = hints::WrongOption { word, value: value.or(next), listing: self.listing(), known: self.known() };
        Err(UsageError(
            wrong
                .hint(self.program, words())
                .unwrap_or_else(|| format!("unknown option '--{word}'; {}", self.all_options())),
        ))
    }

    /// Whether -n is --limit: a number follows, or what looks like a mistyped one.
    fn is_limit(&self, rest: &str) -> bool {
        let is_number = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_digit())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        match rest {
            "" => self.next_text().is_some_and(is_number),
            rest => rest.starts_with(|first: char| first == '=' || first.is_ascii_digit()),
        }
    }

    /// Whether -o is --columns, or -s is --sort: a column follows, or what looks like a mistyped one.
    fn is_list(&self, letter: char, rest: &str) -> bool {
        if let Some(rest) = rest.strip_prefix('=') {
            return !rest.is_empty();
        }
        if !rest.is_empty() {
            let is_name = letter == 'o' && rest == "all" || column_called(rest).is_some();
            // A letter that occurs twice makes it a word, not a cluster: -ocolour.
            let is_repeated = |(at, other): (usize, char)| other == letter || rest[..at].contains(other);
            return is_name || !self.are_letters(rest) || rest.char_indices().any(is_repeated);
        }
        let after = self.left.get(1).and_then(|after| after.to_str());
        match (self.next_text(), letter) {
            (Some(text), 'o') => is_column_list(text, after, self.program),
            (Some(text), _) => is_name(text.split(':').next().unwrap_or(text), after, self.program),
            (None, _) => false,
        }
    }

    /// Whether each of these letters is an option.
    fn are_letters(&self, rest: &str) -> bool {
        rest.chars()
            .all(|letter| self.letter(letter).is_some() || HABITS.iter().any(|habit| habit.letter == Some(letter)))
    }

    /// Hint for lsof's -i and -s, whose values no option of tcpulse takes.
    fn lsof(&self, letter: char, rest: &str) -> Option<String> {
        let spec = if rest.is_empty() { self.next_text()? } else { rest };
        match letter {
            'i' => {
                // Skip the value of -i if it is a separate argument.
                let rest = self.left.iter().skip(usize::from(rest.is_empty()));
                let others = rest.filter_map(|other| other.to_str());
                let mut states =
                    others.filter_map(|other| hints::lsof_states(other.strip_prefix("-s").unwrap_or(other)));
                hints::lsof(spec, states.next_back())
            }
            's' => hints::lsof_states(spec)
                .map(|states| format!("-s {spec} is lsof's; it is: tcpulse ls{}", hints::in_states(states, ""))),
            _ => None,
        }
    }

    /// The command that a hint suggests.
    fn listing(&self) -> &str {
        match self.command.as_deref() {
            Some(command @ ("stat" | "show" | "kill" | "set")) => command,
            _ => "ls",
        }
    }

    fn all_options(&self) -> String {
        let command = self.command.as_ref().map_or(String::new(), |command| format!("{command} "));
        format!("tcpulse {command}--help lists the options")
    }

    fn finish(mut self) -> Result<(Vec<OsString>, Habits), UsageError> {
        let is_listing = !matches!(self.command.as_deref(), Some("stat" | "kernel" | "set" | "kill"));
        if let Some(command) = self.command.as_ref().filter(|_| !is_listing && !self.habits.columns.is_empty()) {
            let typed = self.typed;
            return Err(UsageError(format!(
                "{typed} adds columns to a listing, and {command} has none to add to; leave it out, or list: tcpulse ls {typed}"
            )));
        }
        // As in netstat, -a overrides -l. For `set` and `kill` it would widen the selection, so there the two conflict.
        let changes = matches!(self.command.as_deref(), Some("set" | "kill"));
        if !changes && (self.both || self.habits.lists) {
            let has_all = self.out.iter().any(|argument| argument == "-a");
            self.out.retain(|argument| !has_all || argument != "-l");
        }
        self.out.append(&mut self.left.into());
        Ok((self.out, self.habits))
    }
}

/// Error for options such as `-tulpn`, which ask for two kinds of sockets: the command for each kind.
fn other_kind(kind: &str, letter: char, letters: &str) -> String {
    let of_tcp: String = letters.chars().filter(|&other| other != letter).collect();
    let of_others: String = letters.chars().filter(|&other| other != 't').collect();
    let ours = if of_tcp.is_empty() { String::new() } else { format!(": tcpulse -{of_tcp}") };
    format!("-{letter}: tcpulse shows TCP only{ours}; for {kind} sockets: ss -{of_others}")
}

/// Whether the text after -o is a list of columns, rather than the start of a filter as after the -o of ss.
fn is_column_list(text: &str, after: Option<&str>, program: &clap::Command) -> bool {
    let is_of_list = |c: char| c.is_ascii_alphanumeric() || "+-_, ".contains(c);
    if text.contains(',') || text.starts_with('+') {
        return text.chars().all(is_of_list);
    }
    if let Some(removed) = text.strip_prefix('-') {
        return removed.eq_ignore_ascii_case("all") || column_called(removed).is_some();
    }
    text.eq_ignore_ascii_case("all") || is_name(text, after, program)
}

/// Whether a word is a column, or looks like a mistyped one.
fn is_name(text: &str, after: Option<&str>, program: &clap::Command) -> bool {
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_word || after.is_some_and(begins_with_comparison) {
        return false;
    }
    if column_called(text).is_some() {
        // `-o state established` is the first example in ss(8): there `state` begins a filter. As a list, the column
        // alone would be constant.
        return !(text.eq_ignore_ascii_case("state") && after.is_some_and(is_state));
    }
    let begins_filter = is_keyword(text) && after.is_some() && !text.eq_ignore_ascii_case("owner");
    !(begins_filter || is_state(text) || program.find_subcommand(text).is_some())
}

#[cfg(test)]
#[path = "habits_tests.rs"]
mod tests;
