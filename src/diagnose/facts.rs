//! Input of the judgement: a row, its keepalive and options, and the sysctls and routes of its namespace.

use super::wheel::Span;
use crate::model::keepalive::Keepalive;
use crate::model::liveness::{Deadline, Mechanism};
use crate::model::options::SocketOptions;
use crate::model::routes::Doubt;
use crate::model::socket::Socket;
use crate::model::sysctl::{Sysctl, Sysctls};

/// Everything that one row is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The row
    pub socket: &'a Socket,
    /// Keepalive state and values of the socket
    pub keepalive: &'a Keepalive,
    /// Options of the socket, if they could be read; for a request socket, those of its listener
    pub options: Option<&'a SocketOptions>,
    /// Sysctls of the network namespace
    pub sysctls: &'a Sysctls,
    /// Why it is doubtful that packets to the peer leave this host
    pub doubt: Option<Doubt>,
    /// Whether it is a subflow of MPTCP, or may be one that the kernel does not show to this user
    pub may_be_mptcp: bool,
}

impl Facts<'_> {
    /// A time or limit set by a sysctl of the namespace; `default` if this kernel does not have the sysctl.
    pub(super) fn sysctl(&self, sysctl: Sysctl, default: u32) -> u64 {
        self.sysctls.number(sysctl).unwrap_or(default.into()).min(u32::MAX.into())
    }

    /// Turns a span into a deadline. It is exact only if keepalive was read from the socket; else it is a lower bound.
    pub(super) fn ends(&self, ends: Span, mechanism: Mechanism) -> Deadline {
        if self.keepalive.is_read() { ends.deadline(mechanism) } else { Deadline::at_least(ends.earliest, mechanism) }
    }

    /// A number of tries set by a sysctl of the namespace; no such sysctl allows more than 255.
    pub(super) fn tries(&self, sysctl: Sysctl, default: u8) -> u64 {
        self.sysctls.number(sysctl).unwrap_or(default.into()).min(u8::MAX.into())
    }
}
