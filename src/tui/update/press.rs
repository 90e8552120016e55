//! Passes keys and pastes to what has the focus: filter box, question, form, list or table.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::cursor::scrolled;
use super::{browse, choose, typing};
use crate::filter::Names;
use crate::model::time::Millis;
use crate::tui::action::{Action, Effect};
use crate::tui::editor::{Editor, MOST_BYTES};
use crate::tui::screen;
use crate::tui::state::{Mode, State};

/// Intervals to choose from, in units of 0.1 s.
const INTERVALS: [u64; 9] = [2, 5, 10, 20, 50, 100, 200, 300, 600];

/// Inserts a paste into the text field with the focus. Without one it is dropped: its letters must not act as keys.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(line) = line(&mut state.mode) else {
        state.messages.outcome = Some("paste ignored: no text field is open".to_owned());
        return Vec::new();
    };
    // A terminal may send the end of a line as CR, and a copied line may begin with the end of the one before it.
    let text = text.trim_start_matches(['\r', '\n']);
    let first = text.split(['\r', '\n']).next().unwrap_or_default();
    let is_one = text.trim_end_matches(['\r', '\n']).len() <= first.len();
    // Control characters cannot be typed and would be invisible.
    let typable: String = first.replace('\t', " ").chars().filter(|character| !character.is_control()).collect();
    line.insert(&typable);
    state.messages.outcome = match (line.is_cut(), is_one) {
        (true, _) => Some(full("the paste was cut")),
        (false, false) => Some("only the first line of what was pasted was taken".to_owned()),
        (false, true) => None,
    };
    typing::edited(state);
    Vec::new()
}

/// The text field with the focus, if any.
fn line(mode: &mut Mode) -> Option<&mut Editor> {
    match mode {
        Mode::Typing(typing) => Some(&mut typing.line),
        Mode::Saving(saving) => Some(&mut saving.line),
        Mode::Form(form) => Some(form.line()),
        Mode::Browse | Mode::Confirming(_) | Mode::Menu(_) | Mode::Help(_) => None,
    }
}

fn full(what: &str) -> String {
    format!("{what}: a field holds {} KiB", MOST_BYTES / 1024)
}

pub(super) fn press(state: &mut State, key: KeyEvent, names: &dyn Names) -> Vec<Effect> {
    state.messages.outcome = None;
    let effects = press_in_mode(state, key, names);
    if line(&mut state.mode).is_some_and(|line| line.is_cut()) {
        state.messages.outcome = Some(full("there is no room for more"));
    }
    effects
}

fn press_in_mode(state: &mut State, key: KeyEvent, names: &dyn Names) -> Vec<Effect> {
    let is_ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    let is_browsing = matches!(state.mode, Mode::Browse | Mode::Help(_));
    // Outside table, detail and help, Ctrl-C acts as Esc whatever the bindings are: there is always a way out.
    let key = if is_ctrl_c && !is_browsing { KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE) } else { key };
    match &mut state.mode {
        Mode::Browse if is_ctrl_c => vec![Effect::Quit],
        Mode::Typing(_) => typing::press(state, key, names),
        Mode::Confirming(_) => {
            let Mode::Confirming(confirmation) = std::mem::take(&mut state.mode) else { return Vec::new() };
            let is_yes = key.code == KeyCode::Char('y') && key.modifiers.is_empty() && confirmation.is_shown;
            if is_yes {
                return vec![confirmation.effect];
            }
            state.mode = *confirmation.otherwise;
            Vec::new()
        }
        Mode::Form(_) => choose::form(state, key),
        Mode::Saving(_) => choose::saving(state, key),
        Mode::Menu(_) => match choose::menu_key(key).or_else(|| state.setup.keys.action(key)) {
            Some(action) => choose::menu(state, action, names),
            None => Vec::new(),
        },
        Mode::Help(_) | Mode::Browse => match state.setup.keys.action(key) {
            Some(action) => act(state, action, names),
            None => Vec::new(),
        },
    }
}

/// Carries out an action where no text is typed and nothing is chosen.
fn act(state: &mut State, action: Action, names: &dyn Names) -> Vec<Effect> {
    match action {
        // In the help every key that does not scroll closes it.
        Action::Quit if !matches!(state.mode, Mode::Help(_)) => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Theme => {
            state.display.theme = state.display.theme.next();
            return Vec::new();
        }
        Action::Pause => {
            state.pace.is_paused = !state.pace.is_paused;
            return vec![Effect::Pause(state.pace.is_paused)];
        }
        Action::Faster => return every(state, |tenths, now| tenths < now, true),
        Action::Slower => return every(state, |tenths, now| tenths > now, false),
        _ => {}
    }
    let page = screen::areas(state).body.height.into();
    if let Mode::Help(top) = &mut state.mode {
        match scrolled(*top, action, page) {
            Some(next) => *top = next,
            None => state.mode = Mode::Browse,
        }
        return Vec::new();
    }
    if let Some(detail) = &mut state.detail {
        if let Some(next) = scrolled(detail.top, action, page) {
            detail.top = next;
            return Vec::new();
        }
        match action {
            Action::Back | Action::Open => {
                state.detail = None;
                return Vec::new();
            }
            Action::Help | Action::Destroy | Action::Set | Action::Names | Action::Copy => {}
            Action::Show(_) | Action::NextView | Action::PreviousView => state.detail = None,
            _ => return Vec::new(),
        }
    }
    browse::act(state, action, names)
}

/// Switches to the next interval that `is_next` accepts: the greatest of those if `from_above`, else the least.
fn every(state: &mut State, is_next: fn(u64, u64) -> bool, from_above: bool) -> Vec<Effect> {
    let now = Millis::from(state.pace.interval).get() / 100;
    let mut left = INTERVALS.into_iter().filter(|tenths| is_next(*tenths, now));
    let next = if from_above { left.next_back() } else { left.next() };
    let Some(next) = next else { return Vec::new() };
    state.pace.interval = Duration::from_millis(next * 100);
    vec![Effect::Every(state.pace.interval)]
}
