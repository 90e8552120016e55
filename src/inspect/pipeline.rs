//! From dumps to rows: each message is decoded, its holder, user and cgroup looked up, and the row handed over.

use super::cookies::CookieSet;
use super::{InspectError, Request};
use crate::collect::cgroups::Cgroups;
use crate::collect::diag::{BUFFER_BYTES, DiagSocket, DumpError, DumpFaults};
use crate::collect::owners;
use crate::collect::request::DumpRequest;
use crate::collect::users::Users;
use crate::collect::visit::Rows;
use crate::model::gap::{Gap, Gaps};
use crate::model::namespace::Namespace;
use crate::model::needs::Needs;
use crate::model::owner::{Holder, OwnerTable};
use crate::model::row::Row;
use crate::model::snapshot::{Sink, Summary};
use crate::model::socket::Socket;

/// Rows that are kept for a second look at their owners, at most. Beyond it they go out as they are.
const SECOND_LOOKS: usize = 4096;

struct Pipeline<'a, S: ?Sized> {
    request: &'a Request,
    sink: &'a mut S,
    interrupted: &'a dyn Fn() -> bool,
    users: Users,
    cgroups: Cgroups,
    owners: Option<OwnerTable>,
    second_looks: Vec<(usize, Socket)>,
    summary: Summary,
    gaps: Gaps,
}

/// Reads `sources`, one for each of `namespaces`, to their ends.
pub(super) fn run<S: Sink + ?Sized>(
    request: &Request,
    namespaces: &[Namespace],
    sources: Vec<Rows>,
    sink: &mut S,
    interrupted: &dyn Fn() -> bool,
) -> Result<(Summary, Gaps), InspectError> {
    let mut pipeline = Pipeline {
        request,
        sink,
        interrupted,
        users: Users::default(),
        cgroups: Cgroups::default(),
        owners: None,
        second_looks: Vec::new(),
        summary: Summary::default(),
        gaps: Gaps::default(),
    };
    let mut sources = sources;
    if request.needs.contains(Needs::OWNERS) && !request.families.is_empty() {
        let (table, gaps) = owners::scan(&mut pipeline.users)?;
        pipeline.owners = Some(table);
        pipeline.gaps.extend(gaps);
    }
    let mut buffer = vec![0; BUFFER_BYTES];
    for (index, source) in sources.iter_mut().enumerate() {
        let mut seen = CookieSet::default();
        for &family in &request.families {
            match source {
                Rows::Diag(socket) => {
                    let dump = DumpRequest { family, states: request.states, needs: request.needs };
                    pipeline.dump(namespaces, index, socket, dump, &mut buffer, &mut seen)?;
                }
                Rows::Proc(files) => {
                    let id = namespaces[index].id;
                    let read = files.read(family, id, |socket| pipeline.socket(namespaces, index, socket));
                    pipeline.proc_ended(read)?;
                }
            }
        }
    }
    pipeline.look_again(namespaces)?;
    Ok((pipeline.summary, pipeline.gaps))
}

impl<S: Sink + ?Sized> Pipeline<'_, S> {
    fn dump(
        &mut self,
        namespaces: &[Namespace],
        index: usize,
        socket: &mut DiagSocket,
        request: DumpRequest,
        buffer: &mut [u8],
        seen: &mut CookieSet,
    ) -> Result<(), InspectError> {
        let dumped = socket.dump(request, buffer, |socket| {
            if socket.id.cookie.is_none_or(|cookie| seen.insert(cookie)) {
                self.socket(namespaces, index, socket)?;
            }
            Ok(())
        });
        match dumped {
            Ok(faults) => report(&faults, &mut self.gaps),
            Err(DumpError::Receiver(error)) => return Err(error),
            Err(DumpError::Refused(refusal)) => lost(&mut self.gaps, refusal.to_string(), 1),
        }
        Ok(())
    }

    fn proc_ended(&mut self, read: std::io::Result<Result<u64, InspectError>>) -> Result<(), InspectError> {
        let (why, count) = match read {
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(unreadable)) => ("lines of /proc/net/tcp of an unknown form".to_owned(), unreadable),
            Ok(Err(error)) => return Err(error),
            Err(error) => (format!("/proc/net/tcp: {error}"), 1),
        };
        lost(&mut self.gaps, why, count);
        Ok(())
    }

    /// One socket of namespace `index`: filtered, counted, and handed over or kept for a second look.
    fn socket(&mut self, namespaces: &[Namespace], index: usize, socket: Socket) -> Result<(), InspectError> {
        if (self.interrupted)() {
            return Err(InspectError::Interrupted);
        }
        // /proc knows no filter, and kernels before 6.8 ignore the bits of states they do not know.
        if !self.request.states.contains(socket.state) {
            return Ok(());
        }
        self.summary.count(&socket);
        let unowned = matches!(Holder::of(&socket, self.owners.as_ref()), Holder::Kernel);
        if unowned && self.second_looks.len() < SECOND_LOOKS {
            self.second_looks.push((index, socket));
            return Ok(());
        }
        self.hand_over(&namespaces[index], &socket)
    }

    fn hand_over(&mut self, namespace: &Namespace, socket: &Socket) -> Result<(), InspectError> {
        let needs = self.request.needs;
        let uid = socket.uid.filter(|_| needs.contains(Needs::USER));
        let cgroup = socket.attributes.cgroup_id.filter(|_| needs.contains(Needs::CGROUP));
        let row = Row {
            socket,
            namespace,
            interface: socket.interface.and_then(|index| namespace.interface(index)),
            user: uid.and_then(|uid| self.users.name(uid)),
            cgroup: cgroup.and_then(|id| self.cgroups.path(id)),
            holder: Holder::of(socket, self.owners.as_ref()),
        };
        self.sink.row(&row)?;
        Ok(())
    }

    /// The processes were looked through before the dump, so a socket made in between seems to have no owner. Before
    /// it is called the kernel's own, the processes are looked through once more.
    fn look_again(&mut self, namespaces: &[Namespace]) -> Result<(), InspectError> {
        let waiting = std::mem::take(&mut self.second_looks);
        if waiting.is_empty() {
            return Ok(());
        }
        let (table, _) = owners::scan(&mut self.users)?;
        self.owners = Some(table);
        waiting.iter().try_for_each(|(index, socket)| self.hand_over(&namespaces[*index], socket))
    }
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
        lost(&format!("the kernel broke the dump off: {}", std::io::Error::from_raw_os_error(errno.0)), 1);
    }
}

/// Notes that rows may be missing, if any are.
fn lost(gaps: &mut Gaps, why: String, count: u64) {
    if count > 0 {
        gaps.add(Gap { what: "sockets", why, count, remedy: "take the snapshot again" });
    }
}
