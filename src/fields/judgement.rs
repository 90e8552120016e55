//! Columns of what was made out of a row: verdict, deadline, keepalive, silence.

use super::column::{Column, Get, Kind};
use super::define::{info, number, text};
use super::value::{Unit, Value};
use crate::model::keepalive::{Keepalive, KeepaliveSource};
use crate::model::liveness::{Bound, Liveness, Mechanism, Verdict};
use crate::model::needs::Needs;
use crate::model::options::MoreOptions;
use crate::model::row::Row;
use crate::model::state::TcpState;
use crate::model::tcp_info::Field;
use crate::text::{keepalive as words, reason};

/// Whether the peer is there, and when the kernel gives up on it.
pub(super) fn verdict() -> Vec<Column> {
    vec![
        text("verdict", "VERDICT", 100, "whether the peer is still there", |row| {
            liveness(row).map_or(Value::Absent, |liveness| Value::word(liveness.verdict.name()))
        })
        .grouped()
        .word(|| Verdict::ALL.iter().map(|verdict| verdict.name()).collect())
        .needs(Needs::LIVENESS),
        number(
            "dead-in",
            "DEAD-IN",
            96,
            "time until the kernel gives up, if nothing more comes: ≤ at most, ≥ at least",
            |row| {
                liveness(row).map_or(Value::Absent, |Liveness { deadline, .. }| Value::Bounded {
                    ms: deadline.ms,
                    bound: deadline.bound,
                })
            },
        )
        .unit(Unit::Millis)
        .kind(Kind::Deadline)
        .needs(Needs::LIVENESS),
        text("bound", "BOUND", 30, "what dead-in is: exact, at_most, at_least, never, not_applicable", |row| {
            liveness(row).map_or(Value::Absent, |liveness| Value::word(liveness.deadline.bound.name()))
        })
        .grouped()
        .word(|| Bound::ALL.iter().map(|bound| bound.name()).collect())
        .needs(Needs::LIVENESS),
        text("mechanism", "MECHANISM", 30, "what in the kernel would end it", |row| {
            liveness(row).map_or(Value::Absent, |liveness| Value::word(liveness.deadline.mechanism.name()))
        })
        .grouped()
        .word(|| Mechanism::ALL.iter().map(|mechanism| mechanism.name()).collect())
        .needs(Needs::LIVENESS),
        text("reason", "REASON", 40, "the verdict in a sentence, with the numbers", |row| {
            liveness(row).map_or(Value::Absent, |_| Value::Word(reason::sentence(row).into()))
        })
        .needs(Needs::LIVENESS),
    ]
}

/// Times since something came or went.
pub(super) fn silence() -> Vec<Column> {
    vec![
        number("idle", "IDLE", 85, "time since data or an ACK last came from the peer", |row| {
            Value::number(row.socket.idle_ms())
        })
        .unit(Unit::Millis)
        .needs(Needs::INFO),
        number("silent", "SILENT", 40, "the same while the peer owes an answer to probes, data, SYN or FIN", |row| {
            Value::number(row.socket.idle_ms().filter(|_| row.socket.is_owed_an_answer()))
        })
        .unit(Unit::Millis)
        .needs(Needs::INFO),
        number("last-sent", "LAST-SENT", 40, "time since data was last sent to the peer", |row| {
            Value::number(info(row, Field::LastDataSent))
        })
        .unit(Unit::Millis)
        .needs(Needs::INFO),
        number(
            "close-wait-age",
            "CLOSE-WAIT-AGE",
            40,
            "time since the peer closed and our program did not; ≥ at least",
            close_wait_age,
        )
        .unit(Unit::Millis)
        .needs(Needs::INFO),
    ]
}

/// Keepalive and the user timeout.
pub(super) fn keepalive() -> Vec<Column> {
    vec![
        text(
            "keepalive",
            "KEEPALIVE",
            87,
            "idle time/interval/probes, ? unknown, ~ by sysctls; on? all unknown; off",
            |row| known(row).map_or(Value::Absent, |known| words::summary(known).map_or(Value::Absent, Value::Word)),
        )
        .grouped()
        .kind(Kind::WordFor(|| vec!["on", "off", "unknown"], is_on))
        .needs(Needs::LIVENESS),
        option("keepidle", "KEEPIDLE", "silence before the first keepalive probe; set also while it is off", |known| {
            known.idle_s
        })
        .unit(Unit::Seconds),
        option("keepintvl", "KEEPINTVL", "time between keepalive probes; set also while it is off", |known| {
            known.interval_s
        })
        .unit(Unit::Seconds),
        option("keepcnt", "KEEPCNT", "unanswered probes that end the connection; set also while it is off", |known| {
            known.probes
        }),
        option("user-timeout", "USER-TIMEOUT", "TCP_USER_TIMEOUT, 0 for none", |known| known.user_timeout_ms)
            .unit(Unit::Millis),
        text(
            "keepalive-source",
            "KEEPALIVE-SOURCE",
            20,
            "source of these: socket (read), inferred (by timers), sysctl (assumed)",
            |row| known(row).and_then(|known| known.source).map_or(Value::Absent, |source| Value::word(source.name())),
        )
        .grouped()
        .word(|| KeepaliveSource::ALL.iter().map(|source| source.name()).collect())
        .needs(KEEPALIVE_VALUES),
        text(
            "keepalive-unknown",
            "KEEPALIVE-UNKNOWN",
            20,
            "why one of these is not known: a dash, which no comparison matches",
            |row| known(row).and_then(|known| known.unknown_because).map_or(Value::Absent, Value::word),
        )
        .grouped()
        .needs(KEEPALIVE_VALUES),
    ]
}

