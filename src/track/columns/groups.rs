//! Columns of the peers view and the processes view.

use std::sync::LazyLock;

use crate::fields::column::{Column, RowKind};
use crate::fields::id::ColumnId;
use crate::fields::value::{Unit, Value};
use crate::text::{bar, percent};
use crate::track::group::Group;

/// Function that reads the value of a column.
type OfGroup = for<'a> fn(&'a Group) -> Value<'a>;

/// Row kind of the two views: groups of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Groups {}

impl RowKind for Groups {
    type Of<'a> = &'a Group;
    type Get = OfGroup;

    fn value<'a>(get: Self::Get, group: &Self::Of<'a>) -> Value<'a> {
        get(group)
    }
}

fn text(id: ColumnId, importance: u8, help: &'static str, get: OfGroup) -> Column<Groups> {
    Column::text(id, importance, help, get)
}

fn number(id: ColumnId, importance: u8, help: &'static str, get: OfGroup) -> Column<Groups> {
    Column::number(id, importance, help, get)
}

/// Default columns of the peers view.
pub(crate) const PEER_COLUMNS: &[ColumnId] = &[
    ColumnId::Peer,
    ColumnId::Way,
    ColumnId::Conns,
    ColumnId::Estab,
    ColumnId::Silent,
    ColumnId::Unguarded,
    ColumnId::CloseWait,
    ColumnId::TimeWait,
    ColumnId::Ports,
    ColumnId::Available,
    ColumnId::Used,
    ColumnId::TwShare,
    ColumnId::From,
    ColumnId::SendQ,
    ColumnId::SentRate,
    ColumnId::RecvRate,
];

/// Default columns of the processes view.
pub(crate) const PROCESS_COLUMNS: &[ColumnId] = &[
    ColumnId::Process,
    ColumnId::Conns,
    ColumnId::Estab,
    ColumnId::Silent,
    ColumnId::Unguarded,
    ColumnId::CloseWait,
    ColumnId::CwGrowth,
    ColumnId::Listeners,
    ColumnId::Fds,
    ColumnId::Limit,
    ColumnId::FdsUsed,
    ColumnId::RecvQ,
    ColumnId::SendQ,
    ColumnId::SentRate,
    ColumnId::RecvRate,
];

/// The column that identifies the sockets of a group.
fn filter() -> Column<Groups> {
    text(ColumnId::Filter, 10, "the filter that lists its connections", |group| Value::name(Some(&group.title.filter)))
}

/// All columns of the peers view.
pub(crate) static PEERS: LazyLock<Vec<Column<Groups>>> = LazyLock::new(of_peers);

/// All columns of the processes view.
pub(crate) static PROCESSES: LazyLock<Vec<Column<Groups>>> = LazyLock::new(of_processes);

fn of_peers() -> Vec<Column<Groups>> {
    let mut columns = vec![
        text(ColumnId::Peer, 99, "remote address, and the port that we connect to", peer),
        text(
            ColumnId::Way,
            90,
            "out: we connect to that port; in: the peer connects to the local port shown",
            |group| Value::name(Some(&group.title.way)),
        ),
    ];
    columns.extend(shared());
    columns.extend([
        number(
            ColumnId::Ports,
            70,
            "local ports taken towards it, on the address of ours that has the fewest left",
            |group| Value::number(group.fullest().map(|taken| taken.ports)),
        ),
        number(
            ColumnId::Available,
            30,
            "ports available on each address (ip_local_port_range, less the reserved)",
            |group| Value::number(group.available.filter(|_| !group.taken.is_empty())),
        ),
        text(ColumnId::Used, 69, "the ports taken, of those that there are", used),
        number(ColumnId::TwShare, 50, "how many of its connections are in TIME-WAIT", |group| {
            let all = group.counts.connections;
            if all == 0 { Value::Absent } else { Value::Word(percent(group.counts.time_wait, all).into()) }
        }),
        text(ColumnId::From, 40, "the address of ours whose ports are counted", |group| {
            group.fullest().map_or(Value::Absent, |taken| Value::Addr(taken.from))
        }),
        text(ColumnId::Netns, 60, "network namespace by name", |group| Value::name(Some(&group.title.namespace))),
        filter(),
    ]);
    columns
}

