//! Destroy events of TCP sockets (`SKNLGRP_INET_TCP_DESTROY`), which reveal connections that open and close between two
//! dumps. The kernel sends them to any user, for the namespace in which the listening netlink socket was opened.

use std::io;
use std::time::Duration;

use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};

use super::diag::BUFFER_BYTES;
use super::discovery::{self, NetnsChoice};
use super::visit::within;
use crate::decode::inet_diag::{self, SOCK_DIAG_BY_FAMILY};
use crate::decode::netlink::{Messages, Payload};
use crate::model::address::NetnsId;
use crate::model::socket::Socket as TcpSocket;

/// `SKNLGRP_INET_TCP_DESTROY` and `SKNLGRP_INET6_TCP_DESTROY` (`include/uapi/linux/sock_diag.h`).
const GROUPS: [u32; 2] = [1, 3];
/// Receive buffer for some ten thousand events. A slower reader loses events; the next dump still shows the sockets as gone.
const RECEIVE_BYTES: usize = 4 << 20;
/// Datagrams read from one namespace before the next has its turn. If all of them are loss reports (ENOBUFS), the
/// listener is removed as broken.
const MOST_AT_ONCE: u64 = 10_000;
/// `MSG_DONTWAIT`
const DONT_WAIT: i32 = 0x40;

/// Netlink socket that receives the destroy events of one namespace.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    netns: NetnsId,
}

impl Listener {
    /// The namespace.
    pub(crate) fn netns(&self) -> NetnsId {
        self.netns
    }

    fn open(netns: NetnsId) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
        socket.bind(&SocketAddr::new(0, 0))?;
        // A buffer above net.core.rmem_max needs CAP_NET_ADMIN; without it the kernel caps the size.
        if set_socket_recv_buffer_size_force(&socket, RECEIVE_BYTES).is_err() {
            set_socket_recv_buffer_size(&socket, RECEIVE_BYTES)?;
        }
        for group in GROUPS {
            socket.add_membership(group)?;
        }
        Ok(Self { socket, netns })
    }

    /// Passes all pending events to `each`. Does not block, and reads at most [`MOST_AT_ONCE`] datagrams.
    fn receive(&self, buffer: &mut [u8], each: &mut impl FnMut(TcpSocket)) -> ReadResult {
        let mut lost = 0;
        for _ in 0..MOST_AT_ONCE {
            match self.socket.recv(&mut &mut *buffer, DONT_WAIT) {
                // The kernel sends no empty datagram.
                Ok(0) => return ReadResult { lost, is_over: true },
                Ok(length) => {
                    for message in Messages::new(&buffer[..length.min(buffer.len())]).flatten() {
                        if let Payload::Data(SOCK_DIAG_BY_FAMILY, bytes) = message.payload
                            && let Ok(socket) = inet_diag::decode(bytes, self.netns)
                        {
                            each(socket);
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // More events may follow.
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => lost += 1,
                Err(error) => return ReadResult { lost, is_over: error.kind() != io::ErrorKind::WouldBlock },
            }
        }
        ReadResult { lost, is_over: lost == MOST_AT_ONCE }
    }
}

/// Result of reading one listener.
struct ReadResult {
    /// Number of loss reports (ENOBUFS)
    lost: u64,
    /// The socket has failed: a further poll would return at once, for ever
    is_over: bool,
}

/// Opens a listener in every namespace that `choice` selects and `wanted` accepts. Namespaces that cannot be listened
/// in are skipped: there the next dump shows which sockets are gone.
pub(crate) fn listen(choice: &NetnsChoice, wanted: impl Fn(NetnsId) -> bool) -> Vec<Listener> {
    let Ok((found, _)) = discovery::find(choice) else { return Vec::new() };
    let found = found.into_iter().filter(|found| wanted(found.id));
    found.filter_map(|found| within(&found, || Ok(Listener::open(found.id).ok())).ok().flatten()).collect()
}

/// Waits at most `at_most` for events and passes them to `each`. Returns the number of loss reports: the kernel drops
/// events that exceed the receive buffer. Listeners whose socket fails are removed.
pub(crate) fn wait(listeners: &mut Vec<Listener>, at_most: Duration, mut each: impl FnMut(TcpSocket)) -> u64 {
    let mut polled: Vec<_> = listeners.iter().map(|listener| PollFd::new(&listener.socket, PollFlags::IN)).collect();
    let timeout = Timespec { tv_sec: at_most.as_secs().cast_signed(), tv_nsec: i64::from(at_most.subsec_nanos()) };
    // If poll(2) is interrupted or out of memory, the caller retries anyway.
    let _ = poll(&mut polled, Some(&timeout));
    let mut ready = polled.iter().map(|polled| !polled.revents().is_empty()).collect::<Vec<_>>().into_iter();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut lost = 0;
    listeners.retain(|listener| {
        if !ready.next().unwrap_or(false) {
            return true;
        }
        let received = listener.receive(&mut buffer, &mut each);
        lost += received.lost;
        !received.is_over
    });
    lost
}
