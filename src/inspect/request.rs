//! Request of a snapshot: which sockets, and which parts of each row.

use std::time::Duration;

use crate::collect::discovery::NetnsChoice;
use crate::collect::host::ticks_per_second;
use crate::collect::visit::SourceChoice;
use crate::diagnose::Judge;
use crate::filter::Filter;
use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::state::StateSet;

/// Selection of sockets and of the parts of each row.
#[derive(Debug, Clone)]
pub struct Request {
    /// Namespaces to read
    pub netns: NetnsChoice,
    /// Source of rows
    pub source: SourceChoice,
    /// Address families; empty for no rows, only the head
    pub families: Vec<Family>,
    /// States to list
    pub states: StateSet,
    /// Parts of a row; parts that these and the filter depend on are added
    pub needs: Needs,
    /// Parts that may be collected at all: a user may exclude the scan of processes
    pub allowed: Needs,
    /// A peer that was heard within this time is active
    pub active_within: Duration,
    /// Rows to list
    pub filter: Filter,
}

impl Request {
    /// Every socket of these namespaces, without parts that take time to collect. A peer heard within 60 s is active.
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

    /// Parts of a row to collect: the requested ones, and those that they and the filter depend on, as far as they are allowed.
    pub fn collected(&self) -> Needs {
        complete(self.needs | self.filter.needs(), self.allowed)
    }

    /// The judge of its rows.
    pub fn judge(&self) -> Judge {
        Judge { hz: ticks_per_second(), active_within: self.active_within.into() }
    }
}

/// Adds the parts that the judgement depends on, as far as they are allowed.
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
