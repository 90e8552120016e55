//! From dumps to rows: each message is decoded, its holder, user and cgroup looked up, and the row handed over.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

use rustc_hash::FxHashSet;

use super::cookies::CookieSet;
use super::judging::Judging;
use super::kept::{self, Owners, Scanned};
use super::{InspectError, Request, Watched};
use crate::collect::cgroups::{self, Cgroups};
use crate::collect::diag::{DiagSocket, DumpError, DumpFaults};
use crate::collect::error::Refusal;
use crate::collect::proc_net::ProcNetTcp;
use crate::collect::request::DumpRequest;
use crate::collect::users::Users;
use crate::collect::visit::{Rows, SourceChoice};
use crate::filter::{Bytecode, Dialect, Terms};
use crate::model::address::Family;
use crate::model::gap::{Gap, Gaps};
use crate::model::namespace::{Namespace, Source};
use crate::model::needs::Needs;
use crate::model::owner::Holder;
use crate::model::row::Row;
use crate::model::snapshot::{Sink, Summary};
use crate::model::socket::Socket;
use crate::model::state::{StateSet, TcpState};

/// Rows that are kept for a second look at their owners, at most. Beyond it they go out as hidden, and are counted.
const SECOND_LOOKS: usize = 4096;

/// What a row lacks before it is known to be wanted: it costs more than to filter by the rest.
const LATE: Needs = Needs::LIVENESS
    .union(Needs::OPTIONS)
    .union(Needs::MORE_OPTIONS)
    .union(Needs::ALL_OPTIONS)
    .union(Needs::USER)
    .union(Needs::CGROUP);

/// Where rows come from, and who may hold them.
#[derive(Clone, Copy)]
struct Place<'a> {
    namespace: &'a Namespace,
    owners: Option<&'a Owners>,
}

struct Pipeline<'a, S: ?Sized> {
    request: &'a Request,
    sink: &'a mut S,
    interrupted: &'a dyn Fn() -> bool,
    users: Users,
    cgroups: Cgroups,
    judging: Judging<'a>,
    second_looks: Vec<(&'a Namespace, Socket)>,
    /// Inodes that nobody was found to hold
    nobodys: FxHashSet<u32>,
    /// Owners as they were looked for a second time
    newer: Option<Scanned>,
    /// States and families that the filter leaves of those asked for
    states: StateSet,
    families: Vec<Family>,
    /// The bytecode that this kernel takes; `None` where it takes none
    dialect: Option<Dialect>,
    /// The filter asks for marks, and the kernel did not tell one
    lacks_marks: bool,
    asks_marks: bool,
    summary: Summary,
    gaps: Gaps,
}

/// Reads `sources`, one for each of `namespaces`, to their ends.
pub(super) fn run<S: Sink + ?Sized>(
    request: &Request,
    namespaces: &[Namespace],
    mut sources: Vec<Rows>,
    mut watched: Option<&mut Watched>,
    sink: &mut S,
    interrupted: &dyn Fn() -> bool,
) -> Result<(Summary, Gaps), InspectError> {
    let mut users = Users::default();
    let owners = if request.needs.contains(Needs::OWNERS) && !request.families.is_empty() {
        let kept = watched.as_mut().map(|watched| (&mut watched.kept, watched.clock.elapsed()));
        Some(kept::owners(kept, &mut users, request.needs)?)
    } else {
        None
    };
    let families = request.filter.families();
    let mut pipeline = Pipeline {
        request,
        sink,
        interrupted,
        users,
        cgroups: Cgroups::default(),
        judging: Judging::new(request, watched.as_deref_mut()),
        second_looks: Vec::new(),
        nobodys: FxHashSet::default(),
        newer: None,
        states: request.states.intersection(request.filter.states()),
        families: request.families.iter().copied().filter(|family| families.contains(family)).collect(),
        dialect: Some(Dialect { has_equal: true, has_mark: true }),
        lacks_marks: false,
        asks_marks: request.filter.asks_marks(),
        summary: Summary::default(),
        gaps: Gaps::default(),
    };
    pipeline.gaps.extend(owners.as_ref().map(Owners::gaps).unwrap_or_default());
    for (namespace, source) in namespaces.iter().zip(&mut sources) {
        let place = Place { namespace, owners: owners.as_ref() };
        match source {
            Rows::Diag(socket) => pipeline.dump(place, socket)?,
            Rows::Proc(files) => pipeline.read(place, files)?,
            Rows::None => {}
        }
    }
    pipeline.look_again()?;
    pipeline.gaps.extend(pipeline.judging.gaps());
    pipeline.note_what_the_filter_could_not_see(namespaces);
    let Pipeline { newer, nobodys, summary, gaps, .. } = pipeline;
    if let (Some(owners), Some(watched)) = (owners, watched) {
        let newer = newer.map(|newer| (newer, watched.clock.elapsed()));
        owners.keep(&mut watched.kept, newer, nobodys, request.is_part);
    }
    Ok((summary, gaps))
}

