//! The only writer of the state: events in, effects out. No I/O, no clock.

mod browse;
mod choose;
mod point;
mod typing;

use std::net::IpAddr;
use std::time::Duration;

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustc_hash::FxHashSet;

use super::action::{Action, Effect, Event, Whom};
use super::editor::{Editor, MOST_BYTES};
use super::screen;
use super::state::{MOST_SAMPLES, Mode, State};
use crate::fields::value::Value;
use crate::filter::Names;
use crate::model::socket::SocketId;
use crate::model::time::millis;
use crate::track::counts::History;
use crate::track::line::Age;
use crate::track::sheet::Sheet;
use crate::track::sight::Sight;
use crate::track::views::View;

/// Intervals to choose from, in tenths of a second.
const INTERVALS: [u64; 9] = [2, 5, 10, 20, 50, 100, 200, 300, 600];

/// Names that are kept: more than any screen shows.
const MOST_NAMES: usize = 10_000;

/// Takes in what happened.
pub fn update(state: &mut State, event: Event, names: &dyn Names) -> Vec<Effect> {
    let mut effects = match event {
        Event::End => vec![Effect::Quit],
        Event::Signal(signal) => vec![Effect::EndBy(signal)],
        Event::Suspend => vec![Effect::Suspend],
        Event::Continued => vec![Effect::Retake],
        Event::Drawn => {
            if let Mode::Asking(asking) = &mut state.mode {
                asking.is_shown = true;
            }
            return Vec::new();
        }
        Event::Settled => typing::settle(state, names),
        Event::Sight(sight) => see(state, sight),
        Event::Told(what) => {
            state.told = Some(what);
            Vec::new()
        }
        // Whoever has never seen anything is told at once, where errors are told.
        Event::Failed(why) if state.history.is_empty() => vec![Effect::Fail(why)],
        Event::Failed(why) => {
            state.failure = Some(why);
            Vec::new()
        }
        Event::Late(age) => {
            state.late = Some(age);
            Vec::new()
        }
        Event::Detail(id, sheet) => {
            learn(state, id, sheet);
            Vec::new()
        }
        Event::Names(found) => {
            state.looks.names.extend(found);
            Vec::new()
        }
        Event::Input(Input::Resize(columns, rows)) => {
            state.size = screen::drawn((columns, rows));
            Vec::new()
        }
        Event::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => press(state, key, names),
        Event::Input(Input::Paste(text)) => paste(state, &text),
        Event::Input(Input::Mouse(mouse)) => point::mouse(state, mouse, names),
        Event::Input(_) => Vec::new(),
    };
    scroll(state);
    effects.extend(resolve(state));
    effects
}

/// A new look. The selection stays with its connection wherever that stands now.
fn see(state: &mut State, sight: Box<Sight>) -> Vec<Effect> {
    // An answer to a question that is not asked any more, or, while the data is frozen, one that was answered.
    let is_answered = state.sight.as_ref().is_some_and(|known| known.wanted == state.wanted && !known.is_early);
    if sight.wanted != state.wanted || (state.pace.is_paused && is_answered) {
        return Vec::new();
    }
    (state.failure, state.late) = (None, None);
    if state.sight.as_ref().is_some_and(|known| known.wanted.netns != sight.wanted.netns) {
        // What was counted elsewhere is not the past of this.
        state.history = History::default();
    }
    // The whole look follows at once: one of the two is enough.
    if !sight.is_early {
        state.history.push(sight.at, sight.counts);
    }
    if !state.marked.is_empty() {
        // What is marked is always something that is shown.
        let table = &sight.table;
        let shown = (0..table.len()).filter(|&row| table.age(row) != Age::Gone).filter_map(|row| table.id(row));
        state.marked = shown.filter(|id| state.marked.contains(id)).collect();
    }
    state.sight = Some(sight);
    // Whoever stands at the top of what happened wants to see what happens next.
    let follows = state.view() == View::Changes && state.cursor.row == 0;
    let selected = state.cursor.selected.filter(|_| !follows);
    let found = selected.and_then(|id| state.table()?.position(id));
    select(state, found.unwrap_or(state.cursor.row));
    match &state.detail {
        Some(detail) if !detail.is_gone => vec![Effect::Inspect(detail.whom)],
        _ => Vec::new(),
    }
}

/// What was found out about one socket: for the detail, for the form.
fn learn(state: &mut State, id: SocketId, sheet: Option<Box<Sheet>>) {
    if let (Mode::Form(form), Some(sheet)) = (&mut state.mode, &sheet)
        && form.ids.contains(&id)
    {
        form.subject = Some(sheet.subject.clone());
    }
    let Some(detail) = state.detail.as_mut().filter(|detail| detail.whom.id == id) else { return };
    detail.is_gone = sheet.is_none();
    if let Some(sheet) = sheet {
        if detail.samples.len() >= MOST_SAMPLES {
            detail.samples.pop_front();
        }
        detail.samples.push_back(sheet.sample);
        detail.sheet = Some(sheet);
    }
}

/// What is pasted is text where text is typed, and nothing elsewhere: its letters are no orders.
fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(line) = line(&mut state.mode) else {
        state.told = Some("what was pasted is text, and no field is open for it; nothing was done".to_owned());
        return Vec::new();
    };
    // A terminal may send the end of a line as a carriage return; and whoever copies a line may get the one before it.
    let text = text.trim_start_matches(['\r', '\n']);
    let first = text.split(['\r', '\n']).next().unwrap_or_default();
    let is_one = text.trim_end_matches(['\r', '\n']).len() <= first.len();
    // Nobody can type control characters, nor see what they do.
    let typable: String = first.replace('\t', " ").chars().filter(|character| !character.is_control()).collect();
    line.insert(&typable);
    state.told = match (line.is_cut(), is_one) {
        (true, _) => Some(full("the paste was cut")),
        (false, false) => Some("only the first line of what was pasted was taken".to_owned()),
        (false, true) => None,
    };
    typing::edited(state);
    Vec::new()
}

