//! A NETLINK_SOCK_DIAG socket and the dump over it.
//!
//! A netlink socket stays bound to the namespace in which it was opened. One socket is therefore opened inside each
//! namespace, and one thread reads all of them.

use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use super::error::Refusal;
use super::netlink;
use super::request::{self, DumpRequest, TCPDIAG_GETSOCK};
use crate::decode::inet_diag::{self, SOCK_DIAG_BY_FAMILY};
use crate::decode::netlink::{Errno, Message, Messages, Payload};
use crate::model::address::{Cookie, Family, NetnsId};
use crate::model::needs::Needs;
use crate::model::socket::Socket as TcpSocket;
use crate::model::state::{StateSet, TcpState};

/// Receive buffer: 64 KiB. The kernel puts at most 32 KiB into one datagram of a dump, whatever the buffer
/// (docs/kernel.md 1). Twice that leaves room for future kernels, and a truncated datagram is detected.
pub(crate) const BUFFER_BYTES: usize = 64 * 1024;
/// Buffers of a dump on two threads: one being filled, one being decoded, one ready. They are reused until the dump ends.
const BUFFERS: usize = 3;
/// Receive timeout. The kernel answers at once; without a timeout, a dump whose end was lost would block for ever.
const PATIENCE: Duration = Duration::from_secs(10);
/// Consecutive datagrams that are empty, lost or of other requests after which a wait ends. It also ends after [`PATIENCE`].
const MOST_IDLE: u32 = 1_000;
/// `MSG_TRUNC`: recv returns the datagram's true length even if the buffer is shorter.
const MSG_TRUNC: i32 = 0x20;

/// An open sock_diag socket of one namespace.
#[derive(Debug)]
pub(crate) struct DiagSocket {
    socket: Socket,
    netns: NetnsId,
    port: u32,
    sequence: u32,
    /// The kernel accepts one request for all address families
    takes_all: bool,
}

/// Faults of a dump that delivered rows nevertheless.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct DumpFaults {
    /// `NLM_F_DUMP_INTR`: the table changed during the dump
    pub interrupted: bool,
    /// Datagrams longer than the buffer
    pub truncated: u64,
    /// `NLMSG_OVERRUN` or ENOBUFS: messages were lost
    pub overrun: u64,
    /// Datagrams that could not be parsed to their end
    pub bad_frames: u64,
    /// Messages that do not decode to a socket
    pub undecodable: u64,
    /// Messages with another sequence number or port, or of another type; they are ignored
    pub stray: u64,
    /// Error with which the kernel ended the dump early
    pub broke_off: Option<Errno>,
}

/// Result of one recv: the datagram's true length, or `None` if the kernel dropped datagrams (ENOBUFS).
type Received = io::Result<Option<usize>>;

#[derive(PartialEq, Eq)]
enum DumpProgress {
    More,
    /// No message of this request: the datagram is lost, empty, or of another request
    Idle,
    Ended,
}

/// Limit of a wait without progress: endless ENOBUFS, empty datagrams or messages of other requests.
#[derive(Default)]
struct Patience {
    idle: u32,
    since: Option<Instant>,
}

impl Patience {
    /// Call after each receive. Fails when the limit is reached.
    fn after(&mut self, progress: &DumpProgress) -> io::Result<()> {
        if *progress != DumpProgress::Idle {
            *self = Self::default();
            return Ok(());
        }
        self.idle += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        if self.idle < MOST_IDLE && since.elapsed() < PATIENCE {
            return Ok(());
        }
        let why = format!("no answer among {} datagrams that were empty, lost or of other requests", self.idle);
        Err(io::Error::new(io::ErrorKind::TimedOut, why))
    }
}

/// Reason why a dump did not reach its end.
#[derive(Debug)]
pub(crate) enum DumpError<E> {
    /// The kernel refused the request, or the socket failed
    Refused(Refusal),
    /// The receiver of the rows returned an error
    Receiver(E),
}