impl<'a, S: Sink + ?Sized> Pipeline<'a, S> {
    /// Over sock_diag, with as much of the filter as this kernel takes.
    fn dump(&mut self, place: Place<'a>, socket: &mut DiagSocket) -> Result<(), InspectError> {
        let family = match self.families[..] {
            [] => return Ok(()),
            [family] => Some(family),
            _ => None,
        };
        let mut bytecode = self.bytecode(place.namespace);
        let listeners_come = bytecode == Bytecode::Everything && self.states.contains(TcpState::Listen);
        if self.judging.wants_listeners(self.states) && !listeners_come && bytecode != Bytecode::Nothing {
            let (states, needs) = (StateSet::listeners(), Needs::empty());
            let dump = DumpRequest { family, states, needs, bytecode: &[], beside: false };
            let noted = socket.dump(dump, |socket| {
                self.judging.note_listener(socket, Holder::of(socket, place.owners.map(Owners::table)));
                Ok(())
            });
            self.judge_dump(noted)?;
        }
        let mut seen = CookieSet::default();
        loop {
            let code = match &bytecode {
                Bytecode::Nothing => return Ok(()),
                Bytecode::Everything => &[][..],
                Bytecode::Ops(ops) => ops,
            };
            let (states, needs) = (self.states, self.request.needs);
            // Without attributes a row is made faster than it is handed to another thread.
            let beside = !self.judging.is_watched() && !needs.is_empty();
            let dump = DumpRequest { family, states, needs, bytecode: code, beside };
            let dumped = socket.dump(dump, |socket| {
                if socket.id.cookie.is_none_or(|cookie| seen.insert(cookie)) {
                    self.socket(place, socket)?;
                }
                Ok(())
            });
            match (dumped, self.dialect) {
                (Err(DumpError::Refused(Refusal::Request(errno))), Some(dialect)) if !code.is_empty() => {
                    self.dialect = self.simpler(dialect, errno.0);
                    bytecode = self.bytecode(place.namespace);
                }
                (dumped, _) => return self.judge_dump(dumped),
            }
        }
    }

