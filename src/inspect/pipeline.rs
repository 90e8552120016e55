//! Turns dumps into rows: looks up owner, user and cgroup of each socket, and passes the row to the sink.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::SystemTime;

use rustc_hash::FxHashSet;

use super::cache::CacheUse;
use super::cached::{self, FoundOwners, Scanned};
use super::cookies::CookieSet;
use super::dump::{Dumped, Dumper, lost};
use super::error::InspectError;
use super::judging::{Judging, Routers};
use super::request::Request;
use super::waiting::{Waiting, still_there};
use crate::collect::cgroups::Cgroups;
use crate::collect::proc_net::ProcNetTcp;
use crate::collect::rights;
use crate::collect::threads::processors;
use crate::collect::users::Users;
use crate::collect::visit::{Rows, SourceChoice, gap_for};
use crate::collect::wanted::Wanted;
use crate::model::gap::{Gap, GapKind, Gaps, Remedy};
use crate::model::holder::Holder;
use crate::model::ids::Inode;
use crate::model::namespace::{Namespace, Source};
use crate::model::needs::Needs;
use crate::model::owner::OwnerTable;
use crate::model::rights::Capabilities;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Summary};
use crate::model::socket::Socket;
use crate::model::state::{StateSet, TcpState};

/// Maximum number of rows that wait for a scan of their owners. If more would wait, all processes are scanned at once.
/// Rows whose owners that scan does not find are then passed on without an owner, and counted.
const MOST_WAITING: usize = 4096;

/// Parts that are looked up only after the filter has checked the other parts of a row: they cost more than filtering.
const LATE: Needs = Needs::LIVENESS
    .union(Needs::OPTIONS)
    .union(Needs::MORE_OPTIONS)
    .union(Needs::ALL_OPTIONS)
    .union(Needs::USER)
    .union(Needs::CGROUP);

/// Origin of rows.
#[derive(Clone, Copy)]
struct Place<'a> {
    namespace: &'a Namespace,
    /// Number of its source of rows
    number: usize,
}

/// Search for the owners of sockets.
struct OwnerSearch<'a> {
    is_wanted: bool,
    /// What was found, once processes have been scanned
    found: &'a OnceCell<FoundOwners>,
    /// Rows whose owners are not known yet
    waiting: Vec<Waiting<'a>>,
    /// Listeners that are not listed, while their owners are unknown
    listeners: Vec<Socket>,
    /// Inodes of sockets for which no owner was found
    ownerless: FxHashSet<Inode>,
}

/// Marks of sockets, which the kernel sends to privileged callers only.
struct Marks {
    /// The filter compares them
    are_compared: bool,
    /// The filter compares them, and the kernel did not send one
    are_missing: bool,
}

struct Pipeline<'a, S: ?Sized> {
    request: &'a Request,
    taken_at: SystemTime,
    sink: &'a mut S,
    interrupted: &'a dyn Fn() -> bool,
    users: Users,
    cgroups: Cgroups,
    judging: Judging<'a>,
    search: OwnerSearch<'a>,
    states: StateSet,
    marks: Marks,
    summary: Summary,
    gaps: Gaps,
}

/// Namespaces, and the opened source of rows of each.
pub(super) struct Opened<'a> {
    pub(super) head: &'a Head,
    /// In the order of the namespaces
    pub(super) sources: Vec<Rows>,
    pub(super) routers: Routers,
}

