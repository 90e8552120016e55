//! Decodes `struct inet_diag_msg` and its attributes (`include/uapi/linux/inet_diag.h`): one socket per message.
//!
//! The parser of the netlink-packet-sock-diag crate drops a row for one odd attribute, and drops the counts of
//! keepalive timers, hence this one. Tests compare the two.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::bytes::{array_at, be16_at, u16_at, u32_at, u64_at};
use super::netlink::{Attribute, NetlinkAttributes};
use crate::model::address::{Cookie, Endpoint, Family, NetnsId};
use crate::model::congestion::{Congestion, CongestionDetails, KernelName};
use crate::model::ids::Inode;
use crate::model::memory::SocketMemory;
use crate::model::socket::{Attributes, KernelTls, MptcpSubflow, Queues, Shutdown, SockOpt, Socket, SocketId, Ulp};
use crate::model::state::TcpState;
use crate::model::tcp_info::{Field, TcpInfo};
use crate::model::timer::{Timer, TimerKind};

/// `SOCK_DIAG_BY_FAMILY`, the type of every answer.
pub(crate) const SOCK_DIAG_BY_FAMILY: u16 = 20;
const MESSAGE_BYTES: usize = 72;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Error of a message that does not decode to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadMessage {
    /// Too short for `struct inet_diag_msg`
    #[error("message of {0} bytes is shorter than the 72 of a socket")]
    Short(usize),
    /// Neither `AF_INET` nor `AF_INET6`
    #[error("address family {0}")]
    Family(u8),
}

/// Decodes one message.
///
/// # Errors
/// The message is too short or of another address family. The caller counts it and continues.
pub(crate) fn decode(message: &[u8], netns: NetnsId) -> Result<Socket, BadMessage> {
    let (Some(base), Some(attributes)) = (message.first_chunk::<MESSAGE_BYTES>(), message.get(MESSAGE_BYTES..)) else {
        return Err(BadMessage::Short(message.len()));
    };
    let family = match base[0] {
        AF_INET => Family::Ipv4,
        AF_INET6 => Family::Ipv6,
        other => return Err(BadMessage::Family(other)),
    };
    let state = TcpState::from_kernel(base[1]);
    let word = |offset| u32_at(base, offset).unwrap_or_default();
    let inode = Some(word(68)).filter(|&inode| inode != 0).map(Inode);
    let mut socket = Socket {
        id: SocketId { netns, cookie: cookie(u64_at(base, 44).unwrap_or(u64::MAX)) },
        family,
        state,
        local: endpoint(base, family, 4, 8),
        remote: endpoint(base, family, 6, 24),
        interface: Some(word(40)).filter(|&index| index != 0),
        uid: Some(word(64)),
        inode,
        queues: Queues::None,
        timer: timer(base[2], word(52), base[3]),
        attributes: Attributes::default(),
    };
    decode_attributes(&mut socket.attributes, attributes, state);
    socket.timer = refine(socket.timer, state, inode, socket.attributes.shutdown.is_some());
    let (recv, send) = (word(56), word(60));
    let queues = match state {
        TcpState::Listen => Queues::Accept { length: recv, max: Some(send) },
        _ => Queues::Bytes { recv, send },
    };
    keep_what_is_known(&mut socket, queues);
    Ok(socket)
}

/// Removes the user of a socket that has none, for which both sources report 0, and sets the queues of all but minisockets.
pub(super) fn keep_what_is_known(socket: &mut Socket, queues: Queues) {
    if socket.is_minisocket() {
        socket.uid = None;
        return;
    }
    // Kernels before 6.17 take the user from the inode. Without an inode they report 0, which does not mean root.
    if socket.inode.is_none() {
        socket.uid = socket.uid.filter(|&uid| uid != 0);
    }
    socket.queues = queues;
}

/// Cookie in bytes 44 to 51: two words, the low one first; `INET_DIAG_NOCOOKIE` is all ones.
fn cookie(raw: u64) -> Option<Cookie> {
    // On a big-endian machine the order of the two words is the reverse of the halves of a native u64.
    let cookie = if cfg!(target_endian = "big") { raw.rotate_left(32) } else { raw };
    (cookie != u64::MAX).then_some(Cookie(cookie))
}

fn endpoint(base: &[u8; MESSAGE_BYTES], family: Family, port_at: usize, addr_at: usize) -> Endpoint {
    let addr = match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::from(array_at::<4>(base, addr_at).unwrap_or_default())),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from(array_at::<16>(base, addr_at).unwrap_or_default())),
    };
    Endpoint { addr, port: be16_at(base, port_at).unwrap_or_default() }
}

