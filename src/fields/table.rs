//! Table of the columns of sockets, in the order of the help.

use std::net::IpAddr;
use std::sync::LazyLock;

use super::column::{Column, Kind, Width};
use super::define::{info, number, of_process, shown_as, text};
use super::id::{ColumnId, info_unit};
use super::judgement::{keepalive, options, silence, verdict};
use super::socket::{Get, SocketColumn};
use super::value::{Unit, Value};
use crate::model::address::{Endpoint, Family, Side};
use crate::model::holder::HolderKind;
use crate::model::memory::SocketMemory;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::socket::{Classification, Queues, Socket};
use crate::model::state::TcpState;
use crate::model::tcp_info::{CA_STATES, FIELDS, Field, FieldSpec, OPTIONS};
use crate::model::time::Millis;
use crate::model::timer::TimerKind;

/// Default columns of `ls`, for connections.
pub(crate) const CONNECTION_COLUMNS: &[ColumnId] = &[
    ColumnId::State,
    ColumnId::Verdict,
    ColumnId::DeadIn,
    ColumnId::Local,
    ColumnId::Peer,
    ColumnId::Keepalive,
    ColumnId::Idle,
    ColumnId::RecvQ,
    ColumnId::SendQ,
    ColumnId::Process,
];
/// Default columns of `ls -l`, for listeners.
pub(crate) const LISTENER_COLUMNS: &[ColumnId] = &[
    ColumnId::State,
    ColumnId::Local,
    ColumnId::AcceptQ,
    ColumnId::Backlog,
    ColumnId::Drops,
    ColumnId::Keepalive,
    ColumnId::User,
    ColumnId::Process,
];
/// Default columns of `ls -a`.
pub(crate) const ALL_COLUMNS: &[ColumnId] = &[
    ColumnId::State,
    ColumnId::Verdict,
    ColumnId::DeadIn,
    ColumnId::Local,
    ColumnId::Peer,
    ColumnId::Keepalive,
    ColumnId::Idle,
    ColumnId::RecvQ,
    ColumnId::SendQ,
    ColumnId::AcceptQ,
    ColumnId::Backlog,
    ColumnId::Process,
];

/// Group of columns, with a title.
pub(crate) type ColumnGroup = (&'static str, Vec<SocketColumn>);

static GROUPS: LazyLock<Vec<ColumnGroup>> = LazyLock::new(|| {
    vec![
        ("Ends", ends()),
        ("Peer", [verdict(), silence()].concat()),
        ("Keepalive and options", [keepalive(), options()].concat()),
        ("Timer and queues", activity()),
        ("Who", hands()),
        ("Memory and marks", details()),
        ("tcp_info", FIELDS.iter().map(of_info).collect()),
    ]
});

/// All columns, in groups.
pub(crate) fn groups() -> &'static [ColumnGroup] {
    &GROUPS
}

/// All columns, in the order of [`groups`].
pub(crate) fn columns() -> impl Iterator<Item = &'static SocketColumn> {
    groups().iter().flat_map(|(_, columns)| columns)
}

/// The column of sockets with this id; `None` if only other rows have it.
pub(crate) fn column_of(id: ColumnId) -> Option<&'static SocketColumn> {
    columns().find(|column| column.id == id)
}

/// The columns of sockets with these ids.
pub(crate) fn listed(ids: &[ColumnId]) -> Vec<SocketColumn> {
    ids.iter().filter_map(|id| column_of(*id)).copied().collect()
}

/// The column with this name, in any case, with `_` or `-`, with or without its unit: `dead-in`, `dead_in_ms`.
pub(crate) fn column_called(name: &str) -> Option<&'static SocketColumn> {
    columns().find(|column| column.is_called(name))
}

fn of_info(spec: &FieldSpec) -> SocketColumn {
    let (id, needs, help) = (ColumnId::Info(spec.field), Needs::INFO, spec.help);
    match spec.field {
        Field::CaState => text(id, 20, help, ca_state).width(Width::Number).word(|| CA_STATES.to_vec()).needs(needs),
        Field::Options => text(id, 20, help, option_names).width(Width::Number).needs(needs),
        field => Column::number(id, 20, help, Get::Info(field)).unit(info_unit(field)).needs(needs),
    }
}

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

