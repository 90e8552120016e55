//! One line of text with a cursor.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Editor {
    text: String,
    /// In bytes, between two characters
    cursor: usize,
}

impl Editor {
    /// This text, the cursor behind it.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    /// What is typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// What stands behind it.
    pub fn behind(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// Puts another text in the place of what stands before the cursor, from `start` on.
    pub fn replace_before(&mut self, start: usize, text: &str) {
        self.text.replace_range(start..self.cursor, text);
        self.cursor = start + text.len();
    }

    /// Takes a key; says whether it was one for a line of text.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let has_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('u') if has_ctrl => self.replace_before(0, ""),
            KeyCode::Char('w') if has_ctrl => self.replace_before(self.word_start(), ""),
            KeyCode::Char('a') if has_ctrl => self.cursor = 0,
            KeyCode::Char('e') if has_ctrl => self.cursor = self.text.len(),
            KeyCode::Char(_) if has_ctrl => return false,
            KeyCode::Char(character) => self.replace_before(self.cursor, character.encode_utf8(&mut [0; 4])),
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
    use super::Editor;
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
}
