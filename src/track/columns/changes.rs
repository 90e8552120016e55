//! Columns of the changes.

use crate::fields::value::{Unit, Value};
use crate::model::address::Endpoint;
use crate::model::liveness::Verdict;
use crate::model::state::TcpState;
use crate::track::change::{Change, What};
use crate::track::heading::{Heading, Source};

/// What the view shows.
pub const COLUMNS: &[&str] = &["time", "event", "local", "peer", "lifetime", "why", "process"];

/// Columns of the view.
pub fn headings() -> Vec<Heading> {
    let text = |name, title, importance, help, get| Heading::text(name, title, importance, help, Source::Change(get));
    vec![
        text("time", "TIME", 99, "when it was seen", |change| Value::name(Some(&change.time))),
        text("event", "EVENT", 98, "what happened", event),
        text("local", "LOCAL", 90, "local address and port", |change| {
            end(change.socket.local, change.socket.state == TcpState::Listen)
        }),
        text("peer", "PEER", 97, "remote address and port", |change| end(change.socket.remote, false)),
        Heading::number(
            "lifetime",
            "LIFETIME",
            95,
            "how long it lasted, or has lasted until then: ≥ at least, ≤ at most",
            Source::Change(|change| Value::Bounded { ms: change.lifetime.0, bound: change.lifetime.1 }),
        )
        .unit(Unit::Millis),
        text("why", "WHY", 96, "what its program most likely got to see", |change| match change.why {
            "" => Value::Absent,
            why => Value::word(why),
        })
        .flexible(12),
        text("process", "PROCESS", 92, "who held it", |change| match change.process.as_str() {
            "" => Value::Absent,
            process => Value::name(Some(process)),
        })
        .flexible(12),
        text("netns", "NETNS", 91, "network namespace by name", |change| Value::name(Some(&change.namespace))),
    ]
}

/// An end as far as it is known: the kernel has cleared a part of it where a connection was reset before it was destroyed.
fn end(Endpoint { addr, port }: Endpoint, may_be_any: bool) -> Value<'static> {
    let is_any = addr.is_unspecified() && !may_be_any;
    match (is_any, port) {
        (true, 0) => Value::Absent,
        (true, port) => Value::Word(format!("*:{port}").into()),
        (false, 0) => Value::Addr(addr),
        (false, port) => Value::Endpoint { addr, device: None, port },
    }
}

fn event(change: &Change) -> Value<'_> {
    let state = change.socket.state.name().unwrap_or("unknown");
    Value::Word(match change.what {
        What::Opened if change.socket.state == TcpState::Listen => "listens".into(),
        What::Opened => format!("opened ({state})").into(),
        What::Closed => "closed".into(),
        What::State(before) => format!("{} → {state}", before.name().unwrap_or("unknown")).into(),
        What::Verdict(before) => {
            format!("{} → {}", before.name(), change.verdict.map_or("unknown", Verdict::name)).into()
        }
    })
}