impl DiagSocket {
    /// Opens a socket in the calling thread's namespace (`netns`) and probes whether the kernel answers requests.
    ///
    /// # Errors
    /// sock_diag is missing or refused; fall back to /proc/net/tcp.
    pub(crate) fn open(netns: NetnsId) -> Result<Self, Refusal> {
        let (socket, port) = netlink::open(NETLINK_SOCK_DIAG, PATIENCE).map_err(Refusal::Socket)?;
        let mut opened = Self { socket, netns, port, sequence: 0, takes_all: true };
        opened.takes_all = opened.probe(None).is_ok();
        if !opened.takes_all {
            opened.probe(Some(Family::Ipv4))?;
        }
        Ok(opened)
    }

    /// Sends a dump request that matches no state.
    fn probe(&mut self, family: Option<Family>) -> Result<(), Refusal> {
        let (states, needs) = (StateSet::NONE, Needs::empty());
        let probe = DumpRequest { family, states, needs, bytecode: &[], in_parallel: false };
        match self.dump(probe, |_| Ok::<(), std::convert::Infallible>(())) {
            Ok(DumpFaults { broke_off: Some(errno), .. }) => Err(Refusal::Request(errno)),
            Ok(_) => Ok(()),
            Err(DumpError::Refused(refusal)) => Err(refusal),
            Err(DumpError::Receiver(never)) => match never {},
        }
    }

    /// Sends the request and passes each socket to `each`.
    ///
    /// # Errors
    /// The kernel refuses, the socket fails, or `each` fails. Sockets passed before the error are valid.
    pub(crate) fn dump<E>(
        &mut self,
        request: DumpRequest<'_>,
        mut each: impl FnMut(&TcpSocket) -> Result<(), E>,
    ) -> Result<DumpFaults, DumpError<E>> {
        let mut faults = DumpFaults::default();
        let walks: &[_] = match request.family {
            None if !self.takes_all => &Family::ALL.map(Some),
            family => &[family],
        };
        for family in walks {
            self.sequence = self.sequence.wrapping_add(1);
            let bytes = DumpRequest { family: *family, ..request }.to_bytes(self.sequence);
            self.send(&bytes).map_err(|error| DumpError::Refused(Refusal::Transport(error)))?;
            if request.in_parallel {
                self.dump_in_parallel(&mut faults, &mut each)?;
            } else {
                self.dump_here(&mut faults, &mut each)?;
            }
        }
        Ok(faults)
    }

    /// Asks the kernel to destroy the socket with this cookie, and no other, in this namespace (`SOCK_DESTROY`, Linux 4.5).
    ///
    /// # Errors
    /// The kernel refuses, does not support the request, or does not find the socket.
    pub(crate) fn destroy(&mut self, socket: &TcpSocket, cookie: Cookie) -> Result<(), Refusal> {
        self.sequence = self.sequence.wrapping_add(1);
        self.acknowledged(&request::destroy(socket, cookie, self.sequence))
    }

    /// Whether this kernel can destroy sockets (`CONFIG_INET_DIAG_DESTROY`).
    pub(crate) fn knows_destroy(&mut self) -> bool {
        const ENOENT: i32 = 2;
        self.sequence = self.sequence.wrapping_add(1);
        let answer = self.acknowledged(&request::destroy_nothing(self.sequence));
        matches!(answer, Err(Refusal::Request(errno)) if errno.0 == ENOENT)
    }

    /// Sends a request, and waits for its acknowledgement.
    fn acknowledged(&mut self, request: &[u8]) -> Result<(), Refusal> {
        self.send(request).map_err(Refusal::Transport)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut patience = Patience::default();
        loop {
            let length = self.receive(&mut buffer).map_err(Refusal::Transport)?.unwrap_or(0);
            for message in Messages::new(&buffer[..length.min(buffer.len())]).flatten() {
                match message.payload {
                    Payload::Error(None) if self.is_ours(&message) => return Ok(()),
                    Payload::Error(Some(errno)) if self.is_ours(&message) => return Err(Refusal::Request(errno)),
                    // A late message of another request.
                    _ => {}
                }
            }
            patience.after(&DumpProgress::Idle).map_err(Refusal::Transport)?;
        }
    }

