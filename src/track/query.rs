//! Query for the next snapshot: the view, its filter, columns and order, and the data that they need.

use super::group::GroupBy;
use super::table::Order;
use super::views::View;
use crate::fields::column::Heading;
use crate::filter::Filter;
use crate::model::address::NetnsId;
use crate::model::needs::Needs;
use crate::model::state::StateSet;

/// Data that takes seconds to collect on a large host in the first snapshot: all processes are scanned, then each
/// socket is read.
pub(crate) const DEAR: Needs =
    Needs::OWNERS.union(Needs::LIMITS).union(Needs::OPTIONS).union(Needs::MORE_OPTIONS).union(Needs::ALL_OPTIONS);

/// A view with its filter, columns and order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// View, which decides the kind of rows
    pub view: View,
    /// The filter as it was typed; in the kernel view, a text to search for
    pub typed: String,
    /// Filter of the rows
    pub filter: Filter,
    /// Network namespace; `None` for all
    pub netns: Option<NetnsId>,
    /// Columns to show
    pub columns: Vec<Heading>,
    /// Order of the rows
    pub order: Order,
    /// Property by which processes are grouped
    pub by: GroupBy,
    /// In the connections view, include sockets that are no connections; in the kernel view, counters that are 0
    pub all: bool,
}

impl Query {
    /// Query for a view with its defaults.
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

    /// States of the sockets that the query lists.
    pub(super) fn listed(&self) -> StateSet {
        match self.view {
            View::Listeners => StateSet::listeners(),
            _ if self.all || self.filter.asks_beyond(StateSet::connections()) => StateSet::ALL,
            _ => StateSet::connections(),
        }
    }

    /// States of all sockets to dump. The counts must not depend on the view, so this is more than the query lists.
    pub(crate) fn states(&self) -> StateSet {
        StateSet::connections().union(StateSet::listeners()).union(self.listed())
    }

    /// Whether the rows are correct before the slow data is there. They are not if they are grouped by owner, or if the
    /// filter depends on data that may still change.
    pub(crate) fn is_shown_early(&self) -> bool {
        self.view != View::Processes && !self.filter.needs().intersects(DEAR | Needs::LIVENESS)
    }

    /// Data of a row that the query needs.
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
