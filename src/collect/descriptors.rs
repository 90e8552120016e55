//! Duplicates descriptors of other processes (pidfd_getfd(2), Linux 5.6). Each duplicate is verified by the socket's
//! cookie, since pid and descriptor number may have been reused.
//!
//! An open duplicate keeps the connection open, and shares its flags with the owner's descriptor: callers close it at
//! once and do not change flags.

use std::collections::hash_map::Entry;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;
use rustix::process::{self, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::refusals::{self, errno_of};
use super::sockopt::{cookie_of, number};
use super::{limits, rights};
use crate::model::address::Cookie;
use crate::model::gap::Remedy;
use crate::model::ids::{Fd, Inode, Pid};
use crate::model::rights::Capabilities;
use crate::model::unread::Unread;

/// Number of pidfds that stay open, if the limit of open files allows it. When it is reached, all are closed and
/// reopened as needed.
const MOST_PIDFDS: usize = 256;

/// Reason why a socket's descriptor is not available. Of several reasons, the last in this order is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unreachable {
    /// All processes that held the socket have closed it or ended
    Gone,
    /// The kernel had no memory, or failed for another reason that does not depend on the socket
    Failed,
    /// This program has no descriptor left for the duplicate
    NoDescriptor,
    /// This kernel does not answer for the options of an MPTCP socket
    NoMptcpOptions,
    /// A seccomp profile or a security module refuses getsockopt(2)
    NoGetsockopt,
    /// The kernel is older than 5.6, or a seccomp profile refuses pidfd_getfd(2)
    NoSystemCall,
    /// This program may not access the owner's descriptors
    Forbidden,
}

impl Unreachable {
    /// The corresponding reason of an unread value.
    pub(crate) fn unread(self) -> Unread {
        match self {
            Self::Gone => Unread::Gone,
            Self::Failed => Unread::Failed,
            Self::NoGetsockopt => Unread::NoGetsockopt,
            Self::NoMptcpOptions => Unread::NoMptcpOptions,
            Self::NoDescriptor => Unread::NoDescriptor,
            Self::NoSystemCall => Unread::NoSystemCall,
            Self::Forbidden => Unread::Forbidden,
        }
    }

    /// Reason why getsockopt(2) of a TCP socket failed.
    pub(super) fn of_getsockopt(error: &io::Error) -> Self {
        match errno_of(error) {
            Errno::PERM | Errno::ACCESS | Errno::NOSYS => Self::NoGetsockopt,
            _ => Self::Failed,
        }
    }

    /// Remedy for the user.
    pub(crate) fn remedy(self) -> Remedy {
        match self {
            Self::Gone | Self::NoMptcpOptions => Remedy::None,
            Self::Failed => Remedy::Do("take the snapshot again"),
            Self::NoDescriptor => refusals::remedy(Errno::MFILE, Capabilities::empty()),
            Self::NoGetsockopt => Remedy::Do("allow getsockopt in the seccomp profile"),
            Self::NoSystemCall => Remedy::Do("use Linux 5.6 or later, and a seccomp profile that allows pidfd_getfd"),
            Self::Forbidden => match rights::remedy(Capabilities::SYS_PTRACE) {
                Remedy::Grant { is_root: false, .. } => Remedy::Do(
                    "run as root or grant CAP_SYS_PTRACE; for processes of your own, kernel.yama.ptrace_scope=0 does too",
                ),
                remedy => remedy,
            },
        }
    }
}

/// Duplicates descriptors, and remembers processes that refuse access.
#[derive(Debug)]
pub(crate) struct Descriptors {
    pidfds: FxHashMap<Pid, OwnedFd>,
    most_pidfds: usize,
    forbidding: FxHashSet<Pid>,
    is_missing: bool,
}

impl Default for Descriptors {
    fn default() -> Self {
        Self {
            pidfds: FxHashMap::default(),
            most_pidfds: limits::room_for(MOST_PIDFDS),
            forbidding: FxHashSet::default(),
            is_missing: false,
        }
    }
}