fn of_processes() -> Vec<Column<Groups>> {
    let mut columns = vec![
        text(ColumnId::Process, 99, "process, program, unit or container", |group| {
            Value::name(Some(&group.title.label))
        })
        .flexible(16),
    ];
    columns.extend(shared());
    columns.extend([
        number(ColumnId::Listeners, 60, "listeners", |group| Value::Number(group.counts.listeners)),
        text(ColumnId::CwGrowth, 82, "change of its CLOSE-WAITs in the last five minutes", growth),
        number(
            ColumnId::Fds,
            65,
            "descriptors that it has open; of several processes, the one with the least room",
            |group| Value::number(group.descriptors.map(|(open, _)| open)),
        ),
        number(ColumnId::Limit, 64, "descriptors that it may open (RLIMIT_NOFILE)", |group| {
            Value::number(group.descriptors.and_then(|(_, limit)| limit))
        }),
        text(ColumnId::FdsUsed, 63, "descriptors open, of those that it may", fill),
        filter(),
    ]);
    columns
}

fn shared() -> Vec<Column<Groups>> {
    let rate = |id, help, get| number(id, 60, help, get).unit(Unit::BytesPerSecond);
    vec![
        number(ColumnId::Conns, 95, "connections", |group| Value::Number(group.counts.connections)),
        number(ColumnId::Estab, 80, "connections in ESTABLISHED", |group| Value::Number(group.counts.established)),
        number(ColumnId::Silent, 94, "peers that do not answer probes or data", |group| {
            Value::Number(group.counts.silent)
        }),
        number(ColumnId::Unguarded, 85, "quiet connections on which nothing would notice a dead peer", |group| {
            Value::Number(group.counts.unguarded)
        }),
        number(ColumnId::Guarded, 35, "quiet connections on which a dead peer would be noticed", |group| {
            Value::Number(group.counts.guarded)
        }),
        number(ColumnId::Stalled, 35, "peers that answer and read nothing", |group| Value::Number(group.counts.stuck)),
        number(ColumnId::CloseWait, 84, "connections in CLOSE-WAIT", |group| Value::Number(group.counts.close_wait)),
        number(ColumnId::TimeWait, 75, "connections in TIME-WAIT", |group| Value::Number(group.counts.time_wait)),
        number(ColumnId::Others, 30, "connections in any other state", |group| Value::Number(group.counts.others)),
        number(ColumnId::RecvQ, 55, "bytes received and not read", |group| Value::Number(group.recv_q))
            .unit(Unit::Bytes),
        number(ColumnId::SendQ, 58, "bytes written and not acknowledged", |group| Value::Number(group.send_q))
            .unit(Unit::Bytes),
        number(ColumnId::Sent, 30, "bytes acknowledged by the peers, of the connections that are there", |group| {
            Value::Number(group.sent)
        })
        .unit(Unit::Bytes),
        number(ColumnId::Received, 30, "bytes received, of the connections that are there", |group| {
            Value::Number(group.received)
        })
        .unit(Unit::Bytes),
        rate(ColumnId::SentRate, "bytes acknowledged per second, since the previous snapshot", |group| {
            Value::number(group.sent_per_s)
        }),
        rate(ColumnId::RecvRate, "bytes received per second, since the previous snapshot", |group| {
            Value::number(group.received_per_s)
        }),
    ]
}

fn peer(group: &Group) -> Value<'_> {
    match group.title.end {
        Some((addr, 0)) => Value::Addr(addr),
        Some((addr, port)) => Value::Endpoint { addr, device: None, port },
        None => Value::Absent,
    }
}

const BAR_CELLS: usize = 6;

fn used(group: &Group) -> Value<'_> {
    match (group.fullest(), group.available) {
        (Some(taken), Some(available)) => Value::Word(bar(taken.ports, available, BAR_CELLS).into()),
        _ => Value::Absent,
    }
}

fn fill(group: &Group) -> Value<'_> {
    match group.descriptors {
        Some((open, Some(limit))) => Value::Word(bar(open, limit, BAR_CELLS).into()),
        _ => Value::Absent,
    }
}

fn growth(group: &Group) -> Value<'_> {
    let Some(before) = group.close_wait_before else { return Value::Absent };
    let now = group.counts.close_wait;
    Value::Word(
        if now == before {
            "0".to_owned()
        } else if now >= before {
            format!("+{}", now - before)
        } else {
            format!("-{}", before - now)
        }
        .into(),
    )
}
