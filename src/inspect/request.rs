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
    /// Which parts of a row
    pub needs: Needs,
    /// A peer heard within this time is active
    pub active_within: Duration,
    /// Which rows; what it needs to know of them is among the needs
    pub filter: Filter,
    /// It is about a part of what is watched: what it does not show is not forgotten
    pub is_part: bool,
}

impl Request {
    /// How its rows are judged.
    pub fn judge(&self) -> Judge {
        Judge { hz: ticks_per_second(), active_within_ms: millis(self.active_within) }
    }
}

/// What the judgement needs besides, as far as it is allowed.
pub fn complete(mut needs: Needs, allowed: Needs) -> Needs {
    if needs.contains(Needs::LIVENESS) {
        needs |= Needs::INFO | Needs::SYSCTLS | Needs::OPTIONS;
    }
    needs &= allowed;
    if needs.contains(Needs::OPTIONS) {
        needs |= Needs::OWNERS;
    }
    needs
}
