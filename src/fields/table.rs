//! The columns, in the order of the help.

use std::net::IpAddr;

use super::column::{Column, Get, Kind, Width};
use super::define::{info, number, of_process, text};
use super::judgement::{keepalive, options, silence, verdict};
use super::value::{Unit, Value};
use crate::model::address::{Endpoint, Family, Side};
use crate::model::memory::SocketMemory;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::socket::{Classification, Queues, Socket};
use crate::model::state::TcpState;
use crate::model::tcp_info::{CA_STATES, FIELDS, Field, OPTIONS};
use crate::model::timer::TimerKind;

/// What `ls` shows of connections if nothing is said.
pub const CONNECTION_COLUMNS: &[&str] =
    &["state", "verdict", "dead-in", "local", "peer", "keepalive", "idle", "recv-q", "send-q", "process"];
/// What `ls -l` shows of listeners.
pub const LISTENER_COLUMNS: &[&str] =
    &["state", "local", "accept-q", "backlog", "drops", "keepalive", "user", "process"];
/// What `ls -a` shows.
pub const ALL_COLUMNS: &[&str] = &[
    "state",
    "verdict",
    "dead-in",
    "local",
    "peer",
    "keepalive",
    "idle",
    "recv-q",
    "send-q",
    "accept-q",
    "backlog",
    "process",
];

/// Every column, in the order of [`groups`].
pub fn columns() -> impl Iterator<Item = Column> {
    groups().into_iter().flat_map(|(_, columns)| columns)
}

/// The column of that name, in any case, with `_` or `-`, and with its unit or without: `dead-in`, `dead_in_ms`.
pub fn column(name: &str) -> Option<Column> {
    columns().find(|column| column.is_called(name))
}

fn info_column(index: usize, key: &'static str, help: &'static str) -> Column {
    // delivered_ce counts segments and delivered_ce_bytes bytes: there the unit has to stay in the name.
    let (name, unit) = match Unit::split(key) {
        (name, unit) if FIELDS.iter().any(|other| other.key == name && other.key != key) => (key, unit),
        (name, Unit::None) if name.starts_with("bytes_") => (name, Unit::Bytes),
        split => split,
    };
    let name = name.replace('_', "-");
    Column {
        title: name.to_uppercase().into(),
        name: name.into(),
        unit,
        importance: 20,
        width: Width::Number,
        kind: match index {
            CA_STATE => Kind::Word(|| CA_STATES.to_vec()),
            OPTION_BITS => Kind::Text,
            _ => Kind::Number,
        },
        is_flag: false,
        needs: Needs::INFO,
        groups: false,
        help,
        get: match index {
            CA_STATE => Get::Row(ca_state),
            OPTION_BITS => Get::Row(option_names),
            _ => Get::Info(index),
        },
    }
}

const CA_STATE: usize = Field::CaState as usize;
const OPTION_BITS: usize = Field::Options as usize;

fn ca_state(row: &Row<'_>) -> Value<'static> {
    let Some(number) = info(row, Field::CaState) else { return Value::Absent };
    let name = usize::try_from(number).ok().and_then(|number| CA_STATES.get(number));
    name.map_or_else(|| Value::Word(format!("unknown-{number}").into()), |name| Value::word(name))
}

fn option_names(row: &Row<'_>) -> Value<'static> {
    let Some(bits) = info(row, Field::Options) else { return Value::Absent };
    let names: Vec<_> =
        OPTIONS.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, name)| *name).collect();
    if names.is_empty() { Value::Absent } else { Value::Word(names.join(",").into()) }
}

