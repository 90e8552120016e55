//! The program's output conforms to fixtures/schema/snapshot-1.schema.json, and the schema is as strict as it claims
//! and no older than the tables of `model`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail and report as tests do")]

#[path = "support/schema.rs"]
mod schema_support;

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use schema_support::{Checker, KERNEL, SCHEMA, STAT, assert_valid, assert_valid_line, errors, keys_of, line_errors};
use serde_json::{Map, Value, json};

/// Every kind of socket that a process can make by itself. They live as long as this value.
#[derive(Default)]
struct Sockets {
    listeners: Vec<TcpListener>,
    streams: Vec<TcpStream>,
    rows: Vec<Row>,
}

/// A row that must be in the snapshot.
struct Row {
    local: SocketAddr,
    remote_port: u16,
    states: &'static [&'static str],
}

impl Sockets {
    fn new() -> Self {
        let mut sockets = Self::default();
        sockets.established("127.0.0.1:0").unwrap();
        sockets.half_closed().unwrap();
        sockets.time_wait().unwrap();
        sockets.unaccepted().unwrap();
        for address in ["[::1]:0", "[::ffff:127.0.0.1]:0"] {
            match sockets.established(address) {
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => println!("no {address}: {error}"),
                made => made.unwrap(),
            }
        }
        sockets
    }

    /// A filter for these sockets: to check all sockets of a busy host against the schema would take minutes.
    fn filter(&self) -> String {
        let ports: Vec<_> =
            self.listeners.iter().map(|listener| listener.local_addr().unwrap().port().to_string()).collect();
        format!("sport in {{{0}}} or dport in {{{0}}}", ports.join(", "))
    }

    fn listen(&mut self, address: &str) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address)?;
        let local = listener.local_addr()?;
        self.rows.push(Row { local, remote_port: 0, states: &["listen"] });
        self.listeners.push(listener);
        Ok(local)
    }

    /// A listener with one client; returns the client and the accepted socket.
    fn pair(&mut self, address: &str) -> io::Result<(TcpStream, TcpStream)> {
        let client = TcpStream::connect(self.listen(address)?)?;
        let listener = self.listeners.last().unwrap();
        Ok((client, listener.accept()?.0))
    }

    fn keep(&mut self, stream: TcpStream, states: &'static [&'static str]) -> io::Result<()> {
        let (local, remote_port) = (stream.local_addr()?, stream.peer_addr()?.port());
        self.rows.push(Row { local, remote_port, states });
        self.streams.push(stream);
        Ok(())
    }

    fn established(&mut self, address: &str) -> io::Result<()> {
        let (client, server) = self.pair(address)?;
        self.keep(client, &["established"])?;
        self.keep(server, &["established"])
    }

    /// The client has sent its FIN and the server has read it; the kernel decides when the client gets the ACK.
    fn half_closed(&mut self) -> io::Result<()> {
        let (client, mut server) = self.pair("127.0.0.1:0")?;
        client.shutdown(Shutdown::Write)?;
        assert_eq!(server.read(&mut [0])?, 0);
        self.keep(server, &["close-wait"])?;
        self.keep(client, &["fin-wait-1", "fin-wait-2"])
    }

    /// The client sends its FIN first and has read the server's.
    fn time_wait(&mut self) -> io::Result<()> {
        let (mut client, mut server) = self.pair("127.0.0.1:0")?;
        let (local, remote_port) = (client.local_addr()?, client.peer_addr()?.port());
        client.shutdown(Shutdown::Write)?;
        assert_eq!(server.read(&mut [0])?, 0);
        drop(server);
        assert_eq!(client.read(&mut [0])?, 0);
        self.rows.push(Row { local, remote_port, states: &["time-wait"] });
        Ok(())
    }

    fn unaccepted(&mut self) -> io::Result<()> {
        let address = self.listen("127.0.0.1:0")?;
        self.keep(TcpStream::connect(address)?, &["established"])
    }

    /// Fails unless each socket is among `rows`, so that an empty document does not pass as valid.
    #[track_caller]
    fn assert_among(&self, rows: &[Value], context: &str) {
        for Row { local, remote_port, states } in &self.rows {
            let own = |row: &&Value| is_row(row, *local, *remote_port);
            let found = rows.iter().find(own).unwrap_or_else(|| panic!("no row of {states:?} {local}; {context}"));
            assert!(states.iter().any(|state| found["state"] == *state), "not {states:?}: {found}; {context}");
        }
    }

    /// A row of `rows` that is one of these sockets, of IPv4 and in this state.
    fn row(&self, rows: &[Value], state: &str) -> Value {
        let own = |row: &&Value| {
            (&row["state"], &row["family"]) == (&json!(state), &json!("ipv4"))
                && self.rows.iter().any(|wanted| is_row(row, wanted.local, wanted.remote_port))
        };
        rows.iter().find(own).unwrap_or_else(|| panic!("no row in {state}")).clone()
    }
}

