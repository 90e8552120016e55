//! One line of text with a cursor.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Maximum length of a line in bytes. Further input is dropped, since the whole line is parsed again after each change.
pub(crate) const MOST_BYTES: usize = 8 * 1024;

/// Line editor: text and cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Editor {
    text: String,
    /// Byte offset, on a character boundary
    cursor: usize,
    /// The last key or paste did not fit
    is_cut: bool,
}

impl Editor {
    /// Editor with this text and the cursor at its end.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text, is_cut: false }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor.
    pub(crate) fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// The text from the cursor on.
    pub(crate) fn behind(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// Whether part of the last key or paste was dropped because the line is full.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Replaces the text from `start` to the cursor. If the result does not fit, nothing changes.
    pub(crate) fn replace_before(&mut self, start: usize, text: &str) {
        let (before, after) = (self.text.len(), self.text.len() - (self.cursor - start) + text.len());
        self.is_cut = after > MOST_BYTES.max(before);
        if !self.is_cut {
            self.text.replace_range(start..self.cursor, text);
            self.cursor = start + text.len();
        }
    }

    /// Inserts text at the cursor, cut to the free room of the line.
    pub(crate) fn insert(&mut self, text: &str) {
        let mut fits = MOST_BYTES.saturating_sub(self.text.len()).min(text.len());
        while !text.is_char_boundary(fits) {
            fits -= 1;
        }
        self.replace_before(self.cursor, &text[..fits]);
        self.is_cut = fits < text.len();
    }

    /// Handles a key; returns whether it was an editing key.
    pub(crate) fn press(&mut self, key: KeyEvent) -> bool {
        let has_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        self.is_cut = false;
        match key.code {
            KeyCode::Char('u') if has_ctrl => self.replace_before(0, ""),
            KeyCode::Char('w') if has_ctrl => self.replace_before(self.word_start(), ""),
            KeyCode::Char('a') if has_ctrl => self.cursor = 0,
            KeyCode::Char('e') if has_ctrl => self.cursor = self.text.len(),
            KeyCode::Char(_) if has_ctrl => return false,
            KeyCode::Char(character) => self.insert(character.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => self.replace_before(self.previous(), ""),
            KeyCode::Delete => {
                let end = self.next();
                self.text.replace_range(self.cursor..end, "");
            }
            KeyCode::Left => self.cursor = self.previous(),
            KeyCode::Right => self.cursor = self.next(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn previous(&self) -> usize {
        self.cursor - self.before().chars().next_back().map_or(0, char::len_utf8)
    }

    fn next(&self) -> usize {
        self.cursor + self.behind().chars().next().map_or(0, char::len_utf8)
    }

    fn word_start(&self) -> usize {
        let trimmed = self.before().trim_end();
        trimmed.rfind(char::is_whitespace).map_or(0, |at| at + trimmed[at..].chars().next().map_or(1, char::len_utf8))
    }
}

#[cfg(test)]
mod tests {
    use super::{Editor, MOST_BYTES};
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    fn press(editor: &mut Editor, code: KeyCode, modifiers: KeyModifiers) {
        assert!(editor.press(KeyEvent::new(code, modifiers)), "{code:?}");
    }

    #[test]
    fn a_line_is_edited_anywhere_and_never_inside_a_character() {
        let mut editor = Editor::new("dst naïve");
        press(&mut editor, KeyCode::Left, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Left, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Backspace, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Char('日'), KeyModifiers::NONE);
        assert_eq!((editor.before(), editor.behind()), ("dst na日", "ve"));
        press(&mut editor, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(editor.text(), "dst ve");
        press(&mut editor, KeyCode::Delete, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Char('a'), KeyModifiers::CONTROL);
        press(&mut editor, KeyCode::Char('!'), KeyModifiers::NONE);
        assert_eq!(editor.text(), "!dst e");
        assert!(!editor.press(KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE)));
    }
    #[test]
    fn a_line_takes_what_it_has_room_for_and_cuts_no_character() {
        let mut editor = Editor::default();
        editor.insert(&"日".repeat(MOST_BYTES));
        assert!(editor.is_cut());
        assert_eq!((editor.text().len(), editor.behind()), (MOST_BYTES - MOST_BYTES % 3, ""));
        press(&mut editor, KeyCode::Char('é'), KeyModifiers::NONE);
        assert!(!editor.is_cut(), "there was room for two bytes more");
        press(&mut editor, KeyCode::Char('a'), KeyModifiers::NONE);
        assert!(editor.is_cut());
        press(&mut editor, KeyCode::Char('a'), KeyModifiers::CONTROL);
        editor.insert("x");
        assert!(editor.is_cut());
        press(&mut editor, KeyCode::Delete, KeyModifiers::NONE);
        editor.insert("xyz!");
        assert_eq!((editor.text().len(), editor.before(), editor.is_cut()), (MOST_BYTES, "xyz", true));
        // A line that starts above the limit keeps its length and can only shrink.
        let mut editor = Editor::new("a".repeat(2 * MOST_BYTES));
        press(&mut editor, KeyCode::Char('b'), KeyModifiers::NONE);
        assert_eq!(editor.text(), "a".repeat(2 * MOST_BYTES));
    }
}