/// Other options of the socket.
pub(super) fn options() -> Vec<Column> {
    vec![
        number(
            "syncnt",
            "SYNCNT",
            15,
            "TCP_SYNCNT: retransmissions of a SYN, of a listener those of a SYN-ACK",
            |row| Value::number(row.options.and_then(|options| options.syncnt)),
        )
        .needs(Needs::LIVENESS),
        number("rto-max", "RTO-MAX", 15, "TCP_RTO_MAX_MS: longest retransmission timeout", |row| {
            Value::number(row.options.and_then(|options| options.rto_max_ms))
        })
        .unit(Unit::Millis)
        .needs(Needs::LIVENESS),
        more("linger", "LINGER", "SO_LINGER: seconds that close() waits; absent where off", |more| more.linger_s)
            .unit(Unit::Seconds),
        more("linger2", "LINGER2", "TCP_LINGER2: seconds in FIN-WAIT-2 after close()", |more| {
            more.linger2_s.and_then(|seconds| u32::try_from(seconds).ok())
        })
        .unit(Unit::Seconds),
        number("defer-accept", "DEFER-ACCEPT", 15, "TCP_DEFER_ACCEPT of a listener, 0 for off", |row| {
            Value::number(row.options.and_then(|options| options.defer_accept_s))
        })
        .unit(Unit::Seconds)
        .needs(Needs::LIVENESS),
        more("nodelay", "NODELAY", "TCP_NODELAY, 1 for on", |more| more.nodelay.map(u32::from)).flag(),
        more("sndbuf-locked", "SNDBUF-LOCKED", "1 where the program set SO_SNDBUF", |more| {
            more.sndbuf_locked.map(u32::from)
        })
        .flag(),
        more("rcvbuf-locked", "RCVBUF-LOCKED", "1 where the program set SO_RCVBUF", |more| {
            more.rcvbuf_locked.map(u32::from)
        })
        .flag(),
    ]
}

fn liveness<'a>(row: &Row<'a>) -> Option<&'a Liveness> {
    row.judged.map(|judged| &judged.liveness)
}

fn known<'a>(row: &Row<'a>) -> Option<&'a Keepalive> {
    row.judged.map(|judged| &judged.keepalive)
}

/// Whether keepalive is on, where there is a connection that it could be on for.
fn is_on(row: &Row<'_>) -> Value<'static> {
    known(row).map_or(Value::Absent, |known| {
        Value::word(match known.enabled {
            Some(true) => "on",
            Some(false) => "off",
            None => "unknown",
        })
    })
}

/// The FIN carried an ACK, so the last ACK came with it or after it; and no data came after it.
fn close_wait_age(row: &Row<'_>) -> Value<'static> {
    /// What is told apart no further.
    const SAME_MS: u64 = 1_000;
    let idle = row.socket.idle_ms().filter(|_| row.socket.state == TcpState::CloseWait);
    let Some(least) = idle else { return Value::Absent };
    let most = info(row, Field::LastDataRecv);
    let is_known = most.is_some_and(|most| most <= least + SAME_MS);
    Value::Bounded { ms: Some(least), bound: if is_known { Bound::Exact } else { Bound::AtLeast } }
}

/// Read of every socket, also where a timer tells that keepalive is off: else the values would be there or not as the
/// timer happened to be.
const KEEPALIVE_VALUES: Needs = Needs::LIVENESS.union(Needs::ALL_OPTIONS);

/// A number of what is known of keepalive.
fn option(name: &'static str, title: &'static str, help: &'static str, get: fn(&Keepalive) -> Option<u32>) -> Column {
    Column { get: Get::Keepalive(get), ..number(name, title, 30, help, |_| Value::Absent) }.needs(KEEPALIVE_VALUES)
}

/// A number of the options that decide no deadline.
fn more(name: &'static str, title: &'static str, help: &'static str, get: fn(&MoreOptions) -> Option<u32>) -> Column {
    Column { get: Get::Options(get), ..number(name, title, 15, help, |_| Value::Absent) }
        .needs(Needs::OPTIONS | Needs::MORE_OPTIONS | Needs::ALL_OPTIONS)
}
