//! Keepalive of real sockets: table, CSV, JSON and filters show and compare the same values, for root and for nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::socket::SockaddrStorage;
use serde_json::Value;

use crate::support::is_root;
use crate::support::link::{keepalive, set_options};
use crate::support::netns::{Netns, User};
use crate::support::program::tcpulse_in;
use crate::support::sockets::{fill, socket};
use crate::support::wait::until;

/// Connections whose clients differ in keepalive. Their servers have the kernel's default: off.
struct Clients {
    netns: Netns,
    off: TcpStream,
    off_with_values: TcpStream,
    /// Its window probes hide the keepalive timer
    off_and_full: TcpStream,
    on: TcpStream,
    on_with_values: TcpStream,
    _servers: Vec<TcpStream>,
    listener: TcpListener,
}

impl Clients {
    fn new() -> Self {
        let netns = Netns::new();
        let listener = netns.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
        let mut servers = Vec::new();
        // Set before connect(), so that the timer starts with the connection, to the millisecond.
        let mut client = |options: &[(i32, i32, i32)]| {
            let client = netns.run(|| socket(libc::AF_INET, libc::IPPROTO_TCP, 0));
            set_options(&client, options);
            let address = SockaddrStorage::from(listener.local_addr().unwrap());
            nix::sys::socket::connect(client.as_raw_fd(), &address).unwrap();
            servers.push(listener.accept().unwrap().0);
            TcpStream::from(client)
        };
        let (off, off_and_full) = (client(&[]), client(&[]));
        fill(&off_and_full);
        let off_with_values = client(&[(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, 123)]);
        let on = client(&[(libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)]);
        let on_with_values = client(&keepalive(3000, 10, 6));
        Self { off, off_with_values, off_and_full, on, on_with_values, _servers: servers, listener, netns }
    }

    fn ports(&self, client: &TcpStream) -> (u16, u16) {
        (client.local_addr().unwrap().port(), self.listener.local_addr().unwrap().port())
    }

