//! Candidates of `set` and `kill`: the rows that match the filter, planned and listed.

use std::io;

use rustc_hash::FxHashMap;

use super::action::{ActingTask, columns};
use super::asked;
use super::named::{Named, Namer};
use super::signals::Interrupt;
use crate::act::assignment::Unsettable;
use crate::act::plan::{Candidate, Obstacle, Plan, PlanScope, Planner};
use crate::export::list::{ListOrder, Listing};
use crate::export::table::TableListing;
use crate::fields::table::listed;
use crate::inspect::{Request, inspect};
use crate::model::liveness::Deadline;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};
use crate::model::socket::SocketId;
use crate::model::state::StateSet;

/// Sink that plans and lists the matching rows.
pub(super) struct Gather<'a> {
    planner: Planner<Named>,
    namer: Namer,
    listing: Listing<Vec<u8>, TableListing<'a>>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(action: &'a ActingTask) -> Self {
        let how = &action.how;
        // A dry run lists all matches.
        let max = if how.dry_run { u64::MAX } else { how.max };
        let table = TableListing::new(listed(columns(action.deed)), true, action.layout, false, &|_| None);
        Self {
            planner: Planner::new(action.deed, PlanScope { only: None, max, include_own: how.include_self }),
            namer: Namer::default(),
            listing: Listing::new(Vec::new(), table, ListOrder::default()),
        }
    }

    /// Returns the plan and its candidates as a table.
    pub(super) fn finish(self) -> Result<(Plan<Named>, Vec<u8>), Obstacle<Named>> {
        let list = self.listing.output().clone();
        self.planner.finish().map(|plan| (plan, list))
    }
}

impl Sink for Gather<'_> {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.namer.several_namespaces = head.namespaces.len() > 1;
        self.listing.head(head)
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        if self.planner.add(row, |row| self.namer.name(row)) { self.listing.row(row) } else { Ok(()) }
    }

    fn tail(&mut self, tail: &Tail) -> io::Result<()> {
        self.listing.tail(tail)
    }
}

/// Remedy of an obstacle on the command line.
pub(super) fn remedy(obstacle: &Obstacle<Named>) -> Option<&'static str> {
    match obstacle {
        Obstacle::MayBeOwn(_) => Some("run as root, or add --include-self"),
        Obstacle::Unsettable(_, Unsettable::Unread) => Some("give the values instead of --like-sysctl"),
        Obstacle::Unsettable(_, Unsettable::OutOfRange(_)) => None,
    }
}

/// Explains an obstacle.
pub(super) fn in_words(obstacle: &Obstacle<Named>) -> String {
    match obstacle {
        Obstacle::MayBeOwn(name) => format!(
            "{} may be the connection that this session runs over: sshd's descriptors are hidden from this user",
            name.label
        ),
        Obstacle::Unsettable(namespace, Unsettable::Unread) => {
            format!("the tcp_keepalive_* sysctls of namespace '{namespace}' cannot be read")
        }
        Obstacle::Unsettable(namespace, Unsettable::OutOfRange(wrong)) => {
            format!("the sysctls of namespace '{namespace}' cannot be set on a socket: {wrong}")
        }
    }
}

/// Reads the current `dead-in` of these sockets, as far as they still exist.
pub(super) fn deadlines<'a>(
    request: &Request,
    candidates: impl Iterator<Item = &'a Candidate<Named>>,
    interrupt: &Interrupt,
) -> anyhow::Result<FxHashMap<SocketId, Option<Deadline>>> {
    let cookies: Vec<_> = candidates.filter_map(|candidate| candidate.target.socket.id.cookie).collect();
    let mut deadlines = Deadlines::default();
    if !cookies.is_empty() {
        // Select by cookie, not by the user's filter: after the change the filter may no longer match.
        let filter = asked::cookies(cookies)?;
        let needs = request.needs | Needs::LIVENESS;
        let request = Request { filter, states: StateSet::ALL, needs, ..request.clone() };
        inspect(&request, None, &mut deadlines, &|| interrupt.is_asked())?;
    }
    Ok(deadlines.0)
}

/// Sink that collects the deadlines of changed sockets.
#[derive(Default)]
struct Deadlines(FxHashMap<SocketId, Option<Deadline>>);

impl Sink for Deadlines {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.0.insert(row.socket.id, row.judged.map(|judged| judged.liveness.deadline));
        Ok(())
    }
}
