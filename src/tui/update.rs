//! The only writer of the state: events in, effects out. No I/O, no clock.

use std::time::Duration;

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::action::{Action, Effect, Event};
use super::keymap;
use super::sight::Sight;
use super::state::{Asking, Detail, Mode, Order, State, Typing, View, Wanted};
use crate::filter::{Filter, Names};

/// Intervals to choose from, in tenths of a second.
const INTERVALS: [u64; 9] = [2, 5, 10, 20, 50, 100, 200, 300, 600];

/// Takes in what happened.
pub fn update(state: &mut State, event: Event, names: &dyn Names) -> Vec<Effect> {
    match event {
        Event::End => vec![Effect::Quit],
        Event::Sight(sight) => see(state, sight),
        Event::Told(what) => {
            state.told = Some(what);
            Vec::new()
        }
        Event::Failed(why) => {
            state.failure = Some(why);
            Vec::new()
        }
        Event::Detail(id, lines) => {
            if let Mode::Detail(detail) = &mut state.mode
                && detail.id == id
            {
                detail.is_gone = lines.is_none();
                detail.lines = lines.or(detail.lines.take());
            }
            Vec::new()
        }
        Event::Input(Input::Resize(columns, rows)) => {
            state.size = (columns, rows);
            scroll(state);
            Vec::new()
        }
        Event::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => press(state, key, names),
        Event::Input(_) => Vec::new(),
    }
}

/// A new look. The selection stays with its connection wherever that stands now.
fn see(state: &mut State, mut sight: Box<Sight>) -> Vec<Effect> {
    // An answer to a question that is not asked any more, or, while the data is frozen, one that was answered.
    let is_answered = state.sight.as_ref().is_some_and(|known| known.wanted == state.wanted);
    if sight.wanted != state.wanted || (state.is_paused && is_answered) {
        return Vec::new();
    }
    state.failure = None;
    // Columns grow and never shrink, so that nothing jumps from one look to the next.
    if let Some(before) = state.sight.as_ref().filter(|before| before.wanted.columns == sight.wanted.columns) {
        for (natural, known) in sight.naturals.iter_mut().zip(&before.naturals) {
            *natural = (*natural).max(*known);
        }
    }
    state.sight = Some(sight);
    let found = state.selected.and_then(|id| state.lines().iter().position(|line| line.id == id));
    select(state, found.unwrap_or(state.row));
    match &state.mode {
        Mode::Detail(detail) if !detail.is_gone => vec![Effect::Inspect(detail.id)],
        _ => Vec::new(),
    }
}

fn press(state: &mut State, key: KeyEvent, names: &dyn Names) -> Vec<Effect> {
    if let Mode::Typing(typing) = &mut state.mode {
        let understood = type_key(typing, key, names);
        return apply_typing(state, understood, key.code);
    }
    state.told = None;
    if let Mode::Asking(asking) = &state.mode {
        let id = asking.id;
        state.mode = Mode::Table;
        return if key.code == KeyCode::Char('y') { vec![Effect::Destroy(id)] } else { Vec::new() };
    }
    let Some(action) = keymap::action(key) else { return Vec::new() };
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Pause => {
            state.is_paused = !state.is_paused;
            return vec![Effect::Pause(state.is_paused)];
        }
        Action::Faster => return every(state, |tenths, now| tenths < now, true),
        Action::Slower => return every(state, |tenths, now| tenths > now, false),
        _ => {}
    }
    match &mut state.mode {
        Mode::Help => {
            state.mode = Mode::Table;
            Vec::new()
        }
        Mode::Detail(detail) => {
            match action {
                Action::Up => detail.top = detail.top.saturating_sub(1),
                Action::Down => detail.top += 1,
                Action::HalfUp => detail.top = detail.top.saturating_sub(10),
                Action::HalfDown => detail.top += 10,
                Action::Top => detail.top = 0,
                Action::Back | Action::Open => state.mode = Mode::Table,
                Action::Help => state.mode = Mode::Help,
                _ => {}
            }
            Vec::new()
        }
        Mode::Table => in_table(state, action),
        Mode::Typing(_) | Mode::Asking(_) => Vec::new(),
    }
}

