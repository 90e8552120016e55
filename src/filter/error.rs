//! Error in a filter: what is wrong, its place under a caret, and what would be right.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use crate::text::cut::{ending, fitted};
use crate::text::printable;

/// A filter that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The filter as it was typed
    text: String,
    /// Byte range of the error; empty, at the end, if something is missing there
    place: Range<usize>,
    /// What is wrong, and what would be right
    message: String,
}

/// Place and message of an error.
pub(super) type Wrong = (Range<usize>, String);

/// Maximum length of a message, in cells. One that lists every state is half as long.
const LONGEST_MESSAGE: usize = 600;
/// Cells of the filter that are shown around the error.
const SHOWN_CELLS: usize = 72;

impl FilterError {
    pub(super) fn new(text: &str, (place, message): Wrong) -> Self {
        Self { text: text.to_owned(), place, message }
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Byte range of the error in the text.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// The line of the filter that contains the error, and the carets to print below it.
    fn picture(&self) -> (String, String) {
        let (before, rest) = self.text.split_at(self.place.start.min(self.text.len()));
        let (wrong, after) = rest.split_at(self.place.len().min(rest.len()));
        let [before, wrong, after] = [before, wrong, after].map(|part| printable(part).into_owned());
        let before = ending(&before, SHOWN_CELLS / 2);
        let wrong = fitted(&wrong, SHOWN_CELLS / 2);
        let after = fitted(&after, SHOWN_CELLS.saturating_sub(before.width() + wrong.width()));
        let carets = "^".repeat(wrong.width().max(1));
        (format!("{before}{wrong}{after}"), format!("{:indent$}{carets}", "", indent = before.width()))
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, carets) = self.picture();
        write!(out, "{}\n  {line}\n  {carets}", printable(&fitted(&self.message, LONGEST_MESSAGE)))
    }
}

impl std::error::Error for FilterError {}

/// A typed word as messages repeat it, cut if it is long.
pub(super) fn short(word: &str) -> String {
    fitted(word, SHOWN_CELLS / 2).into_owned()
}

#[cfg(test)]
mod tests {
    use super::FilterError;

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
}
