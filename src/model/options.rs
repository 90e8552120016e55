//! Socket options that no dump contains, read from a duplicate of the descriptor (tcp(7), socket(7)).

use super::keepalive::KeepaliveValues;

/// Options read with getsockopt(2). Each is the effective value: the kernel has filled in sysctl defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketOptions {
    /// `SO_KEEPALIVE` and the options that belong to it
    pub keepalive: KeepaliveValues,
    /// `TCP_SYNCNT`: retransmissions of a SYN; of a listener, those of a SYN-ACK; `None` in other states
    pub syncnt: Option<u32>,
    /// `TCP_DEFER_ACCEPT` of a listener, seconds, 0 for off
    pub defer_accept_s: Option<u32>,
    /// `TCP_RTO_MAX_MS`, since 6.15
    pub rto_max_ms: Option<u32>,
    /// `TCP_THIN_LINEAR_TIMEOUTS`
    pub thin_linear: Option<bool>,
    /// `SO_DONTROUTE`: only peers on the link are sent to
    pub dontroute: bool,
    /// Options that affect no deadline
    pub more: Option<MoreOptions>,
}

/// Options that are printed but do not affect the judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoreOptions {
    /// `TCP_LINGER2`, seconds in FIN-WAIT-2 after close; negative for none
    pub linger2_s: Option<i32>,
    /// `SO_LINGER`, seconds that close() waits; `None` if it is off
    pub linger_s: Option<u32>,
    /// `TCP_NODELAY`
    pub nodelay: Option<bool>,
    /// `SO_SNDBUF` was set, so that the kernel does not tune it (`SO_BUF_LOCK`, since 5.14)
    pub sndbuf_locked: Option<bool>,
    /// `SO_RCVBUF` was set, so that the kernel does not tune it (`SO_BUF_LOCK`, since 5.14)
    pub rcvbuf_locked: Option<bool>,
}
