//! The pipeline: ask for what the request needs and no more, put each row together, hand it to a sink, forget it.
//!
//! Memory does not grow with the number of sockets, but for one bit of each cookie seen and, where owners are wanted,
//! twelve bytes for each descriptor.

mod cookies;
mod dump;
mod judging;
mod kept;
mod pipeline;
mod waiting;

use std::time::Duration;

use crate::collect::discovery::{self, NetnsChoice};
use crate::collect::error::CollectError;
use crate::collect::host::{Stopwatch, host, now, ticks_per_second};
use crate::collect::visit::{Rows, SourceChoice, VisitRequest, visit_all};
use crate::diagnose::Judge;
use crate::diagnose::sightings::Sightings;
use crate::filter::Filter;
use crate::model::address::Family;
use crate::model::needs::Needs;
use crate::model::snapshot::{Head, Sink, Tail};
use crate::model::socket::SocketId;
use crate::model::state::StateSet;
use crate::model::time::millis;
use kept::Kept;

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

/// What is carried from one snapshot to the next, where there are several: two sights tell more than one.
#[derive(Debug)]
pub struct Watched {
    sightings: Sightings,
    clock: Stopwatch,
    kept: Kept,
}

impl Default for Watched {
    fn default() -> Self {
        Self { sightings: Sightings::default(), clock: Stopwatch::start(), kept: Kept::default() }
    }
}

impl Watched {
    /// The options of these sockets were changed: what was read of them before is forgotten.
    pub fn forget_options(&mut self, sockets: &[SocketId]) {
        self.kept.forget_options(sockets);
    }
}

/// Why there is no snapshot, or no whole one.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The kernel could not be asked
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The sink could not write
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    /// The user pressed Ctrl-C
    #[error("interrupted")]
    Interrupted,
}

/// Takes a snapshot and feeds it to `sink`. `interrupted` is asked before each row.
///
/// # Errors
/// Nothing could be read, the sink failed, or the user interrupted. What merely could not be seen is in the tail's gaps.
pub fn inspect<S: Sink + ?Sized>(
    request: &Request,
    watched: Option<&mut Watched>,
    sink: &mut S,
    interrupted: &dyn Fn() -> bool,
) -> Result<Tail, InspectError> {
    let stopwatch = Stopwatch::start();
    let taken_at = now();
    let (found, mut gaps) = discovery::find(&request.netns)?;
    let states = if request.families.is_empty() { StateSet::NONE } else { request.states };
    let visit = VisitRequest { choice: &request.netns, source: request.source, states, needs: request.needs };
    let (visited, refused) = visit_all(&found, visit)?;
    gaps.extend(refused);
    let (namespaces, sources): (Vec<_>, Vec<Rows>) =
        visited.into_iter().map(|visited| (visited.namespace, visited.rows)).unzip();
    let head = Head { taken_at, host: host(), namespaces };
    sink.head(&head)?;
    let (summary, more_gaps) = pipeline::run(request, &head, sources, watched, sink, interrupted)?;
    gaps.extend(more_gaps);
    let tail = Tail { summary, gaps, elapsed: stopwatch.elapsed() };
    sink.tail(&tail)?;
    Ok(tail)
}
