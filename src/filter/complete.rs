//! Completions for the last word of a half-typed filter.

use super::keywords::KEYWORDS;
use crate::fields::column::{Kind, folded};
use crate::fields::socket::SocketColumn;
use crate::fields::table::columns;
use crate::model::state::TcpState;

const SIGNS: [&str; 6] = ["=", "!=", "==", "in", "~", "!~"];

/// Byte offset of the last word, and its completions in the order of the help; none if nothing fits.
pub(crate) fn completions(text: &str) -> (usize, Vec<String>) {
    let start = text
        .rfind(|c: char| c.is_whitespace() || "(){},=!~".contains(c))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let (before, typed) = (&text[..start], folded(&text[start..]));
    let mut fitting = candidates(before);
    fitting.retain(|word| word.starts_with(&typed) && *word != typed);
    (start, fitting)
}

fn candidates(before: &str) -> Vec<String> {
    if let Some(words) = values_after(before) {
        return words;
    }
    let names = columns().filter(|column| column.importance >= LEAST_IMPORTANT).map(|column| column.name().to_owned());
    let mut all: Vec<_> = names.collect();
    all.extend(columns().filter(|column| column.importance < LEAST_IMPORTANT).map(|column| column.name().to_owned()));
    all.extend(KEYWORDS.iter().map(|(word, _)| (*word).to_owned()));
    all.extend(["and", "or", "not", "in"].map(str::to_owned));
    all.dedup();
    all
}

/// Fields below this importance come last.
const LEAST_IMPORTANT: u8 = 30;

/// Words of the field that was compared last: `verdict = `, `verdict in {active, `, `state `.
fn values_after(before: &str) -> Option<Vec<String>> {
    if matches!(last_words(before).0.as_deref(), Some("state" | "exclude")) {
        return Some(TcpState::ALL.iter().filter_map(|state| state.name()).map(str::to_owned).collect());
    }
    match compared_at_end(before)?.kind {
        Kind::Word(words) => Some(words().into_iter().map(str::to_owned).collect()),
        _ => None,
    }
}

/// The field that the next word is compared with: `verdict = `, `verdict in {active, `.
pub(crate) fn compared_at_end(before: &str) -> Option<&'static SocketColumn> {
    match last_words(before) {
        (Some(last), true) => columns().find(|column| column.is_called(&last)),
        _ => None,
    }
}

/// The last word outside braces, and whether a comparison follows it.
fn last_words(before: &str) -> (Option<String>, bool) {
    let opened = before.rfind('{').filter(|open| !before[*open..].contains('}'));
    let head = opened.map_or(before, |open| &before[..open]);
    let spaced = SIGNS.iter().fold(head.to_owned(), |text, sign| match *sign {
        "in" => text,
        sign => text.replace(sign, &format!(" {sign} ")),
    });
    let is_sign = |word: &&str| SIGNS.contains(word);
    let has_sign = spaced.split_whitespace().next_back().is_some_and(|last| is_sign(&last));
    (spaced.split_whitespace().rev().find(|word| !is_sign(word)).map(str::to_owned), has_sign)
}

#[cfg(test)]
mod tests {
    use super::completions;

    #[test]
    fn a_word_becomes_a_field_a_keyword_or_a_value_of_the_field_before() {
        for (typed, start, first) in [
            ("verd", 0, "verdict"),
            ("verdict = prob", 10, "probing"),
            ("verdict=prob", 8, "probing"),
            ("verdict in {probing, ret", 21, "retransmitting"),
            ("state estab", 6, "established"),
            ("not dpo", 4, "dport"),
            ("state established and Peer_Po", 22, "peer-port"),
        ] {
            let (at, words) = completions(typed);
            assert_eq!((at, words.first().map(String::as_str)), (start, Some(first)), "{typed}");
        }
        assert_eq!(completions("verdict = xyz").1, Vec::<String>::new());
        assert_eq!(completions("dport = :44").1, Vec::<String>::new());
    }
}
