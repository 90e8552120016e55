//! Lone words, which are searched for as text: if nothing matched, the filter that was probably meant.

use super::error::short;
use super::keywords::{KEYWORDS, is_keyword};
use super::pattern::Pattern;
use super::print::quoted;
use super::states::{is_state, state_group, state_words};
use super::tree::{Condition, Expr};
use crate::fields::column::folded;
use crate::fields::synonyms::meant;
use crate::fields::table::{column_called, columns};
use crate::model::state::StateSet;
use crate::text::near::nearest;

/// A word that is searched for as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lone {
    pub(super) word: String,
    /// The next word
    pub(super) next: Option<String>,
}

/// Words of other languages that need several fields here, or another form.
const FORMS: &[(&[&str], &str)] = &[
    (&["state", "status"], "state {}"),
    (&["exclude"], "exclude {}"),
    (&["src"], "src {}"),
    (&["dst"], "dst {}"),
    (&["sport"], "sport = :{}"),
    (&["dport"], "dport = :{}"),
    (&["port"], "sport = :{} or dport = :{}"),
    (&["host", "addr", "address", "ip"], "dst {} or src {}"),
    (&["autobound"], "autobound"),
    (&["loopback"], "loopback"),
];

/// Words that join conditions or have no meaning here, and what to write instead.
const JOINTS: &[(&[&str], &str)] = &[
    (&["xor"], "there is no 'xor': write (A or B) and not (A and B)"),
    (&["nor"], "there is no 'nor': write not (A or B)"),
    (&["nand"], "there is no 'nand': write not (A and B)"),
    (&["but", "except", "without", "minus"], "write 'and not' for what is to be left out"),
    (&["tcp", "proto", "protocol"], "every socket here is TCP: leave the word out"),
    (&["tcp4", "ipv4", "inet", "v4"], "write 'family = ipv4'"),
    (&["tcp6", "ipv6", "inet6", "v6"], "write 'family = ipv6'"),
    (&["udp", "unix"], "tcpulse shows TCP only; ss shows other sockets"),
    (&["is", "equals", "contains", "like"], "write = or ~ between a field and its value"),
];

/// The filter for a word that is none by itself, such as `port`, and its value; `None` for any other word. Without a
/// value, the word in capitals stands for it.
pub(crate) fn as_filter(word: &str, value: Option<&str>) -> Option<String> {
    let word = folded(word);
    if is_state(&word) {
        return Some(format!("state {word}"));
    }
    let value = match value {
        Some(value) if value.contains(char::is_whitespace) => quoted(value),
        Some(value) => short(value),
        None => word.to_uppercase(),
    };
    if let Some((_, form)) = FORMS.iter().find(|(words, _)| words.contains(&word.as_str())) {
        let value = if form.contains(":{}") { value.trim_start_matches(':') } else { &value };
        return Some(form.replace("{}", value));
    }
    let field = match meant(&word) {
        [field] => field.name(),
        _ => word.as_str(),
    };
    (column_called(field).is_some() || is_keyword(field)).then(|| format!("{field} = {value}"))
}

