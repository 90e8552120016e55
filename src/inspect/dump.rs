//! Dumps of one snapshot: what each namespace's kernel tables are asked for, and how what comes back is judged.
//!
//! The tables are those of the whole host: each dump walks all of them, whatever its namespace holds. So a namespace whose
//! gauges say that there is nothing is not asked, and small ones are asked side by side.

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

/// Sockets of a namespace that is dumped beside others, at most: they are kept until their turn comes.
const SMALL: u64 = 2_000;

/// What a dump brings.
#[derive(Clone, Copy)]
pub(super) enum Dumped<'s> {
    /// A socket that was asked for
    Row(&'s Socket),
    /// A listener that was not: its requests are judged by its options
    Listener(&'s Socket),
}

/// Asks the kernel.
pub(super) struct Dumper<'a> {
    request: &'a Request,
    /// States and families that the filter leaves of those asked for
    states: StateSet,
    families: Vec<Family>,
    wants_listeners: bool,
    /// The snapshot is one of many: what it takes of the processors counts for more than how long it takes
    is_watched: bool,
    /// The bytecode that this kernel takes; `None` where it takes none
    dialect: Option<Dialect>,
    /// The kernel refused to compare marks
    pub(super) lacks_marks: bool,
}

/// What one namespace is asked for.
struct DumpPlan {
    family: Option<Family>,
    states: StateSet,
    bytecode: Vec<u8>,
    /// Listeners are asked for by a dump of their own, which no bytecode keeps them from
    listeners_first: bool,
}

/// The sockets of a small namespace.
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

    /// Whether the namespace is small enough to be dumped beside others. Where processors' time counts, none is.
    pub(super) fn is_small(&self, namespace: &Namespace, rows: &Rows) -> bool {
        let is_diag = matches!(rows, Rows::Diag(_) | Rows::Later(..));
        let population = namespace.sockstat.population();
        is_diag && !self.is_watched && population.is_some_and(|population| population.tcp_sockets() <= SMALL)
    }

    /// What to ask of a namespace; `None` where nothing can match.
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
        // The kernel walks the listeners before all others, so one dump brings both where nothing keeps them away.
        let (wants, is_free) = (self.wants_listeners && !states.is_empty(), bytecode.is_empty());
        let states = if wants && is_free { states.with(TcpState::Listen) } else { states };
        (!states.is_empty()).then_some(DumpPlan { family, states, bytecode, listeners_first: wants && !is_free })
    }

    fn dump_request<'p>(&self, plan: &'p DumpPlan, beside: bool) -> DumpRequest<'p> {
        let needs = self.request.collected();
        // Without attributes a row is made faster than it is handed to another thread.
        let beside = beside && !self.is_watched && !needs.is_empty();
        DumpRequest { family: plan.family, states: plan.states, needs, bytecode: &plan.bytecode, beside }
    }

    /// Hands over each socket of a namespace that may match. What keeps some from being seen is added to `gaps`.
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

    /// What may be taken where the kernel refused this.
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

    /// Dumps small namespaces side by side. `None` for one that did not answer: it is to be asked again by itself.
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
    /// Hands over what was fetched, as [`Dumper::dump`] does.
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
    DumpRequest { family, states, needs, bytecode: &[], beside: false }
}

/// What a dump could not bring.
fn judge(dumped: Result<DumpFaults, DumpError<InspectError>>, gaps: &mut Gaps) -> Result<(), InspectError> {
    match dumped {
        Ok(faults) => report(&faults, gaps),
        Err(DumpError::Receiver(error)) => return Err(error),
        Err(DumpError::Refused(refusal)) => lost(gaps, refusal.to_string(), 1),
    }
    Ok(())
}

/// Each way in which a dump can be less than whole, in words.
fn report(faults: &DumpFaults, gaps: &mut Gaps) {
    let mut lost = |why: &str, count| lost(gaps, why.to_owned(), count);
    lost("the table changed during the dump, which may be inconsistent", u64::from(faults.interrupted));
    lost("datagrams of the dump were longer than the receive buffer", faults.truncated);
    lost("the kernel dropped messages of the dump", faults.overrun);
    lost("datagrams of the dump were malformed", faults.bad_frames);
    lost("the kernel sent messages of an unknown form", faults.undecodable);
    if let Some(errno) = faults.broke_off {
        lost(&format!("the kernel broke the dump off: {}", io::Error::from_raw_os_error(errno.0)), 1);
    }
}

/// Notes that rows may be missing, if any are.
pub(super) fn lost(gaps: &mut Gaps, why: String, count: u64) {
    if count > 0 {
        gaps.add(Gap::new(GapKind::Sockets, why, Remedy::Do("take the snapshot again")).times(count));
    }
}
