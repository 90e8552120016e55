//! Cuts texts to a number of terminal cells, with a mark where text is missing.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The beginning of `text` that fits `width` cells, and whether it was cut and needs a mark.
pub(crate) fn shorten(text: &str, width: usize) -> (&str, bool) {
    if text.width() <= width {
        return (text, false);
    }
    let mut end = 0;
    for (index, character) in text.char_indices() {
        let next = index + character.len_utf8();
        if text[..next].width() + 1 > width {
            break;
        }
        end = next;
    }
    (&text[..end], width > 0)
}

/// The beginning of a text that fits, with a mark behind it if it was cut.
pub(crate) fn fitted(text: &str, cells: usize) -> Cow<'_, str> {
    match shorten(text, cells) {
        (shown, true) => Cow::Owned(format!("{shown}…")),
        (shown, false) => Cow::Borrowed(shown),
    }
}

/// The end of a text that fits, with a mark before it if it was cut.
pub(crate) fn ending(text: &str, cells: usize) -> Cow<'_, str> {
    if text.width() <= cells {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("…{}", last(text, cells.saturating_sub(1))))
}

/// The beginning and the end of a text, with a mark between if it was cut: the port of an address matters more than its
/// middle.
pub(crate) fn middle(text: &str, cells: usize) -> Cow<'_, str> {
    if text.width() <= cells {
        return Cow::Borrowed(text);
    }
    let Some(room) = cells.checked_sub(1) else { return Cow::Borrowed("") };
    let head: String = fitting(text.chars(), room / 2).collect();
    Cow::Owned(format!("{head}…{}", last(text, room - room / 2)))
}

fn last(text: &str, cells: usize) -> String {
    let backwards: Vec<_> = fitting(text.chars().rev(), cells).collect();
    backwards.into_iter().rev().collect()
}

/// As many of the characters as fit `cells`.
fn fitting(characters: impl Iterator<Item = char>, cells: usize) -> impl Iterator<Item = char> {
    let mut width = 0;
    characters.take_while(move |character| {
        width += character.width().unwrap_or(0);
        width <= cells
    })
}

#[cfg(test)]
mod tests {
    use super::{ending, fitted, middle};

    #[test]
    fn what_is_cut_has_its_mark_and_no_more_cells_than_there_are() {
        assert_eq!([fitted("abcdef", 4), ending("abcdef", 4), middle("abcdef", 4)], ["abc…", "…def", "a…ef"]);
        assert_eq!([fitted("日本語", 5), ending("日本語", 5), middle("日本語", 5)], ["日本…", "…本語", "日…語"]);
        assert_eq!([fitted("abc", 3), ending("abc", 3), middle("abc", 3)], ["abc"; 3]);
        assert_eq!((fitted("abc", 0), middle("abc", 0)), ("".into(), "".into()));
    }
}
