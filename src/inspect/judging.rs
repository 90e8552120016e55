//! From a row to its judgement: options are read where they tell more than the timers, keepalive is made out, deadline
//! and verdict follow.

use std::time::Duration;

use super::{Request, Watched};
use crate::collect::host::ticks_per_second;
use crate::collect::options::{OptionReader, Unread};
use crate::diagnose::{Facts, Judge, keepalive};
use crate::model::gap::Gap;
use crate::model::namespace::Namespace;
use crate::model::needs::Needs;
use crate::model::options::SocketOptions;
use crate::model::owner::Holder;
use crate::model::row::Judged;
use crate::model::socket::Socket;

/// Judges the rows of one snapshot.
pub(super) struct Judging<'a> {
    needs: Needs,
    judge: Judge,
    reader: OptionReader,
    watched: Option<&'a mut Watched>,
}

/// What came of reading a socket's options; `None` where nobody asked.
pub(super) type Read = Option<Result<SocketOptions, &'static str>>;

impl<'a> Judging<'a> {
    pub(super) fn new(request: &Request, mut watched: Option<&'a mut Watched>) -> Self {
        if let Some(watched) = &mut watched {
            watched.sightings.begin();
        }
        let active_within_ms = u64::try_from(request.active_within.as_millis()).unwrap_or(u64::MAX);
        Self {
            needs: request.needs,
            judge: Judge { hz: ticks_per_second(), active_within_ms },
            reader: OptionReader::default(),
            watched,
        }
    }

    /// The options of a socket, if they are wanted and would tell more than the row.
    pub(super) fn options(&mut self, socket: &Socket, holder: Holder<'_>) -> Read {
        if !self.needs.intersects(Needs::LIVENESS | Needs::OPTIONS) || !keepalive::asks_options(socket) {
            return None;
        }
        if !self.needs.contains(Needs::OPTIONS) {
            return Some(Err("its options were not to be read (--no-sockopts, --no-processes)"));
        }
        let owners = match holder {
            Holder::Processes(owners) => owners,
            Holder::Hidden => return Some(Err("its process is hidden from this user")),
            Holder::Kernel => return Some(Err("no process holds it, so its options cannot be read")),
            Holder::AcceptQueue => return Some(Err("not accepted yet, so no process holds it")),
            Holder::Orphan => return Some(Err("closed by its program, so no process holds it")),
            Holder::Minisocket => return Some(Err("the kernel keeps no options of a minisocket")),
            Holder::NotAsked => return Some(Err("its process was not looked for")),
        };
        let Some(cookie) = socket.id.cookie else {
            return Some(Err("/proc/net/tcp has no cookie to check a descriptor by"));
        };
        let more = self.needs.contains(Needs::MORE_OPTIONS);
        Some(self.reader.read(owners, cookie, socket.state, more).map_err(Unread::reason))
    }

    /// Keepalive, deadline and verdict, if they are wanted.
    pub(super) fn judge(&mut self, socket: &Socket, namespace: &Namespace, options: Read) -> Option<Judged> {
        if !self.needs.contains(Needs::LIVENESS) {
            return None;
        }
        let remembered = self.watched.as_mut().and_then(|watched| {
            let now = watched.clock.elapsed();
            watched.sightings.take(socket, millis(now), self.judge.wheel())
        });
        let (options, unread) = match &options {
            Some(Ok(options)) => (Some(options), ""),
            Some(Err(unread)) => (None, *unread),
            None => (None, "its timers do not tell"),
        };
        let keepalive = keepalive::of(socket, options, unread, remembered, &namespace.sysctls);
        let doubt = namespace.reach.doubt(socket.remote.addr);
        let facts = Facts { socket, keepalive: &keepalive, options, sysctls: &namespace.sysctls, doubt };
        Some(Judged { keepalive, liveness: self.judge.liveness(&facts) })
    }

    /// Options that their processes kept to themselves.
    pub(super) fn gap(&self) -> Option<Gap> {
        let count = self.reader.refused();
        (count > 0).then(|| Gap {
            what: "socket options",
            why: "not permitted to look at descriptors of other processes".to_owned(),
            count,
            remedy: "run as root or grant CAP_SYS_PTRACE",
        })
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
