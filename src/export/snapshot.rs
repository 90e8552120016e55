//! The JSON snapshot and its line-by-line form (docs/json.md).

use super::SCHEMA;
use super::connection::Connections;
use super::json::{Json, key};
use super::list::Encoder;
use crate::model::address::NetnsId;
use crate::model::counters::Counters;
use crate::model::gap::Gaps;
use crate::model::namespace::Namespace;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Summary, Tail};
use crate::model::sysctl::{SysctlValue, Sysctls};
use crate::text::timestamp;

/// One object with the connections in an array, one row per line.
#[derive(Debug, Default)]
pub(crate) struct JsonSnapshot {
    begun: bool,
    connections: Connections,
}

impl JsonSnapshot {
    /// Writes what separates two rows.
    fn separate(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if std::mem::replace(&mut self.begun, true) { b",\n" } else { b"\n" });
    }
}

impl Encoder for JsonSnapshot {
    fn head(&mut self, head: &Head, out: &mut Vec<u8>) {
        let mut json = Json::new(out);
        json.object();
        head_members(&mut json, head);
        json.key(key!("connections")).array();
        self.begun = false;
    }

    fn encode(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        let mut json = Json::new(out);
        json.object();
        self.connections.members(&mut json, row);
        json.end_object();
    }

    fn emit(&mut self, encoded: &[u8], out: &mut Vec<u8>) {
        self.separate(out);
        out.extend_from_slice(encoded);
    }

    fn stream(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        self.separate(out);
        self.encode(row, out);
    }

    fn tail(&mut self, tail: &Tail, listed: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"],\n");
        let mut json = Json::new(out);
        json.key(key!("summary"));
        summary(&mut json, &tail.summary, listed);
        json.key(key!("gaps"));
        gaps(&mut json, &tail.gaps);
        json.key(key!("elapsed_ms")).decimal(tail.elapsed.as_secs_f64() * 1000.0);
        json.end_object();
        out.push(b'\n');
    }
}

/// One object per line, each with its `type` and with members that identify its snapshot and host.
#[derive(Debug, Default)]
pub(crate) struct NdjsonSnapshot {
    connections: Connections,
    lines: Lines,
    /// A namespace, and the beginning of its lines: rows are grouped by namespace
    rows: (Option<NetnsId>, Vec<u8>),
}

impl NdjsonSnapshot {
    /// Sets the beginning of the lines of a namespace.
    fn begin(&mut self, namespace: &Namespace) {
        let (last, begun) = &mut self.rows;
        if last.replace(namespace.id) != Some(namespace.id) {
            begun.clear();
            self.lines.begin(begun, "connection").key(key!("netns_name")).string(&namespace.name);
        }
    }
}

impl Encoder for NdjsonSnapshot {
    fn head(&mut self, head: &Head, out: &mut Vec<u8>) {
        self.lines = Lines::new(head);
        self.rows.0 = None;
        Lines::first(out, "snapshot", head, |json| head_members(json, head));
    }

    fn encode(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        self.begin(row.namespace);
        out.extend_from_slice(&self.rows.1);
        let mut json = Json::after(out);
        self.connections.members(&mut json, row);
        json.end_object();
        out.push(b'\n');
    }

    fn emit(&mut self, encoded: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(encoded);
    }

    fn stream(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        self.encode(row, out);
    }

    fn tail(&mut self, tail: &Tail, listed: u64, out: &mut Vec<u8>) {
        self.lines.write(out, "summary", |json| {
            json.key(key!("summary"));
            summary(json, &tail.summary, listed);
            json.key(key!("gaps"));
            gaps(json, &tail.gaps);
            json.key(key!("elapsed_ms")).decimal(tail.elapsed.as_secs_f64() * 1000.0);
        });
    }
}

/// Lines of NDJSON: members that all lines of a snapshot share are written once and copied.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Time and host, as members of an object
    origin: Vec<u8>,
}

impl Lines {
    /// Lines of this snapshot.
    pub(crate) fn new(head: &Head) -> Self {
        let mut origin = Vec::new();
        let mut json = Json::new(&mut origin);
        taken_at(&mut json, head);
        hostname(&mut json, head);
        Self { origin }
    }

    /// Writes the first line, whose members describe time and host in full.
    pub(crate) fn first(out: &mut Vec<u8>, kind: &'static str, head: &Head, members: impl FnOnce(&mut Json<'_>)) {
        let mut json = Json::new(out);
        json.object();
        json.key(key!("type")).word(kind);
        members(&mut json);
        hostname(&mut json, head);
        json.end_object();
        out.push(b'\n');
    }

    /// Writes any other line.
    pub(crate) fn write(&self, out: &mut Vec<u8>, kind: &'static str, members: impl FnOnce(&mut Json<'_>)) {
        let mut json = self.begin(out, kind);
        members(&mut json);
        json.end_object();
        out.push(b'\n');
    }

    /// Writes the beginning of a line.
    fn begin<'a>(&self, out: &'a mut Vec<u8>, kind: &'static str) -> Json<'a> {
        let mut json = Json::new(out);
        json.object();
        json.key(key!("type")).word(kind);
        json.raw(&self.origin);
        json
    }
}

