//! The header (host and gauges), the tabs with the age of the data, and the status line.

use std::time::Duration;

use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::canvas::Canvas;
use crate::model::liveness::Verdict;
use crate::text::cut::fitted;
use crate::text::{duration, printable};
use crate::track::counts::{Counts, sparkline};
use crate::track::table::{Order, Table};
use crate::track::views::View;
use crate::tui::screen;
use crate::tui::state::State;
use crate::tui::theme::Theme;

/// One count in the header.
struct Gauge {
    sign: &'static str,
    /// Label, and its short form for narrow screens
    words: [&'static str; 2],
    of: fn(&Counts) -> u64,
    style: fn(&Theme) -> Style,
}

/// The gauges by importance; the last are dropped first if the screen is narrow.
fn gauges() -> [Gauge; 6] {
    let gauge = |sign, words, of, style| Gauge { sign, words, of, style };
    [
        gauge(Verdict::Probing.glyph(), ["silent"; 2], |counts| counts.silent, |theme| theme.shout),
        gauge(Verdict::Unguarded.glyph(), ["unguarded"; 2], |counts| counts.unguarded, |theme| theme.warning),
        gauge(Verdict::PeerClosed.glyph(), ["close-wait"; 2], |counts| counts.close_wait, |theme| theme.warning),
        gauge("", ["connections", "total"], |counts| counts.connections, |theme| theme.title),
        gauge("", ["established", "estab"], |counts| counts.established, |_| Style::new()),
        gauge("", ["time-wait"; 2], |counts| counts.time_wait, |_| Style::new()),
    ]
}

/// Cells of a sparkline: below the least it is not readable.
const SPARK_CELLS: std::ops::RangeInclusive<usize> = 9..=25;

pub(super) fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let (theme, area) = (canvas.theme, canvas.area);
    let Some(frame) = &state.frame else {
        canvas.put(area.x + 1, 0, "taking the first snapshot…", theme.title);
        return;
    };
    let mut x = canvas.put(area.x, 0, &format!(" {} ", printable(&frame.hostname)), theme.title);
    let gauges = gauges();
    let texts = |is_short: bool| {
        gauges.each_ref().map(|gauge| {
            let count = (gauge.of)(&frame.counts);
            let sign = if gauge.sign.is_empty() { String::new() } else { format!("{} ", gauge.sign) };
            match gauge.words {
                [_, short] if is_short => format!(" {sign}{count} {short}"),
                ["connections", _] if count == 1 => format!(" {sign}{count} connection "),
                [long, _] => format!(" {sign}{count} {long} "),
            }
        })
    };
    let width = |texts: &[String; 6]| texts.iter().map(|text| text.width() + 1).sum::<usize>();
    let room = usize::from(area.right().saturating_sub(x));
    let long = texts(false);
    let texts = if width(&long) > room { texts(true) } else { long };
    let taken = width(&texts);
    let spare = room.saturating_sub(taken);
    // Give the first gauges a readable sparkline each, rather than a short one to all.
    let lines = (spare / SPARK_CELLS.start()).min(gauges.len());
    let cells = spare.checked_div(lines).unwrap_or(0).min(*SPARK_CELLS.end());
    for (index, (gauge, text)) in gauges.iter().zip(&texts).enumerate() {
        // Drop a gauge that does not fit rather than cut it.
        if text.width() > usize::from(area.right().saturating_sub(x)) {
            break;
        }
        let is_calm = (gauge.of)(&frame.counts) == 0;
        let style = if is_calm { theme.muted } else { (gauge.style)(&theme) };
        x = canvas.put(x, 0, text, style);
        if index < lines {
            let line = sparkline(&state.history.of(gauge.of, cells - 1), !gauge.sign.is_empty());
            let end = canvas.put(x, 0, &line, theme.muted);
            x = end.max(x.saturating_add(u16::try_from(cells - 1).unwrap_or(0)));
        }
        x = x.saturating_add(1);
    }
}

