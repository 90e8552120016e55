//! Gauges and counters of TCP in one namespace: /proc/net/sockstat, snmp and netstat, with their meanings.
//!
//! Names come from the files, so a kernel's additional counters are read too; the tables only explain names.
//! Meanings follow `Documentation/networking/snmp_counter.rst` and `include/uapi/linux/snmp.h`.

use super::state::{StateSet, TcpState};
use super::sysctl::Scope;

/// Counters since the namespace was created, by the kernel's names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// The `Tcp` lines of /proc/net/snmp
    pub tcp: Vec<(String, i64)>,
    /// The `TcpExt` lines of /proc/net/netstat
    pub tcp_ext: Vec<(String, i64)>,
}

impl Counters {
    /// Both groups with their names.
    pub fn groups(&self) -> [(&'static str, &[(String, i64)]); 2] {
        [("Tcp", &self.tcp), ("TcpExt", &self.tcp_ext)]
    }
}

/// Meaning of a counter of a group (`Tcp`, `TcpExt`); `None` for one that this program does not know.
pub(crate) fn meaning(group: &str, name: &str) -> Option<&'static str> {
    let table = if group == "Tcp" { TCP } else { TCP_EXT };
    table.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)
}

/// Counters that are printed even if they are 0, because a 0 is informative.
pub(crate) const WATCHED: &[&str] = &[
    "ActiveOpens",
    "PassiveOpens",
    "AttemptFails",
    "EstabResets",
    "CurrEstab",
    "RetransSegs",
    "OutRsts",
    "SyncookiesSent",
    "TW",
    "TWRecycled",
    "TWKilled",
    "ListenOverflows",
    "ListenDrops",
    "TCPTimeouts",
    "TCPAbortOnData",
    "TCPAbortOnClose",
    "TCPAbortOnMemory",
    "TCPAbortOnTimeout",
    "TCPTimeWaitOverflow",
    "TCPReqQFullDoCookies",
    "TCPReqQFullDrop",
    "TCPRetransFail",
    "TCPSynRetrans",
    "TCPWinProbe",
    "TCPKeepAlive",
];

/// One gauge of sockstat.
#[derive(Debug, Clone, Copy)]
pub struct GaugeSpec {
    /// Group in the file, without the colon
    pub group: &'static str,
    /// Name in the file
    pub name: &'static str,
    /// Key in JSON, with its unit
    pub key: &'static str,
    /// Scope of the number; the file mixes both scopes (docs/kernel.md 1)
    pub scope: Scope,
    /// What it counts
    pub meaning: &'static str,
}

/// The gauges that are read.
pub(crate) const GAUGES: [GaugeSpec; 7] = [
    GaugeSpec {
        group: "sockets",
        name: "used",
        key: "sockets_used",
        scope: Scope::Netns,
        meaning: "sockets of every kind that programs hold",
    },
    GaugeSpec {
        group: "TCP",
        name: "inuse",
        key: "tcp_inuse",
        scope: Scope::Netns,
        meaning: "IPv4 TCP sockets, listeners included, TIME-WAIT not",
    },
    GaugeSpec {
        group: "TCP6",
        name: "inuse",
        key: "tcp6_inuse",
        scope: Scope::Netns,
        meaning: "IPv6 TCP sockets, listeners included, TIME-WAIT not",
    },
    GaugeSpec {
        group: "TCP",
        name: "tw",
        key: "tcp_tw",
        scope: Scope::Netns,
        meaning: "sockets in TIME-WAIT, of IPv4 and IPv6",
    },
    GaugeSpec {
        group: "TCP",
        name: "orphan",
        key: "tcp_orphan",
        scope: Scope::Host,
        meaning: "connections without a program, on the whole host",
    },
    GaugeSpec {
        group: "TCP",
        name: "alloc",
        key: "tcp_alloc",
        scope: Scope::Host,
        meaning: "TCP sockets that exist on the whole host",
    },
    GaugeSpec {
        group: "TCP",
        name: "mem",
        key: "tcp_mem_pages",
        scope: Scope::Host,
        meaning: "pages of memory in TCP buffers, on the whole host",
    },
];

/// The gauges of one namespace, in the order of [`GAUGES`]; absent if the file lacks one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SockStat([Option<i64>; GAUGES.len()]);

impl SockStat {
    /// Calls `read` for the value of each gauge.
    pub fn read_with(read: impl Fn(&GaugeSpec) -> Option<i64>) -> Self {
        Self(GAUGES.each_ref().map(read))
    }

