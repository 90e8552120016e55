//! Which parts of a row somebody wants: the pipeline asks the kernel for these and no others.

bitflags::bitflags! {
    /// Parts of a row that cost something to get.
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
        /// sysctls alone
        const SYSCTLS = 1 << 8;
        /// Keepalive, deadline and verdict
        const LIVENESS = 1 << 9;
        /// Options of sockets, those that deadlines are made of, read from descriptors of their processes
        const OPTIONS = 1 << 10;
        /// The other options too
        const MORE_OPTIONS = 1 << 11;
        /// Options of idle sockets too, whose timers already tell that keepalive is off
        const ALL_OPTIONS = 1 << 12;
        /// How many descriptors processes may open
        const LIMITS = 1 << 13;
        /// Every process that holds a socket, also one that would have to be read to its end to find it
        const EVERY_OWNER = 1 << 14;
    }
}