/// Draws the tabs and how fresh the data is.
pub(super) fn tabs(state: &State, canvas: &mut Canvas<'_>) {
    let (theme, area) = (canvas.theme, canvas.area);
    let mut end = area.x;
    for (view, start, label) in screen::tabs(state) {
        let style = if view == state.view() { theme.accent } else { theme.muted };
        end = canvas.put(area.x + start, 0, &label, style);
    }
    let (text, style) = freshness(state);
    let start = area.right().saturating_sub(u16::try_from(text.width()).unwrap_or(u16::MAX));
    if start > end {
        canvas.put(start, 0, &text, style);
    }
}

fn freshness(state: &State) -> (String, Style) {
    let theme = state.display.theme;
    let pace = state.pace;
    if pace.is_paused {
        return (" PAUSED ".to_owned(), theme.shout);
    }
    if let Some(age) = state.messages.late {
        return (format!(" data from {} ago ", duration_of(age)), theme.warning);
    }
    let every = duration_of(pace.interval);
    if state.frame.as_ref().is_some_and(|frame| frame.is_early) {
        return (" processes and options follow ".to_owned(), theme.warning);
    }
    match state.frame.as_ref().map(|frame| (frame.elapsed, frame.rest)) {
        Some((took, rest)) if rest > pace.interval => (
            format!("every {every}, slowed to {}: a snapshot takes {} ", duration_of(rest), duration_of(took)),
            theme.warning,
        ),
        Some((took, _)) => (format!("every {every}, a snapshot takes {} ", duration_of(took)), theme.muted),
        None => (format!("every {every} "), theme.muted),
    }
}

/// Draws the status line: an error of the snapshots or the result of an action, else what is listed.
pub(super) fn status(state: &State, canvas: &mut Canvas<'_>) {
    let (theme, area) = (canvas.theme, canvas.area);
    let mut x = area.x + 1;
    let message = match (&state.messages.failure, &state.messages.outcome) {
        (Some(why), _) => Some((format!("snapshot failed: {why}"), theme.alarm)),
        (None, message) => message.clone().map(|message| (message, theme.title)),
    };
    if let Some((message, style)) = message {
        canvas.put(x, 0, &fitted(&printable(&message), usize::from(area.right().saturating_sub(x))), style);
        return;
    }
    // Before the first frame even "0 connections" would be wrong.
    if state.frame.is_none() {
        return;
    }
    let mut say = |text: &str, style| x = canvas.put(x, 0, text, style);
    if !state.marked.is_empty() {
        say(&format!("{} marked", state.marked.len()), theme.accent);
        say("  ", theme.muted);
    }
    say(&state.view().count(state.table().map_or(0, Table::there)), Style::new());
    let order = match &state.query.order {
        Order::Alarm => match state.view() {
            View::Connections | View::Peers | View::Processes | View::Listeners => "  most alarming first".to_owned(),
            View::Changes => "  newest first".to_owned(),
            View::Kernel => String::new(),
        },
        Order::By { column, descending } => {
            format!(
                "  by {}, {}",
                column.name(),
                if *descending { "from large to small" } else { "from small to large" }
            )
        }
    };
    say(&order, theme.muted);
    if state.view() == View::Processes {
        say(&format!("  by {}", state.query.by.name()), theme.muted);
    }
    if let Some(netns) = state.query.netns {
        let name = state.frame.iter().flat_map(|frame| &frame.namespaces).find(|(id, _)| *id == netns);
        say("  namespace ", theme.muted);
        match name {
            Some((_, name)) => say(&printable(name), theme.accent),
            None => say(&format!("{} is gone; n chooses another", netns.0), theme.warning),
        }
    }
    if !state.query.typed.is_empty() {
        say(if state.view() == View::Kernel { "  search " } else { "  filter " }, theme.muted);
        say(&printable(&state.query.typed), theme.accent);
    }
}

fn duration_of(time: Duration) -> String {
    if time.subsec_millis() == 0 && time < Duration::from_secs(60) && !time.is_zero() {
        return format!("{}s", time.as_secs());
    }
    duration(time.into())
}