/// How the lone words of a filter were read, and what was probably meant; `None` if the result depends on none of them.
/// Only sockets in `states` were searched.
pub(super) fn advice(expr: &Expr, lone: &[Lone], states: StateSet) -> Option<String> {
    const MOST_WORDS: usize = 5;
    /// Maximum number of words to check: more of them are no typing error
    const MOST_LOOKED_AT: usize = 100;
    let mut sought = Vec::new();
    expr.each(&mut |condition, negated| {
        if let (Condition::Text(pattern), false) = (condition, negated) {
            sought.push(pattern.clone());
        }
    });
    let lone: Vec<_> =
        lone.iter().take(MOST_LOOKED_AT).filter(|lone| sought.contains(&Pattern::part(&lone.word))).collect();
    let shown: Vec<_> = lone.iter().take(MOST_WORDS).map(|lone| format!("'{}'", short(&lone.word))).collect();
    let (last, others) = shown.split_last()?;
    let words = match (others, lone.len() > MOST_WORDS) {
        ([], _) => format!("{last} was"),
        (others, false) => format!("{} and {last} were", others.join(", ")),
        (others, true) => format!("{}, {last} and more were", others.join(", ")),
    };
    let mut probably: Vec<Probably> = Vec::new();
    let mut taken = None;
    for Lone { word, next } in lone.into_iter().take(MOST_WORDS) {
        // The value of the previous word is no lone word.
        if taken.take().is_some_and(|taken: &String| taken == word) {
            continue;
        }
        let next = next.as_ref().filter(|next| !is_joint(next));
        let Some((meant, takes_next)) = probable(word, next.map(String::as_str)) else { continue };
        taken = next.filter(|_| takes_next);
        if !probably.contains(&meant) {
            probably.push(meant);
        }
    }
    let mut text = format!("{words} searched for as text, in addresses, processes and units");
    if probably.is_empty() {
        let everywhere = states == StateSet::ALL;
        text.push_str(if everywhere {
            "; tcpulse help filter says how to filter"
        } else {
            "; -a also searches listeners"
        });
    }
    let say = probably.iter().filter_map(|probably| if let Probably::Say(say) = probably { Some(*say) } else { None });
    say.for_each(|say| text.extend(["; ", say]));
    let filters = probably
        .iter()
        .filter_map(|probably| if let Probably::Filter(filter) = probably { Some(filter) } else { None });
    let filters: Vec<_> = filters.map(|filter| format!("'{filter}'")).collect();
    if !filters.is_empty() {
        text.extend(["; did you mean ", &filters.join(" and "), "?"]);
    }
    Some(text)
}

/// Warning that a word is searched for as text although it names a field, or joins conditions in other languages: `not
/// port 443` matches what contains the text 443 but not the text port. `None` if there is no such word.
pub(super) fn doubt(lone: &[Lone]) -> Option<String> {
    lone.iter().find_map(|Lone { word, next }| {
        let joint = JOINTS.iter().find(|(words, _)| words.contains(&folded(word).as_str()));
        let next = next.as_deref().filter(|next| !is_joint(next));
        let meant = match joint {
            Some((_, say)) => (*say).to_owned(),
            None => format!("did you mean '{}'?", as_filter(word, next)?),
        };
        let word = short(word);
        Some(format!("'{word}' is searched for as text; {meant} To search for the word itself: '\"{word}\"'"))
    })
}

/// A guess at what was meant.
#[derive(Debug, PartialEq, Eq)]
enum Probably {
    Filter(String),
    Say(&'static str),
}

fn is_joint(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|joint| word.eq_ignore_ascii_case(joint))
}

/// A guess at what a word meant, and whether the next word is its value.
fn probable(word: &str, next: Option<&str>) -> Option<(Probably, bool)> {
    /// Shorter words resemble too many others.
    const LEAST_LETTERS: usize = 3;
    let name = folded(word);
    if let Some((_, say)) = JOINTS.iter().find(|(words, _)| words.contains(&name.as_str())) {
        return Some((Probably::Say(say), false));
    }
    if let Some(filter) = as_filter(word, next) {
        return Some((Probably::Filter(filter), next.is_some()));
    }
    if state_group(word).is_some() {
        return Some((Probably::Filter(format!("state {name}")), false));
    }
    if word.parse::<u16>().is_ok() {
        return Some((Probably::Filter(format!(":{word}")), false));
    }
    if word.len() < LEAST_LETTERS {
        return None;
    }
    if let Some(state) = nearest(word, state_words()) {
        return Some((Probably::Filter(format!("state {state}")), false));
    }
    let fields: Vec<_> = columns().map(|column| column.name()).collect();
    let known = fields.iter().copied().chain(KEYWORDS.iter().map(|(keyword, _)| *keyword));
    let filter = as_filter(nearest(word, known)?, next)?;
    Some((Probably::Filter(filter), next.is_some()))
}
