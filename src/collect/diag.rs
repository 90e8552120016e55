//! A NETLINK_SOCK_DIAG socket and the dump over it.
//!
//! A netlink socket belongs for ever to the namespace it was opened in, so one is opened inside each namespace and all
//! are read from one thread (CRATES.md 6).

use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::io;
use std::time::Duration;

use super::error::Refusal;
use super::request::DumpRequest;
use crate::decode::inet_diag::{self, SOCK_DIAG_BY_FAMILY};
use crate::decode::netlink::{Errno, Messages, Payload};
use crate::model::address::{Family, NetnsId};
use crate::model::needs::Needs;
use crate::model::socket::Socket as TcpSocket;
use crate::model::state::{StateSet, TcpState};

/// The kernel fills at most 32 KiB into one datagram of a dump, whatever the buffer (CRATES.md 2); twice that leaves
/// room for kernels to come, and a datagram cut short is noticed.
pub const BUFFER_BYTES: usize = 64 * 1024;
/// The kernel answers at once; a dump whose end was lost must not hold the program for ever.
const PATIENCE: Duration = Duration::from_secs(10);
/// `MSG_TRUNC`: recv returns the datagram's true length, also where the buffer was shorter.
const MSG_TRUNC: i32 = 0x20;

/// An open socket in one namespace.
#[derive(Debug)]
pub struct DiagSocket {
    socket: Socket,
    netns: NetnsId,
    port: u32,
    sequence: u32,
}

/// What went wrong in a dump that brought rows all the same.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct DumpFaults {
    /// `NLM_F_DUMP_INTR`: the kernel says that the table changed under it
    pub interrupted: bool,
    /// Datagrams longer than the buffer
    pub truncated: u64,
    /// `NLMSG_OVERRUN` or ENOBUFS: messages were lost
    pub overrun: u64,
    /// Datagrams whose rest could not be read
    pub bad_frames: u64,
    /// Messages that hold no socket of a form we know
    pub undecodable: u64,
    /// Messages with another sequence number or port, or of another type: not ours, left alone
    pub stray: u64,
    /// The dump broke off with this error
    pub broke_off: Option<Errno>,
}

/// Why a dump ended without reaching its end.
#[derive(Debug)]
pub enum DumpError<E> {
    /// The kernel would not begin, or the socket failed
    Refused(Refusal),
    /// The receiver of the rows had enough
    Receiver(E),
}

impl DiagSocket {
    /// Opens a socket in the calling thread's namespace, which is `netns`, and asks for nothing, to see whether the
    /// kernel would answer.
    ///
    /// # Errors
    /// sock_diag is missing or refused: fall back to /proc/net/tcp.
    pub fn open(netns: NetnsId) -> Result<Self, Refusal> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG).map_err(Refusal::Socket)?;
        let address = socket.bind_auto().map_err(Refusal::Socket)?;
        // Connected to the kernel, so that no other program can send us anything.
        socket.connect(&SocketAddr::new(0, 0)).map_err(Refusal::Socket)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE)).map_err(|errno| Refusal::Socket(errno.into()))?;
        let mut opened = Self { socket, netns, port: address.port_number(), sequence: 0 };
        let probe = DumpRequest { family: Family::Ipv4, states: StateSet::NONE, needs: Needs::empty() };
        let mut buffer = vec![0; BUFFER_BYTES];
        match opened.dump(probe, &mut buffer, |_| Ok::<(), std::convert::Infallible>(())) {
            Ok(DumpFaults { broke_off: Some(errno), .. }) => Err(Refusal::Request(errno)),
            Ok(_) => Ok(opened),
            Err(DumpError::Refused(refusal)) => Err(refusal),
            Err(DumpError::Receiver(never)) => match never {},
        }
    }

    /// Asks and hands each socket to `each`. `buffer` is reused for every datagram.
    ///
    /// # Errors
    /// The kernel refuses, the socket fails, or `each` does; what was handed over until then stays good.
    pub fn dump<E>(
        &mut self,
        request: DumpRequest,
        buffer: &mut [u8],
        mut each: impl FnMut(TcpSocket) -> Result<(), E>,
    ) -> Result<DumpFaults, DumpError<E>> {
        self.sequence = self.sequence.wrapping_add(1);
        self.send(&request.to_bytes(self.sequence)).map_err(|error| DumpError::Refused(Refusal::Transport(error)))?;
        let mut faults = DumpFaults::default();
        loop {
            let Some(length) = self.receive(buffer).map_err(|error| DumpError::Refused(Refusal::Transport(error)))?
            else {
                faults.overrun += 1;
                continue;
            };
            faults.truncated += u64::from(length > buffer.len());
            for message in Messages::new(&buffer[..length.min(buffer.len())]) {
                let Ok(message) = message else {
                    faults.bad_frames += 1;
                    break;
                };
                if message.sequence != self.sequence || message.port != self.port {
                    faults.stray += 1;
                    continue;
                }
                faults.interrupted |= message.interrupted;
                match message.payload {
                    Payload::Data(SOCK_DIAG_BY_FAMILY, bytes) => match inet_diag::decode(bytes, self.netns) {
                        Ok(socket) => each(as_dumped(socket)).map_err(DumpError::Receiver)?,
                        Err(_) => faults.undecodable += 1,
                    },
                    Payload::Done(broke_off) => {
                        faults.broke_off = broke_off;
                        return Ok(faults);
                    }
                    Payload::Error(Some(errno)) => return Err(DumpError::Refused(Refusal::Request(errno))),
                    Payload::Overrun => faults.overrun += 1,
                    Payload::Error(None) | Payload::Noop => {}
                    Payload::Data(..) => faults.stray += 1,
                }
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send(bytes, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map(|_| ()),
            }
        }
    }

    /// The true length of the next datagram; `None` where the kernel says that it had to drop some.
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

/// A socket that is closed is in none of the tables that a dump walks, but for the one of bound sockets.
fn as_dumped(mut socket: TcpSocket) -> TcpSocket {
    if socket.state == TcpState::Close {
        socket.state = TcpState::BoundInactive;
    }
    socket
}
