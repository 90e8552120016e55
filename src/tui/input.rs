//! Parser of terminal input: bytes to keys, clicks and pastes. Pure and bounded: crossterm's own reader buffers a whole
//! paste of any length, and unrequested answers of the terminal for ever. Any other input is dropped.

use ratatui::crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// Maximum bytes of a paste that are kept: several times the size of an input field.
const MOST_PASTED: usize = 64 * 1024;
/// Maximum length of an escape sequence in bytes; no known one is longer.
const LONGEST: usize = 64;
const ESC: u8 = 0x1b;
/// Marker of a paste after `ESC [`; its whole end marker.
const PASTE: &[u8] = b"200~";
const PASTE_END: &[u8; 6] = b"\x1b[201~";

/// Parser state: the bytes of an incomplete key or paste.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    held: Vec<u8>,
    paste: Option<Paste>,
}

/// A paste in progress, and how many bytes of its end marker have arrived.
#[derive(Debug, Default)]
struct Paste {
    text: Vec<u8>,
    end: usize,
}

/// Meaning of a byte sequence.
enum EscapeMeaning {
    /// Incomplete
    Part,
    /// Unknown
    Nothing,
    PasteBegins,
    Is(Input),
}

use EscapeMeaning::{Is, Nothing, Part, PasteBegins};

impl Reader {
    /// Parses bytes. If no more bytes are waiting (`is_more` is false), a final `ESC` is the Esc key.
    pub(crate) fn take(&mut self, bytes: &[u8], is_more: bool, tell: &mut dyn FnMut(Input)) {
        for (index, byte) in bytes.iter().enumerate() {
            if let Some(paste) = &mut self.paste {
                if paste.take(*byte) {
                    let text = std::mem::take(&mut paste.text);
                    self.paste = None;
                    tell(Input::Paste(String::from_utf8_lossy(&text).into_owned()));
                }
            } else {
                self.held.push(*byte);
                self.understand(is_more || index + 1 < bytes.len(), tell);
            }
        }
    }

    /// Whether a paste has begun and not ended.
    pub(crate) fn is_pasting(&self) -> bool {
        self.paste.is_some()
    }

    /// Ends a paste whose end marker is missing; otherwise all later keys would become part of it.
    pub(crate) fn end_paste(&mut self, tell: &mut dyn FnMut(Input)) {
        if let Some(paste) = self.paste.take() {
            tell(Input::Paste(String::from_utf8_lossy(&paste.text).into_owned()));
        }
    }

    fn understand(&mut self, is_more: bool, tell: &mut dyn FnMut(Input)) {
        match meaning(&self.held, is_more) {
            Part if self.held.len() < LONGEST => return,
            Part | Nothing => {}
            PasteBegins => self.paste = Some(Paste::default()),
            Is(input) => tell(input),
        }
        self.held.clear();
    }
}

impl Paste {
    /// Adds a byte; returns whether it completes the end marker.
    fn take(&mut self, byte: u8) -> bool {
        if byte == PASTE_END[self.end] {
            self.end += 1;
            return self.end == PASTE_END.len();
        }
        // The bytes that matched the start of the end marker are text. Only `ESC` can start another marker.
        let end = std::mem::take(&mut self.end);
        self.keep(&PASTE_END[..end]);
        if byte == ESC {
            self.end = 1;
        } else {
            self.keep(&[byte]);
        }
        false
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.text.len() < MOST_PASTED {
            self.text.extend_from_slice(bytes);
        }
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> EscapeMeaning {
    Is(Input::Key(KeyEvent::new(code, modifiers)))
}

fn plain(code: KeyCode) -> EscapeMeaning {
    key(code, KeyModifiers::NONE)
}

fn character(character: char) -> EscapeMeaning {
    key(KeyCode::Char(character), if character.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE })
}

fn meaning(bytes: &[u8], is_more: bool) -> EscapeMeaning {
    let ctrl = |character: u8| key(KeyCode::Char(character.into()), KeyModifiers::CONTROL);
    match bytes {
        [] | [ESC, b'O'] => Part,
        [ESC] if is_more => Part,
        [ESC] | [ESC, ESC] => plain(KeyCode::Esc),
        [ESC, b'[', rest @ ..] => sequence(rest),
        [ESC, b'O', letter] => by_letter(*letter, KeyModifiers::NONE),
        [ESC, rest @ ..] => match meaning(rest, is_more) {
            Is(Input::Key(pressed)) => key(pressed.code, pressed.modifiers | KeyModifiers::ALT),
            other => other,
        },
        [b'\r'] => plain(KeyCode::Enter),
        [b'\t'] => plain(KeyCode::Tab),
        [0x7f] => plain(KeyCode::Backspace),
        [0] => ctrl(b' '),
        [control @ 1..=0x1a] => ctrl(control - 1 + b'a'),
        [control @ 0x1c..=0x1f] => ctrl(control - 0x1c + b'4'),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.chars().next().map_or(Nothing, character),
            Err(wrong) if wrong.error_len().is_none() => Part,
            // The byte that breaks a UTF-8 sequence may itself be a key.
            Err(_) if bytes.len() > 1 => meaning(&bytes[bytes.len() - 1..], is_more),
            Err(_) => Nothing,
        },
    }
}

