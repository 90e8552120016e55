//! Options of sockets that belong to other processes, read and set through duplicates of their descriptors.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::descriptors::{Descriptors, Unreachable};
use super::refusals::errno_of;
use super::sockopt::{get, number, set};
use rustix::io::Errno;

use crate::model::address::Cookie;
use crate::model::change::KeepaliveChange;
use crate::model::ids::Inode;
use crate::model::keepalive::KeepaliveValues;
use crate::model::options::{MoreOptions, SocketOptions};
use crate::model::owner::Owners;
use crate::model::state::TcpState;

/// `TCP_RTO_MAX_MS` (6.15) and `SO_BUF_LOCK` (5.14), which libc does not define yet, or not on every platform.
const TCP_RTO_MAX_MS: i32 = 44;
const SO_BUF_LOCK: i32 = 72;
const SOCK_SNDBUF_LOCK: i32 = 1;
const SOCK_RCVBUF_LOCK: i32 = 2;

/// Reader of socket options that counts refusals by reason.
#[derive(Debug, Default)]
pub(crate) struct OptionReader {
    descriptors: Descriptors,
    refused: BTreeMap<Unreachable, u64>,
}

impl OptionReader {
    /// Reads the options of the socket with this cookie and state, held by `owners`. With `more`, it also reads the
    /// options that affect no deadline.
    ///
    /// # Errors
    /// No process that holds the socket permits access to its descriptor, or none holds it any more.
    pub(crate) fn read(
        &mut self,
        owners: Owners<'_>,
        cookie: Cookie,
        state: TcpState,
        more: bool,
    ) -> Result<SocketOptions, Unreachable> {
        let holders = owners.iter().map(|(process, fd)| (process.pid, fd));
        let read = self.descriptors.of(holders, cookie).and_then(|socket| {
            // On a TCP socket, the five options that every kernel has fail only if getsockopt(2) is forbidden.
            read(socket.as_fd(), state, more).map_err(|error| Unreachable::of_getsockopt(&error))
        });
        read.inspect_err(|unreachable| *self.refused.entry(*unreachable).or_default() += 1)
    }

    /// Reads the options of a subflow of MPTCP: those of the socket that its program holds, which the kernel passes on to
    /// subflows. `subflow` is the inode that both share.
    ///
    /// # Errors
    /// As for [`OptionReader::read`].
    pub(crate) fn read_of_mptcp(&mut self, owners: Owners<'_>, subflow: Inode) -> Result<SocketOptions, Unreachable> {
        let holders = owners.iter().map(|(process, fd)| (process.pid, fd));
        let parent = self.descriptors.parent_of(holders, subflow);
        let read = parent.and_then(|parent| {
            read_mptcp(parent.as_fd()).map_err(|error| match errno_of(&error) {
                // Older kernels do not answer for all of these options.
                Errno::OPNOTSUPP | Errno::NOPROTOOPT => Unreachable::NoMptcpOptions,
                _ => Unreachable::of_getsockopt(&error),
            })
        });
        read.inspect_err(|unreachable| *self.refused.entry(*unreachable).or_default() += 1)
    }

    /// Number of sockets that could not be read, by reason.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (Unreachable, u64)> + '_ {
        self.refused.iter().map(|(unreachable, count)| (*unreachable, *count))
    }
}

/// Reads the options of a socket. Each system call takes a third of a microsecond; options that have no meaning in this
/// state are skipped.
///
/// # Errors
/// The descriptor is no TCP socket.
pub(crate) fn read(socket: BorrowedFd<'_>, state: TcpState, more: bool) -> io::Result<SocketOptions> {
    let tcp = |name| number(socket, libc::IPPROTO_TCP, name);
    Ok(SocketOptions {
        keepalive: keepalive(socket, tcp(libc::TCP_USER_TIMEOUT)?)?,
        syncnt: matches!(state, TcpState::SynSent | TcpState::Listen).then(|| tcp(libc::TCP_SYNCNT).ok()).flatten(),
        defer_accept_s: (state == TcpState::Listen).then(|| tcp(libc::TCP_DEFER_ACCEPT).ok()).flatten(),
        rto_max_ms: tcp(TCP_RTO_MAX_MS).ok(),
        dontroute: number(socket, libc::SOL_SOCKET, libc::SO_DONTROUTE).is_ok_and(|on| on != 0),
        thin_linear: state
            .is_connection()
            .then(|| tcp(libc::TCP_THIN_LINEAR_TIMEOUTS).ok())
            .flatten()
            .map(|on| on != 0),
        more: more.then(|| read_more(socket)),
    })
}

