//! Keys in lists, in the keepalive form and in the prompt for a file name.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::super::action::{Action, Effect, SharedTable};
use super::super::state::{Choice, Confirmation, Menu, MenuItem, Mode, State};
use super::show::look;
use crate::filter::{Filter, Names};
use crate::text::keepalive;

/// Keys with a fixed meaning in lists, whatever the user's bindings are.
pub(super) fn menu_key(key: KeyEvent) -> Option<Action> {
    Some(match key.code {
        KeyCode::Up => Action::Up,
        KeyCode::Down => Action::Down,
        KeyCode::Enter => Action::Open,
        KeyCode::Esc => Action::Back,
        KeyCode::Char(' ') => Action::Mark,
        _ => return None,
    })
}

fn open(state: &mut State, choice: Choice, items: Vec<MenuItem>, at: usize) {
    state.mode = Mode::Menu(Menu { choice, items, at });
}

pub(super) fn columns(state: &mut State) {
    let mut all = state.query.columns.clone();
    all.extend(state.view().headings().iter().filter(|heading| !state.query.columns.contains(heading)));
    let items = all.into_iter().map(|heading| MenuItem {
        is_on: state.query.columns.contains(&heading),
        label: heading.name().to_owned(),
        column: Some(heading.id),
        help: heading.help.to_owned(),
    });
    open(state, Choice::Columns, items.collect(), 0);
}

pub(super) fn namespaces(state: &mut State) {
    let Some(frame) = &state.frame else { return };
    let all = MenuItem {
        label: "all".to_owned(),
        column: None,
        help: "every namespace that may be entered".to_owned(),
        is_on: state.query.netns.is_none(),
    };
    let each = frame.namespaces.iter().map(|(id, name)| MenuItem {
        label: name.clone(),
        column: None,
        help: id.0.to_string(),
        is_on: state.query.netns == Some(*id),
    });
    let items: Vec<_> = std::iter::once(all).chain(each).collect();
    let at = items.iter().position(|item| item.is_on).unwrap_or(0);
    open(state, Choice::Namespace, items, at);
}

pub(super) fn bookmarks(state: &mut State) {
    if state.setup.bookmarks.is_empty() {
        state.messages.outcome = Some("the configuration names no filters; tcpulse config shows how".to_owned());
        return;
    }
    let items = state.setup.bookmarks.iter().map(|(name, filter)| MenuItem {
        label: name.clone(),
        column: None,
        help: filter.clone(),
        is_on: *filter == state.query.typed,
    });
    let items = items.collect();
    open(state, Choice::Bookmark, items, 0);
}

/// Handles a key in a list.
pub(super) fn menu(state: &mut State, action: Action, names: &dyn Names) -> Vec<Effect> {
    let Mode::Menu(menu) = &mut state.mode else { return Vec::new() };
    let last = menu.items.len().saturating_sub(1);
    match action {
        Action::Up => menu.at = menu.at.saturating_sub(1),
        Action::Down => menu.at = (menu.at + 1).min(last),
        Action::HalfUp => menu.at = menu.at.saturating_sub(10),
        Action::HalfDown => menu.at = (menu.at + 10).min(last),
        Action::Top => menu.at = 0,
        Action::Bottom => menu.at = last,
        Action::Mark if menu.choice == Choice::Columns => {
            let item = &mut menu.items[menu.at];
            item.is_on = !item.is_on;
        }
        Action::Open | Action::Mark => return choose(state, names),
        Action::Back | Action::Quit | Action::Columns | Action::Namespaces | Action::Bookmarks => {
            state.mode = Mode::Browse;
        }
        _ => {}
    }
    Vec::new()
}

/// Applies the choice and closes the list.
fn choose(state: &mut State, names: &dyn Names) -> Vec<Effect> {
    let Mode::Menu(Menu { choice, items, at }) = std::mem::take(&mut state.mode) else { return Vec::new() };
    match choice {
        Choice::Columns => {
            let catalogue = state.view().headings();
            let chosen = items.iter().filter(|item| item.is_on);
            let chosen = chosen.filter_map(|item| catalogue.iter().find(|heading| item.column == Some(heading.id)));
            let chosen: Vec<_> = chosen.copied().collect();
            if chosen.is_empty() {
                state.messages.outcome = Some("a table needs a column; nothing was changed".to_owned());
                return Vec::new();
            }
            state.query.columns = chosen;
        }
        Choice::Namespace => {
            let namespaces = state.frame.as_ref().map_or(&[][..], |frame| &frame.namespaces);
            state.query.netns = at.checked_sub(1).and_then(|index| namespaces.get(index)).map(|(id, _)| *id);
        }
        Choice::Bookmark => {
            let typed = items[at].help.clone();
            match Filter::parse(&typed, names) {
                Ok(filter) => (state.query.typed, state.query.filter) = (typed, filter),
                Err(wrong) => {
                    state.messages.outcome =
                        Some(format!("the filter '{}' cannot be understood: {}", items[at].label, wrong.message()));
                    return Vec::new();
                }
            }
        }
    }
    look(state)
}

/// Handles a key in the form.
pub(super) fn form(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Mode::Form(form) = &mut state.mode else { return Vec::new() };
    match key.code {
        KeyCode::Esc => state.mode = Mode::Browse,
        KeyCode::Enter => {
            let Ok(change) = form.change() else { return Vec::new() };
            let question = format!("Set {} of {}? [y/N]", keepalive::change(&change), form.whose);
            let effect = Effect::Set(form.ids.clone(), change);
            let otherwise = Box::new(std::mem::take(&mut state.mode));
            state.mode = Mode::Confirming(Confirmation { question, effect, is_shown: false, otherwise });
        }
        _ => form.press(key),
    }
    Vec::new()
}

/// Handles a key in the prompt for a file name.
pub(super) fn saving(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Mode::Saving(saving) = &mut state.mode else { return Vec::new() };
    match key.code {
        KeyCode::Esc => state.mode = Mode::Browse,
        KeyCode::Enter => {
            let name = saving.line.text().trim().to_owned();
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            if !matches!(ending, "json" | "csv") {
                saving.wrong = Some("the name must end in .json or .csv".to_owned());
                return Vec::new();
            }
            state.mode = Mode::Browse;
            return save(state, name);
        }
        _ => {
            saving.line.press(key);
            saving.wrong = None;
        }
    }
    Vec::new()
}

/// Saves the shown table under this name.
fn save(state: &State, name: String) -> Vec<Effect> {
    state
        .frame
        .as_ref()
        .map(|frame| Effect::Save(name, SharedTable(std::sync::Arc::clone(&frame.table))))
        .into_iter()
        .collect()
}
