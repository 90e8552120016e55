//! Judges rows: reads options if they reveal more than the timers, determines keepalive, derives deadline and verdict.

use std::net::IpAddr;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::cache::{Cache, CacheUse};
use super::cached::FoundOwners;
use super::request::Request;
use crate::collect::descriptors::Unreachable;
use crate::collect::options::OptionReader;
use crate::collect::routes::Router;
use crate::diagnose::syn::most_patient;
use crate::diagnose::{Facts, Judge, doubt, keepalive};
use crate::model::address::NetnsId;
use crate::model::gap::{Gap, GapKind, Gaps};
use crate::model::holder::Holder;
use crate::model::namespace::Namespace;
use crate::model::needs::Needs;
use crate::model::options::SocketOptions;
use crate::model::routes::{Doubt, Route};
use crate::model::row::Judged;
use crate::model::socket::Socket;
use crate::model::state::{StateSet, TcpState};
use crate::model::sysctl::Sysctls;
use crate::model::unread::Unread;

/// Sockets whose options are read anew in each snapshot of a series, some 6 us each. With more, cached ones are used.
const MOST_READS: usize = 2_000;

/// Look-up of routes, by namespace.
pub(super) type Routers = FxHashMap<NetnsId, Router>;
/// Address of a listener, and its options if they could be read.
type ListenerAt = (IpAddr, Option<SocketOptions>);

/// Judges the rows of one snapshot.
pub(super) struct Judging<'a> {
    needs: Needs,
    judge: Judge,
    reader: OptionReader,
    /// Listeners of each port, with their options if these could be read
    listeners: FxHashMap<(NetnsId, u16), Vec<ListenerAt>>,
    cache: Option<&'a mut Cache>,
    is_part: bool,
    routers: Routers,
    /// Number of sockets whose options were read, not taken from the cache
    reads: usize,
}

/// Result of reading a socket's options; `None` if they were not requested.
pub(super) type Read = Option<Result<SocketOptions, Unread>>;

impl<'a> Judging<'a> {
    pub(super) fn new(request: &Request, cache: Option<CacheUse<'a>>, routers: Routers) -> Self {
        let is_part = cache.as_ref().is_some_and(|used| used.is_part);
        let mut cache = cache.map(|used| used.cache);
        if let Some(cache) = cache.as_mut().filter(|_| !is_part) {
            cache.cached.begin();
        }
        Self {
            needs: request.collected(),
            judge: request.judge(),
            reader: OptionReader::default(),
            listeners: FxHashMap::default(),
            cache,
            is_part,
            routers,
            reads: 0,
        }
    }

    /// Whether the snapshot is one of a series, so that processor time matters more than elapsed time.
    pub(super) fn is_watched(&self) -> bool {
        self.cache.is_some()
    }

    /// Time since the series began.
    pub(super) fn now(&self) -> Duration {
        self.cache.as_ref().map_or(Duration::ZERO, |cache| cache.clock.elapsed())
    }

