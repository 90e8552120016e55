//! Options of sockets that belong to other processes: their descriptor is duplicated (pidfd_getfd(2), Linux 5.6), the
//! duplicate is asked, and closed at once, since while it is open the connection is.
//!
//! Nothing but getsockopt(2) is done with a duplicate here: its flags are those of its owner.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::model::address::Cookie;
use crate::model::options::{MoreOptions, SocketOptions};
use crate::model::owner::Owners;
use crate::model::state::TcpState;

/// `TCP_RTO_MAX_MS` (6.15) and `SO_BUF_LOCK` (5.14), which libc does not name yet or not everywhere.
const TCP_RTO_MAX_MS: i32 = 44;
const SO_BUF_LOCK: i32 = 72;
const SOCK_SNDBUF_LOCK: i32 = 1;
const SOCK_RCVBUF_LOCK: i32 = 2;
/// Processes whose pidfd is kept open; beyond it all are closed and opened again as they come.
const MOST_PIDFDS: usize = 256;

/// Why options could not be read. Each reads well after "because".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unread {
    /// No holder could be asked any more: they closed it, or ended
    Gone,
    /// This program has no descriptor left to duplicate into
    NoDescriptor,
    /// The kernel is older than 5.6, or a seccomp profile stands before it
    NoSystemCall,
    /// Every holder forbids it
    Forbidden,
}

impl Unread {
    /// For `unknown_because`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Gone => "its process closed it meanwhile",
            Self::NoDescriptor => "tcpulse ran out of descriptors",
            Self::NoSystemCall => "this kernel, or a seccomp profile, does not let descriptors be looked at",
            Self::Forbidden => "not permitted to look at its process's descriptors",
        }
    }

    /// What would help; `None` where nothing is missing.
    pub fn remedy(self) -> Option<&'static str> {
        Some(match self {
            Self::Gone => return None,
            Self::NoDescriptor => "raise the limit of descriptors (ulimit -n)",
            Self::NoSystemCall => "use Linux 5.6 or later, and a seccomp profile that allows pidfd_getfd",
            Self::Forbidden => {
                "run as root or grant CAP_SYS_PTRACE; for processes of your own, kernel.yama.ptrace_scope=0 does too"
            }
        })
    }
}

/// Reads options, and remembers which processes are not to be asked again.
#[derive(Debug, Default)]
pub struct OptionReader {
    pidfds: FxHashMap<u32, OwnedFd>,
    forbidding: FxHashSet<u32>,
    is_missing: bool,
    refused: BTreeMap<Unread, u64>,
}

impl OptionReader {
    /// The options of the socket with this cookie in this state, which `owners` hold; with `more` also those that decide
    /// no deadline.
    ///
    /// # Errors
    /// No holder lets its descriptor be looked at, or none has it any more.
    pub fn read(
        &mut self,
        owners: Owners<'_>,
        cookie: Cookie,
        state: TcpState,
        more: bool,
    ) -> Result<SocketOptions, Unread> {
        let mut unread = Unread::Gone;
        for (process, fd) in owners.iter() {
            if self.is_missing {
                unread = Unread::NoSystemCall;
                break;
            }
            match self.duplicate(process.pid, fd) {
                Ok(socket) => {
                    // Pid and number may belong to another by now.
                    let is_it = cookie_of(socket.as_fd()).is_ok_and(|found| found == cookie);
                    if let (true, Ok(options)) = (is_it, read(socket.as_fd(), state, more)) {
                        return Ok(options);
                    }
                }
                Err(reason) => unread = unread.max(reason),
            }
        }
        *self.refused.entry(unread).or_default() += 1;
        Err(unread)
    }