/// The line that the keys go to.
fn line(mode: &mut Mode) -> Option<&mut Editor> {
    match mode {
        Mode::Typing(typing) => Some(&mut typing.line),
        Mode::Saving(saving) => Some(&mut saving.line),
        Mode::Form(form) => Some(form.line()),
        Mode::Browse | Mode::Asking(_) | Mode::Menu(_) | Mode::Help(_) => None,
    }
}

fn full(what: &str) -> String {
    format!("{what}: a field holds {} KiB", MOST_BYTES / 1024)
}

fn press(state: &mut State, key: KeyEvent, names: &dyn Names) -> Vec<Effect> {
    state.told = None;
    let effects = press_in_mode(state, key, names);
    if line(&mut state.mode).is_some_and(|line| line.is_cut()) {
        state.told = Some(full("there is no room for more"));
    }
    effects
}

fn press_in_mode(state: &mut State, key: KeyEvent, names: &dyn Names) -> Vec<Effect> {
    let is_ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    let is_browsing = matches!(state.mode, Mode::Browse | Mode::Help(_));
    // Whatever the keys are, this one leads out.
    let key = if is_ctrl_c && !is_browsing { KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE) } else { key };
    match &mut state.mode {
        Mode::Browse if is_ctrl_c => vec![Effect::Quit],
        Mode::Typing(_) => typing::press(state, key, names),
        Mode::Asking(_) => {
            let Mode::Asking(asking) = std::mem::take(&mut state.mode) else { return Vec::new() };
            let is_yes = key.code == KeyCode::Char('y') && key.modifiers.is_empty() && asking.is_shown;
            if is_yes {
                return vec![asking.effect];
            }
            state.mode = *asking.otherwise;
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

/// Carries out what a key means where nothing is typed or chosen.
fn act(state: &mut State, action: Action, names: &dyn Names) -> Vec<Effect> {
    match action {
        // In the help every key that does not scroll leads back.
        Action::Quit if !matches!(state.mode, Mode::Help(_)) => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Theme => {
            state.looks.theme = state.looks.theme.next();
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

/// The first line to show of a text after this key; `None` for a key that does not scroll.
fn scrolled(top: usize, action: Action, page: usize) -> Option<usize> {
    let half = (page / 2).max(1);
    Some(match action {
        Action::Up => top.saturating_sub(1),
        Action::Down => top.saturating_add(1),
        Action::HalfUp => top.saturating_sub(half),
        Action::HalfDown => top.saturating_add(half),
        Action::Top => 0,
        // The view stops at the last page.
        Action::Bottom => usize::MAX / 2,
        _ => return None,
    })
}

/// The next interval that `is_next` lets through, the nearest.
fn every(state: &mut State, is_next: fn(u64, u64) -> bool, from_above: bool) -> Vec<Effect> {
    let now = millis(state.pace.interval) / 100;
    let mut left = INTERVALS.into_iter().filter(|tenths| is_next(*tenths, now));
    let next = if from_above { left.next_back() } else { left.next() };
    let Some(next) = next else { return Vec::new() };
    state.pace.interval = Duration::from_millis(next * 100);
    vec![Effect::Every(state.pace.interval)]
}

/// Looks at what is wanted now; what was shown of something else goes.
fn look(state: &State) -> Vec<Effect> {
    vec![Effect::Look(Box::new(state.wanted.clone()))]
}

fn select(state: &mut State, row: usize) {
    let row = row.min(state.rows().saturating_sub(1));
    state.cursor.row = row;
    state.cursor.selected = state.table().and_then(|table| table.id(row));
}

/// Keeps the selected row on the screen, and the screen full.
fn scroll(state: &mut State) {
    let page = screen::page(state);
    let rows = state.rows();
    let cursor = &mut state.cursor;
    cursor.top = cursor.top.min(cursor.row).max((cursor.row + 1).saturating_sub(page)).min(rows.saturating_sub(page));
}

/// The socket of a row, and what finds it.
fn whom(state: &State, row: usize) -> Option<Whom> {
    let table = state.table()?;
    let port = |name| match table.cell(row, name) {
        Some(Value::Endpoint { port, .. }) => port,
        _ => 0,
    };
    Some(Whom { id: table.socket(row)?, ports: Some((port("local"), port("peer"))) })
}

/// Addresses on the screen whose names nobody has asked for yet.
fn resolve(state: &mut State) -> Option<Effect> {
    if !state.looks.has_names {
        return None;
    }
    let mut unknown: FxHashSet<IpAddr> = FxHashSet::default();
    if let Some(table) = state.table() {
        for row in state.cursor.top..(state.cursor.top + screen::page(state)).min(table.len()) {
            let addresses = table.cells(row).filter_map(|value| match value {
                Value::Endpoint { addr, .. } | Value::Addr(addr) => Some(addr.to_canonical()),
                _ => None,
            });
            unknown.extend(addresses.filter(|addr| !addr.is_unspecified() && !state.looks.names.contains_key(addr)));
        }
    }
    if state.looks.names.len() > MOST_NAMES {
        state.looks.names.clear();
    }
    // Asked for once: until an answer comes, the address stands there.
    state.looks.names.extend(unknown.iter().map(|addr| (*addr, None)));
    (!unknown.is_empty()).then(|| Effect::Resolve(unknown.into_iter().collect()))
}
