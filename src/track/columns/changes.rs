//! Columns of the changes view.

use std::sync::LazyLock;

use crate::fields::column::{Column, RowKind};
use crate::fields::id::ColumnId;
use crate::fields::value::{Unit, Value};
use crate::model::address::Endpoint;
use crate::model::liveness::Verdict;
use crate::model::state::TcpState;
use crate::model::time::Millis;
use crate::track::change::{Change, What};
use crate::track::closing::CloseReason;

/// Default columns of the changes view.
pub(crate) const COLUMNS: &[ColumnId] = &[
    ColumnId::Time,
    ColumnId::Event,
    ColumnId::Local,
    ColumnId::Peer,
    ColumnId::Lifetime,
    ColumnId::Why,
    ColumnId::Process,
];

/// Function that reads the value of a column.
type OfChange = for<'a> fn(&'a Change) -> Value<'a>;

/// Row kind of the changes view.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Changes {}

impl RowKind for Changes {
    type Of<'a> = &'a Change;
    type Get = OfChange;

    fn value<'a>(get: Self::Get, change: &Self::Of<'a>) -> Value<'a> {
        get(change)
    }
}

fn text(id: ColumnId, importance: u8, help: &'static str, get: OfChange) -> Column<Changes> {
    Column::text(id, importance, help, get)
}

fn number(id: ColumnId, importance: u8, help: &'static str, get: OfChange) -> Column<Changes> {
    Column::number(id, importance, help, get)
}

/// All columns of the changes view.
pub(crate) static CHANGES: LazyLock<Vec<Column<Changes>>> = LazyLock::new(|| {
    vec![
        text(ColumnId::Time, 99, "when it was seen", |change| Value::name(Some(&change.time))),
        text(ColumnId::Event, 98, "what happened", event),
        text(ColumnId::Local, 90, "local address and port", |change| {
            end(change.socket.local, change.socket.state == TcpState::Listen)
        }),
        text(ColumnId::Peer, 97, "remote address and port", |change| end(change.socket.remote, false)),
        number(
            ColumnId::Lifetime,
            95,
            "how long it lasted, or has lasted until then: ≥ at least, ≤ at most",
            |change| Value::Bounded { ms: change.lifetime.0.map(Millis::get), bound: change.lifetime.1 },
        )
        .unit(Unit::Millis),
        text(ColumnId::Why, 96, "error that the program most likely got", |change| match change.what {
            What::Closed(reason) => Value::word(why(reason)),
            What::Opened | What::State(_) | What::Verdict(_) => Value::Absent,
        })
        .flexible(12),
        text(ColumnId::Process, 92, "who held it", |change| change.holder.value()).flexible(12),
        text(ColumnId::Netns, 91, "network namespace by name", |change| Value::name(Some(&change.namespace))),
    ]
});

/// An end of the connection, as far as it is known: if a connection is reset before it is destroyed, the kernel clears
/// part of it.
fn end(Endpoint { addr, port }: Endpoint, may_be_any: bool) -> Value<'static> {
    let is_any = addr.is_unspecified() && !may_be_any;
    match (is_any, port) {
        (true, 0) => Value::Absent,
        (true, port) => Value::Word(format!("*:{port}").into()),
        (false, 0) => Value::Addr(addr),
        (false, port) => Value::Endpoint { addr, device: None, port },
    }
}

/// What the program most likely saw.
fn why(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Destroyed => "ECONNABORTED: destroyed from here",
        CloseReason::NotConnected => "was not connected yet when last seen",
        CloseReason::Handshake => "was in its handshake when last seen",
        CloseReason::ListensNoMore => "listens no more",
        CloseReason::TimedOut => "ETIMEDOUT: the kernel gave up on the peer",
        CloseReason::WasSilent => "ETIMEDOUT, or closed or reset",
        CloseReason::TimeWait => "closed in order: TIME-WAIT keeps the port",
        CloseReason::InOrder => "closed in order",
        CloseReason::ByUs => "closed by our side",
        CloseReason::ByPeerThenUs => "closed by the peer, then by our side",
        CloseReason::ClosedOrReset => "closed or reset",
    }
}

fn event(change: &Change) -> Value<'_> {
    let state = change.socket.state.name().unwrap_or("unknown");
    Value::Word(match change.what {
        What::Opened if change.socket.state == TcpState::Listen => "listens".into(),
        What::Opened => format!("opened ({state})").into(),
        What::Closed(_) => "closed".into(),
        What::State(before) => format!("{} → {state}", before.name().unwrap_or("unknown")).into(),
        What::Verdict(before) => {
            format!("{} → {}", before.name(), change.verdict.map_or("unknown", Verdict::name)).into()
        }
    })
}