fn is_row(row: &Value, local: SocketAddr, remote_port: u16) -> bool {
    row["local"] == json!({ "addr": local.ip().to_string(), "port": local.port() })
        && row["remote"]["port"] == remote_port
}

/// stdout of the program, which must succeed.
#[track_caller]
fn tcpulse(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tcpulse")).args(["-N", "current"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn rows(document: &Value) -> &[Value] {
    document["connections"].as_array().unwrap()
}

/// A real document with three rows, all IPv4: a listener, an established connection, a TIME-WAIT.
fn small_document() -> Value {
    let sockets = Sockets::new();
    let mut document: Value = serde_json::from_str(&tcpulse(&["--json", &sockets.filter()])).unwrap();
    let few = ["listen", "established", "time-wait"].map(|state| sockets.row(rows(&document), state));
    document["connections"] = json!(few);
    assert_valid(&document);
    document
}

/// JSON pointers of `value` and of everything in it.
fn pointers(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                walk(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| walk(item, &format!("{at}/{index}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

fn with(document: &Value, pointer: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut changed = document.clone();
    change(changed.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")));
    changed
}

/// Pointers to the parts of the schema that name keys. Conditions only refine keys named elsewhere, and are left out.
fn schemas_of_objects(schema: &Value) -> Vec<String> {
    let refines = |pointer: &str| ["/if/", "/then/", "/else/"].iter().any(|condition| pointer.contains(condition));
    let all = pointers(schema).into_iter().filter(|pointer| !refines(pointer));
    all.filter_map(|pointer| Some(pointer.strip_suffix("/properties")?.to_owned())).collect()
}

#[test]
fn the_schema_is_valid_draft_2020_12() {
    for schema in [&*SCHEMA, &STAT, &KERNEL] {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let complaint = jsonschema::draft202012::meta::validate(schema).err().map(|error| error.to_string());
        assert_eq!(complaint, None);
    }
}

#[test]
fn what_the_schemas_share_is_the_same_in_each() {
    for schema in [&*STAT, &KERNEL] {
        let shared = ["origin_members", "host", "namespace", "sysctls", "sockstat", "counters", "gap"];
        for name in shared.into_iter().filter(|name| !schema["$defs"][name].is_null()) {
            assert_eq!(schema["$defs"][name], SCHEMA["$defs"][name], "{name} of {}", schema["$id"]);
        }
    }
}

#[test]
fn every_key_of_the_schema_is_described() {
    for schema in [&*SCHEMA, &STAT, &KERNEL] {
        for object in schemas_of_objects(schema) {
            for (key, value) in schema.pointer(&object).unwrap()["properties"].as_object().unwrap() {
                let described = value["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(described, "{object}: {key} has no description");
            }
        }
    }
}

#[test]
fn every_object_of_the_schema_refuses_keys_it_does_not_name() {
    for object in schemas_of_objects(&SCHEMA) {
        let schema = SCHEMA.pointer(&object).unwrap();
        let closed = schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false;
        // Members are closed by the definition that uses them, a line by its type; the kernel names the counters.
        let open =
            object.ends_with("_members") || ["/$defs/line", "/$defs/counters/properties/Tcp"].contains(&&*object);
        assert_eq!(closed, !open, "{object}");
    }
}

#[test]
fn documents_are_valid_from_every_source() {
    let sockets = Sockets::new();
    let variants: [&[&str]; 4] = [&[], &["--source", "procfs"], &["--no-processes"], &["--sort", "state:desc"]];
    for variant in variants {
        let document: Value =
            serde_json::from_str(&tcpulse(&[&["--json", &sockets.filter()], variant].concat())).unwrap();
        assert_valid(&document);
        sockets.assert_among(rows(&document), &format!("{variant:?}, gaps {}", document["gaps"]));
    }
}

#[test]
fn a_document_of_a_part_of_the_sockets_is_valid() {
    let sockets = Sockets::new();
    let filter = sockets.filter();
    for command in
        [&["ls", "--json", "-l"][..], &["ls", "--json"], &["--json", "-n", "1"], &["--json", "-6", "-n", "0"]]
    {
        let command = [command, &[&filter]].concat();
        assert_valid(&serde_json::from_str(&tcpulse(&command)).unwrap());
    }
}

#[test]
fn lines_of_ndjson_are_valid_from_every_source() {
    let sockets = Sockets::new();
    for source in [&[][..], &["--source", "procfs"]] {
        let output = tcpulse(&[&["--format", "ndjson", &sockets.filter()], source].concat());
        let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.iter().for_each(assert_valid_line);
        let [head, rows @ .., tail] = lines.as_slice() else { panic!("{} lines", lines.len()) };
        assert_eq!((&head["type"], &tail["type"]), (&json!("snapshot"), &json!("summary")));
        assert!(rows.iter().all(|row| row["type"] == "connection"));
        sockets.assert_among(rows, &format!("{source:?}, gaps {}", tail["gaps"]));
    }
}

/// stdout of a command as lines of JSON.
fn json_lines(arguments: &[&str]) -> Vec<Value> {
    tcpulse(arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn counts_and_kernel_values_are_valid_as_documents_and_as_lines() {
    let _sockets = Sockets::new();
    let (stat_schema, kernel_schema) = (Checker::new(&STAT), Checker::new(&KERNEL));
    let stat = ["state", "process,state", "peer-addr,local-port", "pid", "bound,verdict"];
    let commands = stat.into_iter().map(|by| (&stat_schema, vec!["stat", "--by", by])).chain([
        (&stat_schema, vec!["stat", "-n", "0"]),
        (&kernel_schema, vec!["kernel"]),
        (&kernel_schema, vec!["kernel", "-a"]),
    ]);
    for (schema, command) in commands {
        let document: Value = serde_json::from_str(&tcpulse(&[&command[..], &["--json"]].concat())).unwrap();
        assert_eq!(schema.errors(&document), [""; 0], "{command:?}");
        let lines = json_lines(&[&command[..], &["--format", "ndjson"]].concat());
        for line in &lines {
            assert_eq!(schema.line_errors(line), [""; 0], "{command:?}");
        }
        assert_eq!((&lines[0]["type"], &lines[lines.len() - 1]["type"]), (&document["type"], &json!("summary")));
        // A schema that accepts anything would check nothing.
        let surplus = with(&document, "", |document| document["surplus"] = json!(0));
        assert!(!schema.errors(&surplus).is_empty(), "{command:?}");
        for key in document.as_object().unwrap().keys() {
            let missing = with(&document, "", |document| drop(document.as_object_mut().unwrap().remove(key)));
            assert!(!schema.errors(&missing).is_empty(), "{command:?} without {key}");
        }
    }
}

#[test]
fn every_line_says_when_and_on_which_host_and_a_row_also_in_which_namespace() {
    let _sockets = Sockets::new();
    for command in [&["ls", "-a"][..], &["ls", "-a", "-s", "local"], &["stat", "--by", "process"], &["kernel"]] {
        let lines = json_lines(&[command, &["--format", "ndjson"]].concat());
        let (taken_at, hostname) = (&lines[0]["taken_at"], &lines[0]["host"]["hostname"]);
        assert!(lines.len() > 1 && taken_at.is_string() && hostname.is_string());
        for line in &lines {
            assert_eq!((&line["taken_at"], &line["hostname"]), (taken_at, hostname), "{line}");
            let is_row = line["type"] == "connection";
            assert!(!is_row || line["netns_name"] == lines[0]["namespaces"][0]["name"], "{line}");
        }
    }
    // In a single object, these are only at its head.
    let document: Value = serde_json::from_str(&tcpulse(&["--json"])).unwrap();
    assert!(rows(&document)[0].get("taken_at").is_none() && document.get("hostname").is_none());
}

#[test]
fn only_details_of_one_algorithm_or_protocol_may_be_left_out() {
    let definitions = SCHEMA["$defs"].as_object().unwrap();
    let with_keys = definitions.iter().filter(|(_, definition)| definition["properties"].is_object());
    for (name, _) in with_keys {
        let optional: &[&str] = match name.as_str() {
            "congestion" => &["bbr", "dctcp", "vegas"],
            "ulp" => &["mptcp", "tls"],
            _ => &[],
        };
        keys_of(name, optional);
    }
}

#[test]
fn a_missing_a_renamed_and_a_surplus_key_are_noticed_wherever_they_are() {
    let document = small_document();
    let optional = |pointer: &str, key: &str| match pointer.rsplit('/').next() {
        Some("congestion") => key != "algorithm",
        Some("ulp") => key != "name",
        _ => false,
    };
    let mut unnoticed = Vec::new();
    // The kernel names the counters, so any name is valid there.
    for at in pointers(&document).iter().filter(|at| !at.contains("/counters/")) {
        let Some(members) = document.pointer(at).and_then(Value::as_object) else { continue };
        let mut expect = |what: String, change: &dyn Fn(&mut Map<String, Value>)| {
            let changed = with(&document, at, |object| change(object.as_object_mut().unwrap()));
            if errors(&changed).is_empty() {
                unnoticed.push(format!("{at}: {what}"));
            }
        };
        expect("a surplus key".to_owned(), &|object| drop(object.insert("surplus".to_owned(), json!(0))));
        for key in members.keys() {
            if !optional(at, key) {
                expect(format!("{key} is missing"), &|object| drop(object.remove(key)));
            }
            expect(format!("{key} is called {key}x"), &|object| {
                let value = object.remove(key).unwrap();
                object.insert(format!("{key}x"), value);
            });
        }
    }
    assert_eq!(unnoticed, [""; 0]);
}

#[test]
fn a_value_of_another_type_is_noticed_wherever_it_is() {
    let document = small_document();
    let retype = |value: &mut Value| {
        *value = match value {
            Value::Null => json!({ "surplus": 0 }),
            Value::Bool(_) => json!(1),
            Value::Number(number) => json!(number.to_string()),
            Value::String(_) => json!(7),
            Value::Array(_) => json!({}),
            Value::Object(_) => json!([]),
        }
    };
    let all = pointers(&document);
    let unnoticed: Vec<_> = all.iter().filter(|at| errors(&with(&document, at, retype)).is_empty()).collect();
    assert_eq!(unnoticed, [""; 0]);
}

#[test]
fn values_beyond_the_closed_words_and_patterns_are_noticed() {
    let document = small_document();
    let refused = |pointer: &str, value: Value| {
        assert!(!errors(&with(&document, pointer, |place| *place = value.clone())).is_empty(), "{pointer} {value}");
    };
    refused("/schema", json!(2));
    refused("/taken_at", json!("2026-11-20T12:00:00Z"));
    refused("/taken_at", json!("2026-11-20T12:00:00.123+00:00"));
    refused("/taken_at", json!("2026-13-20T12:00:00.123Z"));
    refused("/elapsed_ms", json!(-0.1));
    refused("/namespaces/0/source", json!("netlink"));
    refused("/connections/1/state", json!("ESTAB"));
    refused("/connections/1/state", json!("unknown-"));
    refused("/connections/1/family", json!("inet"));
    refused("/connections/1/cookie", json!("1A2B"));
    refused("/connections/1/cookie", json!("0x1"));
    refused("/connections/1/cookie", json!("00000000000000001"));
    refused("/connections/1/holder", json!("nobody"));
    refused("/connections/1/inode", json!(-1));
    refused("/connections/1/local/port", json!(65_536));
    refused("/connections/1/local/addr", json!("localhost"));
    refused("/connections/1/timer/kind", json!("on"));
    refused("/connections/1/liveness/verdict", json!("dead"));
    refused("/connections/1/liveness/bound", json!("about"));
    refused("/connections/1/keepalive/source", json!("guess"));
    refused("/connections/1/netns", json!(4_026_531_840.5));
    refused("/summary/by_state/established", Value::Null);
}

#[test]
fn numbers_that_a_later_kernel_brings_are_accepted() {
    let document = small_document();
    let accepted = |pointer: &str, value: Value| assert_valid(&with(&document, pointer, |place| *place = value));
    accepted("/connections/1/state", json!("unknown-14"));
    accepted("/connections/1/timer", json!({ "kind": "unknown-7", "expires_ms": 40, "count": 0 }));
    accepted("/namespaces/0/counters/TcpExt", json!({ "TCPTomorrow": 1 }));
    assert_valid(&with(&document, "/summary/by_state", |states| states["unknown-14"] = json!(1)));
}

#[test]
fn keys_that_contradict_each_other_are_noticed() {
    let document = small_document();
    let [listener, connection] = ["/connections/0", "/connections/1"];
    let refused = |pointer: &str, change: &dyn Fn(&mut Value)| {
        assert!(!errors(&with(&document, pointer, change)).is_empty());
    };
    refused(listener, &|row| row["state"] = json!("established"));
    refused(connection, &|row| row["state"] = json!("listen"));
    refused(listener, &|row| row["recv_queue_bytes"] = json!(0));
    refused(connection, &|row| row["accept_queue"] = json!(0));
    refused(connection, &|row| row["family"] = json!("ipv6"));
    refused(connection, &|row| row["owners"] = if row["owners"].is_null() { json!([]) } else { Value::Null });
    refused(connection, &|row| {
        row["liveness"]["bound"] = json!("never");
        row["liveness"]["dead_in_ms"] = json!(1);
    });
    refused(listener, &|row| row["liveness"]["bound"] = json!("exact"));
    refused(connection, &|row| row["timer"] = json!({ "kind": "off", "expires_ms": 0, "count": 0 }));
    refused(connection, &|row| row["timer"] = json!({ "kind": "keepalive", "expires_ms": null, "count": null }));
}

#[test]
fn a_wrong_line_of_ndjson_is_noticed() {
    let document = small_document();
    let line = with(&document["connections"][1], "", |row| {
        row["type"] = json!("connection");
        row["taken_at"] = document["taken_at"].clone();
        row["hostname"] = document["host"]["hostname"].clone();
        row["netns_name"] = document["namespaces"][0]["name"].clone();
    });
    assert_valid_line(&line);
    let refused = |change: &dyn Fn(&mut Value)| assert!(!line_errors(&with(&line, "", change)).is_empty());
    refused(&|line| drop(line.as_object_mut().unwrap().remove("type")));
    refused(&|line| drop(line.as_object_mut().unwrap().remove("state")));
    refused(&|line| drop(line.as_object_mut().unwrap().remove("netns_name")));
    refused(&|line| line["taken_at"] = json!("yesterday"));
    refused(&|line| line["type"] = json!("summary"));
    refused(&|line| line["type"] = json!("row"));
    refused(&|line| line["surplus"] = json!(0));
    refused(&|line| line["uid"] = json!("root"));
}