    /// What the kernel can decide of the filter in this namespace.
    fn bytecode(&self, namespace: &Namespace) -> Bytecode {
        let Some(dialect) = self.dialect else { return Bytecode::Everything };
        self.request.filter.bytecode(&Terms { namespace, cgroup: &cgroups::id, dialect })
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

    /// What does not match because it was not told is not said to match nothing.
    fn note_what_the_filter_could_not_see(&mut self, namespaces: &[Namespace]) {
        if self.lacks_marks {
            self.gaps.add(Gap {
                what: "marks",
                why: "the kernel tells them to CAP_NET_ADMIN only".to_owned(),
                count: 1,
                remedy: "run as root or grant CAP_NET_ADMIN",
            });
        }
        let from_proc = namespaces.iter().filter(|namespace| namespace.source == Source::Procfs).count() as u64;
        if from_proc > 0 && self.request.filter.asks_details() {
            self.gaps.add(Gap {
                what: "details that the filter asks for",
                why: "/proc/net/tcp does not tell them".to_owned(),
                count: from_proc,
                remedy: "use --source auto where sock_diag is to be had",
            });
        }
    }

    /// What became of a dump.
    fn judge_dump(&mut self, dumped: Result<DumpFaults, DumpError<InspectError>>) -> Result<(), InspectError> {
        match dumped {
            Ok(faults) => report(&faults, &mut self.gaps),
            Err(DumpError::Receiver(error)) => return Err(error),
            Err(DumpError::Refused(refusal)) => lost(&mut self.gaps, refusal.to_string(), 1),
        }
        Ok(())
    }

    /// Every family, from /proc.
    fn read(&mut self, place: Place<'a>, files: &mut ProcNetTcp) -> Result<(), InspectError> {
        if self.request.source == SourceChoice::Procfs && self.states.contains(TcpState::BoundInactive) {
            self.gaps.add(Gap {
                what: "bound sockets",
                why: "/proc/net/tcp does not list them".to_owned(),
                count: 1,
                remedy: "use --source auto",
            });
        }
        for family in self.families.clone() {
            match files.read(family, place.namespace.id, |socket| self.socket(place, socket)) {
                Ok(Ok(unreadable)) => {
                    lost(&mut self.gaps, "lines of /proc/net/tcp of an unknown form".to_owned(), unreadable);
                }
                Ok(Err(error)) => return Err(error),
                Err(error) => lost(&mut self.gaps, format!("/proc/net/tcp: {error}"), 1),
            }
        }
        Ok(())
    }

    /// One socket: filtered, counted, and handed over or kept for a second look.
    fn socket(&mut self, place: Place<'a>, socket: &Socket) -> Result<(), InspectError> {
        if (self.interrupted)() {
            return Err(InspectError::Interrupted);
        }
        let holder = self.judging.holder(socket, place.owners);
        let is_unsettled = place.owners.is_some_and(|owners| owners.is_unsettled(&holder, socket.inode));
        // To whom the kernel tells marks it tells those of every socket, 0 too.
        self.lacks_marks |= self.asks_marks && socket.inode.is_some() && socket.attributes.class.mark.is_none();
        // /proc knows no filter, and kernels before 6.8 ignore the bits of states they do not know.
        if !self.states.contains(socket.state) || self.is_out(place.namespace, socket, holder, is_unsettled) {
            self.judging.note_listener(socket, holder);
            return Ok(());
        }
        if place.owners.is_some_and(|owners| owners.is_nobodys(&holder, socket.inode)) {
            self.nobodys.extend(socket.inode);
        }
        if is_unsettled && place.owners.is_some_and(|owners| owners.is_recent(self.judging.now())) {
            return self.hand_over(place.namespace, socket, Holder::NotAsked);
        }
        if is_unsettled {
            if self.second_looks.len() < SECOND_LOOKS {
                self.second_looks.push((place.namespace, socket.clone()));
                return Ok(());
            }
            self.gaps.add(Gap {
                what: "owners of new sockets",
                why: "more came up during the snapshot than are looked for twice".to_owned(),
                count: 1,
                remedy: "take the snapshot again",
            });
        }
        let holder = if is_unsettled { holder.unsettled() } else { holder };
        self.hand_over(place.namespace, socket, holder)
    }

    /// Whether it is clear before anything dear is looked up that the filter does not mean it.
    fn is_out(&self, namespace: &Namespace, socket: &Socket, holder: Holder<'_>, is_unsettled: bool) -> bool {
        let interface = interface(socket, namespace);
        let interface = interface.as_deref();
        let row = Row { socket, namespace, interface, user: None, cgroup: None, holder, options: None, judged: None };
        // Who holds it may turn out at the second look.
        let unsettled = if is_unsettled { Needs::OWNERS } else { Needs::empty() };
        self.request.filter.decide(&row, Needs::all() - LATE - unsettled) == Some(false)
    }

    fn hand_over(&mut self, namespace: &Namespace, socket: &Socket, holder: Holder<'_>) -> Result<(), InspectError> {
        let needs = self.request.needs;
        let options = self.judging.options(socket, holder);
        let judged = self.judging.judge(socket, namespace, options);
        let uid = socket.uid.filter(|_| needs.contains(Needs::USER));
        let cgroup = socket.attributes.cgroup_id.filter(|_| needs.contains(Needs::CGROUP));
        let interface = interface(socket, namespace);
        let row = Row {
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

    /// The processes were looked through before the dump, so a socket made in between seems to have no owner. Before
    /// it is called the kernel's own, the processes are looked through once more.
    fn look_again(&mut self) -> Result<(), InspectError> {
        let waiting = std::mem::take(&mut self.second_looks);
        if waiting.is_empty() {
            return Ok(());
        }
        let scanned = kept::scan(&mut self.users, self.request.needs, self.judging.is_watched())?;
        for (namespace, socket) in &waiting {
            let holder = Holder::of(socket, Some(&scanned.table));
            if holder.owners().is_none() {
                self.nobodys.extend(socket.inode);
            }
            self.hand_over(namespace, socket, holder)?;
        }
        self.newer = Some(scanned);
        Ok(())
    }
}

/// Name of the interface that a socket is bound to. One that is gone still binds it: better its number than "not bound".
fn interface<'a>(socket: &Socket, namespace: &'a Namespace) -> Option<Cow<'a, str>> {
    let index = socket.interface?;
    Some(namespace.interface(index).map_or_else(|| Cow::Owned(format!("if{index}")), Cow::Borrowed))
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
fn lost(gaps: &mut Gaps, why: String, count: u64) {
    if count > 0 {
        gaps.add(Gap { what: "sockets", why, count, remedy: "take the snapshot again" });
    }
}
