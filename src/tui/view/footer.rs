//! The keys of the moment, and what is not seen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::put;
use crate::text::printable;
use crate::tui::keymap::COMMANDS;
use crate::tui::state::{Mode, State};
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if let Mode::Asking(asking) = &state.mode {
        put(buffer, area, area.x, 0, &printable(&asking.question), theme.alarm());
        return;
    }
    let mut x = area.x;
    let mut key = |x: u16, key: &str, word: &str| {
        let x = put(buffer, area, x, 0, key, theme.title());
        put(buffer, area, x, 0, &format!(" {word}  "), Style::new())
    };
    x = match &state.mode {
        Mode::Typing(_) => ["Enter keep", "Esc undo", "Ctrl-u clear"]
            .iter()
            .filter_map(|text| text.split_once(' '))
            .fold(x, |x, (name, word)| key(x, name, word)),
        Mode::Asking(_) => x,
        Mode::Help => key(x, "any key", "back"),
        Mode::Detail(_) => {
            let x = key(x, "Esc", "back");
            key(x, "j k", "scroll")
        }
        Mode::Table => {
            let told = COMMANDS.iter().filter_map(|command| Some((command.keys.first()?, command.footer?)));
            told.fold(x, |x, (name, word)| key(x, &name.to_string(), word))
        }
    };
    let Some(sight) = &state.sight else { return };
    let unseen: Vec<_> = sight.gaps.iter().map(|gap| format!("{} {} ({})", gap.count, gap.what, gap.why)).collect();
    if !unseen.is_empty() {
        put(buffer, area, x, 0, &printable(&format!("not seen: {}", unseen.join(", "))), theme.warning());
    }
}