/// Parses what follows `ESC [`.
fn sequence(rest: &[u8]) -> EscapeMeaning {
    match rest {
        [b'M', button, x, y] => {
            let at = |byte: u8| u16::from(byte).saturating_sub(32);
            click(button.wrapping_sub(32).into(), at(*x), at(*y), false)
        }
        [b'M' | b'[', ..] if rest.len() < if rest[0] == b'M' { 4 } else { 2 } => Part,
        // The Linux console's function keys.
        [b'[', letter @ b'A'..=b'E'] => plain(KeyCode::F(letter - b'A' + 1)),
        // The final byte is missing, unless this byte cannot be part of a sequence.
        [.., last] if !(0x40..0x7f).contains(last) => {
            if (b' '..0x40).contains(last) {
                Part
            } else {
                Nothing
            }
        }
        [] => Part,
        PASTE => PasteBegins,
        [b'<', numbers @ .., last @ (b'M' | b'm')] => match numbers_of(numbers)[..] {
            [button, x, y, ..] => click(button, x, y, *last == b'm'),
            _ => Nothing,
        },
        [numbers @ .., last] => by_numbers(&numbers_of(numbers), *last),
    }
}

/// Numbers between semicolons; of a number with `:` sub-parameters the first one. Missing, invalid or too large ones
/// are 0.
fn numbers_of(bytes: &[u8]) -> Vec<u16> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.split(';').map(|number| number.split(':').next().unwrap_or_default().parse().unwrap_or(0)).collect()
}

fn modifiers_of(mask: Option<&u16>) -> KeyModifiers {
    let bits = mask.copied().unwrap_or(1).saturating_sub(1);
    let all = [KeyModifiers::SHIFT, KeyModifiers::ALT, KeyModifiers::CONTROL, KeyModifiers::SUPER];
    let held = all.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    held.fold(KeyModifiers::NONE, |held, (_, modifier)| held | modifier)
}

fn by_letter(letter: u8, modifiers: KeyModifiers) -> EscapeMeaning {
    let code = match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        b'Z' => return key(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT),
        _ => return Nothing,
    };
    key(code, modifiers)
}

