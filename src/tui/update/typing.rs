//! The filter box. The filter applies while it is typed; Enter keeps it, Esc restores the previous one.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::super::action::Effect;
use super::super::editor::Editor;
use super::super::state::{Mode, State, Typing};
use super::show::look;
use crate::filter::{Filter, Names, completions};
use crate::track::views::View;

/// Maximum number of filters in the history.
const MOST_TYPED: usize = 100;

pub(super) fn press(state: &mut State, key: KeyEvent, names: &dyn Names) -> Vec<Effect> {
    let is_search = state.view() == View::Kernel;
    let Mode::Typing(typing) = &mut state.mode else { return Vec::new() };
    match key.code {
        KeyCode::Enter => {
            let effects = understand(state, names);
            if matches!(&state.mode, Mode::Typing(typing) if typing.wrong.is_none()) {
                close(state);
            }
            return effects;
        }
        KeyCode::Esc => {
            let (typed, filter) = std::mem::take(&mut typing.before);
            let effects = want(state, typed, filter);
            close(state);
            return effects;
        }
        KeyCode::Tab if !is_search => complete(typing),
        KeyCode::Up => recall(typing, &state.earlier.filters, true),
        KeyCode::Down => recall(typing, &state.earlier.filters, false),
        _ => {
            typing.offered = None;
            typing.line.press(key);
        }
    }
    typing.is_new = true;
    Vec::new()
}

/// Updates the mode after a paste as after a key: it invalidates completions and errors.
pub(super) fn edited(state: &mut State) {
    match &mut state.mode {
        Mode::Typing(typing) => (typing.offered, typing.is_new) = (None, true),
        Mode::Saving(saving) => saving.wrong = None,
        _ => {}
    }
}

/// Parses the typed filter once per batch of keys, since parsing a long one takes longer than the next key does to
/// arrive.
pub(super) fn settle(state: &mut State, names: &dyn Names) -> Vec<Effect> {
    match &state.mode {
        Mode::Typing(typing) if typing.is_new => understand(state, names),
        _ => Vec::new(),
    }
}

fn understand(state: &mut State, names: &dyn Names) -> Vec<Effect> {
    let is_search = state.view() == View::Kernel;
    let Mode::Typing(typing) = &mut state.mode else { return Vec::new() };
    typing.is_new = false;
    let typed = typing.line.text().to_owned();
    match if is_search { Ok(Filter::default()) } else { Filter::parse(&typed, names) } {
        Ok(filter) => {
            typing.wrong = None;
            want(state, typed, filter)
        }
        Err(wrong) => {
            typing.wrong = Some(wrong);
            Vec::new()
        }
    }
}

/// Sets the filter and requests a snapshot if text or filter is new. An equal filter with another text counts as new,
/// since a frame is matched to its query by the text too.
fn want(state: &mut State, typed: String, filter: Filter) -> Vec<Effect> {
    let is_new = (&filter, &typed) != (&state.query.filter, &state.query.typed);
    (state.query.typed, state.query.filter) = (typed, filter);
    if is_new { look(state) } else { Vec::new() }
}

fn close(state: &mut State) {
    state.mode = Mode::Browse;
    remember(&mut state.earlier.filters, &state.query.typed);
}

fn remember(known: &mut Vec<String>, typed: &str) {
    if typed.is_empty() {
        return;
    }
    known.retain(|before| before != typed);
    known.push(typed.to_owned());
    let surplus = known.len().saturating_sub(MOST_TYPED);
    known.drain(..surplus);
}

/// Replaces the last word with its next completion.
fn complete(typing: &mut Typing) {
    let next = typing.offered.take().map(|(start, words, at)| (start, words, at + 1));
    let (start, words, at) = next.unwrap_or_else(|| {
        let (start, words) = completions(typing.line.before());
        (start, words, 0)
    });
    if words.is_empty() {
        return;
    }
    let at = at % words.len();
    typing.line.replace_before(start, &words[at]);
    typing.offered = Some((start, words, at));
}

fn recall(typing: &mut Typing, known: &[String], back: bool) {
    if typing.back == 0 {
        typing.line.text().clone_into(&mut typing.draft);
    }
    typing.back = if back { (typing.back + 1).min(known.len()) } else { typing.back.saturating_sub(1) };
    let text = if typing.back == 0 { &typing.draft } else { &known[known.len() - typing.back] };
    typing.line = Editor::new(text);
    typing.offered = None;
}
