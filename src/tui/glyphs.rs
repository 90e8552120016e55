//! What stands for signs of ours where the terminal shows no more than ASCII.

use ratatui::buffer::Buffer;

use crate::model::liveness::Verdict;

/// A letter that says the same.
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

/// The letter of a verdict: its sign is drawn where nothing else says it in words.
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

/// Puts a letter in the place of every sign that ASCII does not have.
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
