//! The JSON snapshot and its line-by-line form (docs/json.md).

use super::connection::Connections;
use super::json::Json;
use super::list::Encoder;
use super::wire::{self, Members, Origin, WireHead, WireTail, first_line, later_line, write_line};
use crate::model::address::NetnsId;
use crate::model::namespace::Namespace;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Tail};

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
        wire::open(out, &WireHead::of(head));
        out.extend_from_slice(b",\"connections\":[");
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
        wire::close(out, &WireTail::of(tail, listed));
        out.push(b'\n');
    }
}

/// One object per line, each with its `type` and with members that identify its snapshot and host.
#[derive(Debug, Default)]
pub(crate) struct NdjsonSnapshot {
    connections: Connections,
    origin: Origin,
    /// A namespace, and the beginning of its lines: rows are grouped by namespace
    rows: (Option<NetnsId>, Vec<u8>),
}

impl NdjsonSnapshot {
    /// Sets the beginning of the lines of a namespace.
    fn begin(&mut self, namespace: &Namespace) {
        let (last, begun) = &mut self.rows;
        if last.replace(namespace.id) != Some(namespace.id) {
            begun.clear();
            let members = Members(vec![("netns_name", &namespace.name)]);
            wire::open(begun, &later_line("connection", &self.origin, members));
        }
    }
}

impl Encoder for NdjsonSnapshot {
    fn head(&mut self, head: &Head, out: &mut Vec<u8>) {
        self.origin = Origin::of(head);
        self.rows.0 = None;
        write_line(out, &first_line("snapshot", head, WireHead::of(head)));
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
        write_line(out, &later_line("summary", &self.origin, WireTail::of(tail, listed)));
    }
}
