//! What the kernel says of TCP sockets as it destroys them (`SKNLGRP_INET_TCP_DESTROY`): so that connections are seen that
//! came and went between two dumps. Told to anybody, for the namespace that the listening socket was opened in.

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
/// Room for some ten thousand destroy events: a slower reader loses some, and sees by the next dump that they are gone.
const RECEIVE_BYTES: usize = 4 << 20;
/// Datagrams that are read of one namespace before the next one has its turn. One that says so often that some was lost, and
/// nothing else, says nothing.
const MOST_AT_ONCE: u64 = 10_000;
/// `MSG_DONTWAIT`
const DONT_WAIT: i32 = 0x40;

/// Listens in one namespace.
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
        // More than net.core.rmem_max takes CAP_NET_ADMIN; without it, as much as it allows.
        if set_socket_recv_buffer_size_force(&socket, RECEIVE_BYTES).is_err() {
            set_socket_recv_buffer_size(&socket, RECEIVE_BYTES)?;
        }
        for group in GROUPS {
            socket.add_membership(group)?;
        }
        Ok(Self { socket, netns })
    }

    /// What has been said since it was last asked. Never waits, and never reads for ever.
    fn hear(&self, buffer: &mut [u8], each: &mut impl FnMut(TcpSocket)) -> Heard {
        let mut lost = 0;
        for _ in 0..MOST_AT_ONCE {
            match self.socket.recv(&mut &mut *buffer, DONT_WAIT) {
                // No datagram of the kernel's is empty.
                Ok(0) => return Heard { lost, is_over: true },
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
                // More may lie behind them.
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => lost += 1,
                Err(error) => return Heard { lost, is_over: error.kind() != io::ErrorKind::WouldBlock },
            }
        }
        Heard { lost, is_over: lost == MOST_AT_ONCE }
    }
}

/// What came of listening once.
struct Heard {
    /// How often some was lost
    lost: u64,
    /// The socket fails: to wait for it again would end at once, for ever
    is_over: bool,
}

/// Listens in every namespace that `choice` names and `wanted` takes. One that cannot be listened in is left out: what is
/// gone there is seen by the next dump.
pub(crate) fn listen(choice: &NetnsChoice, wanted: impl Fn(NetnsId) -> bool) -> Vec<Listener> {
    let Ok((found, _)) = discovery::find(choice) else { return Vec::new() };
    let found = found.into_iter().filter(|found| wanted(found.id));
    found.filter_map(|found| within(&found, || Ok(Listener::open(found.id).ok())).ok().flatten()).collect()
}

/// Waits until something is said, or for so long, and hands it over. Says how often some was lost: more was said than there
/// is room for. Listeners whose socket fails are taken out.
pub(crate) fn wait(listeners: &mut Vec<Listener>, at_most: Duration, mut each: impl FnMut(TcpSocket)) -> u64 {
    let mut polled: Vec<_> = listeners.iter().map(|listener| PollFd::new(&listener.socket, PollFlags::IN)).collect();
    let timeout = Timespec { tv_sec: at_most.as_secs().cast_signed(), tv_nsec: i64::from(at_most.subsec_nanos()) };
    // Interrupted, or out of memory: it is tried again anyway.
    let _ = poll(&mut polled, Some(&timeout));
    let mut ready = polled.iter().map(|polled| !polled.revents().is_empty()).collect::<Vec<_>>().into_iter();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut lost = 0;
    listeners.retain(|listener| {
        if !ready.next().unwrap_or(false) {
            return true;
        }
        let heard = listener.hear(&mut buffer, &mut each);
        lost += heard.lost;
        !heard.is_over
    });
    lost
}