fn in_table(state: &mut State, action: Action) -> Vec<Effect> {
    let half = state.page() / 2;
    let last = state.lines().len().saturating_sub(1);
    match action {
        Action::Up => select(state, state.row.saturating_sub(1)),
        Action::Down => select(state, state.row + 1),
        Action::HalfUp => select(state, state.row.saturating_sub(half)),
        Action::HalfDown => select(state, state.row + half),
        Action::Top => select(state, 0),
        Action::Bottom => select(state, last),
        Action::Help => state.mode = Mode::Help,
        Action::Filter => {
            let before = (state.typed.clone(), state.wanted.filter.clone());
            state.mode = Mode::Typing(Typing { text: state.typed.clone(), wrong: None, before });
        }
        Action::Open => {
            if let Some(id) = state.selected {
                state.mode = Mode::Detail(Detail { id, lines: None, is_gone: false, top: 0 });
                return vec![Effect::Inspect(id)];
            }
        }
        Action::Destroy => ask_to_destroy(state),
        Action::Back if !state.typed.is_empty() => {
            state.typed.clear();
            state.wanted.filter = Filter::default();
            return look(state);
        }
        Action::Show(view) => return show(state, view),
        Action::NextView => return show(state, state.wanted.view.next()),
        Action::Sort => {
            state.wanted.order = next_order(state);
            return look(state);
        }
        Action::Reverse => {
            if let Order::By { descending, .. } = &mut state.wanted.order {
                *descending = !*descending;
                return look(state);
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Names what would be destroyed by the cells that say what it is.
fn ask_to_destroy(state: &mut State) {
    let Some(sight) = &state.sight else { return };
    let Some(line) = sight.lines.get(state.row) else { return };
    let cells = sight.wanted.columns.iter().zip(line.cells());
    let telling: Vec<_> = cells
        .filter(|(column, _)| ["state", "local", "peer", "process"].iter().any(|name| column.is_called(name)))
        .map(|(_, cell)| cell)
        .collect();
    let question = format!("Destroy {}? [y/N]", telling.join(" "));
    state.mode = Mode::Asking(Asking { id: line.id, question });
}

/// Each view keeps its columns and its order; the filter is one for all.
fn show(state: &mut State, view: View) -> Vec<Effect> {
    if view == state.wanted.view {
        return Vec::new();
    }
    let filter = state.wanted.filter.clone();
    let kept = state.others.iter().position(|wanted| wanted.view == view).map(|index| state.others.swap_remove(index));
    let wanted = kept.unwrap_or_else(|| Wanted {
        view,
        filter: Filter::default(),
        columns: view.columns(),
        order: Order::Alarm,
    });
    let left = std::mem::replace(&mut state.wanted, Wanted { filter, ..wanted });
    state.others.push(left);
    (state.sight, state.selected, state.row, state.top) = (None, None, 0, 0);
    look(state)
}

fn look(state: &State) -> Vec<Effect> {
    vec![Effect::Look(Box::new(state.wanted.clone()))]
}

/// What is most alarming first, then each column in turn.
fn next_order(state: &State) -> Order {
    let columns = &state.wanted.columns;
    let next = match &state.wanted.order {
        Order::Alarm => 0,
        Order::By { column, .. } => columns.iter().position(|known| known == column).map_or(0, |index| index + 1),
    };
    columns.get(next).map_or(Order::Alarm, |column| Order::By { column: column.clone(), descending: false })
}

/// The next interval that `is_next` lets through, the nearest.
fn every(state: &mut State, is_next: fn(u64, u64) -> bool, from_above: bool) -> Vec<Effect> {
    let now = u64::try_from(state.interval.as_millis() / 100).unwrap_or(u64::MAX);
    let mut left = INTERVALS.into_iter().filter(|tenths| is_next(*tenths, now));
    let next = if from_above { left.next_back() } else { left.next() };
    let Some(next) = next else { return Vec::new() };
    state.interval = Duration::from_millis(next * 100);
    vec![Effect::Every(state.interval)]
}

/// The filter that is typed, as far as it can be understood.
fn type_key(typing: &mut Typing, key: KeyEvent, names: &dyn Names) -> Option<Filter> {
    match key.code {
        KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => typing.text.clear(),
        KeyCode::Char(character) if !key.modifiers.contains(KeyModifiers::CONTROL) => typing.text.push(character),
        KeyCode::Backspace => drop(typing.text.pop()),
        _ => {}
    }
    match Filter::parse(&typing.text, names) {
        Ok(filter) => {
            typing.wrong = None;
            Some(filter)
        }
        Err(wrong) => {
            typing.wrong = Some(wrong);
            None
        }
    }
}

/// Live as it is typed; Enter keeps it, Esc goes back to what was before.
fn apply_typing(state: &mut State, understood: Option<Filter>, key: KeyCode) -> Vec<Effect> {
    let Mode::Typing(typing) = &mut state.mode else { return Vec::new() };
    let (text, filter) = match (key, understood) {
        (KeyCode::Esc, _) => std::mem::take(&mut typing.before),
        (_, Some(filter)) => (typing.text.clone(), filter),
        (_, None) => return Vec::new(),
    };
    if matches!(key, KeyCode::Esc | KeyCode::Enter) {
        state.mode = Mode::Table;
    }
    state.typed = text;
    let is_new = filter != state.wanted.filter;
    state.wanted.filter = filter;
    if is_new { look(state) } else { Vec::new() }
}

fn select(state: &mut State, row: usize) {
    let last = state.lines().len().saturating_sub(1);
    state.row = row.min(last);
    state.selected = state.lines().get(state.row).map(|line| line.id);
    scroll(state);
}

/// Keeps the selected row on the screen, and the screen full.
fn scroll(state: &mut State) {
    let page = state.page();
    state.top = state.top.min(state.row).max((state.row + 1).saturating_sub(page));
    state.top = state.top.min(state.lines().len().saturating_sub(page));
}
