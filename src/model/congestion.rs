//! Congestion control of a socket: the algorithm's name and its internal values.

/// A short name from the kernel (congestion control, upper-layer protocol), stored inline without an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KernelName {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl KernelName {
    /// Maximum length in bytes: `TCP_CA_NAME_MAX` and `TCP_ULP_NAME_MAX`.
    pub const MAX: usize = 16;

    /// Creates a name; `None` if it is empty, too long, or not printable ASCII.
    pub fn new(name: &[u8]) -> Option<Self> {
        if name.is_empty() || name.len() > Self::MAX || !name.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut bytes = [0; Self::MAX];
        bytes[..name.len()].copy_from_slice(name);
        Some(Self { bytes, len: name.len() as u8 })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        // `new` accepts only ASCII, so the fallback is never taken.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl std::fmt::Debug for KernelName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Congestion control: `INET_DIAG_CONG` and the algorithm's own attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Congestion {
    /// "cubic", "bbr", …
    pub algorithm: KernelName,
    /// Values of BBR, DCTCP or Vegas (also used by Illinois, YeAH, NV, …)
    pub details: Option<CongestionDetails>,
}

/// `union tcp_cc_info` of `include/uapi/linux/inet_diag.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CongestionDetails {
    /// `struct tcp_bbr_info`
    Bbr {
        /// Estimated bottleneck bandwidth
        bandwidth_bytes_per_s: u64,
        /// Smallest round-trip time in the window
        min_rtt_us: u32,
        /// Pacing gain, 256 is 1.0
        pacing_gain_256ths: u32,
        /// Window gain, 256 is 1.0
        cwnd_gain_256ths: u32,
    },
    /// `struct tcp_dctcp_info`
    Dctcp {
        /// Whether ECN was negotiated
        enabled: bool,
        /// Whether the last packet was marked
        ce_state: u16,
        /// Estimated share of marked packets, 1024 is all
        alpha_1024ths: u32,
        /// Bytes acknowledged with a mark in this window
        ecn_bytes: u32,
        /// Bytes acknowledged in this window
        total_bytes: u32,
    },
    /// `struct tcpvegas_info`
    Vegas {
        /// Whether Vegas is active
        enabled: bool,
        /// Round-trip times measured in this window
        rtt_count: u32,
        /// Last round-trip time
        rtt_us: u32,
        /// Smallest round-trip time
        min_rtt_us: u32,
    },
}
