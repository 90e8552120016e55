//! The detail of one connection: first the verdict and its reason, then the time until the kernel gives up, then all
//! fields.

use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, wrapped};
use crate::fields::sheet::{SheetLine, SheetSection};
use crate::fields::tone::Tone;
use crate::model::liveness::{Bound, Mechanism, Verdict};
use crate::model::time::Millis;
use crate::text::cut::fitted;
use crate::text::{bounded, duration, micros, printable, rate};
use crate::track::counts::sparkline;
use crate::track::sheet::Sheet;
use crate::track::timeline::{MarkKind, Timeline};
use crate::tui::state::Detail;
use crate::tui::theme::Theme;

/// Line of text pieces, each with its first cell and style.
type DetailLine = Vec<(u16, String, Style)>;

/// Minimum width of a column of sections, in cells.
const SECTION_CELLS: u16 = 58;

pub(super) fn draw(detail: &Detail, canvas: &mut Canvas<'_>) {
    let (theme, mut area) = (canvas.theme, canvas.area);
    let Some(sheet) = &detail.sheet else {
        let text = if detail.is_gone { "this connection is gone" } else { "reading…" };
        canvas.put(area.x + 1, 0, text, theme.muted);
        return;
    };
    if detail.is_gone {
        canvas.put(area.x + 1, 0, "closed; showing its last snapshot", theme.alarm);
        area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    }
    let lines = lines(sheet, detail, theme, area.width);
    let mut canvas = canvas.on(area);
    // Do not scroll past the last full page.
    let top = detail.top.min(lines.len().saturating_sub(area.height.into()));
    for (y, line) in (0..area.height).zip(lines.iter().skip(top)) {
        for (x, text, style) in line {
            canvas.put(area.x.saturating_add(*x), y, text, *style);
        }
    }
}

fn lines(sheet: &Sheet, detail: &Detail, theme: Theme, width: u16) -> Vec<DetailLine> {
    let plain = Style::new();
    let mut lines: Vec<DetailLine> = vec![vec![(1, printable(&sheet.heading).into_owned(), theme.title)]];
    lines.extend(wrapped(&printable(&sheet.sentence), width.saturating_sub(4)).map(|text| vec![(2, text, plain)]));
    lines.push(Vec::new());
    lines.extend(timeline(&sheet.timeline, theme, width));
    lines.push(Vec::new());
    lines.extend(histories(detail, theme, width));
    let mut sections = Vec::new();
    if !sheet.endings.is_empty() {
        let endings =
            sheet.endings.iter().map(|(what, gets)| SheetLine { name: what, value: gets.clone(), tone: Tone::Plain });
        sections.push(("How it ends", endings.collect()));
    }
    sections.extend(sheet.sections.iter().cloned());
    lines.extend(beside(&sections, theme, width));
    lines
}

/// Time line from the last segment of the peer to the kernel giving up, with a label at each moment.
fn timeline(timeline: &Timeline, theme: Theme, width: u16) -> Vec<DetailLine> {
    if timeline.bound == Bound::NotApplicable {
        return Vec::new();
    }
    let cells = i64::from(width.saturating_sub(6).max(10));
    let (Some((first, _)), Some((last, _))) = (timeline.moments.first(), timeline.moments.last()) else {
        return Vec::new();
    };
    // Without a deadline the future is drawn as long as the past.
    let last = if timeline.bound == Bound::Never { (*last).max(-*first).max(1_000) } else { (*last).max(1) };
    let span = last.saturating_sub(*first).max(1);
    let place = |at: i64| u16::try_from(i128::from(at - first) * i128::from(cells - 1) / i128::from(span)).unwrap_or(0);
    let now = place(0);
    let mut line: DetailLine = vec![
        (2, "─".repeat(usize::from(now)), theme.muted),
        (2 + now, "·".repeat(usize::try_from(cells).unwrap_or(0).saturating_sub(now.into())), theme.muted),
    ];
    let mut labels = Vec::new();
    let mut is_first_probe = true;
    for (at, what) in &timeline.moments {
        let (glyph, style, label) = moment(*at, *what, timeline, theme);
        line.push((2 + place(*at), glyph.to_owned(), style));
        let is_told = *what != MarkKind::Probe || std::mem::take(&mut is_first_probe);
        if is_told {
            labels.push((place(*at), label, style));
        }
    }
    if timeline.bound == Bound::Never {
        line.push((2 + u16::try_from(cells).unwrap_or(0) - 1, "∞".to_owned(), theme.warning));
        labels.push((u16::try_from(cells).unwrap_or(0) - 1, "no timer ends it".to_owned(), theme.warning));
    }
    let mut lines = vec![vec![(1, "Until the kernel gives up".to_owned(), theme.title)], line];
    lines.extend(placed(labels, u16::try_from(cells).unwrap_or(0)));
    lines
}