/// Columns of the state and the addresses.
fn ends() -> Vec<SocketColumn> {
    vec![
        // The verdict implies the state: on a narrow terminal the process is worth more.
        text(ColumnId::State, 88, "TCP state", state)
            .grouped()
            .word(|| TcpState::ALL.iter().filter_map(|state| state.name()).collect()),
        text(ColumnId::Netns, 60, "network namespace by name", |row| Value::name(Some(&row.namespace.name)))
            .grouped()
            .flexible(8),
        text(ColumnId::Family, 10, "ipv4 or ipv6, of the socket", |row| Value::word(row.socket.family.name()))
            .grouped()
            .word(|| Family::ALL.iter().map(|family| family.name()).collect()),
        text(ColumnId::Local, 99, "local address and port", local).grouped().kind(Kind::End(Side::Local)),
        text(ColumnId::Peer, 98, "remote address and port", peer).grouped().kind(Kind::End(Side::Peer)),
        text(ColumnId::LocalAddr, 30, "local address", |row| Value::Addr(row.socket.local.addr))
            .grouped()
            .kind(Kind::Address(Side::Local)),
        number(ColumnId::LocalPort, 30, "local port", |row| port(row.socket.local))
            .grouped()
            .kind(Kind::Port(Side::Local)),
        text(ColumnId::PeerAddr, 30, "remote address", |row| Value::Addr(row.socket.remote.addr))
            .grouped()
            .kind(Kind::Address(Side::Peer)),
        number(ColumnId::PeerPort, 30, "remote port", |row| port(row.socket.remote))
            .grouped()
            .kind(Kind::Port(Side::Peer)),
        text(ColumnId::Interface, 20, "interface it is bound to", |row| Value::name(row.interface)).grouped(),
        text(ColumnId::TakenAt, 20, "when the snapshot was begun, UTC", |row| Value::Time(row.taken_at)),
    ]
}

/// Columns of timers and queues.
fn activity() -> Vec<SocketColumn> {
    vec![
        Column::text(ColumnId::Timer, 84, "pending timer", Get::Worded { cell: timer, word: timer_word })
            .grouped()
            .word(timer_words),
        number(ColumnId::Expires, 83, "time until the timer fires", |row| {
            Value::number(row.socket.timer.expires().map(Millis::get))
        })
        .unit(Unit::Millis),
        number(ColumnId::Tries, 40, "retransmissions or unanswered probes that the timer counts", |row| {
            Value::number(row.socket.timer.count())
        })
        .grouped(),
        number(ColumnId::RecvQ, 80, "bytes received and not read by the program; a FIN counts as one", |row| {
            Value::number(queue(row.socket, |recv, _| recv))
        })
        .unit(Unit::Bytes),
        number(ColumnId::SendQ, 80, "bytes written and not acknowledged by the peer", |row| {
            Value::number(queue(row.socket, |_, send| send))
        })
        .unit(Unit::Bytes),
        number(ColumnId::AcceptQ, 78, "of a listener: connections that wait to be accepted", |row| {
            match row.socket.queues {
                Queues::Accept { length, .. } => Value::Number(length.into()),
                _ => Value::Absent,
            }
        }),
        number(ColumnId::Backlog, 77, "of a listener: how many may wait; one more fits", |row| {
            match row.socket.queues {
                Queues::Accept { max, .. } => Value::number(max),
                _ => Value::Absent,
            }
        }),
        number(ColumnId::Drops, 76, "packets dropped; of a listener: connection attempts dropped", |row| {
            Value::number(memory(row).and_then(SocketMemory::drops))
        })
        .needs(Needs::MEMORY),
    ]
}

