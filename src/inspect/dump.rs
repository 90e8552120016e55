//! Dumps of one snapshot: builds the request for each namespace, and turns faults of a dump into gaps.
//!
//! The kernel's tables cover the whole host: each dump walks all of them, however few sockets its namespace has. A
//! namespace without sockets by its gauges is therefore not dumped, and small ones are dumped in parallel.

use std::convert::Infallible;
use std::io::{self, ErrorKind};

use super::{InspectError, Request};
use crate::collect::cgroups;
use crate::collect::diag::{DiagSocket, DumpError, DumpFaults};
use crate::collect::error::Refusal;
use crate::collect::request::DumpRequest;
use crate::collect::threads::side_by_side;
use crate::collect::visit::Rows;
use crate::filter::{Bytecode, Dialect, Terms};
use crate::model::address::Family;
use crate::model::counters::Population;
use crate::model::gap::{Gap, GapKind, Gaps, Remedy};
use crate::model::namespace::Namespace;
use crate::model::needs::Needs;
use crate::model::socket::Socket;
use crate::model::state::{StateSet, TcpState};

/// Maximum number of sockets of a namespace that is dumped in parallel: they stay in memory until their turn comes.
const SMALL: u64 = 2_000;

/// A socket that a dump returned.
#[derive(Clone, Copy)]
pub(super) enum Dumped<'s> {
    /// A requested socket
    Row(&'s Socket),
    /// A listener that was not requested: its options are needed to judge its request sockets
    Listener(&'s Socket),
}

/// Dumps the namespaces of one snapshot.
pub(super) struct Dumper<'a> {
    request: &'a Request,
    /// Requested states and families that the filter does not exclude
    states: StateSet,
    families: Vec<Family>,
    wants_listeners: bool,
    /// The snapshot is one of a series: processor time matters more than elapsed time
    is_watched: bool,
    /// The bytecode dialect that this kernel accepts; `None` if it accepts none
    dialect: Option<Dialect>,
    /// The kernel refused to compare marks
    pub(super) lacks_marks: bool,
}

/// Parameters of the dump of one namespace.
struct DumpPlan {
    family: Option<Family>,
    states: StateSet,
    bytecode: Vec<u8>,
    /// Listeners are requested by a separate dump without bytecode, which could exclude them
    listeners_first: bool,
}

/// Sockets of a small namespace, dumped ahead of their turn.
pub(super) struct Fetched {
    listeners: Vec<Socket>,
    rows: Vec<Socket>,
    faults: Vec<DumpFaults>,
}

impl<'a> Dumper<'a> {
    pub(super) fn new(request: &'a Request, wants_listeners: bool, is_watched: bool) -> Self {
        let families = request.filter.families();
        Self {
            request,
            states: request.states.intersection(request.filter.states()),
            families: request.families.iter().copied().filter(|family| families.contains(family)).collect(),
            wants_listeners,
            is_watched,
            dialect: Some(Dialect { has_equal: true, has_mark: true }),
            lacks_marks: false,
        }
    }

    /// States that are listed.
    pub(super) fn states(&self) -> StateSet {
        self.states
    }

    /// Families that are listed.
    pub(super) fn families(&self) -> &[Family] {
        &self.families
    }

    /// Whether the namespace is small enough to be dumped in parallel. If processor time matters more, none is.
    pub(super) fn is_small(&self, namespace: &Namespace, rows: &Rows) -> bool {
        let is_diag = matches!(rows, Rows::Diag(_) | Rows::Later(..));
        let population = namespace.sockstat.population();
        is_diag && !self.is_watched && population.is_some_and(|population| population.tcp_sockets() <= SMALL)
    }

    /// Plan for a namespace; `None` if no socket can match.
    fn plan(&self, namespace: &Namespace) -> Option<DumpPlan> {
        let family = match self.families[..] {
            [] => return None,
            [family] => Some(family),
            _ => None,
        };
        let present = namespace.sockstat.population().map_or(StateSet::ALL, Population::states);
        let states = self.states.intersection(present);
        let code = match self.dialect {
            Some(dialect) => self.request.filter.bytecode(&Terms { namespace, cgroup: &cgroups::id, dialect }),
            None => Bytecode::Everything,
        };
        let bytecode = match code {
            Bytecode::Nothing => return None,
            Bytecode::Everything => Vec::new(),
            Bytecode::Ops(ops) => ops,
        };
        // The kernel walks listeners before other sockets, so one dump returns both if no bytecode excludes listeners.
        let (wants, is_free) = (self.wants_listeners && !states.is_empty(), bytecode.is_empty());
        let states = if wants && is_free { states.with(TcpState::Listen) } else { states };
        (!states.is_empty()).then_some(DumpPlan { family, states, bytecode, listeners_first: wants && !is_free })
    }