/// Reads all sources completely.
pub(super) fn run<S: Sink + ?Sized>(
    request: &Request,
    Opened { head, mut sources, routers }: Opened<'_>,
    mut cache: Option<CacheUse<'_>>,
    sink: &mut S,
    interrupted: &dyn Fn() -> bool,
) -> Result<(Summary, Gaps), InspectError> {
    let mut users = Users::default();
    let owners = OnceCell::new();
    let wants_owners = request.collected().contains(Needs::OWNERS) && !request.families.is_empty();
    // If all connections are listed, nearly all owners are needed, and a series of snapshots caches them: scan now.
    // Otherwise scan when it is known which sockets are listed.
    let is_narrow = !request.filter.is_everything() || request.states.without(StateSet::listeners()).is_empty();
    if wants_owners && (cache.is_some() || !is_narrow) {
        let cached = cache.as_mut().map(|used| (&mut used.cache.cached, used.cache.clock.elapsed()));
        let found = cached::owners(cached, &mut users, request.collected())?;
        owners.get_or_init(|| found);
    }
    let judging = Judging::new(request, cache.as_mut().map(CacheUse::reborrow), routers);
    let wants_listeners = judging.wants_listeners(request.states.intersection(request.filter.states()));
    let mut dumper = Dumper::new(request, wants_listeners, judging.is_watched());
    let mut pipeline = Pipeline {
        request,
        taken_at: head.taken_at,
        sink,
        interrupted,
        users,
        cgroups: Cgroups::default(),
        judging,
        search: OwnerSearch {
            is_wanted: wants_owners,
            found: &owners,
            waiting: Vec::new(),
            listeners: Vec::new(),
            ownerless: FxHashSet::default(),
        },
        states: dumper.states(),
        marks: Marks { are_compared: request.filter.asks_marks(), are_missing: false },
        summary: Summary::default(),
        gaps: owners.get().map(FoundOwners::gaps).unwrap_or_default(),
    };
    pipeline.read_all(&mut dumper, &head.namespaces, &mut sources)?;
    let newer = pipeline.settle(&mut sources)?;
    pipeline.gaps.extend(pipeline.judging.gaps());
    pipeline.marks.are_missing |= dumper.lacks_marks;
    pipeline.note_what_the_filter_could_not_see(&head.namespaces);
    let Pipeline { search: OwnerSearch { ownerless, .. }, summary, gaps, .. } = pipeline;
    if let (Some(owners), Some(CacheUse { cache, is_part })) = (owners.into_inner(), cache) {
        let newer = newer.map(|newer| (newer, cache.clock.elapsed()));
        owners.keep(&mut cache.cached, newer, ownerless, is_part);
    }
    Ok((summary, gaps))
}

impl<'a, S: Sink + ?Sized> Pipeline<'a, S> {
    /// Reads every namespace in turn. Small ones are dumped in parallel, so that each processor walks the kernel's tables.
    fn read_all(
        &mut self,
        dumper: &mut Dumper<'_>,
        namespaces: &'a [Namespace],
        sources: &mut [Rows],
    ) -> Result<(), InspectError> {
        let most = processors();
        let mut pending: Vec<_> = namespaces.iter().zip(sources).enumerate().collect();
        pending.retain(|(_, (_, rows))| !matches!(rows, Rows::None));
        let mut rest = &mut pending[..];
        while !rest.is_empty() {
            let small = rest.iter().take(most).take_while(|(_, (namespace, rows))| dumper.is_small(namespace, rows));
            let together = small.count().max(1);
            let (batch, others) = std::mem::take(&mut rest).split_at_mut(together);
            rest = others;
            let mut fetched = if batch.len() > 1 {
                let mut batch: Vec<_> =
                    batch.iter_mut().map(|(_, (namespace, rows))| (*namespace, &mut **rows)).collect();
                dumper.fetch_all(&mut batch)
            } else {
                Vec::new()
            };
            for (index, (number, (namespace, rows))) in batch.iter_mut().enumerate() {
                let place = Place { namespace, number: *number };
                match fetched.get_mut(index).and_then(Option::take) {
                    Some(fetched) => {
                        let (mut gaps, mut seen) = (Gaps::default(), CookieSet::default());
                        fetched.hand_over(&mut gaps, |row| self.take(place, &mut seen, row))?;
                        self.gaps.extend(gaps);
                    }
                    None => self.read(dumper, place, rows)?,
                }
            }
        }
        Ok(())
    }