fn by_numbers(numbers: &[u16], last: u8) -> EscapeMeaning {
    let modifiers = modifiers_of(numbers.get(1));
    match (last, numbers) {
        (b'M', [button, x, y, ..]) => click(button.wrapping_sub(32), *x, *y, false),
        (b'~', [number, ..]) => {
            let code = match *number {
                1 | 7 => KeyCode::Home,
                2 => KeyCode::Insert,
                3 => KeyCode::Delete,
                4 | 8 => KeyCode::End,
                5 => KeyCode::PageUp,
                6 => KeyCode::PageDown,
                number @ 11..=15 => KeyCode::F(number as u8 - 10),
                number @ 17..=21 => KeyCode::F(number as u8 - 11),
                number @ 23..=26 => KeyCode::F(number as u8 - 12),
                number @ 28..=29 => KeyCode::F(number as u8 - 15),
                number @ 31..=34 => KeyCode::F(number as u8 - 17),
                _ => return Nothing,
            };
            key(code, modifiers)
        }
        // CSI u, the encoding of keys without a sequence of their own.
        (b'u', [number, ..]) => match char::from_u32((*number).into()) {
            Some('\x1b') => key(KeyCode::Esc, modifiers),
            Some('\r') => key(KeyCode::Enter, modifiers),
            Some('\t') if modifiers.contains(KeyModifiers::SHIFT) => key(KeyCode::BackTab, modifiers),
            Some('\t') => key(KeyCode::Tab, modifiers),
            Some('\x7f') => key(KeyCode::Backspace, modifiers),
            Some(letter) if !letter.is_control() => key(KeyCode::Char(letter), modifiers),
            _ => Nothing,
        },
        // A cursor position report has this form too, with a row other than 1.
        (b'R', [row, ..]) if *row > 1 => Nothing,
        (letter, _) => by_letter(letter, modifiers),
    }
}

/// Mouse event. `button` also encodes the modifiers and motion. Cells are counted from 1.
fn click(button: u16, x: u16, y: u16, is_up: bool) -> EscapeMeaning {
    let (Some(column), Some(row)) = (x.checked_sub(1), y.checked_sub(1)) else { return Nothing };
    let which = match button & 0b11 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (button & 0b11 | (button & 0b1100_0000) >> 4, button & 0b10_0000 != 0) {
        (0..=2, false) if is_up => MouseEventKind::Up(which),
        (0..=2, false) => MouseEventKind::Down(which),
        (0..=2, true) => MouseEventKind::Drag(which),
        (3, false) => MouseEventKind::Up(MouseButton::Left),
        (3..=5, true) => MouseEventKind::Moved,
        (4, false) => MouseEventKind::ScrollUp,
        (5, false) => MouseEventKind::ScrollDown,
        _ => return Nothing,
    };
    Is(Input::Mouse(MouseEvent { kind, column, row, modifiers: modifiers_of(Some(&((button >> 2 & 0b111) + 1))) }))
}

#[cfg(test)]
mod tests {
    use super::{Input, LONGEST, MOST_PASTED, PASTE_END, Reader};
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    fn read(chunks: &[&[u8]]) -> Vec<Input> {
        let (mut reader, mut inputs) = (Reader::default(), Vec::new());
        chunks.iter().for_each(|chunk| reader.take(chunk, false, &mut |input| inputs.push(input)));
        inputs
    }

