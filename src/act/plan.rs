//! The plan of a change: which sockets, and how. Built from the rows of a snapshot, and carried out once the user
//! confirms. Names of sockets are up to the caller.

use rustc_hash::FxHashSet;

use super::assignment::{Assignment, Unsettable};
use super::own::Own;
use super::target::Target;
use crate::model::change::{AtOnce, KeepaliveChange, Silence};
use crate::model::liveness::Deadline;
use crate::model::options::SocketOptions;
use crate::model::row::Row;
use crate::model::socket::SocketId;

/// Change to make on each socket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// Destroy it
    Destroy,
    /// Set its keepalive options
    Set(Assignment),
}

/// Selection of rows.
#[derive(Debug, Clone)]
pub(crate) struct PlanScope {
    /// Only these, if they were chosen one by one
    pub only: Option<FxHashSet<SocketId>>,
    /// Maximum number of candidates; further matches are only counted
    pub max: u64,
    /// Whether to include the connection that the user's session runs over
    pub include_own: bool,
}

/// One socket to change, as listed.
#[derive(Debug)]
pub(crate) struct Candidate<N> {
    /// How the socket is found again
    pub target: Target,
    /// Name for the user
    pub name: N,
    /// Options to set on it
    pub change: KeepaliveChange,
    /// Its current options, if they could be read
    pub was: Option<SocketOptions>,
    /// What the kernel does as soon as it is changed
    pub at_once: AtOnce,
    /// When the kernel would give up on the peer without the change
    pub deadline: Option<Deadline>,
}

/// Plan of a change.
#[derive(Debug)]
pub(crate) struct Plan<N> {
    /// The sockets, in the order of the rows
    pub candidates: Vec<Candidate<N>>,
    /// Number of matches; greater than the number of candidates if that is limited
    pub matched: u64,
    /// Excluded connections that this session runs over
    pub left_out: Vec<N>,
}

/// Why the plan must not be carried out.
#[derive(Debug)]
pub(crate) enum Obstacle<N> {
    /// This may be the connection that the session runs over, and there is no certainty
    MayBeOwn(N),
    /// The sysctls of this namespace cannot be set on a socket
    Unsettable(String, Unsettable),
}

/// Builds a plan from rows.
#[derive(Debug)]
pub(crate) struct Planner<N> {
    deed: Deed,
    scope: PlanScope,
    own: Option<Own>,
    plan: Plan<N>,
    obstacle: Option<Obstacle<N>>,
}

impl<N> Planner<N> {
    /// Planner without rows.
    pub(crate) fn new(deed: Deed, scope: PlanScope) -> Self {
        let own = (!scope.include_own).then(Own::find);
        let plan = Plan { candidates: Vec::new(), matched: 0, left_out: Vec::new() };
        Self { deed, scope, own, plan, obstacle: None }
    }

    /// Adds a row that matches the request; returns whether its socket became a candidate. `name` is called only if the
    /// name is needed.
    pub(crate) fn add(&mut self, row: &Row<'_>, name: impl Fn(&Row<'_>) -> N) -> bool {
        if self.scope.only.as_ref().is_some_and(|only| !only.contains(&row.socket.id)) {
            return false;
        }
        if self.own.as_ref().is_some_and(|own| own.is(row)) {
            self.plan.left_out.push(name(row));
            return false;
        }
        if self.own.as_ref().is_some_and(|own| own.may_be(row)) {
            self.obstacle = Some(Obstacle::MayBeOwn(name(row)));
        }
        self.plan.matched += 1;
        if self.plan.matched > self.scope.max {
            return false;
        }
        let change = self.change(row);
        let silence = Silence {
            is_watched: row.judged.is_some_and(|judged| judged.keepalive.values.enabled == Some(true)),
            time: row.socket.idle(),
            unanswered: row.socket.probes_out(),
        };
        self.plan.candidates.push(Candidate {
            target: Target::of(row),
            name: name(row),
            was: row.options.copied(),
            at_once: change.at_once(silence, row.options),
            change,
            deadline: row.judged.map(|judged| judged.liveness.deadline),
        });
        true
    }

    fn change(&mut self, row: &Row<'_>) -> KeepaliveChange {
        let within = match self.deed {
            Deed::Destroy => Ok(KeepaliveChange::default()),
            Deed::Set(assignment) => assignment.within(row.namespace),
        };
        within.unwrap_or_else(|why| {
            self.obstacle = Some(Obstacle::Unsettable(row.namespace.name.clone(), why));
            KeepaliveChange::default()
        })
    }

    /// Returns the plan after the last row.
    ///
    /// # Errors
    /// The plan must not be carried out.
    pub(crate) fn finish(self) -> Result<Plan<N>, Obstacle<N>> {
        self.obstacle.map_or(Ok(self.plan), Err)
    }
}
