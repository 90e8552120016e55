//! From dumps to rows: each message is decoded, its holder, user and cgroup looked up, and the row handed over.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::SystemTime;

use rustc_hash::FxHashSet;

use super::cache::CacheUse;
use super::cached::{self, FoundOwners, Scanned};
use super::cookies::CookieSet;
use super::dump::{Dumped, Dumper, lost};
use super::error::InspectError;
use super::judging::Judging;
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

/// Rows that wait for their owners to be looked for, at most. Where more wait, every process is looked through at once;
/// those whose owners are not found then go out without one, and are counted.
const MOST_WAITING: usize = 4096;

/// What a row lacks before it is known to be wanted: it costs more than to filter by the rest.
const LATE: Needs = Needs::LIVENESS
    .union(Needs::OPTIONS)
    .union(Needs::MORE_OPTIONS)
    .union(Needs::ALL_OPTIONS)
    .union(Needs::USER)
    .union(Needs::CGROUP);

/// Where rows come from.
#[derive(Clone, Copy)]
struct Place<'a> {
    namespace: &'a Namespace,
    /// Number of its source of rows
    number: usize,
}

struct Pipeline<'a, S: ?Sized> {
    request: &'a Request,
    taken_at: SystemTime,
    sink: &'a mut S,
    interrupted: &'a dyn Fn() -> bool,
    users: Users,
    cgroups: Cgroups,
    judging: Judging<'a>,
    /// Owners of sockets, once they have been looked for
    owners: &'a OnceCell<FoundOwners>,
    wants_owners: bool,
    waiting: Vec<Waiting<'a>>,
    /// Listeners that are not wanted for themselves, while their owners have not been looked for
    listeners: Vec<Socket>,
    /// Inodes that nobody was found to hold
    nobodys: FxHashSet<Inode>,
    states: StateSet,
    /// The filter asks for marks, and the kernel did not tell one
    lacks_marks: bool,
    asks_marks: bool,
    summary: Summary,
    gaps: Gaps,
}

/// Namespaces, and the source of rows of each.
pub(super) struct Opened<'a> {
    pub(super) head: &'a Head,
    /// In the order of the namespaces
    pub(super) sources: Vec<Rows>,
}

/// Reads all sources to their ends.
pub(super) fn run<S: Sink + ?Sized>(
    request: &Request,
    Opened { head, mut sources }: Opened<'_>,
    mut cache: Option<CacheUse<'_>>,
    sink: &mut S,
    interrupted: &dyn Fn() -> bool,
) -> Result<(Summary, Gaps), InspectError> {
    let mut users = Users::default();
    let owners = OnceCell::new();
    let wants_owners = request.collected().contains(Needs::OWNERS) && !request.families.is_empty();
    // Of all connections nearly all owners are wanted, and of what is watched they are kept; else they are looked for
    // when it is known which sockets are listed.
    let is_narrow = !request.filter.is_everything() || request.states.without(StateSet::listeners()).is_empty();
    if wants_owners && (cache.is_some() || !is_narrow) {
        let cached = cache.as_mut().map(|used| (&mut used.cache.cached, used.cache.clock.elapsed()));
        let found = cached::owners(cached, &mut users, request.collected())?;
        owners.get_or_init(|| found);
    }
    let judging = Judging::new(request, cache.as_mut().map(CacheUse::reborrow));
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
        owners: &owners,
        wants_owners,
        waiting: Vec::new(),
        listeners: Vec::new(),
        nobodys: FxHashSet::default(),
        states: dumper.states(),
        lacks_marks: false,
        asks_marks: request.filter.asks_marks(),
        summary: Summary::default(),
        gaps: owners.get().map(FoundOwners::gaps).unwrap_or_default(),
    };
    pipeline.read_all(&mut dumper, &head.namespaces, &mut sources)?;
    let newer = pipeline.settle(&mut sources)?;
    pipeline.gaps.extend(pipeline.judging.gaps());
    pipeline.lacks_marks |= dumper.lacks_marks;
    pipeline.note_what_the_filter_could_not_see(&head.namespaces);
    let Pipeline { nobodys, summary, gaps, .. } = pipeline;
    if let (Some(owners), Some(CacheUse { cache, is_part })) = (owners.into_inner(), cache) {
        let newer = newer.map(|newer| (newer, cache.clock.elapsed()));
        owners.keep(&mut cache.cached, newer, nobodys, is_part);
    }
    Ok((summary, gaps))
}