    /// Keys as words: `C-a`, `M-x`, `S-Up`.
    fn words(bytes: &[u8]) -> String {
        let word = |input| match input {
            Input::Key(KeyEvent { code, modifiers, .. }) => {
                let named = [(KeyModifiers::CONTROL, "C-"), (KeyModifiers::ALT, "M-"), (KeyModifiers::SHIFT, "S-")];
                let held: String =
                    named.iter().filter(|(held, _)| modifiers.contains(*held)).map(|(_, it)| *it).collect();
                format!("{held}{code}")
            }
            Input::Mouse(mouse) => format!("{:?}@{},{}", mouse.kind, mouse.column, mouse.row),
            other => format!("{other:?}"),
        };
        let together = read(&[bytes]);
        // The result is the same wherever the bytes are split, except after `ESC`, which alone is a key.
        for at in (1..bytes.len()).filter(|at| bytes[..*at].last() != Some(&0x1b)) {
            assert_eq!(read(&[&bytes[..at], &bytes[at..]]), together, "{}", bytes.escape_ascii());
        }
        together.into_iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn keys_are_what_terminals_send_for_them() {
        for (bytes, expected) in [
            (&b"aZ?\xc3\xa9\xe6\x97\xa5\xf0\x9f\x90\xa7"[..], "a S-Z ? é 日 🐧"),
            (b"\r\n\t\x7f\x08\x01\x1a\x00\x1c", "Enter C-j Tab Backspace C-h C-a C-z C-Space C-4"),
            (b"\x1b", "Esc"),
            (b"\x1b\x1b", "Esc"),
            (b"\x1bx\x1bX\x1b\r\x1b\xc3\xa9", "M-x M-S-X M-Enter M-é"),
            (b"\x1b[A\x1bOB\x1b[C\x1bOD\x1b[H\x1bOF\x1b[Z", "Up Down Right Left Home End S-Back Tab"),
            (b"\x1b[1~\x1b[2~\x1b[3~\x1b[4~\x1b[5~\x1b[6~", "Home Insert Del End Page Up Page Down"),
            (b"\x1bOP\x1b[[A\x1b[11~\x1b[15~\x1b[17~\x1b[24~", "F1 F1 F1 F5 F6 F12"),
            (b"\x1b[1;5A\x1b[1;2B\x1b[3;5~\x1b[6;3~\x1b[1;5P", "C-Up S-Down C-Del M-Page Down C-F1"),
            (b"\x1b[97;5u\x1b[13;2u\x1b[27u\x1b[9;2u", "C-a S-Enter Esc S-Back Tab"),
            (
                b"\x1b[<0;3;4M\x1b[<0;3;4m\x1b[<64;1;1M\x1b[<65;1;1M",
                "Down(Left)@2,3 Up(Left)@2,3 ScrollUp@0,0 ScrollDown@0,0",
            ),
            (b"\x1b[<35;300;200M\x1b[M !!\x1b[32;5;6M", "Moved@299,199 Down(Left)@0,0 Down(Left)@4,5"),
            // Unrequested answers, focus events and garbage are dropped; the key after them is kept.
            (b"\x1b[I\x1b[O\x1b[12;40R\x1b[?62;c\x1b[?1u\x1b[999~\x1b[M\0\0\0\x1b[<;;Mq", "q"),
            (b"\xff\xfeq\xc3(\xed\xa0\x80z", "q ( z"),
            (b"\x1b[1\x07q\x1b[5;\xc3\xa9q", "q q"),
        ] {
            assert_eq!(words(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_paste_is_one_whatever_is_in_it_and_bounded() {
        let paste = |text: &[u8]| [b"\x1b[200~", text, PASTE_END].concat();
        for (text, expected) in [
            (&b"dst 10.0.0.1\nq\x03"[..], "dst 10.0.0.1\nq\x03"),
            (b"", ""),
            (b"\x1b[201\x1b[201x\x1b\x1b[A\x1b[200~", "\x1b[201\x1b[201x\x1b\x1b[A\x1b[200~"),
            (b"\xc3\xa9\xff", "é\u{fffd}"),
        ] {
            let bytes = [paste(text), b"q".to_vec()].concat();
            let q = Input::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE));
            let expected = [Input::Paste(expected.to_owned()), q];
            assert_eq!(read(&[&bytes]), expected);
            let bytewise: Vec<_> = bytes[6..].chunks(1).collect();
            assert_eq!(read(&[&[&bytes[..6]], &bytewise[..]].concat()), expected);
        }
        let (mut reader, mut lengths) = (Reader::default(), Vec::new());
        reader.take(b"\x1b[200~", true, &mut |_| panic!());
        for _ in 0..1_000 {
            reader.take(&[b'x'; 4096], true, &mut |_| panic!());
        }
        assert!(reader.paste.as_ref().unwrap().text.capacity() <= 4 * MOST_PASTED);
        reader.take(PASTE_END, false, &mut |input| match input {
            Input::Paste(text) => lengths.push(text.len()),
            other => panic!("{other:?}"),
        });
        assert_eq!(lengths, [MOST_PASTED]);
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        for endless in [&b"\x1b[1"[..], b"\x1b[<1", b"\x1b[200", b"\x1b[1;1R\x1b[1"] {
            let mut reader = Reader::default();
            reader.take(endless, true, &mut |_| ());
            for _ in 0..10_000 {
                reader.take(b"1;1;", true, &mut |_| ());
            }
            assert!(reader.held.capacity() <= 2 * LONGEST);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            read(&[&bytes]);
            let after_escape: Vec<u8> = bytes.iter().flat_map(|byte| [0x1b, b'[', b'<' & byte, *byte]).collect();
            read(&[&after_escape]);
        }
    }
}