    /// Reads one namespace.
    fn read(&mut self, dumper: &mut Dumper<'_>, place: Place<'a>, rows: &mut Rows) -> Result<(), InspectError> {
        match rows {
            Rows::Diag(socket) => {
                let (mut gaps, mut seen) = (Gaps::default(), CookieSet::default());
                let read = dumper.dump(place.namespace, socket, &mut gaps, |row| self.take(place, &mut seen, row));
                self.gaps.extend(gaps);
                read
            }
            Rows::Proc(files) => self.read_files(dumper, place, files),
            Rows::Later(found, source) => match Rows::open(found, *source) {
                // Closed as soon as it has been read.
                Ok(mut opened) => self.read(dumper, place, &mut opened),
                Err(error) => {
                    self.gaps.add(gap_for(&error));
                    Ok(())
                }
            },
            Rows::None => Ok(()),
        }
    }

    /// Processes a socket of a dump, which may return the same socket twice.
    fn take(&mut self, place: Place<'a>, seen: &mut CookieSet, row: Dumped<'_>) -> Result<(), InspectError> {
        match row {
            Dumped::Listener(socket) => {
                self.note_listener(socket, Holder::of(socket, self.search.found.get().map(FoundOwners::table)));
            }
            Dumped::Row(socket) if socket.id.cookie.is_none_or(|cookie| seen.insert(cookie)) => {
                self.socket(place, socket)?;
            }
            Dumped::Row(_) => {}
        }
        Ok(())
    }

    /// Adds gaps for values that the filter compares and that are unknown: matching rows may be missing.
    fn note_what_the_filter_could_not_see(&mut self, namespaces: &[Namespace]) {
        if self.marks.are_missing {
            let remedy = rights::remedy(Capabilities::NET_ADMIN);
            self.gaps.add(Gap::new(GapKind::Marks, "reading marks takes CAP_NET_ADMIN", remedy));
        }
        let from_proc = namespaces.iter().filter(|namespace| namespace.source == Source::Procfs).count() as u64;
        if from_proc > 0 && self.request.filter.asks_details() {
            let remedy = Remedy::Do("read from sock_diag, if it is available");
            let why = "/proc/net/tcp lacks them";
            self.gaps.add(Gap::new(GapKind::FilterDetails, why, remedy).times(from_proc));
        }
    }

    /// Reads every family from /proc/net/tcp.
    fn read_files(
        &mut self,
        dumper: &Dumper<'_>,
        place: Place<'a>,
        files: &mut ProcNetTcp,
    ) -> Result<(), InspectError> {
        if self.request.source == SourceChoice::Procfs && self.states.contains(TcpState::BoundInactive) {
            let why = "/proc/net/tcp does not list them";
            self.gaps.add(Gap::new(GapKind::BoundSockets, why, Remedy::Do("read from sock_diag")));
        }
        for family in dumper.families() {
            match files.read(*family, place.namespace.id, |socket| self.socket(place, socket)) {
                Ok(Ok(unreadable)) => {
                    lost(&mut self.gaps, "lines of /proc/net/tcp of an unknown form".to_owned(), unreadable);
                }
                Ok(Err(error)) => return Err(error),
                Err(error) => lost(&mut self.gaps, format!("/proc/net/tcp: {error}"), 1),
            }
        }
        Ok(())
    }

