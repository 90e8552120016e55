//! One TCP socket as the kernel described it at one instant.

use super::address::{Cookie, Endpoint, Family, NetnsId};
use super::congestion::{Congestion, KernelName};
use super::ids::Inode;
use super::memory::SocketMemory;
use super::state::TcpState;
use super::tcp_info::{Field, TcpInfo};
use super::timer::{Timer, TimerKind};

/// What tells one socket from all others on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketId {
    /// The namespace it is in: cookies are unique within one
    pub netns: NetnsId,
    /// `None` where it came from /proc/net/tcp, which has no cookies
    pub cookie: Option<Cookie>,
}

/// One row of a dump. What the kernel did not tell is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Identity
    pub id: SocketId,
    /// Family of the socket
    pub family: Family,
    /// State
    pub state: TcpState,
    /// This end
    pub local: Endpoint,
    /// The other end; unspecified address and port 0 for a listener
    pub remote: Endpoint,
    /// Index of the interface it is bound to (`SO_BINDTODEVICE`, or the scope of a link-local address)
    pub interface: Option<u32>,
    /// Owner by `fchown`, else creator; none for minisockets
    pub uid: Option<u32>,
    /// Inode in sockfs; none where no process could hold it: orphan, minisocket, accept queue
    pub inode: Option<Inode>,
    /// Bytes or connections that wait
    pub queues: Queues,
    /// The pending timer
    pub timer: Timer,
    /// The rest, as far as it was asked for and sent
    pub attributes: Attributes,
}

impl Socket {
    /// Keepalive or zero-window probes that the peer has not answered.
    pub fn probes_out(&self) -> u64 {
        self.counted(Field::Probes)
    }

    /// Retransmission timeouts in a row that the peer has not answered.
    pub fn retransmits(&self) -> u64 {
        self.counted(Field::Retransmits)
    }

    /// What tcp_info counts; where there is none, what the timer does.
    fn counted(&self, field: Field) -> u64 {
        self.attributes.info.as_ref().and_then(|info| info.get(field)).unwrap_or(self.timer.count.into())
    }

    /// Time since data or an ACK last came from the peer, in milliseconds.
    pub fn idle_ms(&self) -> Option<u64> {
        self.attributes.info.as_ref()?.idle_ms()
    }

    /// Whether the peer owes an answer: to a probe, or to data, a SYN or a FIN that had to be sent again.
    pub fn is_owed_an_answer(&self) -> bool {
        match self.timer.kind {
            TimerKind::Keepalive | TimerKind::ZeroWindowProbe => self.probes_out() > 0,
            TimerKind::Retransmit => self.retransmits() > 0,
            _ => false,
        }
    }

    /// Whether its program has closed it and the kernel finishes the connection. close() takes a socket out of
    /// ESTABLISHED and CLOSE-WAIT at once, so one without an inode there was never accepted.
    pub fn is_orphan(&self) -> bool {
        let never_accepted = matches!(self.state, TcpState::Established | TcpState::CloseWait | TcpState::SynRecv);
        self.inode.is_none() && !never_accepted && !self.is_minisocket()
    }

    /// Whether it is a TIME-WAIT, FIN-WAIT-2 or request minisocket, of which the kernel keeps little.
    pub fn is_minisocket(&self) -> bool {
        matches!(self.timer.kind, TimerKind::TimeWait | TimerKind::SynAck) || self.state == TcpState::TimeWait
    }
}

/// `idiag_rqueue` and `idiag_wqueue`, which mean different things for a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queues {
    /// A connection's
    Bytes {
        /// Received and not yet read; a FIN counts as one byte
        recv: u32,
        /// Written and not yet acknowledged
        send: u32,
    },
    /// A listener's accept queue
    Accept {
        /// Connections that wait to be accepted
        length: u32,
        /// The effective backlog, min(listen's argument, somaxconn); one more fits. /proc does not tell it
        max: Option<u32>,
    },
    /// A minisocket keeps none
    None,
}

