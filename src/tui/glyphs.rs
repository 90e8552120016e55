//! ASCII replacements of the glyphs, for terminals that are not UTF-8.

use ratatui::buffer::Buffer;

use crate::model::liveness::Verdict;

/// ASCII character that replaces a glyph.
fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "…" | "∞" => "~",
        "≤" => "<",
        "≥" | "→" => ">",
        "▲" => "^",
        "▼" => "v",
        "─" | "▄" | "▅" | "—" => "-",
        "│" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┼" => "+",
        "▁" => "_",
        "▂" | "▃" | "·" => ".",
        "▆" | "▇" => "=",
        "█" | "▉" | "▊" | "▋" => "#",
        "▌" | "▍" | "▎" | "▏" => ":",
        "×" => "x",
        _ => "?",
    }
}

/// Letter of a verdict. It must be unique, since the glyph is also drawn where no text names the verdict.
pub(crate) fn letter(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Active => "+",
        Verdict::Guarded => "o",
        Verdict::Unguarded => "!",
        Verdict::Unknown => "?",
        Verdict::Probing => "P",
        Verdict::Retransmitting => "R",
        Verdict::Stalled => "Z",
        Verdict::SilentWindow => "W",
        Verdict::Connecting => ">",
        Verdict::Handshaking => "<",
        Verdict::Unaccepted => "A",
        Verdict::PeerClosed => "C",
        Verdict::HalfClosed => "H",
        Verdict::Closing => "x",
        Verdict::TimeWait | Verdict::Listening | Verdict::Bound => ".",
    }
}

/// Replaces every glyph that is not ASCII.
pub(crate) fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let verdict = Verdict::ALL.iter().find(|verdict| verdict.glyph() == symbol);
        let letter = verdict.map_or_else(|| ascii(symbol), |verdict| letter(*verdict));
        cell.set_symbol(letter);
    }
}