impl<'a, S: Sink + ?Sized> Pipeline<'a, S> {
    /// Every namespace in turn; small ones are dumped side by side, so that each processor walks the kernel's tables.
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

    /// One namespace.
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

    /// What a dump brings. A socket may come twice.
    fn take(&mut self, place: Place<'a>, seen: &mut CookieSet, row: Dumped<'_>) -> Result<(), InspectError> {
        match row {
            Dumped::Listener(socket) => {
                self.note_listener(socket, Holder::of(socket, self.owners.get().map(FoundOwners::table)));
            }
            Dumped::Row(socket) if socket.id.cookie.is_none_or(|cookie| seen.insert(cookie)) => {
                self.socket(place, socket)?;
            }
            Dumped::Row(_) => {}
        }
        Ok(())
    }

    /// What does not match because it was not told is not said to match nothing.
    fn note_what_the_filter_could_not_see(&mut self, namespaces: &[Namespace]) {
        if self.lacks_marks {
            let remedy = rights::remedy(Capabilities::NET_ADMIN);
            self.gaps.add(Gap::new(GapKind::Marks, "reading marks takes CAP_NET_ADMIN", remedy));
        }
        let from_proc = namespaces.iter().filter(|namespace| namespace.source == Source::Procfs).count() as u64;
        if from_proc > 0 && self.request.filter.asks_details() {
            let remedy = Remedy::Do("use --source auto where sock_diag is to be had");
            let why = "/proc/net/tcp does not tell them";
            self.gaps.add(Gap::new(GapKind::FilterDetails, why, remedy).times(from_proc));
        }
    }

