//! Tests with odd messages that no available kernel sends. `tests/inside/decoder/` tests real ones from `fixtures/captures`.

use super::{BadMessage, decode};
use crate::model::address::NetnsId;
use crate::model::socket::{Queues, Shutdown};
use crate::model::state::TcpState;
use crate::model::tcp_info::Field;
use crate::model::timer::TimerKind;

const NETNS: NetnsId = NetnsId(1);

fn base(state: u8, timer: u8, inode: u32) -> Vec<u8> {
    let mut bytes = vec![0; 72];
    bytes[0] = 2;
    bytes[1] = state;
    bytes[2] = timer;
    bytes[3] = 3;
    bytes[52..56].copy_from_slice(&1500_u32.to_ne_bytes());
    bytes[56..60].copy_from_slice(&5_u32.to_ne_bytes());
    bytes[60..64].copy_from_slice(&6_u32.to_ne_bytes());
    bytes[68..72].copy_from_slice(&inode.to_ne_bytes());
    bytes
}

fn with(mut message: Vec<u8>, kind: u16, value: &[u8]) -> Vec<u8> {
    message.extend((4 + value.len() as u16).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

#[test]
fn short_messages_and_foreign_families_are_refused_by_name() {
    assert_eq!(decode(&[], NETNS), Err(BadMessage::Short(0)));
    assert_eq!(decode(&[2; 71], NETNS), Err(BadMessage::Short(71)));
    assert_eq!(decode(&[1; 72], NETNS), Err(BadMessage::Family(1)));
}

#[test]
fn one_odd_attribute_is_counted_and_loses_only_itself() {
    let message = with(base(1, 0, 9), 5, &[0x10, 0x20]);
    let message = with(message, 8, &[1]);
    let message = with(message, 77, b"tomorrow");
    let socket = decode(&with(message, 4, b"\xff\xfe\0"), NETNS).unwrap();
    assert_eq!((socket.attributes.class.tos, socket.attributes.congestion), (None, None));
    assert_eq!(socket.attributes.shutdown.map(Shutdown::arrows), Some("-->"));
    assert_eq!((socket.attributes.odd.unknown, socket.attributes.odd.malformed), (1, 2));
}

#[test]
fn an_md5_key_is_never_kept() {
    let socket = decode(&with(base(10, 0, 9), 18, b"secret-key-material"), NETNS).unwrap();
    assert_eq!(socket.attributes.md5sig, Some(true));
    assert!(!format!("{socket:?}").contains("secret"));
}

#[test]
fn unknown_states_and_timers_keep_their_numbers() {
    let socket = decode(&base(42, 9, 9), NETNS).unwrap();
    assert_eq!((socket.state, socket.timer.kind), (TcpState::Unknown(42), TimerKind::Unknown(9)));
}

#[test]
fn a_timer_that_underflowed_on_an_old_kernel_is_due_now() {
    let mut message = base(1, 2, 9);
    message[52..56].copy_from_slice(&(u32::MAX - 40).to_ne_bytes());
    assert_eq!(decode(&message, NETNS).unwrap().timer.expires_ms, 0);
}

#[test]
fn the_fin_timer_of_an_orphan_is_not_called_keepalive() {
    assert_eq!(decode(&base(5, 2, 0), NETNS).unwrap().timer.kind, TimerKind::FinWait2);
    assert_eq!(decode(&base(5, 2, 9), NETNS).unwrap().timer.kind, TimerKind::Keepalive);
}

#[test]
fn minisockets_have_null_where_the_kernel_keeps_nothing() {
    let request = decode(&base(3, 1, 0), NETNS).unwrap();
    assert_eq!((request.timer.kind, request.uid, request.queues), (TimerKind::SynAck, None, Queues::None));
    let waiting = decode(&base(5, 3, 0), NETNS).unwrap();
    assert_eq!((waiting.timer.kind, waiting.uid, waiting.queues), (TimerKind::TimeWait, None, Queues::None));
}

#[test]
fn a_fast_open_child_in_syn_recv_is_a_full_socket() {
    let socket = decode(&with(base(3, 1, 9), 8, &[0]), NETNS).unwrap();
    assert_eq!(socket.timer.kind, TimerKind::Retransmit);
    assert_eq!(socket.queues, Queues::Bytes { recv: 5, send: 6 });
}

#[test]
fn a_listener_has_an_accept_queue_and_no_tcp_info() {
    let socket = decode(&with(base(10, 0, 9), 2, &[0; 280]), NETNS).unwrap();
    assert_eq!(socket.queues, Queues::Accept { length: 5, max: Some(6) });
    assert_eq!(socket.attributes.info, None);
}

#[test]
fn short_memory_blocks_of_old_kernels_are_taken() {
    let memory = decode(&with(base(1, 0, 9), 7, &[7; 28]), NETNS).unwrap().attributes.memory.unwrap();
    assert_eq!((memory.rmem_alloc_bytes().is_some(), memory.drops()), (true, None));
}

#[test]
fn without_the_mark_nothing_is_known_of_md5() {
    assert_eq!(decode(&base(1, 0, 9), NETNS).unwrap().attributes.md5sig, None);
    let told = with(with(base(1, 0, 9), 8, &[0]), 15, &7_u32.to_ne_bytes());
    assert_eq!(decode(&told, NETNS).unwrap().attributes.md5sig, Some(false));
}

#[test]
fn a_peer_that_never_answered_was_not_heard_at_boot() {
    let socket = decode(&with(base(2, 1, 9), 2, &[9; 280]), NETNS).unwrap();
    let info = socket.attributes.info.unwrap();
    assert_eq!((info.idle(), info.get(Field::Unacked)), (None, Some(0x0909_0909)));
}
