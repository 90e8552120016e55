//! Columns of peers and of processes.

use crate::fields::value::{Unit, Value};
use crate::text::{bar, percent};
use crate::track::group::Group;
use crate::track::heading::{Heading, Source};

fn count(
    name: &'static str,
    title: &'static str,
    importance: u8,
    help: &'static str,
    get: for<'a> fn(&'a Group) -> Value<'a>,
) -> Heading {
    Heading::number(name, title, importance, help, Source::Group(get))
}

/// What the view of peers shows.
pub const PEER_COLUMNS: &[&str] = &[
    "peer",
    "way",
    "connections",
    "established",
    "silent",
    "unguarded",
    "close-wait",
    "time-wait",
    "ports",
    "available",
    "used",
    "time-wait-share",
    "from",
    "send-q",
    "sent-rate",
    "received-rate",
];

/// What the view of processes shows.
pub const PROCESS_COLUMNS: &[&str] = &[
    "process",
    "connections",
    "established",
    "silent",
    "unguarded",
    "close-wait",
    "growth",
    "listeners",
    "descriptors",
    "limit",
    "fill",
    "recv-q",
    "send-q",
    "sent-rate",
    "received-rate",
];

/// What tells which sockets a group is made of.
pub fn filter() -> Heading {
    let get = Source::Group(|group| Value::name(Some(&group.title.filter)));
    Heading::text("filter", "FILTER", 10, "the filter that lists its connections", get)
}

/// Columns of peers.
pub fn of_peers() -> Vec<Heading> {
    let mut headings = vec![
        Heading::text("peer", "PEER", 99, "remote address, and the port that we connect to", Source::Group(peer)),
        Heading::text(
            "way",
            "WAY",
            90,
            "out: we connect to that port; in: the peer connects to the port of ours that is named",
            Source::Group(|group| Value::name(Some(&group.title.way))),
        ),
    ];
    headings.extend(shared());
    headings.extend([
        count(
            "ports",
            "PORTS",
            70,
            "local ports taken towards it, on the address of ours that has the fewest left",
            |group| Value::number(group.fullest().map(|taken| taken.ports)),
        ),
        count(
            "available",
            "AVAILABLE",
            30,
            "ports that there are on each address (ip_local_port_range, less the reserved)",
            |group| Value::number(group.available.filter(|_| !group.taken.is_empty())),
        ),
        Heading::text("used", "USED", 69, "the ports taken, of those that there are", Source::Group(used)),
        Heading::number(
            "time-wait-share",
            "TW-SHARE",
            50,
            "how many of its connections are in TIME-WAIT",
            Source::Group(|group| {
                let all = group.counts.connections;
                if all == 0 { Value::Absent } else { Value::Word(percent(group.counts.time_wait, all).into()) }
            }),
        ),
        Heading::text(
            "from",
            "FROM",
            40,
            "the address of ours whose ports are counted",
            Source::Group(|group| group.fullest().map_or(Value::Absent, |taken| Value::Addr(taken.from))),
        ),
        Heading::text(
            "netns",
            "NETNS",
            60,
            "network namespace by name",
            Source::Group(|group| Value::name(Some(&group.title.namespace))),
        ),
        filter(),
    ]);
    headings
}

/// Columns of processes.
pub fn of_processes() -> Vec<Heading> {
    let mut headings = vec![
        Heading::text(
            "process",
            "WHO",
            99,
            "process, program, unit or container",
            Source::Group(|group| Value::name(Some(&group.title.label))),
        )
        .flexible(16),
    ];
    headings.extend(shared());
    headings.extend([
        count("listeners", "LISTEN", 60, "listeners", |group| Value::Number(group.counts.listeners)),
        Heading::text(
            "growth",
            "CW-GROWTH",
            82,
            "change of its CLOSE-WAITs in the last five minutes",
            Source::Group(growth),
        ),
        count(
            "descriptors",
            "FDS",
            65,
            "descriptors that it has open; of several processes, the one with the least room",
            |group| Value::number(group.descriptors.map(|(open, _)| open)),
        ),
        count("limit", "LIMIT", 64, "descriptors that it may open (RLIMIT_NOFILE)", |group| {
            Value::number(group.descriptors.and_then(|(_, limit)| limit))
        }),
        Heading::text("fill", "FDS USED", 63, "descriptors open, of those that it may", Source::Group(fill)),
        filter(),
    ]);
    headings
}

fn shared() -> Vec<Heading> {
    let rate = |name, title, help, get| count(name, title, 60, help, get).unit(Unit::BytesPerSecond);
    vec![
        count("connections", "CONNS", 95, "connections", |group| Value::Number(group.counts.connections)),
        count("established", "ESTAB", 80, "connections in ESTABLISHED", |group| {
            Value::Number(group.counts.established)
        }),
        count("silent", "SILENT", 94, "peers that do not answer probes or data", |group| {
            Value::Number(group.counts.silent)
        }),
        count("unguarded", "UNGUARDED", 85, "quiet connections on which nothing would notice a dead peer", |group| {
            Value::Number(group.counts.unguarded)
        }),
        count("guarded", "GUARDED", 35, "quiet connections on which a dead peer would be noticed", |group| {
            Value::Number(group.counts.guarded)
        }),
        count("stalled", "STALLED", 35, "peers that answer and read nothing", |group| {
            Value::Number(group.counts.stuck)
        }),
        count("close-wait", "CLOSE-WAIT", 84, "connections in CLOSE-WAIT", |group| {
            Value::Number(group.counts.close_wait)
        }),
        count("time-wait", "TIME-WAIT", 75, "connections in TIME-WAIT", |group| Value::Number(group.counts.time_wait)),
        count("others", "OTHERS", 30, "connections in any other state", |group| Value::Number(group.counts.others)),
        count("recv-q", "RECV-Q", 55, "bytes received and not read", |group| Value::Number(group.recv_q))
            .unit(Unit::Bytes),
        count("send-q", "SEND-Q", 58, "bytes written and not acknowledged", |group| Value::Number(group.send_q))
            .unit(Unit::Bytes),
        count("sent", "SENT", 30, "bytes acknowledged by the peers, of the connections that are there", |group| {
            Value::Number(group.sent)
        })
        .unit(Unit::Bytes),
        count("received", "RECEIVED", 30, "bytes received, of the connections that are there", |group| {
            Value::Number(group.received)
        })
        .unit(Unit::Bytes),
        rate("sent-rate", "SENT/S", "bytes acknowledged per second, since the last look", |group| {
            Value::number(group.sent_per_s)
        }),
        rate("received-rate", "RECEIVED/S", "bytes received per second, since the last look", |group| {
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
