//! Carries a plan out, one socket after the other. A witness is called before and after each change, so that whatever
//! kills the program in between, the change or at least the intent was recorded.

use super::destroy::{Destroyer, NotDestroyed};
use super::keepalive::{Changed, NotChanged, Setter};
use super::plan::{Candidate, Deed};
use crate::collect::discovery::NetnsChoice;
use crate::collect::error::CollectError;

/// Outcome of one socket.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was destroyed
    Destroyed,
    /// It has the requested options
    Set(Changed),
    /// It closed by itself, or with its local peer, before its turn
    Gone,
    /// It was not destroyed
    NotDestroyed(NotDestroyed),
    /// It still has old options, wholly or in part
    NotSet(NotChanged),
}

/// Why the remaining sockets were not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The user interrupted
    Interrupted,
    /// The witness refused
    Refused,
}

/// Observer of each change.
pub(crate) trait Witness<N> {
    /// Whether the user interrupted.
    fn is_over(&self) -> bool {
        false
    }

    /// Called before a change; returns false to refuse it.
    fn before(&mut self, candidate: &Candidate<N>) -> bool;

    /// Called after a change, with its outcome.
    fn after(&mut self, candidate: &Candidate<N>, outcome: &Outcome);
}

/// Outcome of a plan.
#[derive(Debug)]
pub(crate) struct Performance {
    /// Outcomes of the candidates that were tried, in order
    pub outcomes: Vec<Outcome>,
    /// Why the others were not tried
    pub stopped: Option<Stopped>,
}

/// Carries the deed out on each candidate. Only namespaces that `choice` includes are entered.
///
/// # Errors
/// The namespaces cannot be listed; nothing was changed.
pub(crate) fn perform<N>(
    deed: Deed,
    choice: &NetnsChoice,
    candidates: &[Candidate<N>],
    witness: &mut dyn Witness<N>,
) -> Result<Performance, CollectError> {
    let mut executor = Executor::of(deed, choice, candidates)?;
    let mut outcomes = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if witness.is_over() {
            return Ok(Performance { outcomes, stopped: Some(Stopped::Interrupted) });
        }
        if !witness.before(candidate) {
            return Ok(Performance { outcomes, stopped: Some(Stopped::Refused) });
        }
        let outcome = executor.change(candidate);
        witness.after(candidate, &outcome);
        outcomes.push(outcome);
    }
    Ok(Performance { outcomes, stopped: None })
}

/// The implementation of a deed.
enum Executor {
    Destroyer(Destroyer),
    Setter(Setter),
}

impl Executor {
    fn of<N>(deed: Deed, choice: &NetnsChoice, candidates: &[Candidate<N>]) -> Result<Self, CollectError> {
        let targets = candidates.iter().map(|candidate| &candidate.target);
        Ok(match deed {
            Deed::Destroy => Self::Destroyer(Destroyer::open(choice, targets)?),
            Deed::Set(_) => Self::Setter(Setter::default()),
        })
    }

    fn change<N>(&mut self, Candidate { target, change, .. }: &Candidate<N>) -> Outcome {
        match self {
            Self::Destroyer(destroyer) => match destroyer.destroy(target) {
                Ok(()) => Outcome::Destroyed,
                Err(NotDestroyed::Gone) => Outcome::Gone,
                Err(why) => Outcome::NotDestroyed(why),
            },
            Self::Setter(setter) => match setter.set(target, change) {
                Ok(changed) => Outcome::Set(changed),
                Err(NotChanged::Gone) => Outcome::Gone,
                Err(why) => Outcome::NotSet(why),
            },
        }
    }
}