/// Writes the hostname, which `host` contains too, in a form that can become a column of a table.
fn hostname(json: &mut Json<'_>, head: &Head) {
    json.key(key!("hostname")).string(&head.host.hostname);
}

/// Writes the members that precede the rows of every document: version, time, host, namespaces.
pub(crate) fn head_members(json: &mut Json<'_>, head: &Head) {
    preamble(json, head);
    json.key(key!("namespaces")).array();
    head.namespaces.iter().for_each(|namespace| self::namespace(json, namespace));
    json.end_array();
}

/// Writes version, time and host.
pub(crate) fn preamble(json: &mut Json<'_>, head: &Head) {
    json.key(key!("schema")).number(SCHEMA);
    json.key(key!("tcpulse")).string(env!("CARGO_PKG_VERSION"));
    taken_at(json, head);
    json.key(key!("host")).object();
    json.key(key!("hostname")).string(&head.host.hostname);
    json.key(key!("kernel")).string(&head.host.kernel);
    json.end_object();
}

fn taken_at(json: &mut Json<'_>, head: &Head) {
    json.key(key!("taken_at")).optional_string(timestamp(head.taken_at).as_deref());
}

fn namespace(json: &mut Json<'_>, namespace: &Namespace) {
    json.object();
    json.key(key!("netns")).number(namespace.id.0);
    json.key(key!("name")).string(&namespace.name);
    json.key(key!("source")).string(namespace.source.name());
    json.key(key!("sysctls"));
    sysctls(json, &namespace.sysctls);
    json.key(key!("sockstat")).object();
    namespace.sockstat.iter().for_each(|(gauge, value)| json.foreign_key(gauge.key).optional(value));
    json.end_object();
    json.key(key!("counters"));
    counters(json, &namespace.counters);
    json.end_object();
}

fn sysctls(json: &mut Json<'_>, sysctls: &Sysctls) {
    json.object();
    for (spec, value) in sysctls.iter() {
        json.foreign_key(spec.key);
        match value {
            None => json.null(),
            Some(SysctlValue::Number(number)) => json.number(*number),
            Some(SysctlValue::Numbers(numbers)) => {
                json.array();
                numbers.iter().for_each(|number| json.number(*number));
                json.end_array();
            }
            Some(SysctlValue::Text(text)) => json.string(text),
        }
    }
    json.end_object();
}

fn counters(json: &mut Json<'_>, counters: &Counters) {
    json.object();
    for (group, values) in counters.groups() {
        json.foreign_key(group).object();
        values.iter().for_each(|(name, value)| json.foreign_key(name).number(*value));
        json.end_object();
    }
    json.end_object();
}

fn summary(json: &mut Json<'_>, summary: &Summary, listed: u64) {
    json.object();
    json.key(key!("total")).number(summary.total());
    json.key(key!("listed")).number(listed);
    json.key(key!("by_state")).object();
    for (state, count) in summary.by_state() {
        json.foreign_key(&state.to_string()).number(count);
    }
    json.end_object();
    json.key(key!("by_verdict")).object();
    for (verdict, count) in summary.by_verdict() {
        json.foreign_key(verdict.name()).number(count);
    }
    json.end_object();
    let undecoded = summary.undecoded();
    json.key(key!("undecoded")).object();
    json.key(key!("attributes")).number(undecoded.attributes);
    json.key(key!("malformed_attributes")).number(undecoded.malformed_attributes);
    json.key(key!("states")).number(undecoded.states);
    json.key(key!("timers")).number(undecoded.timers);
    json.end_object();
    json.end_object();
}

/// Text in place of a remedy, if nothing on this host helps.
const NO_REMEDY: &str = "none: the kernel, a security module or another user namespace refuses it";

/// Writes what could not be read, as a value.
pub(crate) fn gaps(json: &mut Json<'_>, gaps: &Gaps) {
    json.array();
    for gap in gaps {
        json.object();
        json.key(key!("what")).string(gap.kind.name());
        json.key(key!("why")).string(&gap.why);
        json.key(key!("count")).number(gap.count);
        json.key(key!("remedy")).string(gap.remedy.phrase().as_deref().unwrap_or(NO_REMEDY));
        json.key(key!("example")).optional_string(gap.example.as_deref());
        json.end_object();
    }
    json.end_array();
}
