//! Keys and what they mean: the one table that feeds the keyboard, the help and the footer.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::Action;
use super::state::View;

/// A key of the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character
    Char(char),
    /// A character with Ctrl
    Ctrl(char),
    /// Any other
    Code(KeyCode),
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// What it does
    pub action: Action,
    /// Its keys, the one to tell first
    pub keys: &'static [Key],
    /// A word for the footer; none where it is not worth the room
    pub footer: Option<&'static str>,
    /// A line for the help
    pub help: &'static str,
}

const fn command(action: Action, keys: &'static [Key], footer: Option<&'static str>, help: &'static str) -> Command {
    Command { action, keys, footer, help }
}

/// Every command, in the order of the help.
pub const COMMANDS: &[Command] = &[
    command(Action::NextView, &[Key::Code(KeyCode::Tab)], Some("view"), "the next view"),
    command(Action::Show(View::Connections), &[Key::Char('1')], None, "connections"),
    command(Action::Show(View::Listeners), &[Key::Char('4')], None, "listeners, with their accept queues"),
    command(Action::Open, &[Key::Code(KeyCode::Enter)], Some("detail"), "everything known of the selected connection"),
    command(Action::Destroy, &[Key::Char('x')], Some("destroy"), "destroy the selected connection; asks first"),
    command(
        Action::Filter,
        &[Key::Char('/')],
        Some("filter"),
        "say which connections; tcpulse help filter has the language",
    ),
    command(
        Action::Sort,
        &[Key::Char('s')],
        Some("sort"),
        "sort by the next column; at first what is most alarming comes first",
    ),
    command(Action::Reverse, &[Key::Char('S')], None, "turn the order around"),
    command(Action::Pause, &[Key::Char('p')], Some("pause"), "freeze the data, not the keys"),
    command(Action::Faster, &[Key::Char('+')], None, "look more often, down to every 0.2 s"),
    command(Action::Slower, &[Key::Char('-')], None, "look less often, up to every 60 s"),
    command(Action::Up, &[Key::Char('k'), Key::Code(KeyCode::Up)], None, "one row up"),
    command(Action::Down, &[Key::Char('j'), Key::Code(KeyCode::Down)], None, "one row down"),
    command(Action::HalfUp, &[Key::Ctrl('u'), Key::Code(KeyCode::PageUp)], None, "half a screen up"),
    command(Action::HalfDown, &[Key::Ctrl('d'), Key::Code(KeyCode::PageDown)], None, "half a screen down"),
    command(Action::Top, &[Key::Char('g'), Key::Code(KeyCode::Home)], None, "first row"),
    command(Action::Bottom, &[Key::Char('G'), Key::Code(KeyCode::End)], None, "last row"),
    command(Action::Back, &[Key::Code(KeyCode::Esc)], None, "close what is open; in the table: forget the filter"),
    command(Action::Help, &[Key::Char('?')], Some("help"), "this help"),
    command(Action::Suspend, &[Key::Ctrl('z')], None, "back to the shell for a while; fg returns"),
    command(Action::Quit, &[Key::Char('q'), Key::Ctrl('c')], Some("quit"), "end"),
];

/// What a key means.
pub fn action(event: KeyEvent) -> Option<Action> {
    let key = key(event);
    COMMANDS.iter().find(|command| command.keys.contains(&key)).map(|command| command.action)
}

fn key(event: KeyEvent) -> Key {
    match event.code {
        KeyCode::Char(character) if event.modifiers.contains(KeyModifiers::CONTROL) => Key::Ctrl(character),
        KeyCode::Char(character) => Key::Char(character),
        code => Key::Code(code),
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Char(character) => write!(out, "{character}"),
            Self::Ctrl(character) => write!(out, "Ctrl-{character}"),
            Self::Code(code) => write!(out, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::COMMANDS;

    #[test]
    fn no_key_means_two_things() {
        let mut keys: Vec<_> = COMMANDS.iter().flat_map(|command| command.keys).map(ToString::to_string).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