    /// Each gauge with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static GaugeSpec, Option<i64>)> + '_ {
        GAUGES.iter().zip(self.0)
    }

    /// Number of sockets; `None` if the kernel does not report it.
    pub fn population(&self) -> Option<Population> {
        let gauge = |key| {
            let value = self.iter().find(|(gauge, _)| gauge.key == key).and_then(|(_, value)| value);
            value.map(|value| u64::try_from(value).unwrap_or(0))
        };
        // Without IPv6, sockstat6 does not exist.
        let tcp6 = gauge("tcp6_inuse").unwrap_or(0);
        Some(Population {
            of_any_kind: gauge("sockets_used")?,
            tcp: gauge("tcp_inuse")? + tcp6,
            time_wait: gauge("tcp_tw")?,
        })
    }
}

/// Number of sockets of a namespace, by its gauges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Population {
    /// Sockets of every protocol that processes hold, and TCP orphans
    pub of_any_kind: u64,
    /// TCP sockets in the kernel's tables, including orphans and listeners. Excluded are minisockets (TIME-WAIT;
    /// requests, which need a listener) and sockets that are only bound
    pub tcp: u64,
    /// TIME-WAIT and FIN-WAIT-2 minisockets
    pub time_wait: u64,
}

impl Population {
    /// States that a socket of the namespace can have. A dump of other states would walk the tables of the whole host in vain.
    pub fn states(self) -> StateSet {
        match self {
            Self { of_any_kind: 0, tcp: 0, time_wait: 0 } => StateSet::NONE,
            Self { tcp: 0, time_wait: 0, .. } => StateSet::NONE.with(TcpState::BoundInactive),
            Self { .. } => StateSet::ALL,
        }
    }

    /// Number of TCP sockets and minisockets.
    pub fn tcp_sockets(self) -> u64 {
        self.tcp + self.time_wait
    }
}

const TCP: &[(&str, &str)] = &[
    ("RtoAlgorithm", "algorithm of the retransmission timeout (1: other, fixed by the MIB)"),
    ("RtoMin", "shortest retransmission timeout in ms, as the MIB defines it"),
    ("RtoMax", "longest retransmission timeout in ms, as the MIB defines it"),
    ("MaxConn", "limit of connections; -1 is none"),
    ("ActiveOpens", "connections opened from here"),
    ("PassiveOpens", "connections accepted"),
    ("AttemptFails", "connections that never came to be"),
    ("EstabResets", "connections that ended by a reset"),
    ("CurrEstab", "connections now in ESTABLISHED or CLOSE-WAIT"),
    ("InSegs", "segments received"),
    ("OutSegs", "segments sent, without retransmissions"),
    ("RetransSegs", "segments sent again"),
    ("InErrs", "segments received with an error"),
    ("OutRsts", "resets sent"),
    ("InCsumErrors", "segments received with a wrong checksum"),
];

