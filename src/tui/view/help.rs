//! Every key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::put;
use crate::model::liveness::Verdict;
use crate::tui::keymap::COMMANDS;
use crate::tui::theme::Theme;

pub(super) fn draw(theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut y = 0;
    for command in COMMANDS {
        let keys: Vec<_> = command.keys.iter().map(ToString::to_string).collect();
        put(buffer, area, area.x, y, &keys.join(" "), theme.title());
        put(buffer, area, area.x + 18, y, command.help, Style::new());
        y += 1;
    }
    y += 1;
    for verdict in Verdict::ALL {
        put(buffer, area, area.x, y, &format!("{} {}", verdict.glyph(), verdict.name()), theme.verdict(*verdict));
        put(buffer, area, area.x + 18, y, verdict.meaning(), Style::new());
        y += 1;
    }
}