    /// Whether a process still has the socket open. The kernel finds connections by their address pair. Other sockets
    /// share addresses and cannot be found that way; they count as open.
    pub(crate) fn is_open(&mut self, socket: &TcpSocket) -> bool {
        if !socket.state.is_connection() {
            return true;
        }
        let Some(cookie) = socket.id.cookie else { return false };
        self.sequence = self.sequence.wrapping_add(1);
        if self.send(&request::look_up(socket, cookie, self.sequence)).is_err() {
            return false;
        }
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut patience = Patience::default();
        // An error message is an answer too: the socket does not exist.
        while let Ok(length) = self.receive(&mut buffer) {
            let length = length.unwrap_or(0).min(buffer.len());
            for message in Messages::new(&buffer[..length]).flatten() {
                match message.payload {
                    _ if !self.is_ours(&message) => {}
                    Payload::Data(SOCK_DIAG_BY_FAMILY, bytes) => {
                        let found = inet_diag::decode(bytes, self.netns);
                        return found.is_ok_and(|found| found.inode.is_some() && found.inode == socket.inode);
                    }
                    _ => return false,
                }
            }
            if patience.after(&DumpProgress::Idle).is_err() {
                break;
            }
        }
        false
    }

    /// Receives and decodes datagrams in turn on this thread.
    fn dump_here<E>(
        &self,
        faults: &mut DumpFaults,
        each: &mut impl FnMut(&TcpSocket) -> Result<(), E>,
    ) -> Result<(), DumpError<E>> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut patience = Patience::default();
        loop {
            let received = self.receive(&mut buffer);
            let progress = self.take(&buffer, received, faults, each)?;
            if progress == DumpProgress::Ended {
                return Ok(());
            }
            patience.after(&progress).map_err(|error| DumpError::Refused(Refusal::Transport(error)))?;
        }
    }

    /// Receives on another thread while this one decodes. The kernel walks its tables during recv, so the dump takes
    /// the longer of the two times, not their sum.
    fn dump_in_parallel<E>(
        &self,
        faults: &mut DumpFaults,
        each: &mut impl FnMut(&TcpSocket) -> Result<(), E>,
    ) -> Result<(), DumpError<E>> {
        thread::scope(|scope| {
            let (filled, datagrams) = mpsc::sync_channel(BUFFERS);
            let (give_back, empty) = mpsc::channel();
            let reader = thread::Builder::new().name("dump".to_owned());
            if reader.spawn_scoped(scope, move || self.receive_all(&empty, &filled)).is_err() {
                return self.dump_here(faults, each);
            }
            // Sending fails only after the reader has ended, which then needs no more buffers.
            (0..BUFFERS).for_each(|_| drop(give_back.send(vec![0; BUFFER_BYTES])));
            let mut patience = Patience::default();
            for (buffer, received) in datagrams {
                let progress = self.take(&buffer, received, faults, each)?;
                if progress == DumpProgress::Ended {
                    break;
                }
                patience.after(&progress).map_err(|error| DumpError::Refused(Refusal::Transport(error)))?;
                drop(give_back.send(buffer));
            }
            Ok(())
        })
    }

    /// Receives until the dump ends, the socket fails, or the decoding thread stops.
    fn receive_all(&self, empty: &Receiver<Vec<u8>>, filled: &SyncSender<(Vec<u8>, Received)>) {
        while let Ok(mut buffer) = empty.recv() {
            let received = self.receive(&mut buffer);
            let is_last = match &received {
                Ok(Some(length)) => Messages::new(&buffer[..(*length).min(buffer.len())]).flatten().any(|message| {
                    self.is_ours(&message) && matches!(message.payload, Payload::Done(_) | Payload::Error(Some(_)))
                }),
                Ok(None) => false,
                Err(_) => true,
            };
            if filled.send((buffer, received)).is_err() || is_last {
                return;
            }
        }
    }

    /// Decodes one datagram and returns whether it was the last.
    fn take<E>(
        &self,
        buffer: &[u8],
        received: Received,
        faults: &mut DumpFaults,
        each: &mut impl FnMut(&TcpSocket) -> Result<(), E>,
    ) -> Result<DumpProgress, DumpError<E>> {
        let Some(length) = received.map_err(|error| DumpError::Refused(Refusal::Transport(error)))? else {
            faults.overrun += 1;
            return Ok(DumpProgress::Idle);
        };
        let mut progress = DumpProgress::Idle;
        faults.truncated += u64::from(length > buffer.len());
        for message in Messages::new(&buffer[..length.min(buffer.len())]) {
            let Ok(message) = message else {
                faults.bad_frames += 1;
                break;
            };
            if !self.is_ours(&message) {
                faults.stray += 1;
                continue;
            }
            faults.interrupted |= message.interrupted;
            match message.payload {
                Payload::Data(SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK, bytes) => {
                    progress = DumpProgress::More;
                    match inet_diag::decode(bytes, self.netns) {
                        Ok(mut socket) => {
                            // Of the tables that a dump walks, only the one of bound sockets contains closed ones.
                            if socket.state == TcpState::Close {
                                socket.state = TcpState::BoundInactive;
                            }
                            each(&socket).map_err(DumpError::Receiver)?;
                        }
                        Err(_) => faults.undecodable += 1,
                    }
                }
                Payload::Done(broke_off) => {
                    faults.broke_off = faults.broke_off.or(broke_off);
                    return Ok(DumpProgress::Ended);
                }
                Payload::Error(Some(errno)) => return Err(DumpError::Refused(Refusal::Request(errno))),
                Payload::Overrun => faults.overrun += 1,
                Payload::Error(None) | Payload::Noop => {}
                Payload::Data(..) => faults.stray += 1,
            }
        }
        Ok(progress)
    }

    fn is_ours(&self, message: &Message<'_>) -> bool {
        message.sequence == self.sequence && message.port == self.port
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        netlink::send(&self.socket, bytes)
    }

    /// The true length of the next datagram; `None` if the kernel dropped datagrams (ENOBUFS).
    fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.socket.recv(&mut &mut *buffer, MSG_TRUNC) {
                Ok(length) => return Ok(Some(length)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DiagSocket, DumpProgress, MOST_IDLE, Patience};
    use crate::collect::request::DumpRequest;
    use crate::model::address::NetnsId;
    use crate::model::needs::Needs;
    use crate::model::socket::Socket;
    use crate::model::state::StateSet;
    use std::net::TcpListener;

    fn listeners(diag: &mut DiagSocket) -> Vec<Socket> {
        let (states, needs) = (StateSet::listeners(), Needs::empty());
        let all = DumpRequest { family: None, states, needs, bytecode: &[], in_parallel: false };
        let mut found = Vec::new();
        let faults = diag.dump(all, |socket| {
            found.push(socket.clone());
            Ok::<(), std::convert::Infallible>(())
        });
        assert_eq!(faults.unwrap(), super::DumpFaults::default());
        found
    }

    #[test]
    fn a_wait_that_brings_nothing_ends_and_every_answer_begins_it_anew() {
        let mut patience = Patience::default();
        for _ in 0..3 {
            for _ in 1..MOST_IDLE {
                patience.after(&DumpProgress::Idle).unwrap();
            }
            patience.after(&DumpProgress::More).unwrap();
        }
        let end = (0..MOST_IDLE).find_map(|_| patience.after(&DumpProgress::Idle).err()).unwrap();
        assert_eq!(end.kind(), std::io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_kernel_that_does_not_take_all_families_at_once_is_asked_for_each() {
        // If IPv6 is off, only the first one exists.
        let own: Vec<_> =
            ["127.0.0.1:0", "[::1]:0"].into_iter().filter_map(|addr| TcpListener::bind(addr).ok()).collect();
        assert!(!own.is_empty());
        let mut diag = DiagSocket::open(NetnsId(1)).unwrap();
        assert!(diag.takes_all, "Linux since 2.6 does");
        let at_once = listeners(&mut diag);
        diag.takes_all = false;
        let in_turn = listeners(&mut diag);
        for addr in own.iter().map(|listener| listener.local_addr().unwrap()) {
            let is_it = |socket: &&Socket| (socket.local.addr, socket.local.port) == (addr.ip(), addr.port());
            let [one, other] = [&at_once, &in_turn].map(|sockets| sockets.iter().find(is_it));
            assert!(one.is_some(), "{addr}");
            assert_eq!(one, other);
        }
    }
}
