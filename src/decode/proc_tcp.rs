//! Decodes lines of /proc/net/tcp and tcp6 (`net/ipv4/tcp_ipv4.c`, `tcp4_seq_show`), the fallback if sock_diag is refused.
//!
//! A line that is no socket is skipped without affecting others. If a kernel omits columns (gVisor has no timers),
//! their values are absent. Addresses are printed as 32-bit words in the host's byte order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::inet_diag::{keep_what_is_known, refine};
use crate::model::address::{Endpoint, Family, NetnsId};
use crate::model::ids::Inode;
use crate::model::socket::{Attributes, Queues, Socket, SocketId};
use crate::model::state::TcpState;
use crate::model::timer::{Timer, TimerKind};

/// Milliseconds in a tick of `USER_HZ`, in which /proc counts timers: 100 on every architecture on which Linux runs Rust.
const USER_HZ_MS: u64 = 10;

/// Decodes one line; `None` for the header and any other line that is no socket.
pub(crate) fn decode(line: &str, family: Family, netns: NetnsId) -> Option<Socket> {
    let mut columns = line.split_ascii_whitespace();
    let slot = columns.next()?;
    slot.strip_suffix(':')?.parse::<u64>().ok()?;
    let local = endpoint(columns.next()?, family)?;
    let remote = endpoint(columns.next()?, family)?;
    let state = TcpState::from_kernel(u8::from_str_radix(columns.next()?, 16).ok()?);
    let (send, recv) = hex_pair(columns.next()?)?;
    let active = columns.next().and_then(hex_pair);
    let retransmits = columns.next().and_then(|text| u64::from_str_radix(text, 16).ok());
    let uid = columns.next().and_then(|text| text.parse().ok());
    let probes = columns.next().and_then(|text| text.parse::<u64>().ok());
    let inode = columns
        .next()
        .and_then(|text| text.parse::<u64>().ok())
        .map(|inode| Inode(inode as u32))
        .filter(|inode| inode.0 != 0);

    let timer = timer(active, retransmits, probes, state, inode);
    let mut socket = Socket {
        id: SocketId { netns, cookie: None },
        family,
        state,
        local,
        remote,
        interface: None,
        uid,
        inode,
        queues: Queues::None,
        timer,
        attributes: Attributes::default(),
    };
    let queues = match state {
        TcpState::Listen => Queues::Accept { length: recv as u32, max: None },
        _ => Queues::Bytes { recv: recv as u32, send: send as u32 },
    };
    keep_what_is_known(&mut socket, queues);
    Some(socket)
}

/// Timer from the columns `tr:tm->when`, `retrnsmt`, and `timeout`, which holds the unanswered probes.
fn timer(
    active: Option<(u64, u64)>,
    retransmits: Option<u64>,
    probes: Option<u64>,
    state: TcpState,
    inode: Option<Inode>,
) -> Timer {
    let Some((kind, ticks)) = active else { return Timer::NOT_TOLD };
    let kind = TimerKind::from_kernel(kind as u8);
    // A time in the past is printed as a negative number in 64-bit hexadecimal.
    let expires_ms = if i64::try_from(ticks).is_ok() { ticks.saturating_mul(USER_HZ_MS) } else { 0 };
    let count = match kind {
        TimerKind::Retransmit => retransmits,
        TimerKind::Keepalive | TimerKind::ZeroWindowProbe => probes,
        _ => Some(0),
    };
    let timer = Timer {
        kind,
        expires_ms: u32::try_from(expires_ms).unwrap_or(u32::MAX),
        count: u8::try_from(count.unwrap_or_default()).unwrap_or(u8::MAX),
    };
    refine(timer, state, inode, inode.is_some())
}

fn hex_pair(text: &str) -> Option<(u64, u64)> {
    let (first, second) = text.split_once(':')?;
    Some((u64::from_str_radix(first, 16).ok()?, u64::from_str_radix(second, 16).ok()?))
}

fn endpoint(text: &str, family: Family) -> Option<Endpoint> {
    let (addr, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let addr = match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::from(words::<1, 4>(addr)?)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from(words::<4, 16>(addr)?)),
    };
    Some(Endpoint { addr, port })
}

/// Parses `WORDS` groups of eight digits, each a word in the host's byte order.
fn words<const WORDS: usize, const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != WORDS * 8 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (digits, place) in text.as_bytes().chunks(8).zip(bytes.chunks_mut(4)) {
        let word = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        place.copy_from_slice(&word.to_ne_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::model::address::{Family, NetnsId};
    use crate::model::socket::Queues;
    use crate::model::state::TcpState;
    use crate::model::timer::TimerKind;

    const NETNS: NetnsId = NetnsId(1);
    const HEADER: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    // Linux 6.18: a keepalive with one unanswered probe, a TIME-WAIT, an orphan, a dual-stack socket with an IPv4 peer.
    const PROBING: &str =
        "   1: 0100007F:1F90 0200007F:C350 01 00000007:00000003 02:00000190 00000000  1000        1 5555 2 000 0";
    const TIME_WAIT: &str =
        "   2: 0100007F:1F90 0200007F:C351 06 00000000:00000000 03:00001770 00000000     0        0 0 3 000";
    const MAPPED: &str = "   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000200007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 77 1";

    #[test]
    fn a_line_becomes_a_socket() {
        let socket = decode(PROBING, Family::Ipv4, NETNS).unwrap();
        assert_eq!(socket.local.addr.to_string(), "127.0.0.1");
        assert_eq!((socket.local.port, socket.remote.port), (8080, 50000));
        assert_eq!(socket.queues, Queues::Bytes { recv: 3, send: 7 });
        assert_eq!((socket.timer.kind, socket.timer.expires_ms, socket.timer.count), (TimerKind::Keepalive, 4000, 1));
        assert_eq!(
            (socket.uid, socket.inode, socket.id.cookie),
            (Some(1000), Some(crate::model::ids::Inode(5555)), None)
        );
    }

    #[test]
    fn a_minisocket_has_no_user() {
        let socket = decode(TIME_WAIT, Family::Ipv4, NETNS).unwrap();
        assert_eq!((socket.state, socket.uid, socket.inode), (TcpState::TimeWait, None, None));
        assert_eq!(socket.timer.expires_ms, 60_000);
    }

    #[test]
    fn mapped_addresses_stay_mapped() {
        let socket = decode(MAPPED, Family::Ipv6, NETNS).unwrap();
        assert_eq!(socket.remote.addr.to_string(), "::ffff:127.0.0.2");
        assert_eq!(socket.remote.addr.to_canonical().to_string(), "127.0.0.2");
    }

    #[test]
    fn headers_and_broken_lines_are_no_sockets_and_short_lines_lose_only_what_they_lack() {
        for line in [HEADER, "", "1:", "x: 0100007F:1F90", "1: 0100007:1F90 0200007F:C350 01 0:0", "1: é"] {
            assert!(decode(line, Family::Ipv4, NETNS).is_none(), "{line}");
        }
        let cut = decode("1: 0100007F:1F90 0200007F:C350 2A 00000007:00000003", Family::Ipv4, NETNS).unwrap();
        assert_eq!((cut.state, cut.timer.kind, cut.uid), (TcpState::Unknown(42), TimerKind::NotTold, None));
    }

    #[test]
    fn a_timer_already_past_is_due_now() {
        let line = PROBING.replace("02:00000190", "02:FFFFFFFFFFFFFFFE");
        assert_eq!(decode(&line, Family::Ipv4, NETNS).unwrap().timer.expires_ms, 0);
    }
}
