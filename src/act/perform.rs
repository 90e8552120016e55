//! Carries a plan out, one socket after the other. A witness hears of each before and after, so that whatever ends the program
//! in between, the change was reported, or at least that it was about to be made.

use super::destroy::{Destroyer, NotDestroyed};
use super::keepalive::{Changed, NotChanged, Setter};
use super::plan::{Candidate, Deed};
use crate::collect::discovery::NetnsChoice;
use crate::collect::error::CollectError;

/// What became of one socket.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is no more
    Destroyed,
    /// It has the options that were asked for
    Set(Changed),
    /// It closed by itself, or along with its other end, before its turn came: nothing is left to be done
    Gone,
    /// It is still there
    NotDestroyed(NotDestroyed),
    /// It has its old options, or at least not all of the new ones
    NotSet(NotChanged),
}

/// Why the rest was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The user wants no more
    Interrupted,
    /// The witness did not let it happen
    Refused,
}

/// Hears of each change.
pub(crate) trait Witness<N> {
    /// Whether the user wants no more.
    fn is_over(&self) -> bool {
        false
    }

    /// It is about to be made. False if it must not be.
    fn before(&mut self, candidate: &Candidate<N>) -> bool;

    /// It was made, or could not be.
    fn after(&mut self, candidate: &Candidate<N>, outcome: &Outcome);
}

/// What became of a plan.
#[derive(Debug)]
pub(crate) struct Performance {
    /// Of each candidate that was tried, in their order
    pub outcomes: Vec<Outcome>,
    /// Why the others were not
    pub stopped: Option<Stopped>,
}

/// Does it to each candidate. Namespaces that `choice` does not name are not entered.
///
/// # Errors
/// The namespaces cannot be listed; nothing was changed.
pub(crate) fn perform<N>(
    deed: Deed,
    choice: &NetnsChoice,
    candidates: &[Candidate<N>],
    witness: &mut dyn Witness<N>,
) -> Result<Performance, CollectError> {
    let mut hand = Hand::of(deed, choice, candidates)?;
    let mut outcomes = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if witness.is_over() {
            return Ok(Performance { outcomes, stopped: Some(Stopped::Interrupted) });
        }
        if !witness.before(candidate) {
            return Ok(Performance { outcomes, stopped: Some(Stopped::Refused) });
        }
        let outcome = hand.change(candidate);
        witness.after(candidate, &outcome);
        outcomes.push(outcome);
    }
    Ok(Performance { outcomes, stopped: None })
}

/// What changes a socket, whatever the change.
enum Hand {
    Destroyer(Destroyer),
    Setter(Setter),
}

impl Hand {
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
