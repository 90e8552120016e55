//! Takes one snapshot: finds the namespaces, opens their sources, runs the pipeline over them.

use std::io;

use super::cache::CacheUse;
use super::error::InspectError;
use super::judging::Routers;
use super::pipeline::{self, Opened};
use super::request::Request;
use crate::collect::discovery;
use crate::collect::host::{Stopwatch, host, now};
use crate::collect::visit::{VisitRequest, Visited, visit_all};
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};
use crate::model::state::StateSet;

/// Takes a snapshot and passes it to `sink`. `interrupted` is called before each row. With a `cache`, later snapshots
/// reuse data of earlier ones.
///
/// # Errors
/// Nothing could be read, the sink failed, or the user interrupted. Data that is merely missing is in the tail's gaps.
pub fn inspect<S: Sink + ?Sized>(
    request: &Request,
    cache: Option<CacheUse<'_>>,
    sink: &mut S,
    interrupted: &dyn Fn() -> bool,
) -> Result<Tail, InspectError> {
    let stopwatch = Stopwatch::start();
    let taken_at = now();
    let (found, mut gaps) = discovery::find(&request.netns)?;
    let states = if request.families.is_empty() { StateSet::NONE } else { request.states };
    let visit = VisitRequest { choice: &request.netns, source: request.source, states, needs: request.collected() };
    let (visited, refused) = visit_all(&found, visit)?;
    gaps.extend(refused);
    let (mut namespaces, mut sources, mut routers) = (Vec::new(), Vec::new(), Routers::default());
    for Visited { namespace, rows, router } in visited {
        routers.extend(router.map(|router| (namespace.id, router)));
        namespaces.push(namespace);
        sources.push(rows);
    }
    let head = Head { taken_at, host: host(), namespaces };
    sink.head(&head)?;
    let (summary, more_gaps) =
        pipeline::run(request, Opened { head: &head, sources, routers }, cache, sink, interrupted)?;
    gaps.extend(more_gaps);
    let tail = Tail { summary, gaps, elapsed: stopwatch.elapsed() };
    sink.tail(&tail)?;
    Ok(tail)
}

/// Number of sockets that a request lists.
///
/// # Errors
/// As for [`inspect`].
pub fn count(request: &Request, interrupted: &dyn Fn() -> bool) -> Result<u64, InspectError> {
    inspect(request, None, &mut IgnoreRows, interrupted).map(|tail| tail.summary.total())
}

/// Sink of a snapshot whose counts alone are needed.
struct IgnoreRows;

impl Sink for IgnoreRows {
    fn row(&mut self, _: &Row<'_>) -> io::Result<()> {
        Ok(())
    }
}
