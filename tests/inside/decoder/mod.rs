//! The decoders against data that a kernel really sent, `fixtures/captures`, and against data that no kernel would
//! send.
//!
//! tcpulse and netlink-packet-sock-diag read the same real bytes, and must agree; [`as_the_crate_reads_it`] lists the
//! intended differences. Broken bytes may cost only what they break, and never a panic. `fuzz/` continues where the
//! mutations here end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a capture that cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::mem::offset_of;
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use netlink_packet_core::{NetlinkMessage, NetlinkPayload, Nla as _};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{InetResponse, Timer as CrateTimer};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use crate::collect::request::DumpRequest;
use crate::decode::inet_diag::SOCK_DIAG_BY_FAMILY;
use crate::decode::netlink::{BadFrame, Messages, Payload};
use crate::decode::{cgroup, inet_diag, key_values, proc_tcp, sysctl};
use crate::model::address::{Cookie, Endpoint, Family, NetnsId};
use crate::model::congestion::{Congestion, KernelName};
use crate::model::ids::Inode;
use crate::model::memory::SocketMemory;
use crate::model::needs::Needs;
use crate::model::socket::{Attributes, Classification, OddAttributes, Queues, Shutdown, SockOpt, Socket, SocketId};
use crate::model::state::{StateSet, TcpState};
use crate::model::sysctl::Format;
use crate::model::tcp_info::{FIELDS, Field, TcpInfo};
use crate::model::timer::{Timer, TimerKind};

use super::support::skip;

mod broken;
mod oracle;

const NETNS: NetnsId = NetnsId(1);
/// `struct nlmsghdr` and `struct inet_diag_msg`.
const HEADER_BYTES: usize = 16;
const BASE_BYTES: usize = 72;
const MUTATIONS: usize = 1_000_000;
const TEXT_MUTATIONS: usize = 200_000;

/// A dump in `fixtures/captures`, with the properties that its name gives.
struct Capture {
    name: String,
    family: Family,
    all_attributes: bool,
    root: bool,
    kernel: String,
    bytes: Vec<u8>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures")
}

fn captures() -> Vec<Capture> {
    let mut paths: Vec<_> = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let captures: Vec<_> = paths.iter().filter_map(|path| capture(path)).collect();
    assert!(captures.len() >= 4, "captures are missing");
    captures
}

/// `dump_FAMILY_{all,no}_attributes_USER_KERNEL.bin`.
fn capture(path: &Path) -> Option<Capture> {
    let name = path.file_name()?.to_str()?.strip_prefix("dump_")?.strip_suffix(".bin")?;
    let [family, attributes, "attributes", user, kernel] = *name.split('_').collect::<Vec<_>>() else {
        panic!("'{name}' says too little");
    };
    Some(Capture {
        name: name.to_owned(),
        family: Family::ALL.into_iter().find(|known| known.name() == family).unwrap(),
        all_attributes: attributes == "all",
        root: user == "root",
        kernel: kernel.to_owned(),
        bytes: fs::read(path).unwrap(),
    })
}

/// Text of a file in /proc/net, captured with the dumps of that kernel.
fn proc_net(name: &str, kernel: &str) -> String {
    fs::read_to_string(directory().join(format!("proc_net_{name}_{kernel}.txt"))).unwrap()
}

/// Result of decoding some datagrams.
#[derive(Debug, Default)]
struct Walk {
    sockets: Vec<Socket>,
    /// Messages without a socket
    refused: usize,
    /// Messages of other types
    others: usize,
    done: bool,
    bad_frame: Option<BadFrame>,
}

fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk::default();
    for message in Messages::new(bytes) {
        match message.map(|message| message.payload) {
            Ok(Payload::Data(SOCK_DIAG_BY_FAMILY, body)) => match inet_diag::decode(body, NETNS) {
                Ok(socket) => walk.sockets.push(socket),
                Err(_) => walk.refused += 1,
            },
            Ok(Payload::Done(None)) => walk.done = true,
            Ok(_) => walk.others += 1,
            Err(bad) => walk.bad_frame = Some(bad),
        }
    }
    walk
}

#[test]
fn captures_hold_sockets_in_every_state_and_nothing_odd() {
    for capture in captures() {
        let walk = walk(&capture.bytes);
        eprintln!("{}: {} sockets", capture.name, walk.sockets.len());
        assert!(walk.done && walk.bad_frame.is_none(), "{}: {:?}", capture.name, walk.bad_frame);
        assert_eq!((walk.refused, walk.others), (0, 0), "{}", capture.name);
        let states: BTreeSet<_> = walk.sockets.iter().map(|socket| socket.state).collect();
        let wanted = match capture.family {
            // Bound sockets arrive as closed ones; only the dump that they are in distinguishes them.
            Family::Ipv4 => TcpState::ALL.into_iter().filter(|&state| state != TcpState::BoundInactive).collect(),
            Family::Ipv6 => BTreeSet::from([TcpState::Established, TcpState::Listen]),
        };
        assert_eq!(states, wanted, "{}", capture.name);
        let cookies: BTreeSet<_> = walk.sockets.iter().map(|socket| socket.id.cookie.unwrap()).collect();
        assert_eq!(cookies.len(), walk.sockets.len(), "{}", capture.name);
        for socket in walk.sockets {
            assert_eq!(socket.attributes.odd, OddAttributes::default(), "{}: {socket:?}", capture.name);
            if let (Some(info), "6.18") = (&socket.attributes.info, capture.kernel.as_str()) {
                assert_eq!(info.size_bytes(), 280, "{}", capture.name);
            }
        }
    }
}

