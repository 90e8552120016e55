//! What is asked for of the next snapshot: the view, its filter, columns and order, and what has to be known for them.

use super::group::GroupBy;
use super::table::Order;
use super::views::View;
use crate::fields::column::Heading;
use crate::filter::Filter;
use crate::model::address::NetnsId;
use crate::model::needs::Needs;
use crate::model::state::StateSet;

/// Needs that take seconds on a large host in the first snapshot: all processes are scanned, and then each socket is asked.
pub(crate) const DEAR: Needs =
    Needs::OWNERS.union(Needs::LIMITS).union(Needs::OPTIONS).union(Needs::MORE_OPTIONS).union(Needs::ALL_OPTIONS);

/// A view with its filter, columns and order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// Which kind of rows
    pub view: View,
    /// The filter as it was typed; among the kernel's numbers a text to look for
    pub typed: String,
    /// Which rows
    pub filter: Filter,
    /// Which namespace; all where none is named
    pub netns: Option<NetnsId>,
    /// Which columns
    pub columns: Vec<Heading>,
    /// In which order
    pub order: Order,
    /// What processes are grouped by
    pub by: GroupBy,
    /// Sockets that are no connections too, among the connections; counters that are 0, among the kernel's numbers
    pub all: bool,
}

impl Query {
    /// A view that nobody changed.
    pub(crate) fn new(view: View) -> Self {
        Self {
            view,
            typed: String::new(),
            filter: Filter::default(),
            netns: None,
            columns: view.columns(),
            order: Order::Alarm,
            by: GroupBy::default(),
            all: false,
        }
    }

    /// The states of the sockets that it lists.
    pub(super) fn listed(&self) -> StateSet {
        match self.view {
            View::Listeners => StateSet::listeners(),
            _ if self.all || self.filter.asks_beyond(StateSet::connections()) => StateSet::ALL,
            _ => StateSet::connections(),
        }
    }

    /// The states of all sockets that have to be dumped: the counts do not depend on the view.
    pub(crate) fn states(&self) -> StateSet {
        StateSet::connections().union(StateSet::listeners()).union(self.listed())
    }

    /// Whether its rows are the same without what is dear: not where they are made of owners, or the filter asks for
    /// something that may turn out otherwise.
    pub(crate) fn is_shown_early(&self) -> bool {
        self.view != View::Processes && !self.filter.needs().intersects(DEAR | Needs::LIVENESS)
    }

    /// What has to be known of a row.
    pub(crate) fn needs(&self) -> Needs {
        let shown = self.columns.iter().fold(Needs::LIVENESS | Needs::OWNERS, |needs, column| needs | column.needs);
        let view = match self.view {
            View::Processes => Needs::LIMITS,
            View::Kernel => Needs::KERNEL,
            View::Listeners => Needs::MEMORY,
            View::Connections | View::Peers | View::Changes => Needs::empty(),
        };
        shown | view | self.filter.needs()
    }
}