    fn dump_request<'p>(&self, plan: &'p DumpPlan, in_parallel: bool) -> DumpRequest<'p> {
        let needs = self.request.collected();
        // Without attributes, decoding a row takes less time than passing it to another thread.
        let in_parallel = in_parallel && !self.is_watched && !needs.is_empty();
        DumpRequest { family: plan.family, states: plan.states, needs, bytecode: &plan.bytecode, in_parallel }
    }

    /// Passes each socket of a namespace that may match to `each`. Faults that hide sockets are added to `gaps`.
    ///
    /// # Errors
    /// `each` fails.
    pub(super) fn dump(
        &mut self,
        namespace: &Namespace,
        socket: &mut DiagSocket,
        gaps: &mut Gaps,
        mut each: impl FnMut(Dumped<'_>) -> Result<(), InspectError>,
    ) -> Result<(), InspectError> {
        let mut has_listeners = false;
        loop {
            let Some(plan) = self.plan(namespace) else { return Ok(()) };
            if plan.listeners_first && !has_listeners {
                has_listeners = true;
                let noted = socket.dump(listeners(plan.family), |socket| each(Dumped::Listener(socket)));
                judge(noted, gaps)?;
            }
            let dumped = socket.dump(self.dump_request(&plan, true), |socket| each(Dumped::Row(socket)));
            match (dumped, self.dialect) {
                (Err(DumpError::Refused(Refusal::Request(errno))), Some(dialect)) if !plan.bytecode.is_empty() => {
                    self.dialect = self.simpler(dialect, errno.0);
                }
                (dumped, _) => return judge(dumped, gaps),
            }
        }
    }

    /// A simpler dialect to try after the kernel refused this one.
    fn simpler(&mut self, dialect: Dialect, errno: i32) -> Option<Dialect> {
        match io::Error::from_raw_os_error(errno).kind() {
            ErrorKind::PermissionDenied if dialect.has_mark => {
                self.lacks_marks = true;
                Some(Dialect { has_mark: false, ..dialect })
            }
            ErrorKind::InvalidInput if dialect.has_equal => Some(Dialect { has_equal: false, ..dialect }),
            _ => None,
        }
    }

    /// Dumps small namespaces in parallel. `None` for one that did not answer: it has to be dumped again by itself.
    pub(super) fn fetch_all(&self, batch: &mut [(&Namespace, &mut Rows)]) -> Vec<Option<Fetched>> {
        let fetched = side_by_side("dump", batch, |(namespace, rows)| self.fetch(namespace, rows));
        fetched.into_iter().map(Option::flatten).collect()
    }

    fn fetch(&self, namespace: &Namespace, rows: &mut Rows) -> Option<Fetched> {
        let mut fetched = Fetched { listeners: Vec::new(), rows: Vec::new(), faults: Vec::new() };
        let Some(plan) = self.plan(namespace) else { return Some(fetched) };
        let mut opened;
        let socket = match rows {
            Rows::Diag(socket) => socket,
            Rows::Later(found, source) => {
                opened = Rows::open(found, *source).ok()?;
                let Rows::Diag(socket) = &mut opened else { return None };
                socket
            }
            Rows::Proc(_) | Rows::None => return None,
        };
        let mut into = |request: DumpRequest<'_>, sockets: &mut Vec<Socket>| {
            let dumped = socket.dump(request, |socket| {
                sockets.push(socket.clone());
                Ok::<(), Infallible>(())
            });
            dumped.ok()
        };
        if plan.listeners_first {
            fetched.faults.push(into(listeners(plan.family), &mut fetched.listeners)?);
        }
        fetched.faults.push(into(self.dump_request(&plan, false), &mut fetched.rows)?);
        Some(fetched)
    }
}

impl Fetched {
    /// Passes on the fetched sockets, as [`Dumper::dump`] does.
    ///
    /// # Errors
    /// `each` fails.
    pub(super) fn hand_over(
        &self,
        gaps: &mut Gaps,
        mut each: impl FnMut(Dumped<'_>) -> Result<(), InspectError>,
    ) -> Result<(), InspectError> {
        self.faults.iter().for_each(|faults| report(faults, gaps));
        self.listeners.iter().try_for_each(|socket| each(Dumped::Listener(socket)))?;
        self.rows.iter().try_for_each(|socket| each(Dumped::Row(socket)))
    }
}

fn listeners(family: Option<Family>) -> DumpRequest<'static> {
    let (states, needs) = (StateSet::listeners(), Needs::empty());
    DumpRequest { family, states, needs, bytecode: &[], in_parallel: false }
}

/// Adds the faults of a dump to `gaps`.
fn judge(dumped: Result<DumpFaults, DumpError<InspectError>>, gaps: &mut Gaps) -> Result<(), InspectError> {
    match dumped {
        Ok(faults) => report(&faults, gaps),
        Err(DumpError::Receiver(error)) => return Err(error),
        Err(DumpError::Refused(refusal)) => lost(gaps, refusal.to_string(), 1),
    }
    Ok(())
}

/// Adds a gap for each kind of fault.
fn report(faults: &DumpFaults, gaps: &mut Gaps) {
    let mut lost = |why: &str, count| lost(gaps, why.to_owned(), count);
    lost("the table changed during the dump, which may be inconsistent", u64::from(faults.interrupted));
    lost("datagrams of the dump were longer than the receive buffer", faults.truncated);
    lost("the kernel dropped messages of the dump", faults.overrun);
    lost("datagrams of the dump were malformed", faults.bad_frames);
    lost("the kernel sent messages of an unknown form", faults.undecodable);
    if let Some(errno) = faults.broke_off {
        lost(&format!("the kernel ended the dump early: {}", io::Error::from_raw_os_error(errno.0)), 1);
    }
}

/// Adds a gap for rows that may be missing, if `count` is not 0.
pub(super) fn lost(gaps: &mut Gaps, why: String, count: u64) {
    if count > 0 {
        gaps.add(Gap::new(GapKind::Sockets, why, Remedy::Do("take the snapshot again")).times(count));
    }
}