#[test]
fn attributes_are_there_as_state_request_and_privilege_have_it() {
    for capture in captures() {
        for socket in walk(&capture.bytes).sockets {
            assert_eq!(present(&socket.attributes), expected(&capture, &socket), "{}: {socket:?}", capture.name);
            if let Some(ulp) = socket.attributes.ulp {
                // Sequence numbers, which the kernel reports to everybody in this block, are not read in the first
                // place.
                assert_eq!(ulp.name.as_str(), "mptcp", "{}", capture.name);
                let token = ulp.mptcp.and_then(|subflow| subflow.token_local);
                assert_eq!(token.is_some(), socket.state != TcpState::Listen, "{}: {ulp:?}", capture.name);
            }
        }
    }
}

fn present(attributes: &Attributes) -> BTreeSet<&'static str> {
    let class = &attributes.class;
    let all = [
        ("info", attributes.info.is_some()),
        ("memory", attributes.memory.is_some()),
        ("congestion", attributes.congestion.is_some()),
        ("shutdown", attributes.shutdown.is_some()),
        ("tos", class.tos.is_some()),
        ("tclass", class.tclass.is_some()),
        ("mark", class.mark.is_some()),
        ("class_id", class.class_id.is_some()),
        ("v6only", attributes.v6only.is_some()),
        ("cgroup_id", attributes.cgroup_id.is_some()),
        ("sockopt", attributes.sockopt.is_some()),
        ("md5sig", attributes.md5sig.is_some()),
    ];
    all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

fn expected(capture: &Capture, socket: &Socket) -> BTreeSet<&'static str> {
    let full = !socket.is_minisocket();
    let six = socket.family == Family::Ipv6;
    let asked = full && capture.all_attributes;
    let (listens, bound) = (socket.state == TcpState::Listen, socket.state == TcpState::Close);
    let all = [
        ("mark", capture.root),
        ("md5sig", full && capture.root),
        ("shutdown", full),
        ("cgroup_id", full),
        ("sockopt", full),
        ("v6only", full && six && (listens || bound)),
        ("tos", asked),
        ("tclass", asked && six),
        ("class_id", asked),
        ("memory", asked),
        ("congestion", asked && !bound),
        ("info", asked && !bound && !listens),
    ];
    all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

#[test]
fn proc_text_and_netlink_list_the_same_sockets() {
    let mut compared = 0;
    for capture in captures().iter().filter(|capture| capture.root && capture.all_attributes) {
        let name = if capture.family == Family::Ipv4 { "tcp" } else { "tcp6" };
        let text = proc_net(name, &capture.kernel);
        let told: Vec<_> = text.lines().filter_map(|line| proc_tcp::decode(line, capture.family, NETNS)).collect();
        assert_eq!(told.len(), text.lines().count() - 1, "{name}: lines without a socket");
        // /proc leaves bound sockets out.
        let dumped = walk(&capture.bytes).sockets.into_iter().filter(|socket| socket.state != TcpState::Close);
        assert_eq!(shared(told.iter()), shared(dumped.collect::<Vec<_>>().iter()), "{name}");
        compared += told.len();
    }
    assert!(compared > 40, "{compared} sockets");
}

/// Facts that both sources report and that do not change between them, once the zoo has settled.
fn shared<'a>(sockets: impl Iterator<Item = &'a Socket>) -> Vec<String> {
    let facts = |socket: &Socket| {
        // /proc does not report the limit of an accept queue.
        let queues = match socket.queues {
            Queues::Accept { length, .. } => Queues::Accept { length, max: None },
            queues => queues,
        };
        let ends = (socket.local, socket.remote);
        format!("{ends:?} {} {:?} {:?} {queues:?} {}", socket.state, socket.inode, socket.uid, socket.timer.kind)
    };
    let mut facts: Vec<_> = sockets.map(facts).collect();
    facts.sort();
    facts
}

#[test]
fn captured_counters_are_all_read() {
    for capture in captures() {
        for (file, group) in [("netstat", "TcpExt"), ("netstat", "IpExt"), ("snmp", "Tcp"), ("snmp", "Ip")] {
            let text = proc_net(file, &capture.kernel);
            let numbers: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(&format!("{group}: "))).collect();
            let read = key_values::from_line_pairs(&text, group);
            let (names, values): (Vec<_>, Vec<_>) = read.into_iter().map(|(name, n)| (name, n.to_string())).unzip();
            assert_eq!([names.join(" "), values.join(" ")], *numbers, "{group}");
        }
    }
}

