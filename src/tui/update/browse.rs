//! Keys in the table and in the detail.

use super::super::action::{Action, Effect};
use super::super::editor::Editor;
use super::super::form::Form;
use super::super::screen;
use super::super::state::{Confirmation, Detail, Mode, Saving, State, Typing};
use super::choose;
use super::cursor::{scrolled, select, socket_ref};
use super::show::{look, show, show_filtered};
use crate::fields::column::Heading;
use crate::fields::id::ColumnId;
use crate::fields::value::Value;
use crate::filter::{Filter, Names};
use crate::model::socket::SocketId;
use crate::text::shares;
use crate::track::line::Age;
use crate::track::table::Order;
use crate::track::views::View;

pub(super) fn act(state: &mut State, action: Action, names: &dyn Names) -> Vec<Effect> {
    if let Some(row) = scrolled(state.cursor.row, action, screen::page(state)) {
        select(state, row);
        return Vec::new();
    }
    match action {
        Action::Help => state.mode = Mode::Help(0),
        Action::Wide => state.display.is_wide = !state.display.is_wide,
        Action::Names => {
            state.display.has_names = !state.display.has_names;
            // Look up again the names that were not found in time.
            state.display.names.retain(|_, name| name.is_some());
        }
        Action::Mark => mark(state),
        Action::MarkAll => mark_all(state),
        Action::Columns => choose::columns(state),
        Action::Namespaces => choose::namespaces(state),
        Action::Bookmarks => choose::bookmarks(state),
        Action::Filter => {
            let before = (state.query.typed.clone(), state.query.filter.clone());
            state.mode = Mode::Typing(Box::new(Typing::over(before)));
        }
        Action::Save => {
            let name = format!("tcpulse-{}.json", state.view().spec().name);
            state.mode = Mode::Saving(Saving { line: Editor::new(name), wrong: None });
        }
        Action::Open => return open(state, names),
        Action::Destroy => return destroy(state),
        Action::Set => return set(state),
        Action::Copy => return copy(state),
        Action::Back => return back(state),
        Action::Show(view) => return show(state, view),
        Action::NextView => return show(state, state.view().next()),
        Action::PreviousView => return show(state, state.view().previous()),
        Action::All => {
            state.query.all = !state.query.all;
            return look(state);
        }
        Action::GroupBy if state.view() == View::Processes => {
            state.query.by = state.query.by.next();
            return look(state);
        }
        Action::Sort => {
            state.query.order = next_order(state);
            return look(state);
        }
        Action::Reverse => {
            if let Order::By { descending, .. } = &mut state.query.order {
                *descending = !*descending;
                return look(state);
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Opens the detail of a connection, or lists the connections of a peer or process.
pub(super) fn open(state: &mut State, names: &dyn Names) -> Vec<Effect> {
    if let Some(socket) = socket_ref(state, state.cursor.row) {
        state.detail =
            Some(Detail { socket, sheet: None, is_gone: false, top: 0, samples: std::collections::VecDeque::new() });
        return vec![Effect::Inspect(socket)];
    }
    if matches!(state.view(), View::Kernel | View::Changes) {
        state.messages.outcome = in_words(state);
        return Vec::new();
    }
    let filter = state.table().and_then(|table| table.cell(state.cursor.row, ColumnId::Filter));
    let Some(typed) = filter.map(|value| value.plain().into_owned()).filter(|typed| !typed.is_empty()) else {
        return Vec::new();
    };
    // Keep the current filter, so that only connections listed in this row remain.
    let before = &state.query.typed;
    let typed = if before.is_empty() { typed } else { format!("({before}) and {typed}") };
    let Ok(filter) = Filter::parse(&typed, names) else { return Vec::new() };
    let came_from = (state.view(), state.query.typed.clone(), state.query.filter.clone());
    let effects = show_filtered(state, View::Connections, typed, filter);
    state.earlier.group = Some(came_from);
    effects
}

/// The cells of a row that a narrow screen cuts off, as one line.
fn in_words(state: &State) -> Option<String> {
    let (table, row) = (state.table()?, state.cursor.row);
    let wanted: &[ColumnId] = match state.view() {
        View::Kernel => &[ColumnId::Name, ColumnId::Default, ColumnId::Meaning],
        _ => &[ColumnId::Event, ColumnId::Lifetime, ColumnId::Why, ColumnId::Process],
    };
    let cells = table.columns().iter().zip(table.cells(row));
    let cells = cells.filter(|(column, value)| wanted.contains(&column.id) && *value != Value::Absent);
    let word = |(column, value): (&Heading, Value<'_>)| match column.id {
        // A number needs its column's name.
        id @ (ColumnId::Lifetime | ColumnId::Default) => format!("{} {}", id.name(), value.for_people(column.unit)),
        _ => value.for_people(column.unit).into_owned(),
    };
    let words: Vec<_> = cells.map(word).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Clears the marks; else returns to the peer or process whose connections are listed; else clears the filter.
fn back(state: &mut State) -> Vec<Effect> {
    if !state.marked.is_empty() {
        state.marked.clear();
    } else if let Some((view, typed, filter)) = state.earlier.group.take() {
        return show_filtered(state, view, typed, filter);
    } else if !state.query.typed.is_empty() {
        state.query.typed.clear();
        state.query.filter = Filter::default();
        return look(state);
    }
    Vec::new()
}

/// The next order: by urgency, then by each column in turn.
fn next_order(state: &State) -> Order {
    let columns = &state.query.columns;
    let next = match &state.query.order {
        Order::Alarm => 0,
        Order::By { column, .. } => columns.iter().position(|known| known.id == *column).map_or(0, |index| index + 1),
    };
    columns.get(next).map_or(Order::Alarm, |column| Order::By { column: column.id, descending: false })
}

fn mark(state: &mut State) {
    let row = state.cursor.row;
    let Some(id) = state.table().filter(|table| table.socket(row).is_some()).and_then(|table| table.id(row)) else {
        return;
    };
    if !state.marked.remove(&id) {
        state.marked.insert(id);
    }
    select(state, row + 1);
}

fn mark_all(state: &mut State) {
    let Some(table) = state.table() else { return };
    let all = (0..table.len()).filter(|&row| table.socket(row).is_some() && table.age(row) != Age::Gone);
    let all: rustc_hash::FxHashSet<_> = all.filter_map(|row| table.id(row)).collect();
    state.marked = if state.marked == all { rustc_hash::FxHashSet::default() } else { all };
}

/// Rows to act upon: the marked ones, else the selected one.
fn meant(state: &State) -> Vec<usize> {
    let Some(table) = state.table() else { return Vec::new() };
    if state.marked.is_empty() {
        return Some(state.cursor.row).filter(|&row| table.socket(row).is_some()).into_iter().collect();
    }
    let is_meant = |row: &usize| table.id(*row).is_some_and(|id| state.marked.contains(&id));
    (0..table.len()).filter(is_meant).filter(|&row| table.socket(row).is_some()).collect()
}

/// Sockets to act upon, with their number and owners: the open connection, else the rows' sockets.
fn targets(state: &State) -> Option<(Vec<SocketId>, String)> {
    if let Some(detail) = &state.detail {
        let sheet = detail.sheet.as_ref().filter(|_| !detail.is_gone)?;
        return Some((vec![detail.socket.id], sheet.heading.clone()));
    }
    let rows = meant(state);
    let ids = ids(state, &rows);
    (!ids.is_empty()).then(|| (ids, whose(state, &rows)))
}

/// Description of the rows for a question: one by its addresses and owner, several by number and owners.
fn whose(state: &State, rows: &[usize]) -> String {
    const MOST_NAMES: usize = 3;
    let Some(table) = state.table() else { return String::new() };
    let cell = |row, id| table.cell(row, id).filter(|value| *value != Value::Absent);
    let text = |row, id| cell(row, id).map(|value| value.plain().into_owned());
    if let [row] = rows {
        let telling = [ColumnId::State, ColumnId::Local, ColumnId::Peer, ColumnId::Process];
        let telling = telling.into_iter().filter_map(|id| text(*row, id));
        return telling.collect::<Vec<_>>().join(" ");
    }
    if state.frame.as_ref().is_some_and(|frame| frame.is_early) {
        return View::Connections.count(rows.len());
    }
    let holders: Vec<_> =
        rows.iter().map(|row| text(*row, ColumnId::Process).unwrap_or_else(|| "no process".to_owned())).collect();
    let shares = shares(holders.iter().map(String::as_str), MOST_NAMES);
    format!("{} ({shares})", View::Connections.count(rows.len()))
}

fn ids(state: &State, rows: &[usize]) -> Vec<SocketId> {
    state.table().map_or_else(Vec::new, |table| rows.iter().filter_map(|row| table.socket(*row)).collect())
}

fn destroy(state: &mut State) -> Vec<Effect> {
    let Some((ids, whose)) = targets(state) else { return nothing(state) };
    let question = format!("Destroy {whose}? [y/N]");
    state.mode = Mode::Confirming(Confirmation {
        question,
        effect: Effect::Destroy(ids),
        is_shown: false,
        otherwise: Box::default(),
    });
    Vec::new()
}

fn set(state: &mut State) -> Vec<Effect> {
    let Some((ids, whose)) = targets(state) else { return nothing(state) };
    // For several sockets the form shows the values of one: the selected one if it is among them, else the first.
    let selected = state.cursor.row;
    let rows = meant(state);
    let row = if rows.contains(&selected) { selected } else { rows.first().copied().unwrap_or(selected) };
    let open = state.detail.as_ref().map(|detail| detail.socket);
    let Some(shown) = open.or_else(|| socket_ref(state, row)) else { return Vec::new() };
    let mut form = Form::new(ids, whose);
    if form.ids.len() > 1 {
        let end = |id| state.table()?.cell(row, id).map(|value| value.plain().into_owned());
        form.shown = Some(format!(
            "{} -> {}",
            end(ColumnId::Local).unwrap_or_default(),
            end(ColumnId::Peer).unwrap_or_default()
        ));
    }
    let open = state.detail.as_ref().and_then(|detail| detail.sheet.as_ref()).filter(|sheet| sheet.id == shown.id);
    form.subject = open.map(|sheet| sheet.subject.clone());
    state.mode = Mode::Form(Box::new(form));
    vec![Effect::Inspect(shown)]
}

/// Shows why the action does nothing.
fn nothing(state: &mut State) -> Vec<Effect> {
    let what = match state.view() {
        _ if state.detail.is_some() => "this connection is gone",
        View::Connections | View::Listeners if state.rows() == 0 => "no row is selected",
        View::Connections | View::Listeners => {
            "this socket is gone, or came from /proc/net/tcp, which has no cookie to identify it by"
        }
        View::Peers | View::Processes => "press Enter to list the connections of this row, and change them there",
        View::Kernel | View::Changes => "rows of this view cannot be changed",
    };
    state.messages.outcome = Some(what.to_owned());
    Vec::new()
}

fn copy(state: &mut State) -> Vec<Effect> {
    let Some(table) = state.table().filter(|table| !table.is_empty()) else { return Vec::new() };
    let columns = table.columns().iter().zip(table.cells(state.cursor.row));
    let cells: Vec<_> = columns.map(|(column, value)| value.for_people(column.unit).into_owned()).collect();
    state.messages.outcome = Some("row copied to the terminal's clipboard (OSC 52)".to_owned());
    vec![Effect::Copy(cells.join("\t"))]
}