fn moment(at: i64, what: MarkKind, timeline: &Timeline, theme: Theme) -> (&'static str, Style, String) {
    let ago = |word: &str| format!("{word} {} ago", duration(Millis::new(at.unsigned_abs())));
    let ahead = |word: &str| format!("{word} in {}", duration(Millis::new(at.unsigned_abs())));
    match what {
        MarkKind::Heard => (Verdict::Active.glyph(), theme.well, ago("heard")),
        MarkKind::Now => ("│", theme.title, "now".to_owned()),
        MarkKind::Probe => (Verdict::Probing.glyph(), theme.accent, ahead("probe")),
        MarkKind::Timer(kind) => (Verdict::Retransmitting.glyph(), theme.accent, ahead(kind.name().unwrap_or("timer"))),
        MarkKind::End => {
            let when = bounded(u64::try_from(at).ok().map(Millis::new), timeline.bound);
            let by = if timeline.mechanism == Mechanism::None { "" } else { timeline.mechanism.name() };
            ("×", theme.alarm, format!("ends in {when} ({by})"))
        }
    }
}

/// Places labels below their moments, on as many lines as they need without overlap.
fn placed(mut labels: Vec<(u16, String, Style)>, cells: u16) -> Vec<DetailLine> {
    let mut lines: Vec<(DetailLine, u16)> = Vec::new();
    labels.sort_by_key(|(at, ..)| *at);
    for (at, label, style) in labels {
        let width = u16::try_from(label.width()).unwrap_or(u16::MAX);
        let start = at.min(cells.saturating_sub(width));
        let free = lines.iter_mut().find(|(_, end)| start >= *end);
        let cell = (2 + start, label, style);
        match free {
            Some((line, end)) => {
                line.push(cell);
                *end = start.saturating_add(width + 2);
            }
            None => lines.push((vec![cell], start.saturating_add(width + 2))),
        }
    }
    lines.into_iter().map(|(line, _)| line).collect()
}

/// Sparklines of round-trip time and rates since the detail was opened.
fn histories(detail: &Detail, theme: Theme, width: u16) -> Vec<DetailLine> {
    let samples = &detail.samples;
    let rates = |get: fn(&crate::track::sheet::Sample) -> Option<u64>| -> Vec<u64> {
        let pairs = samples.iter().zip(samples.iter().skip(1));
        let rate = pairs.map(|(one, other)| {
            let ms = (other.at - one.at).get().max(1);
            Some(get(other)?.saturating_sub(get(one)?) * 1_000 / ms)
        });
        rate.flatten().collect()
    };
    let rtt: Vec<_> = samples.iter().filter_map(|sample| sample.rtt_us).collect();
    let cells = usize::from(width.saturating_sub(34)).min(60);
    let mut lines = Vec::new();
    for (name, values, (text, from_zero)) in [
        ("rtt", rtt, (micros as fn(u64) -> String, false)),
        ("sent", rates(|sample| sample.sent), (rate, true)),
        ("received", rates(|sample| sample.received), (rate, true)),
    ] {
        let Some(last) = values.last() else { continue };
        let shown = &values[values.len().saturating_sub(cells)..];
        lines.push(vec![
            (2, name.to_owned(), theme.muted),
            (12, text(*last), Style::new()),
            (26, sparkline(shown, from_zero), theme.accent),
        ]);
    }
    if !lines.is_empty() {
        lines.insert(0, vec![(1, "Since this was opened".to_owned(), theme.title)]);
        lines.push(Vec::new());
    }
    lines
}

/// Arranges sections in up to three columns of similar height, in order from top to bottom.
fn beside(sections: &[SheetSection], theme: Theme, width: u16) -> Vec<DetailLine> {
    let columns = usize::from(width / SECTION_CELLS).clamp(1, 3);
    let room = width / u16::try_from(columns).unwrap_or(1);
    let blocks: Vec<_> = sections.iter().map(|section| block(section, theme, room)).collect();
    let height = blocks.iter().map(Vec::len).sum::<usize>().div_ceil(columns);
    let mut lines: Vec<DetailLine> = Vec::new();
    let (mut column, mut y) = (0, 0);
    for block in blocks {
        if y > 0 && y + block.len() / 2 > height && column + 1 < columns {
            (column, y) = (column + 1, 0);
        }
        let indent = u16::try_from(column).unwrap_or(0) * room;
        for line in block {
            if lines.len() <= y {
                lines.push(Vec::new());
            }
            lines[y].extend(line.into_iter().map(|(x, text, style)| (x + indent, text, style)));
            y += 1;
        }
    }
    lines
}

/// Lines of one section. A long value wraps, so that it does not run into the section beside it.
fn block((title, rows): &SheetSection, theme: Theme, room: u16) -> Vec<DetailLine> {
    let names = rows.iter().map(|row| row.name.width()).max().unwrap_or(0);
    let start = u16::try_from(names).unwrap_or(0) + 4;
    let cells = room.saturating_sub(start + 1);
    let mut lines: Vec<DetailLine> = vec![vec![(1, (*title).to_owned(), theme.title)]];
    for SheetLine { name, value, .. } in rows {
        let value = printable(value);
        let pieces = wrapped(&value, cells).enumerate().map(|(number, piece)| {
            let name = (number == 0).then(|| (2, (*name).to_owned(), theme.muted));
            name.into_iter().chain([(start, fitted(&piece, cells.into()).into_owned(), Style::new())]).collect()
        });
        lines.extend(pieces);
    }
    lines.push(Vec::new());
    lines
}