/// Netlink attributes of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `INET_DIAG_INFO`; none for listeners, of which it repeats the accept queue and zeros. Boxed, since it is larger
    /// than all the rest, and a socket is moved several times on its way to the sink
    pub info: Option<Box<TcpInfo>>,
    /// `INET_DIAG_SKMEMINFO`
    pub memory: Option<SocketMemory>,
    /// `INET_DIAG_CONG` with BBRINFO, DCTCPINFO or VEGASINFO
    pub congestion: Option<Congestion>,
    /// `INET_DIAG_ULP_INFO`
    pub ulp: Option<Ulp>,
    /// `INET_DIAG_SHUTDOWN`
    pub shutdown: Option<Shutdown>,
    /// Marks and classes
    pub class: Classification,
    /// `INET_DIAG_SKV6ONLY`: of IPv6 listeners and bound sockets
    pub v6only: Option<bool>,
    /// `INET_DIAG_CGROUP_ID`: inode of the cgroup v2 directory the socket was made in
    pub cgroup_id: Option<u64>,
    /// `INET_DIAG_SOCKOPT`
    pub sockopt: Option<SockOpt>,
    /// `INET_DIAG_MD5SIG` was there. Its content is a secret key, which is never looked at. None where the kernel does
    /// not say: it tells `CAP_NET_ADMIN` only, who is also told the mark
    pub md5sig: Option<bool>,
    /// Attributes that this program does not know, or whose content it could not read
    pub odd: OddAttributes,
}

/// How packets of the socket are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classification {
    /// `INET_DIAG_TOS`: the IPv4 type of service
    pub tos: Option<u8>,
    /// `INET_DIAG_TCLASS`: the IPv6 traffic class
    pub tclass: Option<u8>,
    /// `INET_DIAG_MARK`: `SO_MARK`, told to `CAP_NET_ADMIN` only
    pub mark: Option<u32>,
    /// `INET_DIAG_CLASS_ID`: net_cls class, or the priority
    pub class_id: Option<u32>,
}

/// What could not be read of a row's attributes. A row is never lost for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OddAttributes {
    /// Attribute numbers that this program does not know
    pub unknown: u8,
    /// Known attributes of a length or content that cannot be
    pub malformed: u8,
}

/// `INET_DIAG_SHUTDOWN`: which directions were shut down (`RCV_SHUTDOWN` 1, `SEND_SHUTDOWN` 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown(pub u8);

impl Shutdown {
    /// Nothing more will be received: the peer sent a FIN, or this side called shutdown(SHUT_RD).
    pub fn receive(self) -> bool {
        self.0 & 1 != 0
    }

    /// This side sends no more.
    pub fn send(self) -> bool {
        self.0 & 2 != 0
    }

    /// ss's arrows: `<->` both ways open, `-->` only sending, `<--` only receiving, `---` neither.
    pub fn arrows(self) -> &'static str {
        match (self.receive(), self.send()) {
            (false, false) => "<->",
            (true, false) => "-->",
            (false, true) => "<--",
            (true, true) => "---",
        }
    }
}

/// `struct inet_diag_sockopt`: options as a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SockOpt(pub u16);

impl SockOpt {
    /// Names of the bits, lowest first, as `ss --inet-sockopt` spells them.
    pub const NAMES: [&'static str; 11] = [
        "recverr",
        "is_icsk",
        "freebind",
        "hdrincl",
        "mc_loop",
        "transparent",
        "mc_all",
        "nodefrag",
        "bind_addr_no_port",
        "recverr_rfc4884",
        "defer_connect",
    ];

    /// The names of the bits that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().enumerate().filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name)
    }
}

/// `INET_DIAG_ULP_INFO`: the protocol layered on top of TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ulp {
    /// "tls", "mptcp", "espintcp", "smc", …
    pub name: KernelName,
    /// Details of an MPTCP subflow; the kernel tells some of them to `CAP_NET_ADMIN` only
    pub mptcp: Option<MptcpSubflow>,
    /// Details of kernel TLS
    pub tls: Option<KernelTls>,
}

/// `MPTCP_SUBFLOW_ATTR_*` (`include/uapi/linux/mptcp.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MptcpSubflow {
    /// Token of the connection at the peer
    pub token_remote: Option<u32>,
    /// Token of the connection here: the same for all its subflows
    pub token_local: Option<u32>,
    /// Address id of the peer
    pub id_remote: Option<u8>,
    /// Address id here
    pub id_local: Option<u8>,
    /// `MPTCP_SUBFLOW_FLAG_*`
    pub flags: Option<u32>,
}

/// `TLS_INFO_*` (`include/uapi/linux/tls.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KernelTls {
    /// 0x0303 is TLS 1.2, 0x0304 is TLS 1.3
    pub version: Option<u16>,
    /// `TLS_CIPHER_*`
    pub cipher: Option<u16>,
}
