//! The help: every key, every glyph, and what could not be seen.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use crate::fields::tone::Tone;
use crate::model::liveness::Verdict;
use crate::text::printable;
use crate::tui::keymap::COMMANDS;
use crate::tui::state::State;

/// Cells before the descriptions.
const INDENT: u16 = 22;

pub(super) fn draw(state: &State, top: usize, canvas: &mut Canvas<'_>) {
    let area = canvas.area;
    let lines = lines(state);
    // Do not scroll past the last full page.
    let top = top.min(lines.len().saturating_sub(usize::from(area.height)));
    for (y, (name, style, help)) in (0..area.height).zip(lines.iter().skip(top)) {
        let name_area = Rect { width: area.width.min(INDENT - 1), ..area };
        canvas.on(name_area).put(area.x + 1, y, name, *style);
        canvas.put(area.x + INDENT, y, help, Style::new());
    }
}

fn lines(state: &State) -> Vec<(String, Style, String)> {
    let theme = state.display.theme;
    let title = |text: &str| (text.to_owned(), theme.title, String::new());
    let blank = || (String::new(), theme.title, String::new());
    let mut lines = Vec::new();
    if let Some(frame) = state.frame.as_ref().filter(|frame| !frame.gaps.is_empty()) {
        lines.push(title("Not seen"));
        lines.extend(
            frame
                .gaps
                .iter()
                .map(|gap| (format!(" {}", gap.counted()), theme.warning, printable(&gap.explained()).into_owned())),
        );
        lines.push(blank());
    }
    lines.push(title("Keys"));
    lines.extend(COMMANDS.iter().map(|command| {
        let keys: Vec<_> = state.setup.keys.of(command.action).iter().map(ToString::to_string).collect();
        (format!(" {}", keys.join(" ")), theme.accent, command.help.to_owned())
    }));
    lines.push((" mouse".to_owned(), theme.accent, "tabs, titles of columns, rows (again: open), wheel".to_owned()));
    lines.extend([blank(), title("Signs")]);
    lines.extend(Verdict::ALL.iter().map(|verdict| {
        (
            format!(" {} {}", verdict.glyph(), verdict.name()),
            theme.tone(Tone::of_verdict(*verdict)),
            verdict.meaning().to_owned(),
        )
    }));
    lines.push((" + - *".to_owned(), theme.accent, "new since a moment, gone since a moment, marked".to_owned()));
    lines
}