    /// Every family, from /proc.
    fn read_files(
        &mut self,
        dumper: &Dumper<'_>,
        place: Place<'a>,
        files: &mut ProcNetTcp,
    ) -> Result<(), InspectError> {
        if self.request.source == SourceChoice::Procfs && self.states.contains(TcpState::BoundInactive) {
            let why = "/proc/net/tcp does not list them";
            self.gaps.add(Gap::new(GapKind::BoundSockets, why, Remedy::Do("use --source auto")));
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

    /// One socket: filtered, counted, and handed over, or kept until its owner is found.
    fn socket(&mut self, place: Place<'a>, socket: &Socket) -> Result<(), InspectError> {
        if (self.interrupted)() {
            return Err(InspectError::Interrupted);
        }
        let owners = self.owners.get();
        let is_early = self.wants_owners && owners.is_none();
        let holder = self.judging.holder(socket, owners);
        let is_unsettled = match owners {
            Some(owners) => owners.is_unsettled(&holder, socket.inode),
            None => is_early && matches!(holder, Holder::NotAsked),
        };
        // To whom the kernel tells marks it tells those of every socket, 0 too.
        self.lacks_marks |= self.asks_marks && socket.inode.is_some() && socket.attributes.class.mark.is_none();
        // /proc knows no filter, and kernels before 6.8 ignore the bits of states they do not know.
        if !self.states.contains(socket.state) || self.is_out(place.namespace, socket, holder, is_unsettled) {
            self.note_listener(socket, holder);
            return Ok(());
        }
        // Rows that need no owner wait too: all stay in the kernel's order.
        if is_early {
            self.wait(place, socket);
            return if self.waiting.len() < MOST_WAITING { Ok(()) } else { self.look_through_all() };
        }
        if owners.is_some_and(|owners| owners.is_nobodys(&holder, socket.inode)) {
            self.nobodys.extend(socket.inode);
        }
        if !is_unsettled {
            return self.hand_over(place.namespace, socket, holder);
        }
        if owners.is_some_and(|owners| owners.is_recent(self.judging.now())) {
            return self.hand_over(place.namespace, socket, Holder::NotAsked);
        }
        if self.waiting.len() < MOST_WAITING {
            self.wait(place, socket);
            return Ok(());
        }
        let why = "too many were opened during the snapshot for a second scan";
        self.gaps.add(Gap::new(GapKind::NewOwners, why, Remedy::Do("take the snapshot again")));
        self.hand_over(place.namespace, socket, holder.unsettled())
    }

    fn wait(&mut self, place: Place<'a>, socket: &Socket) {
        let Place { namespace, number } = place;
        self.waiting.push(Waiting { namespace, source: number, socket: socket.clone() });
    }

    /// Takes in a row that is not wanted for itself: if it is a listener, its requests are judged by its options.
    fn note_listener(&mut self, socket: &Socket, holder: Holder<'_>) {
        let is_early = self.wants_owners && self.owners.get().is_none();
        match holder {
            Holder::NotAsked if is_early && socket.state == TcpState::Listen => {
                if self.listeners.len() < MOST_WAITING {
                    self.listeners.push(socket.clone());
                }
            }
            holder => self.judging.note_listener(socket, holder),
        }
    }

    /// Whether it is clear before anything dear is looked up that the filter does not mean it.
    fn is_out(&self, namespace: &Namespace, socket: &Socket, holder: Holder<'_>, is_unsettled: bool) -> bool {
        let interface = interface(socket, namespace);
        let interface = interface.as_deref();
        let (taken_at, user, cgroup) = (self.taken_at, None, None);
        let row = Row { taken_at, socket, namespace, interface, user, cgroup, holder, options: None, judged: None };
        // Who holds it may turn out at the second look.
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

    /// More rows wait than are kept: every process is looked through, and those that follow need not wait.
    fn look_through_all(&mut self) -> Result<(), InspectError> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.iter().all(|row| row.socket.inode.is_none()) {
            for row in waiting {
                self.hand_over(row.namespace, &row.socket, Holder::of(&row.socket, None))?;
            }
            return Ok(());
        }
        let scanned = cached::scan(&mut self.users, self.request.collected(), self.judging.is_watched(), None)?;
        self.gaps.merge(scanned.gaps.clone());
        let owners = self.owners.get_or_init(|| FoundOwners::scanned(scanned));
        self.note_listeners(Some(owners.table()));
        for row in waiting {
            let holder = Holder::of(&row.socket, Some(owners.table()));
            // Opened or handed on during the scan, perhaps.
            if owners.is_unsettled(&holder, row.socket.inode) {
                self.waiting.push(row);
            } else {
                self.hand_over(row.namespace, &row.socket, holder)?;
            }
        }
        Ok(())
    }

    /// Requests are judged by the options of the listeners that were put aside.
    fn note_listeners(&mut self, owners: Option<&OwnerTable>) {
        for socket in std::mem::take(&mut self.listeners) {
            self.judging.note_listener(&socket, Holder::of(&socket, owners));
        }
    }

    /// Looks for the owners of the rows that wait. A socket that nobody holds is called the kernel's own only if it is
    /// still there: its program may have closed it before its descriptors were read.
    fn settle(&mut self, sources: &mut [Rows]) -> Result<Option<Scanned>, InspectError> {
        let waiting = std::mem::take(&mut self.waiting);
        let requests = waiting.iter().any(|row| row.socket.state == TcpState::SynRecv);
        if !requests {
            self.listeners.clear();
        }
        let sockets = waiting.iter().map(|row| &row.socket).chain(&self.listeners);
        let wanted = Wanted::new(sockets.filter_map(|socket| Some((socket.inode?, socket.uid))));
        if waiting.is_empty() {
            return Ok(None);
        }
        let is_watched = self.judging.is_watched();
        let scanned = if wanted.is_empty() {
            None
        } else {
            // What is kept for the next snapshot has to be whole, and so has what a filter by processes compares.
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
                self.nobodys.extend(row.socket.inode);
            }
            self.hand_over(row.namespace, &row.socket, holder)?;
        }
        Ok(scanned.filter(|_| is_watched))
    }
}

/// Name of the interface that a socket is bound to. One that is gone still binds it: better its number than "not bound".
fn interface<'a>(socket: &Socket, namespace: &'a Namespace) -> Option<Cow<'a, str>> {
    let index = socket.interface?;
    Some(namespace.interface(index).map_or_else(|| Cow::Owned(format!("if{index}")), Cow::Borrowed))
}
