//! A visit to a namespace: a thread enters it, opens what has to be opened there, reads the kernel values, and ends.
//!
//! setns(2) changes the calling thread only, and what it opens stays in that namespace; so nobody else is moved.

use std::fs::File;
use std::io;
use std::thread;

use nix::sched::{CloneFlags, setns};

use super::diag::DiagSocket;
use super::discovery::{Door, Found, NetnsChoice};
use super::error::{CollectError, Refusal};
use super::kernel_values;
use super::proc_net::ProcNetTcp;
use super::reach::reach;
use crate::model::gap::{Gap, Gaps};
use crate::model::namespace::{Namespace, Source};
use crate::model::needs::Needs;

/// Where the rows are to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceChoice {
    /// sock_diag, else /proc/net/tcp with a gap that says why
    Auto,
    /// sock_diag or an error
    SockDiag,
    /// /proc/net/tcp
    Procfs,
}

/// An open source of rows.
#[derive(Debug)]
pub enum Rows {
    /// sock_diag
    Diag(DiagSocket),
    /// /proc/net/tcp
    Proc(ProcNetTcp),
    /// Nobody wants rows, so nothing was opened
    None,
}

/// A namespace with its source of rows, open.
#[derive(Debug)]
pub struct Visited {
    /// What was read in it
    pub namespace: Namespace,
    /// Where its rows come from
    pub rows: Rows,
}

/// Enters every namespace of `found`. One that may not be entered is a gap, or an error if the user named it.
///
/// # Errors
/// The only namespace asked for cannot be entered, or nothing in it can be read.
pub fn visit_all(
    found: Vec<Found>,
    choice: &NetnsChoice,
    source: SourceChoice,
    rows_wanted: bool,
    needs: Needs,
) -> Result<(Vec<Visited>, Gaps), CollectError> {
    let mut visited = Vec::new();
    let mut gaps = Gaps::default();
    let mut last = None;
    for namespace in found {
        match visit(&namespace, source, rows_wanted, needs) {
            Ok((visit, refusal)) => {
                if let Some(refusal) = refusal {
                    gaps.add(fallback_gap(&refusal));
                }
                visited.push(visit);
            }
            Err(error) if *choice == NetnsChoice::All => {
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

/// Among many namespaces, one that cannot be seen does not spoil the others.
fn gap_for(error: &CollectError) -> Gap {
    let (why, remedy) = match error {
        CollectError::Enter { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            (source.to_string(), "run as root or grant CAP_SYS_ADMIN")
        }
        CollectError::Enter { source, .. } | CollectError::ProcNetTcp { source, .. } => {
            (source.to_string(), "raise the limits of this process (ulimit -n, pids) or choose namespaces with -N")
        }
        other => (other.to_string(), "choose namespaces with -N"),
    };
    Gap { what: "namespaces", why, count: 1, remedy }
}

fn fallback_gap(refusal: &Refusal) -> Gap {
    Gap {
        what: "socket details",
        why: format!("sock_diag: {refusal}; read from /proc/net/tcp instead"),
        count: 1,
        remedy: refusal.remedy(),
    }
}

type Visit = (Visited, Option<Refusal>);

fn visit(found: &Found, source: SourceChoice, rows_wanted: bool, needs: Needs) -> Result<Visit, CollectError> {
    within(found, || look_around(found, source, rows_wanted, needs))
}

/// Runs `work` inside a namespace, in a thread of its own where that is not the namespace of this one.
///
/// # Errors
/// It cannot be entered, or `work` fails.
pub(super) fn within<T: Send>(
    found: &Found,
    work: impl FnOnce() -> Result<T, CollectError> + Send,
) -> Result<T, CollectError> {
    let door = match &found.door {
        None => return work(),
        Some(Door { path }) => File::open(path).map_err(|error| enter_failed(found, error))?,
    };
    let door = &door;
    thread::scope(|scope| {
        let worker = thread::Builder::new().name(format!("netns {}", found.id.0)).spawn_scoped(scope, || {
            setns(door, CloneFlags::CLONE_NEWNET).map_err(|errno| enter_failed(found, errno.into()))?;
            work()
        });
        let died = || CollectError::Worker(found.name.clone());
        worker.map_err(|_| died())?.join().map_err(|_| died())?
    })
}

fn enter_failed(found: &Found, source: io::Error) -> CollectError {
    CollectError::Enter { name: found.name.clone(), source }
}

/// Runs in the namespace's own thread.
fn look_around(found: &Found, source: SourceChoice, rows_wanted: bool, needs: Needs) -> Result<Visit, CollectError> {
    let (rows, refusal) = match source {
        _ if !rows_wanted => (Rows::None, None),
        SourceChoice::Procfs => (open_procfs(found)?, None),
        SourceChoice::SockDiag => match DiagSocket::open(found.id) {
            Ok(socket) => (Rows::Diag(socket), None),
            Err(refusal) => return Err(CollectError::SockDiag { netns: found.name.clone(), refusal }),
        },
        SourceChoice::Auto => match DiagSocket::open(found.id) {
            Ok(socket) => (Rows::Diag(socket), None),
            Err(refusal) => (open_procfs(found)?, Some(refusal)),
        },
    };
    let kernel = needs.contains(Needs::KERNEL);
    let namespace = Namespace {
        id: found.id,
        name: found.name.clone(),
        source: match rows {
            Rows::Proc(_) => Source::Procfs,
            Rows::None if source == SourceChoice::Procfs => Source::Procfs,
            Rows::Diag(_) | Rows::None => Source::SockDiag,
        },
        sysctls: (kernel || needs.contains(Needs::SYSCTLS)).then(kernel_values::sysctls).unwrap_or_default(),
        sockstat: kernel.then(kernel_values::sockstat).unwrap_or_default(),
        counters: kernel.then(kernel_values::counters).unwrap_or_default(),
        reach: needs.contains(Needs::LIVENESS).then(reach).unwrap_or_default(),
        interfaces: interfaces(),
    };
    Ok((Visited { namespace, rows }, refusal))
}

fn open_procfs(found: &Found) -> Result<Rows, CollectError> {
    ProcNetTcp::open().map(Rows::Proc).map_err(|source| CollectError::ProcNetTcp { netns: found.name.clone(), source })
}

/// Index and name of each interface of the calling thread's namespace; none if they cannot be listed.
fn interfaces() -> Vec<(u32, String)> {
    let Ok(list) = nix::net::if_::if_nameindex() else { return Vec::new() };
    list.iter().map(|interface| (interface.index(), interface.name().to_string_lossy().into_owned())).collect()
}
