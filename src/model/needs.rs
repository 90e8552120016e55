//! Parts of a row that a request needs. The pipeline collects these and no others.

bitflags::bitflags! {
    /// Parts of a row that take time to collect.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Needs: u16 {
        /// `INET_DIAG_INFO`
        const INFO = 1;
        /// `INET_DIAG_SKMEMINFO`
        const MEMORY = 1 << 1;
        /// `INET_DIAG_CONG` and the algorithm's block
        const CONGESTION = 1 << 2;
        /// `INET_DIAG_TOS`, `INET_DIAG_TCLASS`, class id and mark
        const CLASS = 1 << 3;
        /// Paths of cgroups
        const CGROUP = 1 << 4;
        /// Names of users
        const USER = 1 << 5;
        /// A scan of every process's descriptors
        const OWNERS = 1 << 6;
        /// sysctls, gauges and counters of each namespace
        const KERNEL = 1 << 7;
        /// sysctls only
        const SYSCTLS = 1 << 8;
        /// Keepalive, deadline and verdict
        const LIVENESS = 1 << 9;
        /// Socket options that affect deadlines, read from descriptors of the owners
        const OPTIONS = 1 << 10;
        /// Also the options that affect no deadline
        const MORE_OPTIONS = 1 << 11;
        /// Also options of idle sockets, whose timers already reveal that keepalive is off
        const ALL_OPTIONS = 1 << 12;
        /// Number and limit of open descriptors of processes
        const LIMITS = 1 << 13;
        /// All owners of a socket, including those that only a complete scan of all processes finds
        const EVERY_OWNER = 1 << 14;
    }
}
