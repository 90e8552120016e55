//! Sysctls that affect TCP sockets: one table for reading, JSON, the `kernel` report and its help.
//!
//! Sources: `Documentation/networking/ip-sysctl.rst`, `net/ipv4/sysctl_net_ipv4.c`; scope as observed on 6.18 (docs/kernel.md 6).

/// Scope of a sysctl: each network namespace, or the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Each namespace has its own; a new one starts with the kernel's default, not with the host's value
    Netns,
    /// One value for the host, which only its first namespace shows
    Host,
}

impl Scope {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Netns => "netns",
            Self::Host => "host-wide",
        }
    }
}

/// Format of a sysctl's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One number
    Number,
    /// Several numbers
    Numbers,
    /// A list such as `8080,9000-9100`, kept as text
    Text,
}

/// Entry of the table.
#[derive(Debug, Clone, Copy)]
pub struct SysctlSpec {
    /// Path below /proc/sys, with slashes
    pub path: &'static str,
    /// Key in JSON, with its unit
    pub key: &'static str,
    /// Format of the file
    pub format: Format,
    /// Scope of the value
    pub scope: Scope,
    /// The kernel's default; "by memory" if it depends on the machine
    pub default: &'static str,
    /// Effect of the value
    pub meaning: &'static str,
}

impl SysctlSpec {
    /// The name that sysctl(8) uses.
    pub fn name(&self) -> String {
        self.path.replace('/', ".")
    }
}

macro_rules! sysctls {
    ($($sysctl:ident $path:literal $key:literal $format:ident $scope:ident $default:literal $meaning:literal;)*) => {
        /// A sysctl of the table [`SYSCTLS`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Sysctl {
            $(#[doc = $meaning] $sysctl,)*
        }

        /// Every sysctl that is read, in the order of reports.
        pub(crate) const SYSCTLS: &[SysctlSpec] = &[
            $(SysctlSpec {
                path: $path, key: $key, format: Format::$format, scope: Scope::$scope, default: $default, meaning: $meaning,
            },)*
        ];
    };
}

sysctls! {
    KeepaliveTime "net/ipv4/tcp_keepalive_time" "tcp_keepalive_time_s" Number Netns "7200"
        "seconds of silence before the first keepalive probe, where a socket has SO_KEEPALIVE and sets no TCP_KEEPIDLE";
    KeepaliveIntvl "net/ipv4/tcp_keepalive_intvl" "tcp_keepalive_intvl_s" Number Netns "75"
        "seconds between keepalive probes (TCP_KEEPINTVL)";
    KeepaliveProbes "net/ipv4/tcp_keepalive_probes" "tcp_keepalive_probes" Number Netns "9"
        "unanswered keepalive probes before the connection is dropped (TCP_KEEPCNT)";
    Retries1 "net/ipv4/tcp_retries1" "tcp_retries1" Number Netns "3"
        "unanswered retransmissions before the route is looked up anew";
    Retries2 "net/ipv4/tcp_retries2" "tcp_retries2" Number Netns "15"
        "sets how long data may stay unanswered before the connection is dropped: 15 is about 924 s";
    OrphanRetries "net/ipv4/tcp_orphan_retries" "tcp_orphan_retries" Number Netns "0"
        "the same for connections that their program has closed; 0 means 8";
    FinTimeout "net/ipv4/tcp_fin_timeout" "tcp_fin_timeout_s" Number Netns "60"
        "seconds an orphan waits in FIN-WAIT-2 for the peer's FIN; TIME-WAIT is always 60 s";
    SynRetries "net/ipv4/tcp_syn_retries" "tcp_syn_retries" Number Netns "6"
        "retransmissions of an unanswered SYN: 6 is about 131 s";
    SynackRetries "net/ipv4/tcp_synack_retries" "tcp_synack_retries" Number Netns "5"
        "retransmissions of an unanswered SYN-ACK: 5 is about 63 s";
    SynLinearTimeouts "net/ipv4/tcp_syn_linear_timeouts" "tcp_syn_linear_timeouts" Number Netns "4"
        "SYN retransmissions one second apart before the interval doubles (since 6.5)";
    RtoMax "net/ipv4/tcp_rto_max_ms" "tcp_rto_max_ms" Number Netns "120000"
        "longest retransmission timeout (since 6.15)";
    RtoMin "net/ipv4/tcp_rto_min_us" "tcp_rto_min_us" Number Netns "200000"
        "shortest retransmission timeout (since 6.11)";
    ThinLinear "net/ipv4/tcp_thin_linear_timeouts" "tcp_thin_linear_timeouts" Number Netns "0"
        "1 keeps the first six timeouts of connections with few packets in flight from doubling";
    TwReuse "net/ipv4/tcp_tw_reuse" "tcp_tw_reuse" Number Netns "2"
        "new connections may take the port of one in TIME-WAIT: 0 never, 1 always, 2 on loopback";
    TwReuseDelay "net/ipv4/tcp_tw_reuse_delay" "tcp_tw_reuse_delay_ms" Number Netns "1000"
        "age at which a TIME-WAIT port may be taken (since 6.14)";
    MaxTwBuckets "net/ipv4/tcp_max_tw_buckets" "tcp_max_tw_buckets" Number Netns "by memory"
        "TIME-WAIT sockets kept at most; beyond it connections end without TIME-WAIT";
    MaxSynBacklog "net/ipv4/tcp_max_syn_backlog" "tcp_max_syn_backlog" Number Netns "by memory"
        "half-open connections a listener remembers";
    Syncookies "net/ipv4/tcp_syncookies" "tcp_syncookies" Number Netns "1"
        "answer SYN floods with cookies: 0 never, 1 when the backlog is full, 2 always";
    AbortOnOverflow "net/ipv4/tcp_abort_on_overflow" "tcp_abort_on_overflow" Number Netns "0"
        "1 resets connections that find the accept queue full; 0 lets them try again";
    Somaxconn "net/core/somaxconn" "somaxconn" Number Netns "4096"
        "upper limit of the backlog that listen() may ask for";
    LocalPortRange "net/ipv4/ip_local_port_range" "ip_local_port_range" Numbers Netns "32768 60999"
        "ports that outgoing connections may use";
    LocalReservedPorts "net/ipv4/ip_local_reserved_ports" "ip_local_reserved_ports" Text Netns ""
        "ports of that range that are left free for programs that ask for them";
    MaxOrphans "net/ipv4/tcp_max_orphans" "tcp_max_orphans" Number Host "by memory"
        "connections without a program kept at most; beyond it they are reset";
    Mem "net/ipv4/tcp_mem" "tcp_mem_pages" Numbers Host "by memory"
        "pages of memory for all TCP buffers: easy, pressure, limit";
    ConntrackMax "net/netfilter/nf_conntrack_max" "nf_conntrack_max" Number Host "by memory"
        "connections that the firewall tracks at most; absent where it tracks none";
}

