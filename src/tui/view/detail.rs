//! One connection, with all that is known of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::put;
use crate::tui::state::Detail;
use crate::tui::theme::Theme;

pub(super) fn draw(detail: &Detail, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let Some(lines) = &detail.lines else {
        let text = if detail.is_gone { "this connection is gone" } else { "looking…" };
        put(buffer, area, area.x, 0, text, theme.muted());
        return;
    };
    let mut y = 0;
    if detail.is_gone {
        put(buffer, area, area.x, 0, "gone: this is what was last known of it", theme.alarm());
        y = 1;
    }
    let page = usize::from(area.height - y.min(area.height));
    // The last page stays full.
    let top = detail.top.min(lines.len().saturating_sub(page));
    for line in lines.iter().skip(top).take(page) {
        let style = if line.starts_with(' ') { Style::new() } else { theme.title() };
        put(buffer, area, area.x, y, line, style);
        y += 1;
    }
}