    /// Filters and counts one socket, and passes it on or keeps it until its owner is found.
    fn socket(&mut self, place: Place<'a>, socket: &Socket) -> Result<(), InspectError> {
        if (self.interrupted)() {
            return Err(InspectError::Interrupted);
        }
        let owners = self.search.found.get();
        let is_early = self.search.is_wanted && owners.is_none();
        let holder = self.judging.holder(socket, owners);
        let is_unsettled = match owners {
            Some(owners) => owners.is_unsettled(&holder, socket.inode),
            None => is_early && matches!(holder, Holder::NotAsked),
        };
        // A caller with CAP_NET_ADMIN gets the mark of every socket, even if it is 0.
        self.marks.are_missing |=
            self.marks.are_compared && socket.inode.is_some() && socket.attributes.class.mark.is_none();
        // /proc has no filter, and kernels before 6.8 ignore the bits of states that they do not know.
        if !self.states.contains(socket.state) || self.is_out(place.namespace, socket, holder, is_unsettled) {
            self.note_listener(socket, holder);
            return Ok(());
        }
        // Rows that need no owner wait too, so that all rows stay in the kernel's order.
        if is_early {
            self.wait(place, socket);
            return if self.search.waiting.len() < MOST_WAITING { Ok(()) } else { self.look_through_all() };
        }
        if owners.is_some_and(|owners| owners.is_ownerless(&holder, socket.inode)) {
            self.search.ownerless.extend(socket.inode);
        }
        if !is_unsettled {
            return self.hand_over(place.namespace, socket, holder);
        }
        if owners.is_some_and(|owners| owners.is_recent(self.judging.now())) {
            return self.hand_over(place.namespace, socket, Holder::NotAsked);
        }
        if self.search.waiting.len() < MOST_WAITING {
            self.wait(place, socket);
            return Ok(());
        }
        let why = "too many were opened during the snapshot for a second scan";
        self.gaps.add(Gap::new(GapKind::NewOwners, why, Remedy::Do("take the snapshot again")));
        self.hand_over(place.namespace, socket, holder.unsettled())
    }

    fn wait(&mut self, place: Place<'a>, socket: &Socket) {
        let Place { namespace, number } = place;
        self.search.waiting.push(Waiting { namespace, source: number, socket: socket.clone() });
    }

    /// Records a row that is not listed: if it is a listener, its options are needed to judge its request sockets.
    fn note_listener(&mut self, socket: &Socket, holder: Holder<'_>) {
        let is_early = self.search.is_wanted && self.search.found.get().is_none();
        match holder {
            Holder::NotAsked if is_early && socket.state == TcpState::Listen => {
                if self.search.listeners.len() < MOST_WAITING {
                    self.search.listeners.push(socket.clone());
                }
            }
            holder => self.judging.note_listener(socket, holder),
        }
    }

    /// Whether the filter rejects the socket before any expensive look-up.
    fn is_out(&self, namespace: &Namespace, socket: &Socket, holder: Holder<'_>, is_unsettled: bool) -> bool {
        let interface = interface(socket, namespace);
        let interface = interface.as_deref();
        let (taken_at, user, cgroup) = (self.taken_at, None, None);
        let row = Row { taken_at, socket, namespace, interface, user, cgroup, holder, options: None, judged: None };
        // A second scan may find an owner.
        let unsettled = if is_unsettled { Needs::OWNERS } else { Needs::empty() };
        self.request.filter.decide(&row, Needs::all() - LATE - unsettled) == Some(false)
    }

    fn hand_over(&mut self, namespace: &Namespace, socket: &Socket, holder: Holder<'_>) -> Result<(), InspectError> {
        let needs = self.request.collected();
        let options = self.judging.options(socket, holder);
        let judged = self.judging.judge(socket, namespace, options);
        let uid = socket.uid.filter(|_| needs.contains(Needs::USER));
        let cgroup = socket.attributes.cgroup_id.filter(|_| needs.contains(Needs::CGROUP));
        let interface = interface(socket, namespace);
        let row = Row {
            taken_at: self.taken_at,
            socket,
            namespace,
            interface: interface.as_deref(),
            user: uid.and_then(|uid| self.users.name(uid)),
            cgroup: cgroup.and_then(|id| self.cgroups.path(id)),
            holder,
            options: options.as_ref().and_then(|read| read.as_ref().ok()),
            judged: judged.as_ref(),
        };
        if !self.request.filter.matches(&row) {
            return Ok(());
        }
        self.summary.count(socket);
        if let Some(judged) = row.judged {
            self.summary.judge(judged.liveness.verdict);
        }
        self.sink.row(&row)?;
        Ok(())
    }

