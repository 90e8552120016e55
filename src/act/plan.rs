//! Which sockets are to be changed, and how: made of the rows of a snapshot, kept until somebody has said yes. What each
//! socket is called is the caller's to say.

use rustc_hash::FxHashSet;

use super::assignment::{Assignment, Unsettable};
use super::own::Own;
use super::target::Target;
use crate::model::change::KeepaliveChange;
use crate::model::liveness::Deadline;
use crate::model::options::SocketOptions;
use crate::model::row::Row;
use crate::model::socket::SocketId;

/// What is to be done to each socket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// Destroy it
    Destroy,
    /// Set its keepalive
    Set(Assignment),
}

/// Which of the rows are meant.
#[derive(Debug, Clone)]
pub(crate) struct PlanScope {
    /// Only these, where they were chosen one by one
    pub only: Option<FxHashSet<SocketId>>,
    /// So many are planned; more are only counted
    pub max: u64,
    /// Also the connection that the user sits on
    pub include_own: bool,
}

/// One socket that is to be changed, as it was when it was listed.
#[derive(Debug)]
pub(crate) struct Candidate<N> {
    /// What it is found by
    pub target: Target,
    /// What it is called
    pub name: N,
    /// What is to be set on it
    pub change: KeepaliveChange,
    /// Its options, where they could be read
    pub was: Option<SocketOptions>,
    /// Setting it makes the kernel probe the peer at once
    pub probes_at_once: bool,
    /// When the kernel would have given up on its peer
    pub deadline: Option<Deadline>,
}

/// All that is to be done.
#[derive(Debug)]
pub(crate) struct Plan<N> {
    /// The sockets, in the order of the rows
    pub candidates: Vec<Candidate<N>>,
    /// How many are meant; more than there are candidates where they are too many
    pub matched: u64,
    /// Connections that this session runs over, which are left out
    pub spared: Vec<N>,
}

/// Why nothing must be changed.
#[derive(Debug)]
pub(crate) enum Obstacle<N> {
    /// This may be the connection that the session runs over, and nobody can say
    MayBeOwn(N),
    /// The sysctls of this namespace cannot be set on a socket
    Unsettable(String, Unsettable),
}

/// Makes a plan of rows.
#[derive(Debug)]
pub(crate) struct Planner<N> {
    deed: Deed,
    scope: PlanScope,
    own: Option<Own>,
    plan: Plan<N>,
    obstacle: Option<Obstacle<N>>,
}

impl<N> Planner<N> {
    /// No row has come.
    pub(crate) fn new(deed: Deed, scope: PlanScope) -> Self {
        let own = (!scope.include_own).then(Own::find);
        let plan = Plan { candidates: Vec::new(), matched: 0, spared: Vec::new() };
        Self { deed, scope, own, plan, obstacle: None }
    }

    /// Takes a row in that matches the request; whether its socket is a candidate. `name` is asked only if it is told of.
    pub(crate) fn add(&mut self, row: &Row<'_>, name: impl Fn(&Row<'_>) -> N) -> bool {
        if self.scope.only.as_ref().is_some_and(|only| !only.contains(&row.socket.id)) {
            return false;
        }
        if self.own.as_ref().is_some_and(|own| own.is(row)) {
            self.plan.spared.push(name(row));
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
        let was_enabled = row.judged.is_some_and(|judged| judged.keepalive.enabled == Some(true));
        self.plan.candidates.push(Candidate {
            target: Target::of(row),
            name: name(row),
            was: row.options.copied(),
            probes_at_once: change.probes_at_once(was_enabled, row.socket.idle_ms()),
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

    /// All rows have come.
    ///
    /// # Errors
    /// Nothing must be changed: why.
    pub(crate) fn finish(self) -> Result<Plan<N>, Obstacle<N>> {
        self.obstacle.map_or(Ok(self.plan), Err)
    }
}