/// Options that MPTCP passes on to its subflows (net/mptcp/sockopt.c). It refuses the others, so that no subflow has them,
/// unless the connection fell back to TCP: then it passes all on to its only subflow, and answers for it.
fn read_mptcp(socket: BorrowedFd<'_>) -> io::Result<SocketOptions> {
    let tcp = |name| number(socket, libc::IPPROTO_TCP, name);
    let user_timeout_ms = match tcp(libc::TCP_USER_TIMEOUT) {
        Err(error) if matches!(errno_of(&error), Errno::OPNOTSUPP | Errno::NOPROTOOPT) => 0,
        answered => answered?,
    };
    Ok(SocketOptions {
        keepalive: keepalive(socket, user_timeout_ms)?,
        syncnt: None,
        defer_accept_s: None,
        rto_max_ms: tcp(TCP_RTO_MAX_MS).ok(),
        dontroute: number(socket, libc::SOL_SOCKET, libc::SO_DONTROUTE).is_ok_and(|on| on != 0),
        thin_linear: Some(tcp(libc::TCP_THIN_LINEAR_TIMEOUTS).is_ok_and(|on| on != 0)),
        more: None,
    })
}

fn keepalive(socket: BorrowedFd<'_>, user_timeout_ms: u32) -> io::Result<KeepaliveValues> {
    let tcp = |name| number(socket, libc::IPPROTO_TCP, name);
    Ok(KeepaliveValues {
        enabled: number(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE)? != 0,
        idle_s: tcp(libc::TCP_KEEPIDLE)?,
        interval_s: tcp(libc::TCP_KEEPINTVL)?,
        probes: tcp(libc::TCP_KEEPCNT)?,
        user_timeout_ms,
    })
}

fn read_more(socket: BorrowedFd<'_>) -> MoreOptions {
    let tcp = |name| get(socket, libc::IPPROTO_TCP, name, 0_i32).ok();
    let locks = get(socket, libc::SOL_SOCKET, SO_BUF_LOCK, 0_i32).ok();
    MoreOptions {
        linger2_s: tcp(libc::TCP_LINGER2),
        // struct linger: on, seconds
        linger_s: get(socket, libc::SOL_SOCKET, libc::SO_LINGER, [0_i32; 2])
            .ok()
            .filter(|[on, _]| *on != 0)
            .and_then(|[_, seconds]| seconds.try_into().ok()),
        nodelay: tcp(libc::TCP_NODELAY).map(|value| value != 0),
        sndbuf_locked: locks.map(|locks| locks & SOCK_SNDBUF_LOCK != 0),
        rcvbuf_locked: locks.map(|locks| locks & SOCK_RCVBUF_LOCK != 0),
    }
}

/// Applies the change in an order in which the kernel's timer never sees half of it: values are set before keepalive is
/// turned on, and after it is turned off.
///
/// # Errors
/// The kernel refuses a value; the values before it have been set.
pub(crate) fn change(socket: BorrowedFd<'_>, change: &KeepaliveChange) -> io::Result<()> {
    let keepalive = |on: bool| set(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE, u32::from(on));
    if change.enabled == Some(false) {
        keepalive(false)?;
    }
    for (name, value) in [
        (libc::TCP_KEEPINTVL, change.interval_s),
        (libc::TCP_KEEPCNT, change.probes),
        (libc::TCP_USER_TIMEOUT, change.user_timeout_ms),
        // Last: if keepalive is on, this restarts the timer.
        (libc::TCP_KEEPIDLE, change.idle_s),
    ] {
        value.map_or(Ok(()), |value| set(socket, libc::IPPROTO_TCP, name, value))?;
    }
    if change.enabled == Some(true) { keepalive(true) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::collect::sockopt::{cookie_of, get};
    use crate::model::keepalive::KeepaliveValues;
    use crate::model::state::TcpState;
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    #[test]
    fn options_of_our_own_socket_are_the_kernels_defaults() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = read(listener.as_fd(), TcpState::Listen, true).unwrap();
        let KeepaliveValues { enabled, idle_s, interval_s, probes, user_timeout_ms } = options.keepalive;
        assert_eq!((enabled, user_timeout_ms), (false, 0));
        assert!(idle_s > 0 && interval_s > 0 && probes > 0);
        assert_eq!(options.more.unwrap().linger_s, None);
        assert!(cookie_of(listener.as_fd()).unwrap().0 > 0);
    }

    #[test]
    fn what_is_no_socket_is_an_error() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(get(file.as_fd(), libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0_i32).is_err());
    }
}