    /// Scans all processes because too many rows wait. Rows that follow need not wait.
    fn look_through_all(&mut self) -> Result<(), InspectError> {
        let waiting = std::mem::take(&mut self.search.waiting);
        if waiting.iter().all(|row| row.socket.inode.is_none()) {
            for row in waiting {
                self.hand_over(row.namespace, &row.socket, Holder::of(&row.socket, None))?;
            }
            return Ok(());
        }
        let scanned = cached::scan(&mut self.users, self.request.collected(), self.judging.is_watched(), None)?;
        self.gaps.merge(scanned.gaps.clone());
        let owners = self.search.found.get_or_init(|| FoundOwners::scanned(scanned));
        self.note_listeners(Some(owners.table()));
        for row in waiting {
            let holder = Holder::of(&row.socket, Some(owners.table()));
            // The socket may have been opened or passed on during the scan.
            if owners.is_unsettled(&holder, row.socket.inode) {
                self.search.waiting.push(row);
            } else {
                self.hand_over(row.namespace, &row.socket, holder)?;
            }
        }
        Ok(())
    }

    /// Records the listeners that were put aside: their options are needed to judge request sockets.
    fn note_listeners(&mut self, owners: Option<&OwnerTable>) {
        for socket in std::mem::take(&mut self.search.listeners) {
            self.judging.note_listener(&socket, Holder::of(&socket, owners));
        }
    }

    /// Finds the owners of the waiting rows. A socket without an owner is attributed to the kernel only if it still
    /// exists: its process may have closed it before its descriptors were read.
    fn settle(&mut self, sources: &mut [Rows]) -> Result<Option<Scanned>, InspectError> {
        let waiting = std::mem::take(&mut self.search.waiting);
        let requests = waiting.iter().any(|row| row.socket.state == TcpState::SynRecv);
        if !requests {
            self.search.listeners.clear();
        }
        let sockets = waiting.iter().map(|row| &row.socket).chain(&self.search.listeners);
        let wanted = Wanted::new(sockets.filter_map(|socket| Some((socket.inode?, socket.uid))));
        if waiting.is_empty() {
            return Ok(None);
        }
        let is_watched = self.judging.is_watched();
        let scanned = if wanted.is_empty() {
            None
        } else {
            // Owners that are cached must be complete, and so must owners that a filter compares.
            let needs = self.request.collected();
            let needs_all = needs.contains(Needs::EVERY_OWNER) || self.request.filter.needs().contains(Needs::OWNERS);
            let wanted = (!is_watched && !needs_all).then_some(&wanted);
            let scanned = cached::scan(&mut self.users, needs, is_watched, wanted)?;
            self.gaps.merge(scanned.gaps.clone());
            Some(scanned)
        };
        let table = scanned.as_ref().map(|scanned| &scanned.table);
        self.note_listeners(table);
        let unheld = |row: &Waiting<'_>| matches!(Holder::of(&row.socket, table), Holder::Kernel);
        let unheld: Vec<_> = waiting.iter().filter(|row| unheld(row)).collect();
        let there = still_there(&unheld, sources);
        for row in &waiting {
            let holder = match Holder::of(&row.socket, table) {
                Holder::Kernel if !row.socket.inode.is_some_and(|inode| there.contains(&inode)) => Holder::NotAsked,
                holder => holder,
            };
            if holder.owners().is_none() {
                self.search.ownerless.extend(row.socket.inode);
            }
            self.hand_over(row.namespace, &row.socket, holder)?;
        }
        Ok(scanned.filter(|_| is_watched))
    }
}

/// Name of the interface that a socket is bound to. If the interface is gone, its number: the socket is still bound to it.
fn interface<'a>(socket: &Socket, namespace: &'a Namespace) -> Option<Cow<'a, str>> {
    let index = socket.interface?;
    Some(namespace.interface(index).map_or_else(|| Cow::Owned(format!("if{index}")), Cow::Borrowed))
}