/// Columns that belong together, with a title.
pub type Group = (&'static str, Vec<Column>);

/// Every column, in groups.
pub fn groups() -> Vec<Group> {
    let info = FIELDS.iter().enumerate().map(|(index, spec)| info_column(index, spec.key, spec.help)).collect();
    vec![
        ("Ends", ends()),
        ("Peer", [verdict(), silence()].concat()),
        ("Keepalive and options", [keepalive(), options()].concat()),
        ("Timer and queues", activity()),
        ("Who", hands()),
        ("Memory and marks", details()),
        ("tcp_info", info),
    ]
}

/// State and addresses.
fn ends() -> Vec<Column> {
    vec![
        // The verdict implies it: on a narrow terminal it makes room for the process.
        text("state", "STATE", 88, "TCP state", state)
            .grouped()
            .word(|| TcpState::ALL.iter().filter_map(|state| state.name()).collect()),
        text("netns", "NETNS", 60, "network namespace by name", |row| Value::name(Some(&row.namespace.name)))
            .grouped()
            .flexible(8),
        text("family", "FAMILY", 10, "ipv4 or ipv6, of the socket", |row| Value::word(row.socket.family.name()))
            .grouped()
            .word(|| Family::ALL.iter().map(|family| family.name()).collect()),
        text("local", "LOCAL", 99, "local address and port", local).grouped().kind(Kind::End(Side::Local)),
        text("peer", "PEER", 98, "remote address and port", peer).grouped().kind(Kind::End(Side::Peer)),
        text("local-addr", "LOCAL-ADDR", 30, "local address", |row| Value::Addr(row.socket.local.addr))
            .grouped()
            .kind(Kind::Address(Side::Local)),
        number("local-port", "LOCAL-PORT", 30, "local port", |row| port(row.socket.local))
            .grouped()
            .kind(Kind::Port(Side::Local)),
        text("peer-addr", "PEER-ADDR", 30, "remote address", |row| Value::Addr(row.socket.remote.addr))
            .grouped()
            .kind(Kind::Address(Side::Peer)),
        number("peer-port", "PEER-PORT", 30, "remote port", |row| port(row.socket.remote))
            .grouped()
            .kind(Kind::Port(Side::Peer)),
        text("interface", "INTERFACE", 20, "interface it is bound to", |row| Value::name(row.interface)).grouped(),
        text("taken-at", "TAKEN-AT", 20, "when the snapshot was begun, UTC", |row| Value::Time(row.taken_at)),
    ]
}

/// What it is doing: timers and queues.
fn activity() -> Vec<Column> {
    vec![
        text("timer", "TIMER", 84, "pending timer", timer).grouped().kind(Kind::WordFor(timer_words, timer_word)),
        number("expires", "EXPIRES", 83, "time until the timer fires", |row| {
            Value::number(row.socket.timer.expires_ms())
        })
        .unit(Unit::Millis),
        number("tries", "TRIES", 40, "retransmissions or unanswered probes that the timer counts", |row| {
            Value::number(row.socket.timer.count())
        })
        .grouped(),
        number("recv-q", "RECV-Q", 80, "bytes received and not read by the program; a FIN counts as one", |row| {
            Value::number(queue(row.socket, |recv, _| recv))
        })
        .unit(Unit::Bytes),
        number("send-q", "SEND-Q", 80, "bytes written and not acknowledged by the peer", |row| {
            Value::number(queue(row.socket, |_, send| send))
        })
        .unit(Unit::Bytes),
        number("accept-q", "ACCEPT-Q", 78, "of a listener: connections that wait to be accepted", |row| {
            match row.socket.queues {
                Queues::Accept { length, .. } => Value::Number(length.into()),
                _ => Value::Absent,
            }
        }),
        number("backlog", "BACKLOG", 77, "of a listener: how many may wait; one more fits", |row| {
            match row.socket.queues {
                Queues::Accept { max, .. } => Value::number(max),
                _ => Value::Absent,
            }
        }),
        number("drops", "DROPS", 76, "packets dropped; of a listener: connection attempts dropped", |row| {
            Value::number(memory(row).and_then(SocketMemory::drops))
        })
        .needs(Needs::MEMORY),
    ]
}

/// Whose it is.
fn hands() -> Vec<Column> {
    vec![
        text("process", "PROCESS", 90, "processes that hold it, as name[pid]; else in whose hands it is", |_| {
            Value::Absent
        })
        .with_process(|process| Value::name(Some(&process.label)), |process| Value::name(Some(&process.comm))),
        of_process("pid", "PID", 50, "ids of the processes that hold it", |process| Value::Number(process.pid.into()))
            .kind(Kind::Number),
        of_process("comm", "COMM", 50, "names of the processes that hold it", |process| {
            Value::name(Some(&process.comm))
        }),
        of_process("exe", "EXE", 25, "program files of the processes", |process| Value::name(process.exe.as_deref())),
        of_process("unit", "UNIT", 35, "systemd units of the processes", |process| {
            Value::name(process.unit.as_deref())
        })
        .kind(Kind::Short(|typed, unit| unit == typed || unit.strip_suffix(".service") == Some(typed))),
        of_process("container", "CONTAINER", 35, "container ids of the processes", |process| {
            Value::name(process.container.as_deref())
        })
        .kind(Kind::Short(|typed, id| id.starts_with(typed.trim_end_matches(['.', '…'])))),
        Column {
            get: Get::Descriptors,
            ..text("fd", "FD", 30, "descriptors of the processes that hold it", |_| Value::Absent)
        }
        .kind(Kind::Number)
        .needs(Needs::OWNERS),
        text("holder", "HOLDER", 30, "process, kernel, hidden, accept-queue, orphan or minisocket", |row| {
            row.holder.name().map_or(Value::Absent, Value::word)
        })
        .grouped()
        .word(|| vec!["process", "kernel", "hidden", "accept-queue", "orphan", "minisocket"])
        .needs(Needs::OWNERS),
        text("user", "USER", 45, "user that the socket belongs to; its uid where it has no name", user)
            .grouped()
            .needs(Needs::USER),
        number("uid", "UID", 30, "uid that the socket belongs to", |row| Value::number(row.socket.uid)).grouped(),
        number("inode", "INODE", 30, "inode of the socket", |row| Value::number(row.socket.inode)),
        text("cookie", "COOKIE", 30, "the kernel's number for the socket, hexadecimal", |row| {
            row.socket.id.cookie.map_or(Value::Absent, |cookie| Value::Word(format!("{:x}", cookie.0).into()))
        })
        .kind(Kind::Hexadecimal),
        text("cgroup", "CGROUP", 30, "version 2 cgroup that the socket was made in", |row| Value::name(row.cgroup))
            .grouped()
            .flexible(12)
            .needs(Needs::CGROUP),
    ]
}

/// How it is treated.
fn details() -> Vec<Column> {
    vec![
        text("cc", "CC", 30, "congestion control", |row| {
            Value::name(row.socket.attributes.congestion.as_ref().map(|congestion| congestion.algorithm.as_str()))
        })
        .grouped()
        .needs(Needs::CONGESTION),
        text("ulp", "ULP", 20, "protocol layered on top: tls, mptcp, …", |row| {
            Value::name(row.socket.attributes.ulp.as_ref().map(|ulp| ulp.name.as_str()))
        })
        .grouped()
        .needs(Needs::INFO),
        text("shutdown", "SHUTDOWN", 20, "directions still open: <-> both, --> send, <-- receive, --- none", |row| {
            row.socket.attributes.shutdown.map_or(Value::Absent, |mask| Value::word(mask.arrows()))
        })
        .grouped(),
        number("tos", "TOS", 15, "IPv4 type of service", |row| Value::number(class(row).tos))
            .grouped()
            .needs(Needs::CLASS),
        number("tclass", "TCLASS", 15, "IPv6 traffic class", |row| Value::number(class(row).tclass))
            .grouped()
            .needs(Needs::CLASS),
        number("mark", "MARK", 15, "SO_MARK; told to CAP_NET_ADMIN only", |row| Value::number(class(row).mark))
            .grouped()
            .needs(Needs::CLASS),
        number("rcvbuf", "RCVBUF", 15, "limit of the receive buffer", |row| {
            Value::number(memory(row).and_then(SocketMemory::rcvbuf_bytes))
        })
        .unit(Unit::Bytes)
        .needs(Needs::MEMORY),
        number("sndbuf", "SNDBUF", 15, "limit of the send buffer", |row| {
            Value::number(memory(row).and_then(SocketMemory::sndbuf_bytes))
        })
        .unit(Unit::Bytes)
        .needs(Needs::MEMORY),
        number("rmem", "RMEM", 15, "memory of received data, overhead included", |row| {
            Value::number(memory(row).and_then(SocketMemory::rmem_alloc_bytes))
        })
        .unit(Unit::Bytes)
        .needs(Needs::MEMORY),
        number("wmem", "WMEM", 15, "memory of data to send, overhead included", |row| {
            Value::number(memory(row).and_then(SocketMemory::wmem_queued_bytes))
        })
        .unit(Unit::Bytes)
        .needs(Needs::MEMORY),
    ]
}

fn state(row: &Row<'_>) -> Value<'static> {
    match row.socket.state.name() {
        Some(name) => Value::word(name),
        None => Value::Word(row.socket.state.to_string().into()),
    }
}

fn timer(row: &Row<'_>) -> Value<'static> {
    match row.socket.timer.kind {
        TimerKind::Off | TimerKind::NotTold => Value::Absent,
        kind => kind.name().map_or_else(|| Value::Word(kind.to_string().into()), Value::word),
    }
}

fn timer_words() -> Vec<&'static str> {
    TimerKind::NAMED.iter().filter_map(|kind| kind.name()).collect()
}

/// The same as a word that can be asked for: no timer has one too.
fn timer_word(row: &Row<'_>) -> Value<'static> {
    row.socket.timer.kind.name().map_or(Value::Absent, Value::word)
}

fn local<'a>(row: &Row<'a>) -> Value<'a> {
    let Endpoint { addr, port } = row.socket.local;
    Value::Endpoint { addr, device: row.interface, port }
}

/// The device belongs to the local end; at the other it stands only where the address means nothing without it.
fn peer<'a>(row: &Row<'a>) -> Value<'a> {
    let Endpoint { addr, port } = row.socket.remote;
    if port == 0 {
        return Value::Absent;
    }
    let link_local = matches!(addr, IpAddr::V6(addr) if addr.is_unicast_link_local());
    Value::Endpoint { addr, device: row.interface.filter(|_| link_local), port }
}

