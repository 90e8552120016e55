//! A visit to a namespace: a thread enters it, opens the sources of rows, reads the kernel values, and ends.
//!
//! setns(2) moves only the calling thread, and what it opens stays in that namespace; other threads are not affected.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::thread;

use nix::sched::{CloneFlags, setns};
use rustix::io::Errno;

use super::diag::DiagSocket;
use super::discovery::{Found, NetnsChoice, NetnsFile};
use super::error::{CollectError, Refusal};
use super::proc_net::ProcNetTcp;
use super::refusals::{self, Refusals, cause, errno_of, is_gone, is_short};
use super::rights::LOOK_AND_ENTER;
use super::routes::{Router, routes};
use super::{kernel_values, limits, rights};
use crate::model::counters::{Counters, Population};
use crate::model::gap::{Gap, GapKind, Gaps, Remedy};
use crate::model::namespace::{Namespace, Source};
use crate::model::needs::Needs;
use crate::model::rights::Capabilities;
use crate::model::routes::Routes;
use crate::model::state::StateSet;
use crate::model::sysctl::Sysctls;

/// The user's choice of the source of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceChoice {
    /// sock_diag; if it is not available, /proc/net/tcp with a gap that names the reason
    Auto,
    /// sock_diag, or an error if it is not available
    SockDiag,
    /// /proc/net/tcp
    Procfs,
}

/// Source of the rows of a namespace.
#[derive(Debug)]
pub(crate) enum Rows {
    /// sock_diag
    Diag(DiagSocket),
    /// /proc/net/tcp
    Proc(ProcNetTcp),
    /// A source that is opened when its turn comes, so that a thousand namespaces do not take a thousand descriptors
    Later(Found, Source),
    /// No rows: none are requested, or the namespace has no TCP socket
    None,
}

impl Rows {
    /// Opens a source that the visit left closed.
    ///
    /// # Errors
    /// The namespace has ended, or can no longer be entered or read.
    pub(crate) fn open(found: &Found, source: Source) -> Result<Self, CollectError> {
        within(found, || match source {
            Source::SockDiag => open_diag(found).map(Self::Diag),
            Source::Procfs => open_procfs(found),
        })
    }
}

/// Values to read in each namespace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VisitRequest<'a> {
    /// Namespaces as the user named them
    pub choice: &'a NetnsChoice,
    /// Source of the rows
    pub source: SourceChoice,
    /// States of the wanted rows; empty for no rows
    pub states: StateSet,
    /// Wanted values
    pub needs: Needs,
}

/// A visited namespace and its rows.
#[derive(Debug)]
pub(crate) struct Visited {
    /// Values read in the namespace
    pub namespace: Namespace,
    /// Source of its rows
    pub rows: Rows,
    /// Looks up routes in it
    pub router: Option<Router>,
}

/// Sources of rows that stay open after the visit. Further ones are opened when their turn comes.
const MOST_OPEN: usize = 32;

