//! What a row is judged by: the row, its options, and what its namespace says.

use super::wheel::Span;
use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::options::SocketOptions;
use crate::model::routes::Doubt;
use crate::model::socket::Socket;
use crate::model::sysctl::{Sysctl, Sysctls};

/// What a row is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The row
    pub socket: &'a Socket,
    /// Its keepalive
    pub keepalive: &'a Keepalive,
    /// Its options, where they could be read; of a request, those of its listener
    pub options: Option<&'a SocketOptions>,
    /// The sysctls of its namespace
    pub sysctls: &'a Sysctls,
    /// Why it is doubtful that packets to the peer leave this host
    pub doubt: Option<Doubt>,
}

impl Facts<'_> {
    /// A time or a limit of the namespace; `default` where this kernel does not have the sysctl.
    pub(super) fn sysctl(&self, sysctl: Sysctl, default: u32) -> u64 {
        self.sysctls.number(sysctl).unwrap_or(default.into()).min(u32::MAX.into())
    }

    /// When it ends, as a deadline: only what was read from the socket makes one exact.
    pub(super) fn ends(&self, ends: Span, mechanism: Mechanism) -> Deadline {
        if self.keepalive.is_read() { ends.deadline(mechanism) } else { Deadline::at_least(ends.earliest, mechanism) }
    }

    /// A number of tries, of which no sysctl allows more than 255.
    pub(super) fn tries(&self, sysctl: Sysctl, default: u8) -> u64 {
        self.sysctls.number(sysctl).unwrap_or(default.into()).min(u8::MAX.into())
    }
}
