//! The table of commands and their keys: the one source for the keyboard, the help, the footer and the configuration.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::Action;
use crate::track::views::View;

/// Key of the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// A character
    Char(char),
    /// A character with Ctrl
    Ctrl(char),
    /// Any other key
    Code(KeyCode),
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyCommand {
    /// Name in the configuration
    pub name: &'static str,
    /// What it does
    pub action: Action,
    /// Default keys, the one to show first
    pub keys: &'static [Key],
    /// Label in the footer; `None` if it is not worth the room
    pub footer: Option<&'static str>,
    /// Description in the help
    pub help: &'static str,
}

const fn command(
    name: &'static str,
    action: Action,
    keys: &'static [Key],
    footer: Option<&'static str>,
    help: &'static str,
) -> KeyCommand {
    KeyCommand { name, action, keys, footer, help }
}

const UP: Key = Key::Code(KeyCode::Up);
const DOWN: Key = Key::Code(KeyCode::Down);
const TAB: Key = Key::Code(KeyCode::Tab);
const BACK_TAB: Key = Key::Code(KeyCode::BackTab);
const ENTER: Key = Key::Code(KeyCode::Enter);
const ESC: Key = Key::Code(KeyCode::Esc);

/// Every command, in the order of the help.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[KeyCommand] = &[
    command("help", Action::Help, &[Key::Char('?'), Key::Code(KeyCode::F(1))], Some("help"), "this help"),
    command("filter", Action::Filter, &[Key::Char('/')], Some("filter"), "filter connections (tcpulse help filter); Tab completes, Up and Down browse the history"),
    command("open", Action::Open, &[ENTER], Some("open"), "details of the selected connection; the connections of a peer or process; the full text of other rows"),
    command("mark", Action::Mark, &[Key::Char(' ')], Some("mark"), "mark the selected row, or unmark it"),
    command("mark-all", Action::MarkAll, &[Key::Char('*')], None, "mark all rows, or none"),
    command("destroy", Action::Destroy, &[Key::Char('x')], Some("destroy"), "destroy the marked or the selected connection; asks first"),
    command("set", Action::Set, &[Key::Char('K')], Some("keepalive"), "set keepalive of the marked or the selected connection; asks first"),
    command("sort", Action::Sort, &[Key::Char('s')], Some("sort"), "sort by the next column; at first by urgency"),
    command("reverse", Action::Reverse, &[Key::Char('S')], None, "reverse the order"),
    command("columns", Action::Columns, &[Key::Char('c')], Some("columns"), "choose columns"),
    command("namespaces", Action::Namespaces, &[Key::Char('n')], None, "choose a network namespace"),
    command("group", Action::GroupBy, &[Key::Char('t')], None, "group processes by process, program, unit or container"),
    command("bookmarks", Action::Bookmarks, &[Key::Char('b')], None, "choose a filter of the configuration"),
    command("all", Action::All, &[Key::Char('a')], None, "show all: sockets that are no connections, counters that are 0"),
    command("pause", Action::Pause, &[Key::Char('p')], Some("pause"), "freeze the data, not the keys; another view, order or filter takes one snapshot"),
    command("faster", Action::Faster, &[Key::Char('+'), Key::Char('=')], None, "shorter interval between snapshots (least: 0.2 s)"),
    command("slower", Action::Slower, &[Key::Char('-')], None, "longer interval between snapshots (most: 60 s)"),
    command("names", Action::Names, &[Key::Char('r')], None, "show names or addresses"),
    command("wide", Action::Wide, &[Key::Char('w')], None, "show whole or cut addresses"),
    command("copy", Action::Copy, &[Key::Char('y')], None, "copy the row to the terminal's clipboard (OSC 52)"),
    command("save", Action::Save, &[Key::Char('e')], None, "write the table to a file, as JSON or CSV"),
    command("theme", Action::Theme, &[Key::Char('T')], None, "next theme"),
    command("next-view", Action::NextView, &[TAB], Some("view"), "next view"),
    command("previous-view", Action::PreviousView, &[BACK_TAB], None, "previous view"),
    command("connections", Action::Show(View::Connections), &[Key::Char('1')], None, "connections"),
    command("peers", Action::Show(View::Peers), &[Key::Char('2')], None, "peers: where connections go, and how many ports are left"),
    command("processes", Action::Show(View::Processes), &[Key::Char('3')], None, "processes: who owns the connections"),
    command("listeners", Action::Show(View::Listeners), &[Key::Char('4')], None, "listeners, with their accept queues"),
    command("kernel", Action::Show(View::Kernel), &[Key::Char('5')], None, "kernel: sysctls, gauges and counters"),
    command("changes", Action::Show(View::Changes), &[Key::Char('6')], None, "changes: what opened, closed, and changed"),
    command("up", Action::Up, &[Key::Char('k'), UP], None, "one row up"),
    command("down", Action::Down, &[Key::Char('j'), DOWN], None, "one row down"),
    command("half-up", Action::HalfUp, &[Key::Ctrl('u'), Key::Code(KeyCode::PageUp)], None, "half a page up"),
    command("half-down", Action::HalfDown, &[Key::Ctrl('d'), Key::Code(KeyCode::PageDown)], None, "half a page down"),
    command("top", Action::Top, &[Key::Char('g'), Key::Code(KeyCode::Home)], None, "first row"),
    command("bottom", Action::Bottom, &[Key::Char('G'), Key::Code(KeyCode::End)], None, "last row"),
    command("back", Action::Back, &[ESC], None, "close what is open; in the table: clear the marks, then go back to the peer or process, or clear the filter"),
    command("redraw", Action::Redraw, &[Key::Ctrl('l')], None, "draw the screen again"),
    command("suspend", Action::Suspend, &[Key::Ctrl('z')], None, "back to the shell for a while; fg returns"),
    command("quit", Action::Quit, &[Key::Char('q'), Key::Ctrl('c')], Some("quit"), "quit"),
];