#[test]
fn captured_gauges_count_the_captured_sockets() {
    for capture in captures().iter().filter(|capture| capture.family == Family::Ipv4) {
        let sockstat = proc_net("sockstat", &capture.kernel);
        let gauge = |name| key_values::from_inline(&sockstat, "TCP", name).map(i64::unsigned_abs);
        let sockets = walk(&capture.bytes).sockets;
        let count = |wanted: &dyn Fn(&Socket) -> bool| sockets.iter().filter(|&socket| wanted(socket)).count() as u64;
        assert_eq!(gauge("tw"), Some(count(&|socket| socket.timer.kind == TimerKind::TimeWait)));
        let bound = |socket: &Socket| socket.state == TcpState::Close;
        assert_eq!(gauge("inuse"), Some(count(&|socket| !socket.is_minisocket() && !bound(socket))));
        assert!(gauge("mem").is_some() && gauge("memory").is_none());
    }
}

#[test]
fn a_dump_cut_anywhere_keeps_its_whole_messages_and_no_others() {
    for capture in captures() {
        let starts = broken::boundaries(&capture.bytes);
        for length in 0..capture.bytes.len() {
            let walk = walk(&capture.bytes[..length]);
            // The last start within `length` is that of the message that was cut, or of one that is missing completely.
            let whole = starts.iter().filter(|&&start| start <= length).count() - 1;
            assert_eq!(walk.sockets.len(), whole, "{} cut to {length}", capture.name);
            assert_eq!(walk.bad_frame.is_none(), starts.contains(&length), "{} cut to {length}", capture.name);
        }
    }
}

#[test]
fn nothing_comes_of_nothing() {
    let nothing = walk(&[]);
    assert!(nothing.sockets.is_empty() && nothing.bad_frame.is_none() && !nothing.done);
    assert!(inet_diag::decode(&[], NETNS).is_err());
    assert_eq!(proc_tcp::decode("", Family::Ipv4, NETNS), None);
    assert!(key_values::from_line_pairs("", "Tcp").is_empty());
    assert_eq!((cgroup::unit(""), cgroup::container("")), (None, None));
}

/// The first message of a capture in this state, without its header.
fn message(bytes: &[u8], state: TcpState) -> &[u8] {
    let bodies = Messages::new(bytes).filter_map(|message| match message.unwrap().payload {
        Payload::Data(_, body) => Some(body),
        _ => None,
    });
    bodies.into_iter().find(|body| body[1] == state.number()).unwrap()
}

/// The message with its tcp_info replaced by `info`.
fn with_info(message: &[u8], info: &[u8]) -> Vec<u8> {
    let (mut changed, mut at) = (message[..BASE_BYTES].to_vec(), BASE_BYTES);
    while at < message.len() {
        let length = usize::from(u16::from_ne_bytes([message[at], message[at + 1]]));
        let end = message.len().min(at + length.next_multiple_of(4));
        if message[at + 2] == 2 {
            changed.extend((4 + info.len() as u16).to_ne_bytes());
            changed.extend(2_u16.to_ne_bytes());
            changed.extend(info);
            changed.resize(changed.len().next_multiple_of(4), 0);
        } else {
            changed.extend(&message[at..end]);
        }
        at = end;
    }
    changed
}

#[test]
fn tcp_info_of_any_length_loses_only_the_fields_beyond_its_end() {
    for capture in captures().iter().filter(|capture| capture.all_attributes) {
        let message = message(&capture.bytes, TcpState::Established);
        let whole = inet_diag::decode(message, NETNS).unwrap();
        let raw = inet_diag_info(message);
        let full = whole.attributes.info.clone().unwrap();
        for length in (0..=raw.len()).chain([400]) {
            let mut info = raw.to_vec();
            info.resize(length, 0xee);
            let mut socket = inet_diag::decode(&with_info(message, &info), NETNS).unwrap();
            match socket.attributes.info.take() {
                Some(info) => {
                    assert_eq!((usize::from(info.size_bytes()), socket.attributes.odd.malformed), (length, 0));
                    for (index, field) in FIELDS.iter().enumerate() {
                        let inside = field.offset + field.shape.width() <= length;
                        let wanted = full.at(index).filter(|_| inside);
                        assert_eq!(info.at(index), wanted, "{} at {length}", field.key);
                    }
                }
                None => assert_eq!((length, std::mem::take(&mut socket.attributes.odd.malformed)), (0, 1)),
            }
            let mut rest = whole.clone();
            rest.attributes.info = None;
            assert_eq!(socket, rest, "{length} bytes of tcp_info");
        }
    }
}

fn inet_diag_info(message: &[u8]) -> &[u8] {
    let mut attributes = crate::decode::netlink::NetlinkAttributes::new(&message[BASE_BYTES..]);
    attributes.find(|attribute| attribute.kind == 2).unwrap().value
}