fn timer(kind: u8, expires: u32, count: u8) -> Timer {
    // For a time in the past, kernels before 5.x report a huge unsigned number (docs/kernel.md 1).
    let expires_ms = if expires > i32::MAX as u32 { 0 } else { expires };
    Timer { kind: TimerKind::from_kernel(kind), expires_ms, count }
}

/// Distinguishes timers for which the kernel uses the same number.
pub(super) fn refine(mut timer: Timer, state: TcpState, inode: Option<Inode>, full_socket: bool) -> Timer {
    timer.kind = match (timer.kind, state) {
        (TimerKind::Keepalive, TcpState::FinWait2) if inode.is_none() => TimerKind::FinWait2,
        (TimerKind::Retransmit, TcpState::SynRecv) if !full_socket => TimerKind::SynAck,
        (kind, _) => kind,
    };
    if timer.kind == TimerKind::Off { Timer::OFF } else { timer }
}

fn decode_attributes(found: &mut Attributes, bytes: &[u8], state: TcpState) {
    let mut congestion = CongestionParts::default();
    let mut walk = NetlinkAttributes::new(bytes);
    for attribute in walk.by_ref() {
        match take(found, &mut congestion, attribute, state) {
            TakenAttribute::Yes => {}
            TakenAttribute::Unknown => found.odd.unknown = found.odd.unknown.saturating_add(1),
            TakenAttribute::Malformed => found.odd.malformed = found.odd.malformed.saturating_add(1),
        }
    }
    if walk.broken() {
        found.odd.malformed = found.odd.malformed.saturating_add(1);
    }
    if found.class.mark.is_some() && found.shutdown.is_some() {
        found.md5sig.get_or_insert(false);
    }
    if state == TcpState::SynSent {
        forget_what_never_was(found, &mut congestion);
    }
    found.congestion = congestion.algorithm.map(|algorithm| Congestion { algorithm, details: congestion.details });
}

/// Removes values of a SYN-SENT socket that the kernel has not set: before the peer has answered, its time stamps are
/// 0, which reads as the time since boot, and BBR's numbers are undefined.
fn forget_what_never_was(found: &mut Attributes, congestion: &mut CongestionParts) {
    if let Some(info) = &mut found.info {
        for field in [Field::LastDataSent, Field::LastDataRecv, Field::LastAckRecv, Field::Rttvar] {
            info.forget(field);
        }
    }
    congestion.details = None;
}

#[derive(Default)]
struct CongestionParts {
    algorithm: Option<KernelName>,
    details: Option<CongestionDetails>,
}

enum TakenAttribute {
    Yes,
    Unknown,
    Malformed,
}

/// Decodes one attribute into its field. The numbers are `INET_DIAG_*`.
fn take(
    found: &mut Attributes,
    congestion: &mut CongestionParts,
    attribute: Attribute<'_>,
    state: TcpState,
) -> TakenAttribute {
    let value = attribute.value;
    let ok = match attribute.kind {
        2 if state == TcpState::Listen => true,
        2 => set(&mut found.info, (!value.is_empty()).then(|| Box::new(TcpInfo::from_kernel(value)))),
        3 => set(&mut congestion.details, vegas(value)),
        4 => match value.strip_suffix(&[0]).unwrap_or(value) {
            [] => true,
            name => set(&mut congestion.algorithm, KernelName::new(name)),
        },
        5 => set(&mut found.class.tos, exactly(value).map(u8::from_ne_bytes)),
        6 => set(&mut found.class.tclass, exactly(value).map(u8::from_ne_bytes)),
        7 => set(&mut found.memory, memory(value)),
        8 => set(&mut found.shutdown, exactly(value).map(|[mask]| Shutdown(mask))),
        9 => set(&mut congestion.details, dctcp(value)),
        11 => set(&mut found.v6only, exactly(value).map(|[flag]| flag != 0)),
        15 => set(&mut found.class.mark, exactly(value).map(u32::from_ne_bytes)),
        16 => set(&mut congestion.details, bbr(value)),
        17 => set(&mut found.class.class_id, exactly(value).map(u32::from_ne_bytes)),
        18 => {
            // The content is the secret key. Only its presence is recorded.
            found.md5sig = Some(true);
            true
        }
        19 => set(&mut found.ulp, ulp(value)),
        21 => set(&mut found.cgroup_id, exactly(value).map(u64::from_ne_bytes)),
        22 => set(&mut found.sockopt, u16_bits(value)),
        // MEMINFO, PROTOCOL, LOCALS, PEERS, PAD, SK_BPF_STORAGES: known, but not used.
        1 | 10 | 12..=14 | 20 => true,
        _ => return TakenAttribute::Unknown,
    };
    if ok { TakenAttribute::Yes } else { TakenAttribute::Malformed }
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let ok = value.is_some();
    if ok {
        *place = value;
    }
    ok
}

