//! What is wrong with a filter, and where: the place under a caret, what would be right, and the word that was meant.

use std::fmt::{self, Write};
use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use crate::text::printable;

/// A filter that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// As it was typed
    text: String,
    /// The bytes of it that are wrong; empty at the end for what is missing there
    place: Range<usize>,
    /// What is wrong, and what would be right
    message: String,
}

/// What is wrong at a place of the text.
pub(super) type Wrong = (Range<usize>, String);

/// Cells of a message; one that lists every state is half as long.
const LONGEST_MESSAGE: usize = 600;
/// Cells of the filter that are shown around the place.
const SHOWN_CELLS: usize = 72;

impl FilterError {
    pub(super) fn new(text: &str, (place, message): Wrong) -> Self {
        Self { text: text.to_owned(), place, message }
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Which bytes of the text are wrong.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// The line of the filter that holds the place, and under it the caret.
    fn picture(&self) -> (String, String) {
        let (before, rest) = self.text.split_at(self.place.start.min(self.text.len()));
        let (wrong, after) = rest.split_at(self.place.len().min(rest.len()));
        let [before, wrong, after] = [before, wrong, after].map(|part| printable(part).into_owned());
        let before = last_cells(&before, SHOWN_CELLS / 2);
        let wrong = first_cells(&wrong, SHOWN_CELLS / 2);
        let after = first_cells(&after, SHOWN_CELLS.saturating_sub(before.width() + wrong.width()));
        let carets = "^".repeat(wrong.width().max(1));
        (format!("{before}{wrong}{after}"), format!("{:indent$}{carets}", "", indent = before.width()))
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, carets) = self.picture();
        write!(out, "{}\n  {line}\n  {carets}", printable(&first_cells(&self.message, LONGEST_MESSAGE)))
    }
}

impl std::error::Error for FilterError {}

/// A typed word as a message repeats it: its beginning, where it is long.
pub(super) fn short(word: &str) -> String {
    first_cells(word, SHOWN_CELLS / 2)
}

fn first_cells(text: &str, cells: usize) -> String {
    cut(text.chars(), cells).map_or(text.to_owned(), |kept| format!("{kept}…"))
}

fn last_cells(text: &str, cells: usize) -> String {
    cut(text.chars().rev(), cells)
        .map_or(text.to_owned(), |kept| format!("…{}", kept.chars().rev().collect::<String>()))
}

/// What fits, if it is not all.
fn cut(text: impl Iterator<Item = char>, cells: usize) -> Option<String> {
    let mut kept = String::new();
    for character in text {
        if kept.width() + 1 > cells {
            return Some(kept);
        }
        kept.push(character);
    }
    None
}

/// Which of the words is nearest to `word`, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    let most = (word.chars().count() / 3).clamp(1, 3);
    // What is long is no slip of the finger, and comparing it would take its time.
    if word.len() > 40 {
        return None;
    }
    let near = words.into_iter().map(|known| (strsim::osa_distance(&word, known), known));
    near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// "; did you mean 'dport'?", where one of the words is near.
pub(super) fn did_you_mean<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, words).map_or(String::new(), |near| format!("; did you mean '{near}'?"))
}

/// "a, b or c".
pub(super) fn one_of(words: &[&str]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        let joint = match index {
            0 => "",
            _ if index + 1 == words.len() => " or ",
            _ => ", ",
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{joint}{word}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{FilterError, nearest};

    #[test]
    fn the_caret_stands_under_the_place_however_wide_what_comes_before() {
        let error = FilterError::new("日本 dprot = :1", (7..12, "unknown field 'dprot'".to_owned()));
        assert_eq!(error.to_string(), "unknown field 'dprot'\n  日本 dprot = :1\n       ^^^^^");
        let error = FilterError::new("dport =", (7..7, "a port is missing".to_owned()));
        assert_eq!(error.to_string(), "a port is missing\n  dport =\n         ^");
    }

    #[test]
    fn a_long_filter_is_shown_around_the_place() {
        let text = format!("{} bad {}", "x".repeat(5000), "y".repeat(5000));
        let shown = FilterError::new(&text, (5001..5004, "bad".to_owned())).to_string();
        assert!(shown.len() < 200 && shown.contains("x bad y"), "{shown}");
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        assert_eq!(nearest("dprot", ["sport", "dport", "state"]), Some("dport"));
        assert_eq!(nearest("User_Timout", ["user", "user-timeout"]), Some("user-timeout"));
        assert_eq!(nearest("postgres", ["sport", "dport", "state"]), None);
        assert_eq!(nearest(&"x".repeat(10_000), ["sport"]), None);
    }
}
