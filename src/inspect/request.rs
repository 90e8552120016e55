//! What is asked for: which sockets, and which parts of each row.

use std::time::Duration;

use crate::collect::discovery::NetnsChoice;
use crate::collect::host::ticks_per_second;
use crate::collect::visit::SourceChoice;
use crate::diagnose::Judge;
use crate::filter::Filter;
use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::state::StateSet;
use crate::model::time::millis;

/// What somebody wants to see.
#[derive(Debug, Clone)]
pub struct Request {
    /// In which namespaces
    pub netns: NetnsChoice,
    /// From where
    pub source: SourceChoice,
    /// Which families; empty for no rows at all, only the head
    pub families: Vec<Family>,
    /// Which states
    pub states: StateSet,
    /// Which parts of a row; what these and the filter need besides is added
    pub needs: Needs,
    /// Which parts may be collected at all: a user may want no processes looked for
    pub allowed: Needs,
    /// A peer heard within this time is active
    pub active_within: Duration,
    /// Which rows
    pub filter: Filter,
}

impl Request {
    /// Every socket of these namespaces, without the parts of a row that cost something. A peer heard within 60 s is active.
    pub fn new(netns: NetnsChoice) -> Self {
        Self {
            netns,
            source: SourceChoice::Auto,
            families: Family::ALL.to_vec(),
            states: StateSet::ALL,
            needs: Needs::empty(),
            allowed: Needs::all(),
            active_within: Duration::from_secs(60),
            filter: Filter::default(),
        }
    }

    /// The parts of a row that are collected: those asked for, and those that they and the filter need, as far as they are
    /// allowed.
    pub fn collected(&self) -> Needs {
        complete(self.needs | self.filter.needs(), self.allowed)
    }

    /// How its rows are judged.
    pub fn judge(&self) -> Judge {
        Judge { hz: ticks_per_second(), active_within_ms: millis(self.active_within) }
    }
}

/// What the judgement needs besides, as far as it is allowed.
pub(crate) fn complete(mut needs: Needs, allowed: Needs) -> Needs {
    if needs.contains(Needs::LIVENESS) {
        needs |= Needs::INFO | Needs::SYSCTLS | Needs::OPTIONS;
    }
    needs &= allowed;
    if needs.contains(Needs::OPTIONS) {
        needs |= Needs::OWNERS;
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::Request;
    use crate::collect::discovery::NetnsChoice;
    use crate::model::needs::Needs;

    #[test]
    fn a_verdict_brings_all_that_it_is_made_of() {
        let needs = Needs::LIVENESS;
        let request = Request { needs, ..Request::new(NetnsChoice::Current) };
        let parts = Needs::INFO | Needs::SYSCTLS | Needs::OPTIONS | Needs::OWNERS;
        assert_eq!(request.collected(), needs | parts);
        let request = Request { allowed: Needs::all() - Needs::OPTIONS, ..request };
        assert_eq!(request.collected(), needs | Needs::INFO | Needs::SYSCTLS);
    }
}