    fn run(&self, user: User, arguments: &[&str]) -> String {
        let usual = ["ls", "-a", "-q", "-N", "current", "--no-header"];
        let run = tcpulse_in(&self.netns, user, &[&usual, arguments].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    }
}

/// Keepalive, idle time, interval, probes and source as in CSV, by the row's two ports.
type Shown = BTreeMap<(u16, u16), [String; 5]>;

const COLUMNS: &str = "local-port,peer-port,keepalive,keepidle,keepintvl,keepcnt,keepalive-source";
const FIELDS: [(&str, &str); 3] = [("keepidle", "s"), ("keepintvl", "s"), ("keepcnt", "")];

fn shown(cells: impl Iterator<Item = Vec<String>>) -> Shown {
    cells
        .map(|cells| {
            let [local, peer, rest @ ..] = cells.as_slice() else { panic!("{cells:?}") };
            // A listener has no peer.
            let ports = [local, peer].map(|text| text.parse().unwrap_or(0));
            (ports.into(), rest.to_vec().try_into().unwrap())
        })
        .collect()
}

fn by_csv(clients: &Clients, user: User, filter: &str) -> Shown {
    let csv = clients.run(user, &["--format", "csv", "-o", COLUMNS, filter]);
    shown(csv.lines().map(|line| line.split(',').map(str::to_owned).collect()))
}

fn by_table(clients: &Clients, user: User) -> Shown {
    let table = clients.run(user, &["-o", COLUMNS]);
    shown(table.lines().map(|line| {
        // Strip units and dashes, to match CSV.
        let plain = |(index, cell): (usize, &str)| match (index, cell) {
            (_, "—") => String::new(),
            (3..5, cell) => cell.trim_end_matches('s').to_owned(),
            (_, cell) => cell.to_owned(),
        };
        line.split_whitespace().enumerate().map(plain).collect()
    }))
}

fn by_json(clients: &Clients, user: User) -> Shown {
    let document: Value = serde_json::from_str(&clients.run(user, &["--json"])).unwrap();
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    shown(document["connections"].as_array().unwrap().iter().map(|row| {
        let known = &row["keepalive"];
        let [idle, interval, probes] = ["idle_s", "interval_s", "probes"].map(|key| text(&known[key]));
        let part = |value: &str, unit| if value.is_empty() { "?".to_owned() } else { format!("{value}{unit}") };
        let cell = match known["enabled"].as_bool() {
            None => String::new(),
            Some(false) => "off".to_owned(),
            Some(true) if idle.is_empty() && interval.is_empty() && probes.is_empty() => "on?".to_owned(),
            Some(true) => {
                let sign = if known["source"] == "sysctl" { "~" } else { "" };
                format!("{sign}{}/{}/{}", part(&idle, "s"), part(&interval, "s"), part(&probes, ""))
            }
        };
        let [local, peer] = ["local", "remote"].map(|end| row[end]["port"].to_string());
        vec![local, peer, cell, idle, interval, probes, text(&known["source"])]
    }))
}

/// Checks for each filter which rows must match and which must not, according to the cells.
fn assert_filtered(clients: &Clients, user: User, all: &Shown) {
    let listed = |filter: &str| by_csv(clients, user, filter).into_keys().collect::<BTreeSet<_>>();
    let wanted = |is: &dyn Fn(&[String; 5]) -> bool| {
        all.iter().filter(|(_, cells)| is(cells)).map(|(ports, _)| *ports).collect::<BTreeSet<_>>()
    };
    for (index, (name, unit)) in FIELDS.into_iter().enumerate() {
        let values: BTreeSet<_> = all.values().map(|cells| cells[index + 1].clone()).collect();
        for value in values.iter().filter(|value| !value.is_empty()) {
            let filter = format!("{name} = {value}{unit}");
            assert_eq!(listed(&filter), wanted(&|cells| cells[index + 1] == *value), "{filter} for {user:?}");
        }
        let is_known = |cells: &[String; 5]| !cells[index + 1].is_empty();
        assert_eq!(listed(&format!("{name} > 0{unit}")), wanted(&is_known), "{name} for {user:?}");
        assert_eq!(listed(&format!("{name} = none")), wanted(&|cells| !is_known(cells)), "{name} for {user:?}");
    }
    let is_on = |cells: &[String; 5]| !["", "off"].contains(&cells[0].as_str());
    assert_eq!(listed("keepalive = on"), wanted(&is_on), "{user:?}");
    assert_eq!(listed("keepalive = off"), wanted(&|cells| cells[0] == "off"), "{user:?}");
    assert_eq!(listed("keepalive = unknown"), wanted(&|cells| cells[0].is_empty()), "{user:?}");
}

#[test]
fn table_csv_json_and_filters_agree_on_every_value_of_keepalive() {
    if !is_root("table_csv_json_and_filters_agree_on_every_value_of_keepalive") {
        return;
    }
    let clients = Clients::new();
    for user in [User::Root, User::Nobody] {
        // For nobody, what is inferred from timers changes over the seconds.
        let all = until("nothing changes between four looks", Duration::from_secs(20), || {
            let looks = [
                by_csv(&clients, user, ""),
                by_table(&clients, user),
                by_json(&clients, user),
                by_csv(&clients, user, ""),
            ];
            let told = &looks[0][&clients.ports(&clients.on_with_values)][0];
            (looks[0] == looks[3] && (user == User::Root || told == "on?")).then_some(looks)
        });
        assert_eq!(all[0], all[1], "CSV and table for {user:?}");
        assert_eq!(all[0], all[2], "CSV and JSON for {user:?}");
        assert_filtered(&clients, user, &all[0]);
        let of = |client: &TcpStream| all[0][&clients.ports(client)].each_ref().map(String::as_str);
        if user == User::Root {
            assert_eq!(of(&clients.off), ["off", "7200", "75", "9", "socket"]);
            assert_eq!(of(&clients.off_with_values), ["off", "123", "75", "9", "socket"]);
            assert_eq!(of(&clients.off_and_full), ["off", "7200", "75", "9", "socket"]);
            assert_eq!(of(&clients.on), ["7200s/75s/9", "7200", "75", "9", "socket"]);
            assert_eq!(of(&clients.on_with_values), ["3000s/10s/6", "3000", "10", "6", "socket"]);
        } else {
            assert_eq!(of(&clients.off), ["off", "", "", "", "inferred"]);
            assert_eq!(of(&clients.off_with_values), ["off", "", "", "", "inferred"]);
            assert_eq!(of(&clients.off_and_full), ["", "", "", "", ""]);
            assert_eq!(of(&clients.on), ["7200s/?/?", "7200", "", "", "inferred"]);
            assert_eq!(of(&clients.on_with_values), ["on?", "", "", "", "inferred"]);
        }
    }
}
