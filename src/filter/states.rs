//! Words for states: their names, and ss's groups of them.

use std::ops::Range;

use super::error::Wrong;
use crate::fields::column::folded;
use crate::model::state::{StateSet, TcpState};
use crate::text::near::did_you_mean;

/// The states that a word stands for: one, or one of ss's groups.
pub(super) fn state_group(name: &str) -> Option<StateSet> {
    let name = folded(name);
    let of = |keep: fn(TcpState) -> bool| Some(StateSet::matching(true, keep));
    match name.as_str() {
        "all" => Some(StateSet::ALL),
        "connected" => of(TcpState::is_connection),
        "synchronized" => of(|state| state.is_connection() && state != TcpState::SynSent),
        "bucket" => Some(StateSet::minisockets()),
        "big" => Some(StateSet::minisockets().complement()),
        "listening" => Some(StateSet::listeners()),
        "closed" | "unconnected" => Some(StateSet::NONE.with(TcpState::Close)),
        "syn-rcv" => Some(StateSet::NONE.with(TcpState::SynRecv)),
        "estab" => Some(StateSet::NONE.with(TcpState::Established)),
        name => {
            let found = TcpState::ALL.into_iter().find(|state| state.name() == Some(name));
            found.map(|state| StateSet::NONE.with(state))
        }
    }
}

/// Words for several states.
const GROUPS: [&str; 5] = ["all", "connected", "synchronized", "bucket", "big"];

/// Whether a lone word is a state. A name is; that of a group could be anything.
pub(crate) fn is_state(word: &str) -> bool {
    state_group(word).is_some() && !GROUPS.iter().any(|group| word.eq_ignore_ascii_case(group))
}

/// Every word for states.
pub(super) fn state_words() -> impl Iterator<Item = &'static str> {
    let names = TcpState::ALL.into_iter().filter_map(TcpState::name);
    names.chain(["listening", "closed", "unconnected"]).chain(GROUPS)
}

pub(super) fn choose_state() -> String {
    format!("choose from: {}", state_words().collect::<Vec<_>>().join(", "))
}

/// The error for a word that is no state.
pub(super) fn unknown_state(name: &str, place: Range<usize>) -> Wrong {
    let near = did_you_mean(name, state_words());
    let help = if near.is_empty() { format!("; {}", choose_state()) } else { near };
    (place, format!("unknown state '{name}'{help}"))
}
