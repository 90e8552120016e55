//! The mouse: tabs, column titles, rows, the wheel.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::super::action::Effect;
use super::super::screen::{self, Hit};
use super::super::state::{Mode, State};
use super::browse;
use super::cursor::{scrolled, select};
use super::show::{look, show};
use crate::filter::Names;
use crate::track::table::Order;
use crate::tui::action::Action;

/// Rows per step of the wheel.
const WHEEL_ROWS: usize = 3;

pub(super) fn mouse(state: &mut State, mouse: MouseEvent, names: &dyn Names) -> Vec<Effect> {
    let wheel = match mouse.kind {
        MouseEventKind::ScrollUp => Some(Action::Up),
        MouseEventKind::ScrollDown => Some(Action::Down),
        _ => None,
    };
    if let Some(action) = wheel {
        for _ in 0..WHEEL_ROWS {
            roll(state, action);
        }
        return Vec::new();
    }
    if mouse.kind != MouseEventKind::Down(MouseButton::Left) || !matches!(state.mode, Mode::Browse) {
        return Vec::new();
    }
    match screen::hit(state, mouse.column, mouse.row) {
        Some(Hit::Tab(view)) => {
            state.detail = None;
            show(state, view)
        }
        Some(Hit::Title(column)) if state.detail.is_none() => {
            let is_by_it = matches!(&state.query.order, Order::By { column: by, .. } if *by == column);
            state.query.order = match &state.query.order {
                Order::By { descending: false, .. } if is_by_it => Order::By { column, descending: true },
                // Each click on a title moves on: ascending, descending, by urgency.
                Order::By { descending: true, .. } if is_by_it => Order::Alarm,
                _ => Order::By { column, descending: false },
            };
            look(state)
        }
        Some(Hit::Row(row)) if state.detail.is_none() && row < state.rows() => {
            if row == state.cursor.row {
                return browse::open(state, names);
            }
            select(state, row);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn roll(state: &mut State, action: Action) {
    match (&mut state.mode, &mut state.detail) {
        (Mode::Help(top), _) => *top = scrolled(*top, action, 1).unwrap_or(*top),
        (Mode::Browse, Some(detail)) => detail.top = scrolled(detail.top, action, 1).unwrap_or(detail.top),
        (Mode::Browse, None) => {
            let row = state.cursor.row;
            select(state, if action == Action::Up { row.saturating_sub(1) } else { row + 1 });
        }
        _ => {}
    }
}