/// Columns of the owner.
fn hands() -> Vec<SocketColumn> {
    vec![
        shown_as(
            ColumnId::Process,
            90,
            "processes that hold it, as name[pid]; else the kind of holder",
            |process| Value::name(Some(&process.label)),
            |process| Value::name(Some(&process.comm)),
        )
        .flexible(20),
        of_process(ColumnId::Pid, 50, "ids of the processes that hold it", |process| Value::Number(process.pid.into()))
            .kind(Kind::Number),
        of_process(ColumnId::Comm, 50, "names of the processes that hold it", |process| {
            Value::name(Some(&process.comm))
        }),
        of_process(ColumnId::Exe, 25, "program files of the processes", |process| Value::name(process.exe.as_deref())),
        of_process(ColumnId::Unit, 35, "systemd units of the processes", |process| {
            Value::name(process.unit.as_deref())
        })
        .kind(Kind::Short(|typed, unit| unit == typed || unit.strip_suffix(".service") == Some(typed))),
        of_process(ColumnId::Container, 35, "container ids of the processes", |process| {
            Value::name(process.container.as_deref())
        })
        .kind(Kind::Short(|typed, id| id.starts_with(typed.trim_end_matches(['.', '…'])))),
        Column::text(ColumnId::Fd, 30, "descriptors of the processes that hold it", Get::Descriptors)
            .list()
            .kind(Kind::Number)
            .needs(Needs::OWNERS),
        text(ColumnId::Holder, 30, "process, kernel, hidden, accept-queue, orphan or minisocket", |row| {
            row.holder.name().map_or(Value::Absent, Value::word)
        })
        .grouped()
        .word(|| HolderKind::ALL.map(HolderKind::name).to_vec())
        .needs(Needs::OWNERS),
        text(ColumnId::User, 45, "user that the socket belongs to; its uid where it has no name", user)
            .grouped()
            .needs(Needs::USER),
        number(ColumnId::Uid, 30, "uid that the socket belongs to", |row| Value::number(row.socket.uid)).grouped(),
        number(ColumnId::Inode, 30, "inode of the socket", |row| Value::number(row.socket.inode)),
        text(ColumnId::Cookie, 30, "the kernel's number for the socket, hexadecimal", |row| {
            row.socket.id.cookie.map_or(Value::Absent, |cookie| Value::Word(format!("{:x}", cookie.0).into()))
        })
        .kind(Kind::Hexadecimal),
        text(ColumnId::Cgroup, 30, "version 2 cgroup that the socket was made in", |row| Value::name(row.cgroup))
            .grouped()
            .flexible(12)
            .needs(Needs::CGROUP),
    ]
}

/// Columns of congestion control, traffic class, marks and memory.
fn details() -> Vec<SocketColumn> {
    vec![
        text(ColumnId::Cc, 30, "congestion control", |row| {
            Value::name(row.socket.attributes.congestion.as_ref().map(|congestion| congestion.algorithm.as_str()))
        })
        .grouped()
        .needs(Needs::CONGESTION),
        text(ColumnId::Ulp, 20, "protocol layered on top: tls, mptcp, …", |row| {
            Value::name(row.socket.attributes.ulp.as_ref().map(|ulp| ulp.name.as_str()))
        })
        .grouped()
        .needs(Needs::INFO),
        text(ColumnId::Shutdown, 20, "directions still open: <-> both, --> send, <-- receive, --- none", |row| {
            row.socket.attributes.shutdown.map_or(Value::Absent, |mask| Value::word(mask.arrows()))
        })
        .grouped(),
        number(ColumnId::Tos, 15, "IPv4 type of service", |row| Value::number(class(row).tos))
            .grouped()
            .needs(Needs::CLASS),
        number(ColumnId::Tclass, 15, "IPv6 traffic class", |row| Value::number(class(row).tclass))
            .grouped()
            .needs(Needs::CLASS),
        number(ColumnId::Mark, 15, "SO_MARK; needs CAP_NET_ADMIN", |row| Value::number(class(row).mark))
            .grouped()
            .needs(Needs::CLASS),
        number(ColumnId::Rcvbuf, 15, "limit of the receive buffer", |row| {
            Value::number(memory(row).and_then(SocketMemory::rcvbuf_bytes))
        })
        .unit(Unit::Bytes)
        .needs(Needs::MEMORY),
        number(ColumnId::Sndbuf, 15, "limit of the send buffer", |row| {
            Value::number(memory(row).and_then(SocketMemory::sndbuf_bytes))
        })
        .unit(Unit::Bytes)
        .needs(Needs::MEMORY),
        number(ColumnId::Rmem, 15, "memory of received data, overhead included", |row| {
            Value::number(memory(row).and_then(SocketMemory::rmem_alloc_bytes))
        })
        .unit(Unit::Bytes)
        .needs(Needs::MEMORY),
        number(ColumnId::Wmem, 15, "memory of data to send, overhead included", |row| {
            Value::number(memory(row).and_then(SocketMemory::wmem_queued_bytes))
        })
        .unit(Unit::Bytes)
        .needs(Needs::MEMORY),
    ]
}