const TCP_EXT: &[(&str, &str)] = &[
    ("SyncookiesSent", "SYN cookies sent because a listener's queue of half-open connections was full"),
    ("SyncookiesRecv", "valid SYN cookies that came back"),
    ("SyncookiesFailed", "SYN cookies that came back invalid"),
    ("EmbryonicRsts", "resets received for half-open connections"),
    ("PruneCalled", "receive queues squeezed because their buffer was full"),
    ("RcvPruned", "segments dropped because the receive buffer stayed full"),
    ("OfoPruned", "segments dropped from the out-of-order queue for lack of memory"),
    ("OutOfWindowIcmps", "ICMP messages ignored because their sequence number was out of the window"),
    ("LockDroppedIcmps", "ICMP messages dropped because the socket was busy"),
    ("ArpFilter", "ARP requests not answered because of arp_filter"),
    ("TW", "connections that entered TIME-WAIT and left it by its timer"),
    ("TWRecycled", "TIME-WAIT sockets reused for a new connection"),
    ("TWKilled", "TIME-WAIT sockets ended early by tcp_max_tw_buckets"),
    ("PAWSActive", "SYN-ACKs dropped for an old time stamp"),
    ("PAWSEstab", "segments dropped for an old time stamp"),
    ("BeyondWindow", "segments dropped because they lay beyond the window"),
    ("TSEcrRejected", "segments dropped for a time stamp echo that was never sent"),
    ("PAWSOldAck", "old ACKs that were let pass in spite of their time stamp"),
    ("PAWSTimewait", "segments for TIME-WAIT sockets dropped for an old time stamp"),
    ("DelayedACKs", "delayed ACKs sent"),
    ("DelayedACKLocked", "delayed ACKs put off because the socket was busy"),
    ("DelayedACKLost", "delayed ACKs that seem to have been lost"),
    ("ListenOverflows", "connections dropped because an accept queue was full"),
    ("ListenDrops", "connection attempts dropped by listeners for any reason, overflows included"),
    ("TCPHPHits", "segments that took the fast path"),
    ("TCPPureAcks", "ACKs without data"),
    ("TCPHPAcks", "ACKs that took the fast path"),
    ("TCPRenoRecovery", "recoveries from loss without SACK"),
    ("TCPSackRecovery", "recoveries from loss with SACK"),
    ("TCPSACKReneging", "peers that took a SACK back"),
    ("TCPSACKReorder", "reorderings seen by SACK"),
    ("TCPRenoReorder", "reorderings seen without SACK"),
    ("TCPTSReorder", "reorderings seen by time stamps"),
    ("TCPFullUndo", "recoveries that proved needless, seen by time stamps"),
    ("TCPPartialUndo", "recoveries that proved partly needless"),
    ("TCPDSACKUndo", "recoveries that proved needless, seen by duplicate SACK"),
    ("TCPLossUndo", "timeouts that proved needless"),
    ("TCPLostRetransmit", "retransmissions that were lost as well"),
    ("TCPRenoFailures", "timeouts in recovery without SACK"),
    ("TCPSackFailures", "timeouts in recovery with SACK"),
    ("TCPLossFailures", "timeouts in the loss state"),
    ("TCPFastRetrans", "fast retransmissions"),
    ("TCPSlowStartRetrans", "retransmissions in slow start"),
    ("TCPTimeouts", "retransmission timeouts: data unanswered for its RTO"),
    ("TCPLossProbes", "tail-loss probes sent"),
    ("TCPLossProbeRecovery", "losses repaired by a tail-loss probe"),
    ("TCPRenoRecoveryFail", "failed recoveries without SACK"),
    ("TCPSackRecoveryFail", "failed recoveries with SACK"),
    ("TCPRcvCollapsed", "received segments merged to save memory"),
    ("TCPBacklogCoalesce", "segments merged in a busy socket's backlog"),
    ("TCPDSACKOldSent", "duplicate SACKs sent for data already received"),
    ("TCPDSACKOfoSent", "duplicate SACKs sent for out-of-order data"),
    ("TCPDSACKRecv", "duplicate SACKs received for old data"),
    ("TCPDSACKOfoRecv", "duplicate SACKs received for out-of-order data"),
    ("TCPAbortOnData", "connections reset because data came after close()"),
    ("TCPAbortOnClose", "connections reset because close() left received data unread"),
    ("TCPAbortOnMemory", "connections reset for lack of memory or too many orphans"),
    ("TCPAbortOnTimeout", "connections the kernel gave up: keepalive, retransmission or user timeout passed"),
    ("TCPAbortOnLinger", "connections reset because SO_LINGER or TCP_LINGER2 ran out"),
    ("TCPAbortFailed", "resets that could not be sent"),
    ("TCPMemoryPressures", "times TCP came under memory pressure"),
    ("TCPMemoryPressuresChrono", "milliseconds under memory pressure"),
    ("TCPSACKDiscard", "invalid SACK blocks"),
    ("TCPDSACKIgnoredOld", "duplicate SACKs ignored as too old"),
    ("TCPDSACKIgnoredNoUndo", "duplicate SACKs ignored without a recovery to undo"),
    ("TCPSpuriousRTOs", "timeouts that F-RTO proved needless"),
    ("TCPMD5NotFound", "segments dropped: signature (RFC 2385) missing"),
    ("TCPMD5Unexpected", "segments dropped: signature not expected"),
    ("TCPMD5Failure", "segments dropped: signature wrong"),
    ("TCPSackShifted", "bookkeeping of SACK: segments shifted"),
    ("TCPSackMerged", "bookkeeping of SACK: segments merged"),
    ("TCPSackShiftFallback", "bookkeeping of SACK: shift not possible"),
    ("TCPBacklogDrop", "segments dropped because a busy socket's backlog was full"),
    ("PFMemallocDrop", "segments dropped because only emergency memory was left"),
    ("TCPMinTTLDrop", "segments dropped by IP_MINTTL"),
    ("TCPDeferAcceptDrop", "bare ACKs dropped for TCP_DEFER_ACCEPT"),
    ("IPReversePathFilter", "packets dropped by rp_filter"),
    ("TCPTimeWaitOverflow", "connections that got no TIME-WAIT because of tcp_max_tw_buckets"),
    ("TCPReqQFullDoCookies", "times a full SYN queue was answered with cookies"),
    ("TCPReqQFullDrop", "SYNs dropped because the SYN queue was full and cookies were off"),
    ("TCPRetransFail", "retransmissions that could not be sent"),
    ("TCPRcvCoalesce", "received segments merged in the receive queue"),
    ("TCPOFOQueue", "segments received out of order"),
    ("TCPOFODrop", "out-of-order segments dropped for lack of buffer"),
    ("TCPOFOMerge", "out-of-order segments that overlapped others"),
    ("TCPChallengeACK", "challenge ACKs sent (RFC 5961)"),
    ("TCPSYNChallenge", "challenge ACKs sent for a SYN in a connection"),
    ("TCPFastOpenActive", "Fast Open connections opened"),
    ("TCPFastOpenActiveFail", "Fast Open attempts whose data was not taken"),
    ("TCPFastOpenPassive", "Fast Open connections accepted"),
    ("TCPFastOpenPassiveFail", "Fast Open attempts refused"),
    ("TCPFastOpenListenOverflow", "Fast Open attempts beyond the limit"),
    ("TCPFastOpenCookieReqd", "requests for a Fast Open cookie"),
    ("TCPFastOpenBlackhole", "times Fast Open was turned off because the path swallows it"),
    ("TCPSpuriousRtxHostQueues", "retransmissions put off: the original still waits in this host's queues"),
    ("BusyPollRxPackets", "packets received by busy polling"),
    ("TCPAutoCorking", "small writes held back to be sent together"),
    ("TCPFromZeroWindowAdv", "times a receive window opened again"),
    ("TCPToZeroWindowAdv", "times a receive window was closed: a program here does not read"),
    ("TCPWantZeroWindowAdv", "times a window should have been closed but was not"),
    ("TCPSynRetrans", "SYNs and SYN-ACKs sent again"),
    ("TCPOrigDataSent", "segments with new data sent"),
    ("TCPHystartTrainDetect", "slow starts ended by HyStart's packet train"),
    ("TCPHystartTrainCwnd", "sum of windows at those moments"),
    ("TCPHystartDelayDetect", "slow starts ended by HyStart's delay"),
    ("TCPHystartDelayCwnd", "sum of windows at those moments"),
    ("TCPACKSkippedSynRecv", "ACKs left out by rate limit in SYN-RECV"),
    ("TCPACKSkippedPAWS", "ACKs left out by rate limit for old time stamps"),
    ("TCPACKSkippedSeq", "ACKs left out by rate limit for wrong sequence numbers"),
    ("TCPACKSkippedFinWait2", "ACKs left out by rate limit in FIN-WAIT-2"),
    ("TCPACKSkippedTimeWait", "ACKs left out by rate limit in TIME-WAIT"),
    ("TCPACKSkippedChallenge", "challenge ACKs left out by rate limit"),
    ("TCPWinProbe", "zero-window probes sent"),
    ("TCPKeepAlive", "keepalive probes sent"),
    ("TCPMTUPFail", "path MTU probes that failed"),
    ("TCPMTUPSuccess", "path MTU probes that succeeded"),
    ("TCPDelivered", "segments delivered"),
    ("TCPDeliveredCE", "segments delivered with a congestion mark"),
    ("TCPAckCompressed", "ACKs left out by ACK compression"),
    ("TCPZeroWindowDrop", "segments dropped because the receive window was closed"),
    ("TCPRcvQDrop", "segments dropped because the receive queue was full"),
    ("TCPWqueueTooBig", "send queues beyond their limit"),
    ("TCPFastOpenPassiveAltKey", "Fast Open connections accepted by the second key"),
    ("TcpTimeoutRehash", "changes of path (flow hash) after a timeout"),
    ("TcpDuplicateDataRehash", "changes of path (flow hash) after duplicate data"),
    ("TCPDSACKRecvSegs", "segments that duplicate SACKs reported"),
    ("TCPDSACKIgnoredDubious", "duplicate SACKs ignored as implausible"),
    ("TCPMigrateReqSuccess", "requests moved to another listener of the group"),
    ("TCPMigrateReqFailure", "requests that could not be moved"),
    ("TCPPLBRehash", "changes of path by protective load balancing"),
    ("TCPAORequired", "segments dropped: authentication (RFC 5925) missing"),
    ("TCPAOBad", "segments dropped: authentication wrong"),
    ("TCPAOKeyNotFound", "segments dropped: no such authentication key"),
    ("TCPAOGood", "segments with valid authentication"),
    ("TCPAODroppedIcmps", "ICMP messages ignored for authenticated connections"),
];

#[cfg(test)]
mod tests {
    use super::{TCP_EXT, WATCHED, meaning};

    #[test]
    fn every_watched_counter_is_explained() {
        for name in WATCHED {
            assert!(meaning("Tcp", name).or(meaning("TcpExt", name)).is_some(), "{name}");
        }
    }

    #[test]
    fn an_unknown_counter_has_no_invented_meaning() {
        assert_eq!(meaning("TcpExt", "TCPTomorrow"), None);
        assert!(TCP_EXT.len() > 100);
    }
}
