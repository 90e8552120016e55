//! Columns that are derived from a row: verdict, deadline, keepalive, silence.

use super::column::{Column, Kind};
use super::define::{info, number, text};
use super::id::ColumnId;
use super::socket::{Get, SocketColumn};
use super::value::{Unit, Value};
use crate::model::keepalive::{Keepalive, KeepaliveSource};
use crate::model::liveness::{Bound, Liveness, Mechanism, Verdict};
use crate::model::needs::Needs;
use crate::model::options::MoreOptions;
use crate::model::row::Row;
use crate::model::state::TcpState;
use crate::model::tcp_info::Field;
use crate::model::time::Millis;
use crate::text::{keepalive as words, reason};

/// Columns of the verdict: whether the peer is there, and when the kernel gives up on it.
pub(super) fn verdict() -> Vec<SocketColumn> {
    vec![
        text(ColumnId::Verdict, 100, "whether the peer is still there", |row| {
            liveness(row).map_or(Value::Absent, |liveness| Value::Verdict(liveness.verdict))
        })
        .grouped()
        .word(|| Verdict::ALL.iter().map(|verdict| verdict.name()).collect())
        .needs(Needs::LIVENESS),
        number(
            ColumnId::DeadIn,
            96,
            "time until the kernel gives up, if nothing more comes: ≤ at most, ≥ at least",
            |row| {
                liveness(row).map_or(Value::Absent, |Liveness { deadline, .. }| Value::Bounded {
                    ms: deadline.after.map(Millis::get),
                    bound: deadline.bound,
                })
            },
        )
        .unit(Unit::Millis)
        .kind(Kind::Deadline)
        .needs(Needs::LIVENESS),
        text(ColumnId::Bound, 30, "what dead-in is: exact, at_most, at_least, never, not_applicable", |row| {
            liveness(row).map_or(Value::Absent, |liveness| Value::word(liveness.deadline.bound.name()))
        })
        .grouped()
        .word(|| Bound::ALL.iter().map(|bound| bound.name()).collect())
        .needs(Needs::LIVENESS),
        text(ColumnId::Mechanism, 30, "what in the kernel would end it", |row| {
            liveness(row).map_or(Value::Absent, |liveness| Value::word(liveness.deadline.mechanism.name()))
        })
        .grouped()
        .word(|| Mechanism::ALL.iter().map(|mechanism| mechanism.name()).collect())
        .needs(Needs::LIVENESS),
        text(ColumnId::Reason, 40, "the verdict in a sentence, with the numbers", |row| {
            liveness(row).map_or(Value::Absent, |_| Value::Word(reason::sentence(row).into()))
        })
        .needs(Needs::LIVENESS),
    ]
}

/// Columns of the times since something was received or sent.
pub(super) fn silence() -> Vec<SocketColumn> {
    vec![
        number(ColumnId::Idle, 85, "time since data or an ACK last came from the peer", |row| {
            Value::number(row.socket.idle().map(Millis::get))
        })
        .unit(Unit::Millis)
        .needs(Needs::INFO),
        number(ColumnId::Silent, 40, "idle time while the peer owes an answer to probes, data, SYN or FIN", |row| {
            Value::number(row.socket.idle().map(Millis::get).filter(|_| row.socket.is_owed_an_answer()))
        })
        .unit(Unit::Millis)
        .needs(Needs::INFO),
        number(ColumnId::LastSent, 40, "time since data was last sent to the peer", |row| {
            Value::number(info(row, Field::LastDataSent))
        })
        .unit(Unit::Millis)
        .needs(Needs::INFO),
        number(
            ColumnId::CloseWaitAge,
            40,
            "time since the peer closed and our program did not; ≥ at least",
            close_wait_age,
        )
        .unit(Unit::Millis)
        .needs(Needs::INFO),
    ]
}

/// Columns of keepalive and the user timeout.
pub(super) fn keepalive() -> Vec<SocketColumn> {
    vec![
        Column::text(
            ColumnId::Keepalive,
            87,
            "idle time/interval/probes, ? unknown, ~ by sysctls; on? all unknown; off",
            Get::Worded { cell: summary, word: is_on },
        )
        .grouped()
        .word(|| vec!["on", "off", "unknown"])
        .needs(Needs::LIVENESS),
        option(ColumnId::Keepidle, "silence before the first keepalive probe; set also while it is off", |known| {
            known.values.idle_s
        })
        .unit(Unit::Seconds),
        option(ColumnId::Keepintvl, "time between keepalive probes; set also while it is off", |known| {
            known.values.interval_s
        })
        .unit(Unit::Seconds),
        option(ColumnId::Keepcnt, "unanswered probes that end the connection; set also while it is off", |known| {
            known.values.probes
        }),
        option(ColumnId::UserTimeout, "TCP_USER_TIMEOUT, 0 for none", |known| known.values.user_timeout_ms)
            .unit(Unit::Millis),
        text(
            ColumnId::KeepaliveSource,
            20,
            "source of these: socket (read), inferred (by timers), sysctl (assumed)",
            |row| known(row).and_then(|known| known.source).map_or(Value::Absent, |source| Value::word(source.name())),
        )
        .grouped()
        .word(|| KeepaliveSource::ALL.iter().map(|source| source.name()).collect())
        .needs(KEEPALIVE_VALUES),
        text(
            ColumnId::KeepaliveUnknown,
            20,
            "why one of these is not known: a dash, which no comparison matches",
            |row| {
                known(row)
                    .and_then(|known| known.unknown_because)
                    .map_or(Value::Absent, |unread| Value::word(unread.reason()))
            },
        )
        .grouped()
        .needs(KEEPALIVE_VALUES),
    ]
}