    /// Owner of a socket.
    pub(super) fn holder<'o>(&mut self, socket: &Socket, owners: Option<&'o FoundOwners>) -> Holder<'o> {
        match self.cache.as_mut().filter(|_| !self.is_part) {
            Some(cache) => cache.cached.holder(socket, owners),
            None => Holder::of(socket, owners.map(FoundOwners::table)),
        }
    }

    /// The options of a socket, if they are requested and would reveal more than the row.
    pub(super) fn options(&mut self, socket: &Socket, holder: Holder<'_>) -> Read {
        let read = self.read(socket, holder);
        if socket.state == TcpState::Listen {
            let options = read.as_ref().and_then(|read| read.as_ref().ok()).copied();
            let port = (socket.id.netns, socket.local.port);
            self.listeners.entry(port).or_default().push((socket.local.addr, options));
        }
        read
    }

    fn read(&mut self, socket: &Socket, holder: Holder<'_>) -> Read {
        let asks = keepalive::asks_options(socket)
            || (self.needs.contains(Needs::ALL_OPTIONS) && socket.state.is_connection());
        if !asks || !self.needs.intersects(Needs::LIVENESS | Needs::OPTIONS) {
            return None;
        }
        if !self.needs.contains(Needs::OPTIONS) {
            return Some(Err(Unread::Unwanted));
        }
        let Some(owners) = holder.owners() else {
            return holder.unread().map(Err);
        };
        let Some(cookie) = socket.id.cookie else {
            return Some(Err(Unread::NoCookie));
        };
        let more = self.needs.contains(Needs::MORE_OPTIONS);
        // A part is a few sockets that the user inspects: their options are read anew.
        let is_part = self.is_part;
        let mptcp = socket.inode.filter(|_| socket.is_mptcp());
        // A subflow keeps its inode when its program closes the connection, so that only a new look shows whether it has.
        let may_be_old = self.reads >= MOST_READS && !is_part && mptcp.is_none();
        let cache = self.cache.as_mut().filter(|_| may_be_old);
        let cached = cache.and_then(|cache| cache.cached.options(socket.id, more));
        let read = match (cached, mptcp) {
            (Some(options), _) => Ok(options),
            (None, Some(subflow)) => self.reader.read_of_mptcp(owners, subflow),
            (None, None) => self.reader.read(owners, cookie, socket.state, more),
        };
        self.reads += usize::from(cached.is_none());
        if let (None, Ok(options), Some(cache)) = (cached, &read, &mut self.cache) {
            cache.cached.note_options(socket.id, *options);
        }
        Some(read.map_err(Unreachable::unread))
    }

    /// Whether listeners have to be dumped first: request sockets are judged by their listeners' options.
    pub(super) fn wants_listeners(&self, states: StateSet) -> bool {
        self.needs.contains(Needs::LIVENESS | Needs::OPTIONS) && states.contains(TcpState::SynRecv)
    }

    /// Records a row that is not listed: if it is a listener, its options are needed to judge its request sockets.
    pub(super) fn note_listener(&mut self, socket: &Socket, holder: Holder<'_>) {
        if socket.state == TcpState::Listen {
            self.options(socket, holder);
        }
    }

    /// Options of the listener that received a request. Several may share a port, and the kernel does not report which of
    /// them it was.
    fn listener_of(&self, request: &Socket, sysctls: &Sysctls) -> Option<SocketOptions> {
        let at_port = self.listeners.get(&(request.id.netns, request.local.port))?;
        let wanted = request.local.addr.to_canonical();
        let may_have = at_port.iter().filter(|(addr, _)| addr.is_unspecified() || addr.to_canonical() == wanted);
        most_patient(may_have.map(|(_, options)| options.as_ref()), sysctls)
    }

    /// Keepalive, deadline and verdict, if they are requested.
    pub(super) fn judge(&mut self, socket: &Socket, namespace: &Namespace, options: Read) -> Option<Judged> {
        if !self.needs.contains(Needs::LIVENESS) {
            return None;
        }
        let (options, unread) = match &options {
            Some(Ok(options)) => (Some(options), Unread::Unneeded),
            Some(Err(unread)) => (None, *unread),
            None => (None, Unread::Unneeded),
        };
        let keepalive = keepalive::of(socket, options, unread, &namespace.sysctls);
        let doubt = self.doubt(socket, namespace, options.is_some_and(|options| options.dontroute));
        let is_request = socket.state == TcpState::SynRecv;
        let listener = if is_request { self.listener_of(socket, &namespace.sysctls) } else { None };
        let options = if is_request { listener.as_ref() } else { options };
        let is_hidden = namespace.hides_mptcp && socket.attributes.may_hide_ulp();
        let may_be_mptcp = socket.is_mptcp() || is_hidden;
        let facts = Facts { socket, keepalive: &keepalive, options, sysctls: &namespace.sysctls, doubt, may_be_mptcp };
        Some(Judged { keepalive, liveness: self.judge.liveness(&facts), doubt })
    }

    /// Reason to doubt that packets to the peer leave this host.
    fn doubt(&mut self, socket: &Socket, namespace: &Namespace, dontroute: bool) -> Option<Doubt> {
        let router = self.routers.get_mut(&namespace.id);
        doubt::of(socket, &namespace.routes, || match router.map_or(Route::Unknown, |router| router.route(socket)) {
            Route::Via(hop) if dontroute && hop.addr != socket.remote.addr.to_canonical() => Route::Refused,
            route => route,
        })
    }

    /// One gap for each reason why options could not be read.
    pub(super) fn gaps(&self) -> Gaps {
        let mut gaps = Gaps::default();
        for (unread, count) in self.reader.refused() {
            if unread != Unreachable::Gone {
                gaps.add(Gap::new(GapKind::SocketOptions, unread.unread().reason(), unread.remedy()).times(count));
            }
        }
        gaps
    }
}