/// The command with this name.
pub(crate) fn command_called(name: &str) -> Option<&'static KeyCommand> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// The keys that each action is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Keys(Vec<(Action, Vec<Key>)>);

impl Default for Keys {
    fn default() -> Self {
        Self(COMMANDS.iter().map(|command| (command.action, command.keys.to_vec())).collect())
    }
}

/// Key that is bound to two commands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{key}' is bound to both {} and {}", .commands[0], .commands[1])]
pub(crate) struct TakenKey {
    /// The key
    pub key: String,
    /// The names of both commands
    pub commands: [&'static str; 2],
}

impl Keys {
    /// Binds a command to these keys and no others.
    pub(crate) fn bind(&mut self, command: &KeyCommand, keys: &[Key]) {
        for (action, bound) in &mut self.0 {
            if *action == command.action {
                *bound = keys.to_vec();
            }
        }
    }

    /// Checks that no key is bound twice.
    ///
    /// # Errors
    /// The first key that is.
    pub(crate) fn check(&self) -> Result<(), TakenKey> {
        for (index, (_, keys)) in self.0.iter().enumerate() {
            for (other, (action, others)) in self.0.iter().enumerate() {
                let both = keys.iter().find(|key| other < index && others.contains(key));
                if let Some(key) = both {
                    let name = |action: Action| {
                        COMMANDS.iter().find(|command| command.action == action).map_or("", |command| command.name)
                    };
                    return Err(TakenKey { key: key.to_string(), commands: [*action, self.0[index].0].map(name) });
                }
            }
        }
        Ok(())
    }

    /// The action that a key is bound to.
    pub(crate) fn action(&self, event: KeyEvent) -> Option<Action> {
        let key = key(event);
        self.0.iter().find(|(_, keys)| keys.contains(&key)).map(|(action, _)| *action)
    }

    /// The keys of an action, the one to show first.
    pub(crate) fn of(&self, action: Action) -> &[Key] {
        self.0.iter().find(|(known, _)| *known == action).map_or(&[], |(_, keys)| keys)
    }
}

fn key(event: KeyEvent) -> Key {
    match event.code {
        KeyCode::Char(character) if event.modifiers.contains(KeyModifiers::CONTROL) => Key::Ctrl(character),
        KeyCode::Char(character) => Key::Char(character),
        code => Key::Code(code),
    }
}

/// Names of keys without a character, for the configuration and the screen.
const NAMED: [(&str, Key); 15] = [
    ("Enter", ENTER),
    ("Esc", ESC),
    ("Tab", TAB),
    ("Shift-Tab", BACK_TAB),
    ("Space", Key::Char(' ')),
    ("Up", UP),
    ("Down", DOWN),
    ("Left", Key::Code(KeyCode::Left)),
    ("Right", Key::Code(KeyCode::Right)),
    ("PageUp", Key::Code(KeyCode::PageUp)),
    ("PageDown", Key::Code(KeyCode::PageDown)),
    ("Home", Key::Code(KeyCode::Home)),
    ("End", Key::Code(KeyCode::End)),
    ("Delete", Key::Code(KeyCode::Delete)),
    ("Backspace", Key::Code(KeyCode::Backspace)),
];

impl std::fmt::Display for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((name, _)) = NAMED.iter().find(|(_, key)| key == self) {
            return out.write_str(name);
        }
        match self {
            Self::Char(character) => write!(out, "{character}"),
            Self::Ctrl(character) => write!(out, "Ctrl-{character}"),
            Self::Code(code) => write!(out, "{code}"),
        }
    }
}

impl std::str::FromStr for Key {
    type Err = ();

    /// Parses what [`Key`] prints.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some((_, key)) = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Ok(*key);
        }
        let one = |text: &str| {
            let mut characters = text.chars();
            characters.next().filter(|_| characters.next().is_none())
        };
        if let Some(rest) = text.strip_prefix("Ctrl-").or_else(|| text.strip_prefix("ctrl-")) {
            return one(rest).filter(char::is_ascii_lowercase).map(Self::Ctrl).ok_or(());
        }
        if let Some(number) = text.strip_prefix('F').and_then(|rest| rest.parse().ok()).filter(|number| *number > 0) {
            return Ok(Self::Code(KeyCode::F(number)));
        }
        one(text).map(Self::Char).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, Key, Keys};

    #[test]
    fn no_key_means_two_things() {
        assert_eq!(Keys::default().check(), Ok(()));
        let mut keys = Keys::default();
        keys.bind(&COMMANDS[0], &[Key::Char('x')]);
        assert_eq!(keys.check().unwrap_err().to_string(), "'x' is bound to both help and destroy");
    }

    #[test]
    fn every_key_is_read_as_it_is_written() {
        for key in COMMANDS.iter().flat_map(|command| command.keys) {
            assert_eq!(key.to_string().parse(), Ok(*key), "{key}");
        }
        for wrong in ["", "xy", "Ctrl-", "Ctrl-xy", "F0", "Hyper-x"] {
            assert_eq!(wrong.parse::<Key>(), Err(()), "{wrong}");
        }
    }
}