/// Value of a sysctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SysctlValue {
    /// One number
    Number(i64),
    /// Several numbers
    Numbers(Vec<i64>),
    /// Text, possibly empty
    Text(String),
}

impl std::fmt::Display for SysctlValue {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Numbers(numbers) => {
                for (index, number) in numbers.iter().enumerate() {
                    write!(out, "{}{number}", if index > 0 { " " } else { "" })?;
                }
                Ok(())
            }
            Self::Text(text) => out.write_str(text),
        }
    }
}

/// Values of all sysctls in one namespace. The value of a missing or unreadable file is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctls(Vec<Option<SysctlValue>>);

impl Default for Sysctls {
    fn default() -> Self {
        Self(vec![None; SYSCTLS.len()])
    }
}

impl Sysctls {
    /// Calls `read` for the value of each sysctl.
    pub fn read_with(mut read: impl FnMut(&SysctlSpec) -> Option<SysctlValue>) -> Self {
        Self(SYSCTLS.iter().map(&mut read).collect())
    }

    /// Value of a sysctl, if it could be read.
    pub fn get(&self, sysctl: Sysctl) -> Option<&SysctlValue> {
        self.0.get(sysctl as usize)?.as_ref()
    }

    /// The value of a sysctl that is one number and cannot be negative.
    pub fn number(&self, sysctl: Sysctl) -> Option<u64> {
        match self.get(sysctl)? {
            SysctlValue::Number(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Number of ports for outgoing connections from one address: the range without the reserved ports.
    pub fn ephemeral_ports(&self) -> Option<u64> {
        let Some(SysctlValue::Numbers(range)) = self.get(Sysctl::LocalPortRange) else { return None };
        let &[first, last] = &range[..] else { return None };
        let reserved = match self.get(Sysctl::LocalReservedPorts) {
            Some(SysctlValue::Text(ports)) => ports.as_str(),
            _ => "",
        };
        let reserved = reserved.split(',').filter_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (from, to) = (from.trim().parse::<i64>().ok()?.max(first), to.trim().parse::<i64>().ok()?.min(last));
            u64::try_from(to - from + 1).ok()
        });
        u64::try_from(last - first + 1).ok().map(|all| all.saturating_sub(reserved.sum()))
    }

    /// Each sysctl with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static SysctlSpec, Option<&SysctlValue>)> {
        SYSCTLS.iter().zip(self.0.iter().map(Option::as_ref))
    }
}
