//! Selection and scrolling; the socket of a row.

use crate::fields::id::ColumnId;
use crate::fields::value::Value;
use crate::tui::action::{Action, SocketRef};
use crate::tui::screen;
use crate::tui::state::State;

/// First visible line of a text after this key; `None` if the key does not scroll.
pub(super) fn scrolled(top: usize, action: Action, page: usize) -> Option<usize> {
    let half = (page / 2).max(1);
    Some(match action {
        Action::Up => top.saturating_sub(1),
        Action::Down => top.saturating_add(1),
        Action::HalfUp => top.saturating_sub(half),
        Action::HalfDown => top.saturating_add(half),
        Action::Top => 0,
        // The view clamps this to the last page.
        Action::Bottom => usize::MAX / 2,
        _ => return None,
    })
}

pub(super) fn select(state: &mut State, row: usize) {
    let row = row.min(state.rows().saturating_sub(1));
    state.cursor.row = row;
    state.cursor.selected = state.table().and_then(|table| table.id(row));
}

/// Scrolls so that the selected row is visible and no page is left partly empty.
pub(super) fn scroll(state: &mut State) {
    let page = screen::page(state);
    let rows = state.rows();
    let cursor = &mut state.cursor;
    cursor.top = cursor.top.min(cursor.row).max((cursor.row + 1).saturating_sub(page)).min(rows.saturating_sub(page));
}

/// The socket of a row, with its ports.
pub(super) fn socket_ref(state: &State, row: usize) -> Option<SocketRef> {
    let table = state.table()?;
    let port = |id| match table.cell(row, id) {
        Some(Value::Endpoint { port, .. }) => port,
        _ => 0,
    };
    Some(SocketRef { id: table.socket(row)?, ports: Some((port(ColumnId::Local), port(ColumnId::Peer))) })
}
