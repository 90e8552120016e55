//! Keepalive values to set: the same on all sockets, or those of each socket's namespace.

use crate::model::change::{KeepaliveChange, OutOfRange};
use crate::model::namespace::Namespace;
use crate::model::sysctl::Sysctl;

/// Keepalive values to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// Explicit values
    pub change: KeepaliveChange,
    /// Whether missing values of idle time, interval and probes come from the sysctls of each socket's namespace
    pub like_sysctl: bool,
}

/// Why the sysctls of a namespace cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsettable {
    /// They cannot be read
    Unread,
    /// One of them is out of the range that a socket accepts
    OutOfRange(OutOfRange),
}

impl Assignment {
    /// Assignment of the same values to every socket.
    pub(crate) fn of(change: KeepaliveChange) -> Self {
        Self { change, like_sysctl: false }
    }

    /// The change for sockets of a namespace.
    ///
    /// # Errors
    /// The sysctls of the namespace are needed, but cannot be read or are out of a socket's range.
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
