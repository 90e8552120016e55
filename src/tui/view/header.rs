//! What is worth a glance from across the room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::put;
use crate::model::liveness::Verdict;
use crate::model::state::TcpState;
use crate::text::{duration, printable};
use crate::tui::state::State;
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let Some(sight) = &state.sight else {
        let waiting = state.failure.as_deref().map_or("looking…".to_owned(), |why| format!("cannot look: {why}"));
        put(buffer, area, area.x, 0, &printable(&waiting), theme.title());
        return;
    };
    let summary = &sight.summary;
    let of = |verdicts: &[Verdict]| -> u64 {
        summary.by_verdict().filter(|(verdict, _)| verdicts.contains(verdict)).map(|(_, count)| count).sum()
    };
    let silent = of(&[Verdict::Probing, Verdict::Retransmitting, Verdict::SilentWindow]);
    let unguarded = of(&[Verdict::Unguarded]);
    let when = |count: u64, style: Style| if count > 0 { style } else { theme.muted() };
    let total = summary.total();
    let close_wait = summary.of(TcpState::CloseWait);
    let mut parts = vec![
        (printable(&sight.hostname).into_owned(), theme.title()),
        (sight.wanted.view.count(total), theme.title()),
        (format!("{silent} silent"), when(silent, theme.alarm())),
        (format!("{unguarded} unguarded"), when(unguarded, theme.warning())),
        (format!("{close_wait} close-wait"), when(close_wait, theme.warning())),
        (format!("{} established", summary.of(TcpState::Established)), Style::new()),
        (format!("{} time-wait", summary.of(TcpState::TimeWait)), Style::new()),
    ];
    if sight.namespaces > 1 {
        parts.push((format!("{} namespaces", sight.namespaces), theme.muted()));
    }
    let mut x = area.x;
    for (text, style) in parts {
        x = put(buffer, area, x, 0, &text, style);
        x = put(buffer, area, x, 0, "  ", Style::new());
    }
    second_line(state, theme, area, buffer, &duration_of(sight.elapsed));
}

/// What is shown of it, and how fresh it is.
fn second_line(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer, took: &str) {
    let mut x = area.x;
    if state.is_paused {
        x = put(buffer, area, x, 1, "PAUSED  ", theme.alarm());
    }
    if let Some(why) = &state.failure {
        x = put(buffer, area, x, 1, &format!("cannot look any more: {}  ", printable(why)), theme.alarm());
    }
    if let Some(told) = &state.told {
        x = put(buffer, area, x, 1, &format!("{}  ", printable(told)), theme.title());
    }
    let filter = if state.typed.is_empty() { "all".to_owned() } else { printable(&state.typed).into_owned() };
    x = put(buffer, area, x, 1, "filter ", theme.muted());
    x = put(buffer, area, x, 1, &filter, Style::new());
    x = put(buffer, area, x, 1, "  every ", theme.muted());
    x = put(buffer, area, x, 1, &duration_of(state.interval), Style::new());
    put(buffer, area, x, 1, &format!("  took {took}"), theme.muted());
}

fn duration_of(time: std::time::Duration) -> String {
    duration(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
