//! Applies events to the state: frames, details, names, keys, the mouse.

use std::net::IpAddr;

use ratatui::crossterm::event::{Event as Input, KeyEventKind};
use rustc_hash::FxHashSet;

use super::cursor::{scroll, select};
use super::press::{paste, press};
use super::{point, typing};
use crate::fields::value::Value;
use crate::filter::Names;
use crate::model::socket::SocketId;
use crate::track::counts::History;
use crate::track::frame::Frame;
use crate::track::line::Age;
use crate::track::sheet::Sheet;
use crate::track::views::View;
use crate::tui::action::{Effect, Event};
use crate::tui::screen;
use crate::tui::state::{MOST_SAMPLES, Mode, State};

/// Maximum number of cached host names: more than any screen shows.
const MOST_NAMES: usize = 10_000;

/// Applies an event to the state; returns the effects to carry out.
pub(crate) fn update(state: &mut State, event: Event, names: &dyn Names) -> Vec<Effect> {
    let mut effects = match event {
        Event::End => vec![Effect::Quit],
        Event::Signal(signal) => vec![Effect::EndBy(signal)],
        Event::Suspend => vec![Effect::Suspend],
        Event::Continued => vec![Effect::Retake],
        Event::Drawn => {
            if let Mode::Confirming(confirmation) = &mut state.mode {
                confirmation.is_shown = true;
            }
            return Vec::new();
        }
        Event::Settled => typing::settle(state, names),
        Event::Frame(frame) => see(state, frame),
        Event::Told(what) => {
            state.messages.outcome = Some(what);
            Vec::new()
        }
        // If the first snapshot fails, exit with its error; later failures show in the status line.
        Event::Failed(why) if state.history.is_empty() => vec![Effect::Fail(why)],
        Event::Failed(why) => {
            state.messages.failure = Some(why);
            Vec::new()
        }
        Event::Late(age) => {
            state.messages.late = Some(age);
            Vec::new()
        }
        Event::Detail(id, sheet) => {
            learn(state, id, sheet);
            Vec::new()
        }
        Event::Names(found) => {
            state.display.names.extend(found);
            Vec::new()
        }
        Event::Input(Input::Resize(columns, rows)) => {
            state.display.size = screen::drawn((columns, rows));
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

/// Shows a new frame. The selection follows its connection to its new row.
fn see(state: &mut State, frame: Box<Frame>) -> Vec<Effect> {
    // Drop the answer to an old query, and, while the data is frozen, any frame after the first complete one.
    let is_answered = state.frame.as_ref().is_some_and(|known| known.query == state.query && !known.is_early);
    if frame.query != state.query || (state.pace.is_paused && is_answered) {
        return Vec::new();
    }
    (state.messages.failure, state.messages.late) = (None, None);
    if state.frame.as_ref().is_some_and(|known| known.query.netns != frame.query.netns) {
        // Counts of another namespace do not belong in this history.
        state.history = History::default();
    }
    // An early frame is not counted, since the complete one of the same snapshot follows.
    if !frame.is_early {
        state.history.push(frame.at, frame.counts);
    }
    if !state.marked.is_empty() {
        // Only rows that are shown stay marked.
        let table = &frame.table;
        let shown = (0..table.len()).filter(|&row| table.age(row) != Age::Gone).filter_map(|row| table.id(row));
        state.marked = shown.filter(|id| state.marked.contains(id)).collect();
    }
    state.frame = Some(frame);
    // At the top of the changes, the selection stays at the top, so that new changes are visible.
    let follows = state.view() == View::Changes && state.cursor.row == 0;
    let selected = state.cursor.selected.filter(|_| !follows);
    let found = selected.and_then(|id| state.table()?.position(id));
    select(state, found.unwrap_or(state.cursor.row));
    match &state.detail {
        Some(detail) if !detail.is_gone => vec![Effect::Inspect(detail.socket)],
        _ => Vec::new(),
    }
}

/// Stores the detail of one socket, for the open detail and for the form.
fn learn(state: &mut State, id: SocketId, sheet: Option<Box<Sheet>>) {
    if let (Mode::Form(form), Some(sheet)) = (&mut state.mode, &sheet)
        && form.ids.contains(&id)
    {
        form.subject = Some(sheet.subject.clone());
    }
    let Some(detail) = state.detail.as_mut().filter(|detail| detail.socket.id == id) else { return };
    detail.is_gone = sheet.is_none();
    if let Some(sheet) = sheet {
        if detail.samples.len() >= MOST_SAMPLES {
            detail.samples.pop_front();
        }
        detail.samples.push_back(sheet.sample);
        detail.sheet = Some(sheet);
    }
}

/// Requests the names of visible addresses that were not requested before.
fn resolve(state: &mut State) -> Option<Effect> {
    if !state.display.has_names {
        return None;
    }
    let mut unknown: FxHashSet<IpAddr> = FxHashSet::default();
    if let Some(table) = state.table() {
        for row in state.cursor.top..(state.cursor.top + screen::page(state)).min(table.len()) {
            let addresses = table.cells(row).filter_map(|value| match value {
                Value::Endpoint { addr, .. } | Value::Addr(addr) => Some(addr.to_canonical()),
                _ => None,
            });
            unknown.extend(addresses.filter(|addr| !addr.is_unspecified() && !state.display.names.contains_key(addr)));
        }
    }
    if state.display.names.len() > MOST_NAMES {
        state.display.names.clear();
    }
    // Request each name once; the address is shown until an answer arrives.
    state.display.names.extend(unknown.iter().map(|addr| (*addr, None)));
    (!unknown.is_empty()).then(|| Effect::Resolve(unknown.into_iter().collect()))
}
