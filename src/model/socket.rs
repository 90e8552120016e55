//! One TCP socket as the kernel described it at one instant.

use super::address::{Cookie, Endpoint, Family, NetnsId};
use super::congestion::{Congestion, KernelName};
use super::ids::Inode;
use super::memory::SocketMemory;
use super::state::TcpState;
use super::tcp_info::{Field, TcpInfo};
use super::time::Millis;
use super::timer::{Timer, TimerKind};

/// Identity of a socket on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketId {
    /// Its namespace, in which cookies are unique
    pub netns: NetnsId,
    /// Its cookie; `None` for a row from /proc/net/tcp, which has no cookies
    pub cookie: Option<Cookie>,
}

/// One row of a dump. A value that the kernel did not send is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Identity
    pub id: SocketId,
    /// Family of the socket
    pub family: Family,
    /// State
    pub state: TcpState,
    /// Local end
    pub local: Endpoint,
    /// Remote end; unspecified address and port 0 for a listener
    pub remote: Endpoint,
    /// Index of the interface it is bound to (`SO_BINDTODEVICE`, or the scope of a link-local address)
    pub interface: Option<u32>,
    /// User id: owner by `fchown`, else creator; `None` for minisockets
    pub uid: Option<u32>,
    /// Inode in sockfs; `None` if no process can hold it: orphan, minisocket, accept queue
    pub inode: Option<Inode>,
    /// Queued bytes or connections
    pub queues: Queues,
    /// The pending timer
    pub timer: Timer,
    /// Other attributes, as far as requested and sent
    pub attributes: Attributes,
}

impl Socket {
    /// Keepalive or zero-window probes that the peer has not answered.
    pub fn probes_out(&self) -> u64 {
        self.counted(Field::Probes)
    }

    /// Consecutive retransmission timeouts that the peer has not answered.
    pub fn retransmits(&self) -> u64 {
        self.counted(Field::Retransmits)
    }

    /// The count of tcp_info, or that of the timer if there is no tcp_info.
    fn counted(&self, field: Field) -> u64 {
        self.attributes.info.as_ref().and_then(|info| info.get(field)).unwrap_or(self.timer.count.into())
    }

    /// Time since data or an ACK last came from the peer.
    pub fn idle(&self) -> Option<Millis> {
        self.attributes.info.as_ref()?.idle()
    }

    /// Whether the peer owes an answer: to a probe, or to data, a SYN or a FIN that was retransmitted.
    pub fn is_owed_an_answer(&self) -> bool {
        match self.timer.kind {
            TimerKind::Keepalive | TimerKind::ZeroWindowProbe => self.probes_out() > 0,
            TimerKind::Retransmit => self.retransmits() > 0,
            _ => false,
        }
    }

    /// Whether its process has closed it and the kernel completes the connection. close() moves a socket out of
    /// ESTABLISHED and CLOSE-WAIT at once, so a socket without an inode in these states was never accepted.
    pub fn is_orphan(&self) -> bool {
        let never_accepted = matches!(self.state, TcpState::Established | TcpState::CloseWait | TcpState::SynRecv);
        self.inode.is_none() && !never_accepted && !self.is_minisocket()
    }

    /// Whether it is a TIME-WAIT, FIN-WAIT-2 or request minisocket, for which the kernel keeps few values.
    pub fn is_minisocket(&self) -> bool {
        matches!(self.timer.kind, TimerKind::TimeWait | TimerKind::SynAck) || self.state == TcpState::TimeWait
    }

    /// Whether it belongs to MPTCP: a subflow, or a listener for subflows.
    pub fn is_mptcp(&self) -> bool {
        self.attributes.ulp.is_some_and(|ulp| ulp.name.as_str() == "mptcp")
    }
}

/// `idiag_rqueue` and `idiag_wqueue`, which mean different things for a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queues {
    /// Queues of a connection
    Bytes {
        /// Bytes received and not yet read; a FIN counts as one byte
        recv: u32,
        /// Bytes written and not yet acknowledged
        send: u32,
    },
    /// A listener's accept queue
    Accept {
        /// Connections that wait to be accepted
        length: u32,
        /// The effective backlog, min(listen's argument, somaxconn); one more connection fits. /proc does not report it
        max: Option<u32>,
    },
    /// A minisocket has no queues
    None,
}

/// Netlink attributes of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `INET_DIAG_INFO`; `None` for listeners, where it only repeats the accept queue. Boxed, since it is larger than
    /// all other attributes together, and a socket is moved several times on its way to the sink
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
    /// `INET_DIAG_SKV6ONLY`, sent for IPv6 listeners and bound sockets
    pub v6only: Option<bool>,
    /// `INET_DIAG_CGROUP_ID`: inode of the cgroup v2 directory that the socket was created in
    pub cgroup_id: Option<u64>,
    /// `INET_DIAG_SOCKOPT`
    pub sockopt: Option<SockOpt>,
    /// Whether `INET_DIAG_MD5SIG` was sent. Its content is a secret key, which is never read. `None` if unknown: like
    /// the mark, the kernel sends the attribute only to `CAP_NET_ADMIN`
    pub md5sig: Option<bool>,
    /// Attributes that this program does not know or could not decode
    pub odd: OddAttributes,
}

impl Attributes {
    /// Whether the kernel may have left out a ULP: it left out the mark, which only `CAP_NET_ADMIN` sees.
    pub fn may_hide_ulp(&self) -> bool {
        self.class.mark.is_none() && self.ulp.is_none()
    }
}

/// How packets of the socket are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classification {
    /// `INET_DIAG_TOS`: the IPv4 type of service
    pub tos: Option<u8>,
    /// `INET_DIAG_TCLASS`: the IPv6 traffic class
    pub tclass: Option<u8>,
    /// `INET_DIAG_MARK`: `SO_MARK`, sent only to `CAP_NET_ADMIN`
    pub mark: Option<u32>,
    /// `INET_DIAG_CLASS_ID`: net_cls class, or the priority
    pub class_id: Option<u32>,
}

/// Number of attributes of a row that could not be decoded. The row is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OddAttributes {
    /// Attribute numbers that this program does not know
    pub unknown: u8,
    /// Known attributes with an invalid length or content
    pub malformed: u8,
}

/// `INET_DIAG_SHUTDOWN`: which directions were shut down (`RCV_SHUTDOWN` 1, `SEND_SHUTDOWN` 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown(pub u8);

impl Shutdown {
    /// Whether nothing more will be received: the peer sent a FIN, or this side called shutdown(SHUT_RD).
    pub fn receive(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether this side will send nothing more.
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

/// `struct inet_diag_sockopt`: one bit for each option.
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
    /// Details of an MPTCP subflow; the kernel sends some of them only to `CAP_NET_ADMIN`
    pub mptcp: Option<MptcpSubflow>,
    /// Details of kernel TLS
    pub tls: Option<KernelTls>,
}

/// `MPTCP_SUBFLOW_ATTR_*` (`include/uapi/linux/mptcp.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MptcpSubflow {
    /// Token of the connection at the peer
    pub token_remote: Option<u32>,
    /// Local token of the connection, which is equal for all its subflows
    pub token_local: Option<u32>,
    /// Address id of the peer
    pub id_remote: Option<u8>,
    /// Local address id
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
