//! Memory that a socket holds (`INET_DIAG_SKMEMINFO`, `include/uapi/linux/sock_diag.h`).

/// The nine numbers of `SK_MEMINFO_*`, in bytes except the last. A number that an older kernel does not send is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SocketMemory([Option<u32>; Self::KEYS.len()]);

impl SocketMemory {
    /// JSON keys in kernel order.
    pub const KEYS: [&'static str; 9] = [
        "rmem_alloc_bytes",
        "rcvbuf_bytes",
        "wmem_alloc_bytes",
        "sndbuf_bytes",
        "fwd_alloc_bytes",
        "wmem_queued_bytes",
        "optmem_bytes",
        "backlog_bytes",
        "drops",
    ];

    /// Takes the numbers in kernel order; `None` for one that the kernel did not send.
    pub fn new(values: [Option<u32>; Self::KEYS.len()]) -> Self {
        Self(values)
    }

    /// Key and value of each number.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Option<u32>)> + '_ {
        Self::KEYS.into_iter().zip(self.0)
    }

    /// Memory of received data not yet read, including buffer overhead (`sk_rmem_alloc`).
    pub fn rmem_alloc_bytes(&self) -> Option<u32> {
        self.0[0]
    }

    /// Limit of the receive buffer (`sk_rcvbuf`).
    pub fn rcvbuf_bytes(&self) -> Option<u32> {
        self.0[1]
    }

    /// Limit of the send buffer (`sk_sndbuf`).
    pub fn sndbuf_bytes(&self) -> Option<u32> {
        self.0[3]
    }

    /// Memory of data in the send queue (`sk_wmem_queued`).
    pub fn wmem_queued_bytes(&self) -> Option<u32> {
        self.0[5]
    }

    /// `sk_drops`. On a listener: connection attempts dropped, for any reason (docs/kernel.md 1).
    pub fn drops(&self) -> Option<u32> {
        self.0[8]
    }
}
