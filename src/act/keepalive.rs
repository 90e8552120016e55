//! Sets keepalive of a live socket through a duplicate of its owner's descriptor.

use std::io;
use std::os::fd::AsFd;

use super::target::Target;
use crate::collect::descriptors::{Descriptors, Unreachable};
use crate::collect::{options, rights};
use crate::model::change::KeepaliveChange;
use crate::model::options::SocketOptions;
use crate::model::unread::Unread;

/// A change that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Options just before the change
    pub before: SocketOptions,
    /// Options read back after the change
    pub after: SocketOptions,
}

/// Why a socket still has old options, wholly or in part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotChanged {
    /// It closed between listing and now
    #[error("gone already")]
    Gone,
    /// Its descriptor cannot be duplicated
    #[error("{}{}", .0.unread().reason(), .0.remedy().after_cause())]
    Unreachable(Unreachable),
    /// No process has a descriptor for it
    #[error("{}", .0.reason())]
    NobodyHolds(Unread),
    /// A process that may have a descriptor cannot be read
    #[error("its process is hidden from this user{}", rights::remedy(rights::READ_DESCRIPTORS).after_cause())]
    Hidden,
    /// It came from /proc/net/tcp
    #[error("/proc/net/tcp has no cookie to identify it by; sock_diag has")]
    NoCookie,
    /// setsockopt(2) or getsockopt(2) failed
    #[error("the kernel refuses it ({0}); some of it may be set")]
    Refused(io::Error),
    /// The values read back differ: its program sets them too
    #[error("its options are others than those just set: its program seems to set them too")]
    Overwritten,
}

/// Sets keepalive on one socket after the other, with the descriptors opened so far.
#[derive(Debug, Default)]
pub(crate) struct Setter {
    descriptors: Descriptors,
}

impl Setter {
    /// Sets the options of the socket with the target's cookie, and reads them back.
    ///
    /// # Errors
    /// The socket could not be reached, or does not have the requested options.
    pub(crate) fn set(&mut self, target: &Target, change: &KeepaliveChange) -> Result<Changed, NotChanged> {
        let cookie = target.socket.id.cookie.ok_or(NotChanged::NoCookie)?;
        if target.is_hidden {
            return Err(NotChanged::Hidden);
        }
        if let Some(because) = target.unreachable {
            return Err(NotChanged::NobodyHolds(because));
        }
        let socket = self.descriptors.of(target.holders.iter().copied(), cookie).map_err(|why| match why {
            Unreachable::Gone => NotChanged::Gone,
            why => NotChanged::Unreachable(why),
        })?;
        let read = || options::read(socket.as_fd(), target.socket.state, false).map_err(NotChanged::Refused);
        let before = read()?;
        options::change(socket.as_fd(), change).map_err(NotChanged::Refused)?;
        let after = read()?;
        if change.is_in(&after) { Ok(Changed { before, after }) } else { Err(NotChanged::Overwritten) }
    }
}
