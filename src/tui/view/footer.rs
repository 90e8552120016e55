//! The footer: the keys of the current mode, and what could not be seen.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::canvas::Canvas;
use crate::text::printable;
use crate::tui::action::Action;
use crate::tui::keymap::COMMANDS;
use crate::tui::state::{Choice, Mode, State};

/// Cells that the keys need.
const ROOM_FOR_KEYS: usize = 112;

pub(super) fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let (theme, area) = (canvas.theme, canvas.area);
    // The keys of a prompt get the whole line: no other place shows them, and the help shows the gaps too.
    let unseen = if matches!(state.mode, Mode::Browse) { unseen(state) } else { String::new() };
    let width = u16::try_from(unseen.width()).unwrap_or(u16::MAX);
    let room = area.width.saturating_sub(width.saturating_add(1));
    let keys = Rect { width: room.max(area.width / 2), ..area };
    let mut x = area.x + 1;
    for (key, word) in keys_of(state) {
        if usize::from(keys.right().saturating_sub(x)) < key.width() + 1 + word.width() {
            break;
        }
        x = canvas.on(keys).put(x, 0, &key, theme.accent);
        x = canvas.on(keys).put(x, 0, &format!(" {word}  "), theme.muted);
    }
    if !unseen.is_empty() {
        let start = area.right().saturating_sub(width).max(x);
        canvas.put(start, 0, &unseen, theme.warning);
    }
}

/// Keys of the current mode, each with its label.
fn keys_of(state: &State) -> Vec<(String, &'static str)> {
    let fixed = |keys: &[(&str, &'static str)]| keys.iter().map(|(key, word)| ((*key).to_owned(), *word)).collect();
    let of = |action| state.setup.keys.of(action).first().map(ToString::to_string).unwrap_or_default();
    match &state.mode {
        Mode::Typing(_) => {
            fixed(&[("Enter", "keep"), ("Esc", "undo"), ("Tab", "complete"), ("Up", "before"), ("Ctrl-u", "clear")])
        }
        Mode::Saving(_) => fixed(&[("Enter", "write"), ("Esc", "back")]),
        Mode::Form(_) => fixed(&[("Enter", "set, after a question"), ("Tab", "next line"), ("Esc", "back")]),
        Mode::Menu(menu) if menu.choice == Choice::Columns => {
            fixed(&[("Space", "show or hide"), ("Enter", "done"), ("Esc", "back")])
        }
        Mode::Menu(_) => fixed(&[("Enter", "choose"), ("Esc", "back")]),
        Mode::Help(_) => fixed(&[("j k", "scroll"), ("any other key", "back")]),
        Mode::Confirming(_) => fixed(&[("y", "yes"), ("any other key", "no")]),
        Mode::Browse if state.detail.is_some() => vec![
            (of(Action::Back), "back"),
            ("j k".to_owned(), "scroll"),
            (of(Action::Destroy), "destroy"),
            (of(Action::Set), "keepalive"),
            (of(Action::Help), "help"),
        ],
        Mode::Browse => COMMANDS
            .iter()
            .filter(|command| state.view().has_sockets() || !command.action.is_on_sockets())
            .filter_map(|command| Some((of(command.action), command.footer?)))
            .filter(|(key, _)| !key.is_empty())
            .collect(),
    }
}

/// Summary of the gaps in the snapshot; the help lists all.
fn unseen(state: &State) -> String {
    let Some(frame) = &state.frame else { return String::new() };
    let mut gaps = frame.gaps.iter();
    let Some(first) = gaps.next() else { return String::new() };
    let more = match gaps.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let said = format!("not seen: {} ({}){more} ", first.counted(), first.why);
    // With the remedy if it fits.
    let said_all = first.remedy.phrase().map(|remedy| format!("{} not seen{more}: {remedy} ", first.counted()));
    let fits = |text: &String| usize::from(state.display.size.0) >= ROOM_FOR_KEYS + text.width();
    printable(&said_all.filter(fits).unwrap_or(said)).into_owned()
}