fn state(row: &Row<'_>) -> Value<'static> {
    Value::State(row.socket.state)
}

fn timer<'a>(row: &Row<'a>) -> Value<'a> {
    match row.socket.timer.kind {
        TimerKind::Off | TimerKind::NotTold => Value::Absent,
        kind => kind.name().map_or_else(|| Value::Word(kind.to_string().into()), Value::word),
    }
}

fn timer_words() -> Vec<&'static str> {
    TimerKind::NAMED.iter().filter_map(|kind| kind.name()).collect()
}

/// The timer as a word for filters, which also has one for no timer.
fn timer_word<'a>(row: &Row<'a>) -> Value<'a> {
    row.socket.timer.kind.name().map_or(Value::Absent, Value::word)
}

fn local<'a>(row: &Row<'a>) -> Value<'a> {
    let Endpoint { addr, port } = row.socket.local;
    Value::Endpoint { addr, device: row.interface, port }
}

/// The remote end. The device belongs to the local end; here it is shown only for an address that means nothing without
/// it.
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
    use super::{ALL_COLUMNS, CONNECTION_COLUMNS, LISTENER_COLUMNS, column_called, columns, listed};
    use crate::fields::id::ColumnId;
    use crate::model::tcp_info::Field;

    #[test]
    fn names_are_unique_and_found_in_any_spelling() {
        let mut names: Vec<_> = columns().map(|column| column.name()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        let id = |name| column_called(name).map(|column| column.id);
        assert_eq!(id("Recv_Q"), Some(ColumnId::RecvQ));
        assert_eq!(id("snd_cwnd"), Some(ColumnId::Info(Field::SndCwnd)));
        assert_eq!(id("no-such"), None);
    }

    #[test]
    fn defaults_are_columns_of_sockets() {
        for ids in [CONNECTION_COLUMNS, LISTENER_COLUMNS, ALL_COLUMNS] {
            assert_eq!(listed(ids).len(), ids.len());
        }
    }

    #[test]
    fn titles_can_be_typed() {
        for column in columns() {
            assert_eq!(column.title, column.name().to_uppercase());
            assert!(!column.name().contains(char::is_whitespace));
        }
    }

    #[test]
    fn each_key_means_its_own_column() {
        for wanted in columns() {
            assert_eq!(column_called(&wanted.key()), Some(wanted));
        }
        let is_nothing = |name| column_called(name).is_none();
        assert!(is_nothing("rtt_ms") && is_nothing("state_") && is_nothing("_ms"));
    }

    #[test]
    fn keys_carry_the_unit() {
        let key = |name| column_called(name).unwrap().key();
        assert_eq!(key("idle"), "idle_ms");
        assert_eq!(key("rtt"), "rtt_us");
        assert_eq!(key("recv-q"), "recv_q_bytes");
        // A unit that the name contains is not repeated.
        assert_eq!(key("bytes-acked"), "bytes_acked");
        assert_eq!(key("delivered-ce-bytes"), "delivered_ce_bytes");
    }
}