/// Enters every namespace of `found`. A namespace that may not be entered is a gap, or an error if the user named it.
///
/// # Errors
/// The only requested namespace cannot be entered, or nothing in it can be read.
pub(crate) fn visit_all(found: &[Found], request: VisitRequest<'_>) -> Result<(Vec<Visited>, Gaps), CollectError> {
    let mut visited: Vec<Visited> = Vec::new();
    let mut gaps = Gaps::default();
    let mut last = None;
    for visit in visit_each(found, request) {
        match visit {
            Ok((mut visit, unseen)) => {
                gaps.extend(unseen);
                if let (Rows::None, Some(first)) = (&visit.rows, visited.first()) {
                    // No request was sent there. It is the same kernel, so it would have answered in the same way.
                    visit.namespace.source = first.namespace.source;
                }
                visited.push(visit);
            }
            Err(error) if *request.choice == NetnsChoice::All => {
                gaps.add(gap_for(&error));
                last = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match last {
        Some(error) if visited.is_empty() => Err(error),
        _ => Ok((visited, gaps)),
    }
}

/// Result of each visit. One thread enters the namespaces in turn: starting a thread for each took a busy host a
/// millisecond a namespace.
fn visit_each(found: &[Found], request: VisitRequest<'_>) -> Vec<Result<Visit, CollectError>> {
    let mut room = limits::room_for(MOST_OPEN);
    let mut visit = |found: &Found| {
        let mut visited = look_around(found, request)?;
        if matches!(visited.0.rows, Rows::Diag(_) | Rows::Proc(_)) {
            if room == 0 {
                visited.0.rows = Rows::Later(found.clone(), visited.0.namespace.source);
                visited.0.router = None;
            }
            room = room.saturating_sub(1);
        }
        Ok(visited)
    };
    let mut visits: Vec<_> = found.iter().map(|found| found.file.is_none().then(|| visit(found))).collect();
    let away: Vec<_> = found.iter().zip(&mut visits).filter(|(_, visit)| visit.is_none()).collect();
    if !away.is_empty() {
        let travel = |(found, place): (&Found, &mut Option<Result<Visit, CollectError>>)| {
            *place = Some(enter(found).and_then(|()| visit(found)));
        };
        thread::scope(|scope| {
            let worker = thread::Builder::new().name("namespaces".to_owned());
            // Results that the thread leaves empty become errors below.
            let _ = worker
                .spawn_scoped(scope, move || away.into_iter().for_each(travel))
                .map(thread::ScopedJoinHandle::join);
        });
    }
    let unvisited = |found: &Found| Err(CollectError::Worker(found.name.clone()));
    found.iter().zip(visits).map(|(found, visit)| visit.unwrap_or_else(|| unvisited(found))).collect()
}

/// Gap for a namespace that cannot be read while others can.
pub(crate) fn gap_for(error: &CollectError) -> Gap {
    let (why, example, remedy) = match error {
        CollectError::Enter { name, source, remedy } => (cause(errno_of(source)), name, *remedy),
        CollectError::ProcNetTcp { netns, source } => {
            let errno = errno_of(source);
            (format!("/proc/net/tcp: {}", cause(errno)), netns, refusals::remedy(errno, Capabilities::empty()))
        }
        CollectError::SockDiag { netns, refusal } => (format!("sock_diag: {refusal}"), netns, refusal.remedy()),
        CollectError::Ended(name) => {
            ("it ended during the snapshot".to_owned(), name, Remedy::Do("take the snapshot again"))
        }
        CollectError::Worker(name) => (
            "no thread could be started to enter it".to_owned(),
            name,
            Remedy::Do("raise the limit of processes (ulimit -u, pids.max)"),
        ),
        other => return Gap::new(GapKind::Namespaces, other.to_string(), Remedy::None),
    };
    Gap { example: Some(example.clone()), ..Gap::new(GapKind::Namespaces, why, remedy) }
}

fn fallback_gap(refusal: &Refusal) -> Gap {
    let why = format!("sock_diag: {refusal}; read from /proc/net/tcp instead");
    Gap::new(GapKind::SocketDetails, why, refusal.remedy())
}

type Visit = (Visited, Gaps);

/// Runs `work` inside a namespace, on a separate thread if the calling thread is not in that namespace.
///
/// # Errors
/// The namespace cannot be entered, or `work` fails.
pub(super) fn within<T: Send>(
    found: &Found,
    work: impl FnOnce() -> Result<T, CollectError> + Send,
) -> Result<T, CollectError> {
    if found.file.is_none() {
        return work();
    }
    thread::scope(|scope| {
        let worker = thread::Builder::new().name(format!("netns {}", found.id.0));
        let worker = worker.spawn_scoped(scope, || enter(found).and_then(|()| work()));
        let died = || CollectError::Worker(found.name.clone());
        worker.map_err(|_| died())?.join().map_err(|_| died())?
    })
}

/// Moves the calling thread into a namespace.
fn enter(found: &Found) -> Result<(), CollectError> {
    let Some(NetnsFile { path }) = &found.file else { return Ok(()) };
    let file = File::open(path).map_err(|error| match errno_of(&error) {
        errno if is_gone(errno) => CollectError::Ended(found.name.clone()),
        _ => CollectError::enter(&found.name, error, LOOK_AND_ENTER),
    })?;
    // The process may have ended, and its pid may belong to a process in another namespace by now.
    if !file.metadata().is_ok_and(|metadata| metadata.ino() == found.id.0) {
        return Err(CollectError::Ended(found.name.clone()));
    }
    setns(file, CloneFlags::CLONE_NEWNET)
        .map_err(|errno| CollectError::enter(&found.name, errno.into(), Capabilities::SYS_ADMIN))
}

/// Reads the requested values in the calling thread's namespace.
fn look_around(found: &Found, request: VisitRequest<'_>) -> Result<Visit, CollectError> {
    let needs = request.needs;
    let mut unread = Refused::default();
    // Before anything is opened here: sockstat would count our own socket.
    let sockstat = kernel_values::sockstat(&mut unread.counters);
    // In this process's own namespace, and in one that the user named, the kernel is always asked, to learn whether it answers.
    let is_one_of_many = found.file.is_some() && *request.choice == NetnsChoice::All;
    let population = sockstat.population().filter(|_| is_one_of_many);
    let states = population.map_or(StateSet::ALL, Population::states).intersection(request.states);
    let (rows, refusal) = if states.is_empty() { (Rows::None, None) } else { open_rows(found, request.source)? };
    let kernel = needs.contains(Needs::KERNEL);
    let interfaces = if states.is_empty() { Vec::new() } else { interfaces(&mut unread.interfaces) };
    let (routes, lookup) = if needs.contains(Needs::LIVENESS) && !states.is_empty() {
        routes(&mut unread.routes)
    } else {
        (Routes::default(), None)
    };
    let source = match rows {
        Rows::Proc(_) => Source::Procfs,
        Rows::None if request.source == SourceChoice::Procfs => Source::Procfs,
        _ => Source::SockDiag,
    };
    let sees_all = || source == Source::SockDiag && rights::effective().contains(Capabilities::NET_ADMIN);
    let namespace = Namespace {
        id: found.id,
        name: found.name.clone(),
        source,
        sysctls: if kernel || needs.contains(Needs::SYSCTLS) {
            kernel_values::sysctls(&mut unread.sysctls)
        } else {
            Sysctls::default()
        },
        sockstat,
        counters: if kernel { kernel_values::counters(&mut unread.counters) } else { Counters::default() },
        routes,
        hides_mptcp: needs.contains(Needs::LIVENESS)
            && !sees_all()
            && kernel_values::has_used_mptcp(&mut unread.counters),
        interfaces,
    };
    let mut gaps = unread.gaps(&found.name);
    refusal.into_iter().for_each(|refusal| gaps.add(fallback_gap(&refusal)));
    Ok((Visited { namespace, rows, router: lookup }, gaps))
}

/// Errors of reading the values of a namespace.
#[derive(Default)]
struct Refused {
    sysctls: Refusals,
    counters: Refusals,
    routes: Refusals,
    interfaces: Refusals,
}

impl Refused {
    fn gaps(self, netns: &str) -> Gaps {
        let mut gaps = Gaps::default();
        for (refused, kind) in [
            (self.sysctls, GapKind::Sysctls),
            (self.counters, GapKind::Counters),
            (self.routes, GapKind::Routes),
            (self.interfaces, GapKind::Interfaces),
        ] {
            let remedy = |errno| match kind {
                // Absent sysctls are not counted; only an existing one that could not be read is.
                GapKind::Sysctls if !is_short(errno) => Remedy::Do("unmask /proc/sys in this container"),
                _ => refusals::remedy(errno, Capabilities::empty()),
            };
            for gap in &refused.gaps_by(kind, remedy) {
                let example = gap.example.as_deref().map(|file| format!("{file} in {netns}"));
                gaps.add(Gap { example, ..gap.clone() });
            }
        }
        gaps
    }
}

/// Opens a source of rows. If it falls back to /proc/net/tcp, it also returns why sock_diag was refused.
fn open_rows(found: &Found, source: SourceChoice) -> Result<(Rows, Option<Refusal>), CollectError> {
    match source {
        SourceChoice::Procfs => Ok((open_procfs(found)?, None)),
        SourceChoice::SockDiag => Ok((Rows::Diag(open_diag(found)?), None)),
        SourceChoice::Auto => match DiagSocket::open(found.id) {
            Ok(socket) => Ok((Rows::Diag(socket), None)),
            Err(refusal) => Ok((open_procfs(found)?, Some(refusal))),
        },
    }
}

/// Opens a sock_diag socket in a namespace.
///
/// # Errors
/// The namespace has ended, cannot be entered, or has no sock_diag.
pub(crate) fn diag_in(found: &Found) -> Result<DiagSocket, CollectError> {
    within(found, || open_diag(found))
}

fn open_diag(found: &Found) -> Result<DiagSocket, CollectError> {
    DiagSocket::open(found.id).map_err(|refusal| CollectError::SockDiag { netns: found.name.clone(), refusal })
}

fn open_procfs(found: &Found) -> Result<Rows, CollectError> {
    ProcNetTcp::open().map(Rows::Proc).map_err(|source| CollectError::ProcNetTcp { netns: found.name.clone(), source })
}

/// Index and name of each interface of the calling thread's namespace; empty if they cannot be listed.
fn interfaces(refused: &mut Refusals) -> Vec<(u32, String)> {
    match nix::net::if_::if_nameindex() {
        Ok(list) => {
            list.iter().map(|interface| (interface.index(), interface.name().to_string_lossy().into_owned())).collect()
        }
        Err(errno) => {
            refused.note(Errno::from_raw_os_error(errno as i32), || Some("if_nameindex".to_owned()));
            Vec::new()
        }
    }
}