fn exactly<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok()
}

/// `struct inet_diag_sockopt`: two bytes of bit fields, which little-endian compilers fill from the lowest bit.
fn u16_bits(value: &[u8]) -> Option<SockOpt> {
    let [low, high] = *value.first_chunk::<2>()?;
    let order = |byte: u8| if cfg!(target_endian = "big") { byte.reverse_bits() } else { byte };
    Some(SockOpt(u16::from_le_bytes([order(low), order(high)])))
}

/// Decodes `INET_DIAG_SKMEMINFO`. Older kernels send seven or eight of the nine numbers.
fn memory(value: &[u8]) -> Option<SocketMemory> {
    if value.is_empty() || !value.len().is_multiple_of(4) {
        return None;
    }
    // sk_forward_alloc is signed and may be negative for a moment; it is then treated as absent.
    let number = |index| u32_at(value, index * 4).filter(|&bytes| i32::try_from(bytes).is_ok());
    Some(SocketMemory::new(std::array::from_fn(number)))
}

fn vegas(value: &[u8]) -> Option<CongestionDetails> {
    Some(CongestionDetails::Vegas {
        enabled: u32_at(value, 0)? != 0,
        rtt_count: u32_at(value, 4)?,
        rtt_us: u32_at(value, 8)?,
        min_rtt_us: u32_at(value, 12)?,
    })
}

fn dctcp(value: &[u8]) -> Option<CongestionDetails> {
    Some(CongestionDetails::Dctcp {
        enabled: u16_at(value, 0)? != 0,
        ce_state: u16_at(value, 2)?,
        alpha_1024ths: u32_at(value, 4)?,
        ecn_bytes: u32_at(value, 8)?,
        total_bytes: u32_at(value, 12)?,
    })
}

fn bbr(value: &[u8]) -> Option<CongestionDetails> {
    Some(CongestionDetails::Bbr {
        bandwidth_bytes_per_s: u64::from(u32_at(value, 0)?) | u64::from(u32_at(value, 4)?) << 32,
        min_rtt_us: u32_at(value, 8)?,
        pacing_gain_256ths: u32_at(value, 12)?,
        cwnd_gain_256ths: u32_at(value, 16)?,
    })
}

/// `INET_ULP_INFO_NAME` 1, `_TLS` 2, `_MPTCP` 3.
fn ulp(value: &[u8]) -> Option<Ulp> {
    let mut name = None;
    let (mut mptcp_part, mut tls_part) = (None, None);
    for attribute in NetlinkAttributes::new(value) {
        match attribute.kind {
            1 => name = KernelName::new(attribute.value.strip_suffix(&[0]).unwrap_or(attribute.value)),
            2 => tls_part = Some(tls(attribute.value)),
            3 => mptcp_part = Some(mptcp(attribute.value)),
            _ => {}
        }
    }
    Some(Ulp { name: name?, mptcp: mptcp_part, tls: tls_part })
}

/// `MPTCP_SUBFLOW_ATTR_*`.
fn mptcp(value: &[u8]) -> MptcpSubflow {
    let mut subflow = MptcpSubflow::default();
    for attribute in NetlinkAttributes::new(value) {
        match attribute.kind {
            1 => subflow.token_remote = u32_at(attribute.value, 0),
            2 => subflow.token_local = u32_at(attribute.value, 0),
            8 => subflow.flags = u32_at(attribute.value, 0),
            9 => subflow.id_remote = attribute.value.first().copied(),
            10 => subflow.id_local = attribute.value.first().copied(),
            _ => {}
        }
    }
    subflow
}

/// `TLS_INFO_*`.
fn tls(value: &[u8]) -> KernelTls {
    let mut info = KernelTls::default();
    for attribute in NetlinkAttributes::new(value) {
        match attribute.kind {
            1 => info.version = u16_at(attribute.value, 0),
            2 => info.cipher = u16_at(attribute.value, 0),
            _ => {}
        }
    }
    info
}

#[cfg(test)]
#[path = "inet_diag_tests.rs"]
mod tests;
