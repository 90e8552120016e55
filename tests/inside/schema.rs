//! The schema is no older than the tables of `model`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::schema::{SCHEMA, keys_of};
use crate::model::address::Family;
use crate::model::counters::GAUGES;
use crate::model::holder::HolderKind;
use crate::model::keepalive::KeepaliveSource;
use crate::model::liveness::{Bound, Mechanism, Verdict};
use crate::model::memory::SocketMemory;
use crate::model::namespace::Source;
use crate::model::socket::SockOpt;
use crate::model::state::TcpState;
use crate::model::sysctl::{Format, SYSCTLS};
use crate::model::tcp_info::{CA_STATES, FIELDS, OPTIONS};
use crate::model::timer::TimerKind;

/// The words of an `enum`, without null.
#[track_caller]
fn words_at(pointer: &str) -> Vec<&'static str> {
    SCHEMA.pointer(pointer).unwrap()["enum"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_keys_of_the_schema_are_those_of_the_tables() {
    let fields = ["size_bytes"].into_iter().chain(FIELDS.iter().map(|field| field.key));
    assert_eq!(keys_of("tcp_info", &[]), fields.collect::<Vec<_>>());
    assert_eq!(keys_of("sysctls", &[]), SYSCTLS.iter().map(|sysctl| sysctl.key).collect::<Vec<_>>());
    assert_eq!(keys_of("sockstat", &[]), GAUGES.map(|gauge| gauge.key));
    assert_eq!(keys_of("memory", &[]), SocketMemory::KEYS);
    assert_eq!(keys_of("by_state", &[]), TcpState::ALL.map(|state| state.name().unwrap()));
}

#[test]
fn the_words_of_the_schema_are_those_of_the_program() {
    assert_eq!(words_at("/$defs/state/anyOf/0"), TcpState::ALL.map(|state| state.name().unwrap()));
    let timers = (0..=u8::MAX).map(TimerKind::from_kernel).chain([TimerKind::FinWait2, TimerKind::SynAck]);
    let known: BTreeSet<_> = timers.filter_map(TimerKind::name).collect();
    assert_eq!(words_at("/$defs/timer/properties/kind/anyOf/0").into_iter().collect::<BTreeSet<_>>(), known);
    assert_eq!(words_at("/$defs/tcp_info/properties/ca_state/anyOf/0"), CA_STATES);
    assert_eq!(words_at("/$defs/tcp_info/properties/options/items"), OPTIONS);
    let connection = "/$defs/connection_members/properties";
    assert_eq!(words_at(&format!("{connection}/options/items")), SockOpt::NAMES);
    assert_eq!(words_at(&format!("{connection}/family")), Family::ALL.map(Family::name));
    assert_eq!(words_at("/$defs/namespace/properties/source"), [Source::SockDiag, Source::Procfs].map(Source::name));
    let names = HolderKind::ALL.map(HolderKind::name);
    assert_eq!(words_at(&format!("{connection}/holder")), names);
    let verdicts: Vec<_> = Verdict::ALL.iter().map(|verdict| verdict.name()).collect();
    assert_eq!(
        words_at("/$defs/liveness/properties/verdict"),
        verdicts,
        "snapshot-1.schema.json, the verdict of a row"
    );
    assert_eq!(keys_of("by_verdict", &[]), verdicts, "snapshot-1.schema.json, by_verdict: properties and required");
    let bounds = [Bound::Exact, Bound::AtMost, Bound::AtLeast, Bound::Never, Bound::NotApplicable];
    assert_eq!(words_at("/$defs/liveness/properties/bound"), bounds.map(Bound::name));
    let mechanisms = [
        Mechanism::Keepalive,
        Mechanism::UserTimeout,
        Mechanism::Retransmission,
        Mechanism::WindowProbe,
        Mechanism::SynRetries,
        Mechanism::SynackRetries,
        Mechanism::OrphanRetries,
        Mechanism::FinTimeout,
        Mechanism::TimeWait,
        Mechanism::None,
    ];
    assert_eq!(words_at("/$defs/liveness/properties/mechanism"), mechanisms.map(Mechanism::name));
    let sources = [KeepaliveSource::Socket, KeepaliveSource::Inferred, KeepaliveSource::Sysctl];
    assert_eq!(words_at("/$defs/keepalive/properties/source"), sources.map(KeepaliveSource::name));
}

#[test]
fn each_sysctl_has_the_type_that_the_table_gives_it() {
    for sysctl in SYSCTLS {
        let wanted = match sysctl.format {
            Format::Number => "integer",
            Format::Numbers => "array",
            Format::Text => "string",
        };
        assert_eq!(
            SCHEMA["$defs"]["sysctls"]["properties"][sysctl.key]["type"],
            json!([wanted, "null"]),
            "{}",
            sysctl.key
        );
    }
}