fn port(end: Endpoint) -> Value<'static> {
    if end.port == 0 { Value::Absent } else { Value::Number(end.port.into()) }
}

fn queue(socket: &Socket, pick: fn(u32, u32) -> u32) -> Option<u32> {
    match socket.queues {
        Queues::Bytes { recv, send } => Some(pick(recv, send)),
        Queues::Accept { .. } | Queues::None => None,
    }
}

fn memory<'a>(row: &Row<'a>) -> Option<&'a SocketMemory> {
    row.socket.attributes.memory.as_ref()
}

fn class(row: &Row<'_>) -> Classification {
    row.socket.attributes.class
}

fn user<'a>(row: &Row<'a>) -> Value<'a> {
    match (row.user, row.socket.uid) {
        (Some(name), _) => Value::name(Some(name)),
        (None, uid) => uid.map_or(Value::Absent, |uid| Value::Word(uid.to_string().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL_COLUMNS, CONNECTION_COLUMNS, LISTENER_COLUMNS, column, columns};

    #[test]
    fn names_are_unique_and_found_in_any_spelling() {
        let mut names: Vec<_> = columns().map(|column| column.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(column("Recv_Q").unwrap().name, "recv-q");
        assert_eq!(column("snd_cwnd").unwrap().name, "snd-cwnd");
        assert!(column("no-such").is_none());
    }

    #[test]
    fn defaults_are_columns() {
        for name in [CONNECTION_COLUMNS, LISTENER_COLUMNS, ALL_COLUMNS].concat() {
            assert!(column(name).is_some(), "{name}");
        }
    }

    #[test]
    fn titles_can_be_typed() {
        for column in columns() {
            assert_eq!(column.title, column.name.to_uppercase());
        }
    }

    #[test]
    fn each_key_means_its_own_column() {
        for wanted in columns() {
            assert_eq!(column(&wanted.key()), Some(wanted));
        }
        assert!(column("rtt_ms").is_none() && column("state_").is_none() && column("_ms").is_none());
    }

    #[test]
    fn keys_carry_the_unit() {
        assert_eq!(column("idle").unwrap().key(), "idle_ms");
        assert_eq!(column("rtt").unwrap().key(), "rtt_us");
        assert_eq!(column("recv-q").unwrap().key(), "recv_q_bytes");
        // Where the name says it, it is not said twice.
        assert_eq!(column("bytes-acked").unwrap().key(), "bytes_acked");
        assert_eq!(column("delivered-ce-bytes").unwrap().key(), "delivered_ce_bytes");
    }
}