/// Columns of the other options of the socket.
pub(super) fn options() -> Vec<SocketColumn> {
    vec![
        number(ColumnId::Syncnt, 15, "TCP_SYNCNT: retransmissions of a SYN, of a listener those of a SYN-ACK", |row| {
            Value::number(row.options.and_then(|options| options.syncnt))
        })
        .needs(Needs::LIVENESS),
        number(ColumnId::RtoMax, 15, "TCP_RTO_MAX_MS: longest retransmission timeout", |row| {
            Value::number(row.options.and_then(|options| options.rto_max_ms))
        })
        .unit(Unit::Millis)
        .needs(Needs::LIVENESS),
        more(ColumnId::Linger, "SO_LINGER: seconds that close() waits; absent where off", |more| more.linger_s)
            .unit(Unit::Seconds),
        more(ColumnId::Linger2, "TCP_LINGER2: seconds in FIN-WAIT-2 after close()", |more| {
            more.linger2_s.and_then(|seconds| u32::try_from(seconds).ok())
        })
        .unit(Unit::Seconds),
        number(ColumnId::DeferAccept, 15, "TCP_DEFER_ACCEPT of a listener, 0 for off", |row| {
            Value::number(row.options.and_then(|options| options.defer_accept_s))
        })
        .unit(Unit::Seconds)
        .needs(Needs::LIVENESS),
        more(ColumnId::Nodelay, "TCP_NODELAY, 1 for on", |more| more.nodelay.map(u32::from)).kind(Kind::Flag),
        more(ColumnId::SndbufLocked, "1 where the program set SO_SNDBUF", |more| more.sndbuf_locked.map(u32::from))
            .kind(Kind::Flag),
        more(ColumnId::RcvbufLocked, "1 where the program set SO_RCVBUF", |more| more.rcvbuf_locked.map(u32::from))
            .kind(Kind::Flag),
    ]
}

fn liveness<'a>(row: &Row<'a>) -> Option<&'a Liveness> {
    row.judged.map(|judged| &judged.liveness)
}

fn known<'a>(row: &Row<'a>) -> Option<&'a Keepalive> {
    row.judged.map(|judged| &judged.keepalive)
}

fn summary<'a>(row: &Row<'a>) -> Value<'a> {
    known(row).and_then(words::summary).map_or(Value::Absent, Value::Word)
}

/// Whether keepalive is on; absent if there is no connection that it could be on for.
fn is_on<'a>(row: &Row<'a>) -> Value<'a> {
    known(row).map_or(Value::Absent, |known| {
        Value::word(match known.values.enabled {
            Some(true) => "on",
            Some(false) => "off",
            None => "unknown",
        })
    })
}

/// Time since the peer closed. The FIN carried an ACK, so the last ACK came with it or later; no data came after it.
fn close_wait_age(row: &Row<'_>) -> Value<'static> {
    /// Smaller differences are ignored.
    const SAME_MS: u64 = 1_000;
    let idle = row.socket.idle().map(Millis::get).filter(|_| row.socket.state == TcpState::CloseWait);
    let Some(least) = idle else { return Value::Absent };
    let most = info(row, Field::LastDataRecv);
    let is_known = most.is_some_and(|most| most <= least + SAME_MS);
    Value::Bounded { ms: Some(least), bound: if is_known { Bound::Exact } else { Bound::AtLeast } }
}

/// Options are read of every socket, even if a timer shows that keepalive is off. Else the values would appear and
/// vanish with the timer.
const KEEPALIVE_VALUES: Needs = Needs::LIVENESS.union(Needs::ALL_OPTIONS);

/// A column of one of the keepalive values.
fn option(id: ColumnId, help: &'static str, get: fn(&Keepalive) -> Option<u32>) -> SocketColumn {
    Column::number(id, 30, help, Get::Keepalive(get)).needs(KEEPALIVE_VALUES)
}

/// A column of an option that decides no deadline.
fn more(id: ColumnId, help: &'static str, get: fn(&MoreOptions) -> Option<u32>) -> SocketColumn {
    Column::number(id, 15, help, Get::Options(get)).needs(Needs::OPTIONS | Needs::MORE_OPTIONS | Needs::ALL_OPTIONS)
}