    /// How many sockets were refused, by reason.
    pub fn refused(&self) -> impl Iterator<Item = (Unread, u64)> + '_ {
        self.refused.iter().map(|(unread, count)| (*unread, *count))
    }

    fn duplicate(&mut self, pid: u32, fd: u32) -> Result<OwnedFd, Unread> {
        if self.forbidding.contains(&pid) {
            return Err(Unread::Forbidden);
        }
        let fd = i32::try_from(fd).map_err(|_| Unread::Gone)?;
        let mut result = self.try_duplicate(pid, fd);
        if matches!(result, Err(Errno::MFILE | Errno::NFILE)) {
            // The pidfds that are kept open may be what is in the way.
            self.pidfds.clear();
            result = self.try_duplicate(pid, fd);
        }
        result.map_err(|errno| self.judge(pid, errno))
    }

    fn try_duplicate(&mut self, pid: u32, fd: i32) -> Result<OwnedFd, Errno> {
        self.pidfd(pid).and_then(|pidfd| pidfd_getfd(pidfd, fd, PidfdGetfdFlags::empty()))
    }

    fn pidfd(&mut self, pid: u32) -> Result<BorrowedFd<'_>, Errno> {
        if self.pidfds.len() >= MOST_PIDFDS && !self.pidfds.contains_key(&pid) {
            self.pidfds.clear();
        }
        let pidfd: &OwnedFd = match self.pidfds.entry(pid) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let id = pid.try_into().ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
                place.insert(pidfd_open(id, PidfdFlags::empty())?)
            }
        };
        Ok(pidfd.as_fd())
    }

    fn judge(&mut self, pid: u32, errno: Errno) -> Unread {
        match errno {
            Errno::PERM | Errno::ACCESS => {
                self.forbidding.insert(pid);
                Unread::Forbidden
            }
            Errno::NOSYS => {
                self.is_missing = true;
                Unread::NoSystemCall
            }
            Errno::MFILE | Errno::NFILE => Unread::NoDescriptor,
            Errno::SRCH => {
                // The pid may be another process's by the next snapshot.
                self.pidfds.remove(&pid);
                Unread::Gone
            }
            _ => Unread::Gone,
        }
    }
}

/// `SO_COOKIE`: the number that the dump gave.
fn cookie_of(socket: BorrowedFd<'_>) -> io::Result<Cookie> {
    get(socket, libc::SOL_SOCKET, libc::SO_COOKIE, 0_u64).map(Cookie)
}

/// Each system call is a third of a microsecond: what the state has made meaningless is not asked for.
fn read(socket: BorrowedFd<'_>, state: TcpState, more: bool) -> io::Result<SocketOptions> {
    let tcp = |name| number(socket, libc::IPPROTO_TCP, name);
    Ok(SocketOptions {
        keepalive: number(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE)? != 0,
        keepidle_s: tcp(libc::TCP_KEEPIDLE)?,
        keepintvl_s: tcp(libc::TCP_KEEPINTVL)?,
        keepcnt: tcp(libc::TCP_KEEPCNT)?,
        user_timeout_ms: tcp(libc::TCP_USER_TIMEOUT)?,
        syncnt: matches!(state, TcpState::SynSent | TcpState::Listen).then(|| tcp(libc::TCP_SYNCNT).ok()).flatten(),
        defer_accept_s: (state == TcpState::Listen).then(|| tcp(libc::TCP_DEFER_ACCEPT).ok()).flatten(),
        rto_max_ms: tcp(TCP_RTO_MAX_MS).ok(),
        more: more.then(|| read_more(socket)),
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

fn number(socket: BorrowedFd<'_>, level: i32, name: i32) -> io::Result<u32> {
    get(socket, level, name, 0_i32).map(|value| value.try_into().unwrap_or(0))
}

/// What an option's value may be: any bytes make one.
trait Plain: Copy {}
impl Plain for i32 {}
impl Plain for u64 {}
impl Plain for [i32; 2] {}

/// getsockopt(2).
#[allow(unsafe_code, reason = "neither rustix nor nix has all of these options")]
fn get<T: Plain>(socket: BorrowedFd<'_>, level: i32, name: i32, mut value: T) -> io::Result<T> {
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `value`, which is plain numbers, and the length written to
    // `length`; both outlive the call.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut length) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::{cookie_of, get, read};
    use crate::model::state::TcpState;
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    #[test]
    fn options_of_our_own_socket_are_the_kernels_defaults() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = read(listener.as_fd(), TcpState::Listen, true).unwrap();
        assert!(!options.keepalive);
        assert_eq!(options.user_timeout_ms, 0);
        assert!(options.keepidle_s > 0 && options.keepintvl_s > 0 && options.keepcnt > 0);
        assert_eq!(options.more.unwrap().linger_s, None);
        assert!(cookie_of(listener.as_fd()).unwrap().0 > 0);
    }

    #[test]
    fn what_is_no_socket_is_an_error() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(get(file.as_fd(), libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0_i32).is_err());
    }
}
