//! Options that no dump shows, read from a duplicate of the descriptor (tcp(7), socket(7)).

use super::keepalive::KeepaliveValues;

/// What getsockopt(2) said. Every value is the socket's own, sysctl defaults already filled in by the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketOptions {
    /// `SO_KEEPALIVE` and the options that belong to it
    pub keepalive: KeepaliveValues,
    /// `TCP_SYNCNT`: retransmissions of a SYN; of a listener, of a SYN-ACK; of others it says nothing any more
    pub syncnt: Option<u32>,
    /// `TCP_DEFER_ACCEPT` of a listener, seconds, 0 for off
    pub defer_accept_s: Option<u32>,
    /// `TCP_RTO_MAX_MS`, since 6.15
    pub rto_max_ms: Option<u32>,
    /// The rest, which decides no deadline
    pub more: Option<MoreOptions>,
}

/// Options that are shown and not judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoreOptions {
    /// `TCP_LINGER2`, seconds in FIN-WAIT-2 after close; below 0: none
    pub linger2_s: Option<i32>,
    /// `SO_LINGER`, seconds that close() waits; `None` where it is off
    pub linger_s: Option<u32>,
    /// `TCP_NODELAY`
    pub nodelay: Option<bool>,
    /// `SO_SNDBUF` was set, so that the kernel does not tune it (`SO_BUF_LOCK`, since 5.14)
    pub sndbuf_locked: Option<bool>,
    /// The same of `SO_RCVBUF`
    pub rcvbuf_locked: Option<bool>,
}
