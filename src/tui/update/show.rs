//! Changes of the query: another view, another filter.

use crate::filter::Filter;
use crate::track::query::Query;
use crate::track::views::View;
use crate::tui::action::Effect;
use crate::tui::state::{Cursor, State};

/// Requests a snapshot for the current query. The frame of any other query is then dropped.
pub(super) fn look(state: &State) -> Vec<Effect> {
    vec![Effect::Look(Box::new(state.query.clone()))]
}

/// Switches to a view with this filter.
pub(super) fn show_filtered(state: &mut State, view: View, typed: String, filter: Filter) -> Vec<Effect> {
    show(state, view);
    (state.query.typed, state.query.filter) = (typed, filter);
    look(state)
}

/// Switches the view. Each view keeps its columns and order; all views of sockets share one filter.
pub(super) fn show(state: &mut State, view: View) -> Vec<Effect> {
    if view == state.view() {
        return Vec::new();
    }
    let kept = state
        .earlier
        .queries
        .iter()
        .position(|query| query.view == view)
        .map(|index| state.earlier.queries.swap_remove(index));
    let mut query = kept.unwrap_or_else(|| Query::new(view));
    query.netns = state.query.netns;
    let of_sockets = if state.view() == View::Kernel {
        state.earlier.queries.iter().find(|other| other.view != View::Kernel)
    } else {
        Some(&state.query)
    };
    if let (Some(other), true) = (of_sockets, view != View::Kernel) {
        (query.typed, query.filter) = (other.typed.clone(), other.filter.clone());
    }
    state.earlier.group = None;
    let left = std::mem::replace(&mut state.query, query);
    // Give the other views the current filter too, so that the next one starts with it.
    if left.view != View::Kernel {
        for other in state.earlier.queries.iter_mut().filter(|other| other.view != View::Kernel) {
            (other.typed, other.filter) = (left.typed.clone(), left.filter.clone());
        }
    }
    state.earlier.queries.push(left);
    state.frame = None;
    state.cursor = Cursor::default();
    state.marked.clear();
    look(state)
}
