//! What is to be set on each socket: the same values on all, or those of its namespace.

use crate::model::change::{KeepaliveChange, OutOfRange};
use crate::model::namespace::Namespace;
use crate::model::sysctl::Sysctl;

/// Keepalive values to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// These
    pub change: KeepaliveChange,
    /// Idle time, interval and probes of each socket's namespace, where nothing else is said
    pub like_sysctl: bool,
}

/// Why nothing can be set like the sysctls of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsettable {
    /// They cannot be read
    Unread,
    /// A socket does not take one of them
    OutOfRange(OutOfRange),
}

impl Assignment {
    /// The same values on every socket.
    pub(crate) fn of(change: KeepaliveChange) -> Self {
        Self { change, like_sysctl: false }
    }

    /// The change for sockets of a namespace.
    ///
    /// # Errors
    /// Its sysctls are wanted, and cannot be read or set on a socket.
    pub(crate) fn within(&self, namespace: &Namespace) -> Result<KeepaliveChange, Unsettable> {
        if !self.like_sysctl {
            return Ok(self.change);
        }
        let number = |sysctl| namespace.sysctls.number(sysctl).and_then(|number| u32::try_from(number).ok());
        let sysctls = KeepaliveChange {
            idle_s: number(Sysctl::KeepaliveTime),
            interval_s: number(Sysctl::KeepaliveIntvl),
            probes: number(Sysctl::KeepaliveProbes),
            ..KeepaliveChange::default()
        };
        let change = self.change.or(sysctls);
        if change.idle_s.is_none() || change.interval_s.is_none() || change.probes.is_none() {
            return Err(Unsettable::Unread);
        }
        change.check().map_err(Unsettable::OutOfRange)?;
        Ok(change)
    }
}