impl Descriptors {
    /// Duplicates the socket with this cookie from the first of `holders` (process and descriptor) that permits it.
    ///
    /// # Errors
    /// No holder permits access to its descriptor, or none holds the socket any more.
    pub(crate) fn of(
        &mut self,
        holders: impl IntoIterator<Item = (Pid, Fd)>,
        cookie: Cookie,
    ) -> Result<OwnedFd, Unreachable> {
        self.first(holders, |socket| Ok(cookie_of(socket)? == cookie))
    }

    /// Duplicates the MPTCP socket of a subflow, which has another cookie and the same inode.
    ///
    /// # Errors
    /// As for [`Descriptors::of`].
    pub(crate) fn parent_of(
        &mut self,
        holders: impl IntoIterator<Item = (Pid, Fd)>,
        subflow: Inode,
    ) -> Result<OwnedFd, Unreachable> {
        self.first(holders, |socket| {
            let is_mptcp = number(socket, libc::SOL_SOCKET, libc::SO_PROTOCOL)? == libc::IPPROTO_MPTCP.cast_unsigned();
            Ok(is_mptcp && rustix::fs::fstat(socket)?.st_ino == u64::from(subflow.0))
        })
    }

    fn first(
        &mut self,
        holders: impl IntoIterator<Item = (Pid, Fd)>,
        is_wanted: impl Fn(BorrowedFd<'_>) -> io::Result<bool>,
    ) -> Result<OwnedFd, Unreachable> {
        let mut unreachable = Unreachable::Gone;
        for (pid, fd) in holders {
            if self.is_missing {
                return Err(Unreachable::NoSystemCall);
            }
            let duplicate = self.duplicate(pid, fd).and_then(|socket| match is_wanted(socket.as_fd()) {
                Ok(true) => Ok(socket),
                Ok(false) => Err(Unreachable::Gone),
                // The number belongs to another file by now.
                Err(error) if errno_of(&error) == Errno::NOTSOCK => Err(Unreachable::Gone),
                Err(error) => Err(Unreachable::of_getsockopt(&error)),
            });
            match duplicate {
                Ok(socket) => return Ok(socket),
                Err(reason) => unreachable = unreachable.max(reason),
            }
        }
        Err(unreachable)
    }

    fn duplicate(&mut self, pid: Pid, fd: Fd) -> Result<OwnedFd, Unreachable> {
        if self.forbidding.contains(&pid) {
            return Err(Unreachable::Forbidden);
        }
        let fd = i32::try_from(fd.0).map_err(|_| Unreachable::Gone)?;
        let mut result = self.try_duplicate(pid, fd);
        if matches!(result, Err(Errno::MFILE | Errno::NFILE)) {
            // The open pidfds may have exhausted the limit.
            self.pidfds.clear();
            result = self.try_duplicate(pid, fd);
        }
        result.map_err(|errno| self.judge(pid, errno))
    }

    fn try_duplicate(&mut self, pid: Pid, fd: i32) -> Result<OwnedFd, Errno> {
        self.pidfd(pid).and_then(|pidfd| pidfd_getfd(pidfd, fd, PidfdGetfdFlags::empty()))
    }

    fn pidfd(&mut self, pid: Pid) -> Result<BorrowedFd<'_>, Errno> {
        if self.pidfds.len() >= self.most_pidfds && !self.pidfds.contains_key(&pid) {
            self.pidfds.clear();
        }
        let pidfd: &OwnedFd = match self.pidfds.entry(pid) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let id = pid.0.try_into().ok().and_then(process::Pid::from_raw).ok_or(Errno::SRCH)?;
                place.insert(pidfd_open(id, PidfdFlags::empty())?)
            }
        };
        Ok(pidfd.as_fd())
    }

    fn judge(&mut self, pid: Pid, errno: Errno) -> Unreachable {
        match errno {
            Errno::PERM | Errno::ACCESS => {
                self.forbidding.insert(pid);
                Unreachable::Forbidden
            }
            Errno::NOSYS => {
                self.is_missing = true;
                Unreachable::NoSystemCall
            }
            Errno::MFILE | Errno::NFILE => Unreachable::NoDescriptor,
            Errno::SRCH => {
                // By the next snapshot the pid may belong to another process.
                self.pidfds.remove(&pid);
                Unreachable::Gone
            }
            Errno::BADF | Errno::INVAL => Unreachable::Gone,
            _ => Unreachable::Failed,
        }
    }
}
