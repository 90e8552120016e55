//! Least privilege: each feature with exactly the capabilities that docs/rights.md names, and with each of them missing;
//! and what the program gives up itself.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::host::{Host, Rights, can_set_capabilities};
use crate::support::is_root;
use crate::support::link::{keepalive, set_options};
use crate::support::netns::{Netns, User};
use crate::support::processes::Sleeper;
use crate::support::program::{Run, command_in};
use crate::support::sockets::{connection, set_option};
use crate::support::wait::until;

/// Every capability that the program can use.
const ALL: [&str; 4] = ["CAP_DAC_READ_SEARCH", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE"];
const TABLE: &str = include_str!("../../docs/rights.md");

/// A connection of root with a mark, in a namespace; another namespace, which a process of root holds.
struct Scene {
    netns: Netns,
    host: Host,
    port: u16,
    away: Sleeper,
    _journal: UnixDatagram,
}

impl Scene {
    /// Runs tcpulse as nobody, with these capabilities from its file.
    fn run(&self, capabilities: &'static str, arguments: &[&str]) -> Run {
        let rights = if capabilities.is_empty() { Rights::Nobody } else { Rights::Capabilities(capabilities) };
        let mut command = self.host.command(&self.netns, rights);
        command.args(arguments).output().unwrap().into()
    }

    fn row(&self, capabilities: &'static str) -> Value {
        let filter = format!("sport = :{}", self.port);
        self.run(capabilities, &["--json", "-q", "-N", "current", &filter]).json()["connections"][0].clone()
    }

    /// Whether the feature, by its name in the table, works with these capabilities.
    fn works(&self, feature: &str, with: &'static str) -> bool {
        let port = format!("sport = :{}", self.port);
        match feature {
            "connections, states, timers, counters" => self.row(with)["timer"]["kind"].is_string(),
            "processes of other users" => self.row(with)["owners"][0]["pid"].is_u64(),
            "options of their sockets" => self.row(with)["keepalive"]["source"] == "socket",
            "marks" => !self.run(with, &["ls", "-q", "--no-header", "-N", "current", "fwmark = 7"]).stdout.is_empty(),
            "other network namespaces" => {
                let run = self.run(with, &["stat", "-q", "-N", &self.away.pid().to_string()]);
                run.code == Some(0)
            }
            "set, on sockets of other users" => {
                let arguments = ["set", "idle=77s", &port, "-N", "current", "-q", "--yes", "--include-self"];
                self.run(with, &arguments).code == Some(0)
            }
            "kill" => {
                let arguments = ["kill", &port, "--dry-run", "-N", "current", "-q", "--include-self"];
                self.run(with, &arguments).code == Some(0) && self.destroys(with)
            }
            other => panic!("docs/rights.md has a feature that is not tested: {other}"),
        }
    }

    /// Whether a connection of its own is destroyed.
    fn destroys(&self, with: &'static str) -> bool {
        let (_listener, client, _server) = connection(&self.netns, "127.0.0.1:0");
        let port = format!("sport = :{}", client.local_addr().unwrap().port());
        self.run(with, &["kill", &port, "-N", "current", "-q", "--yes", "--include-self"]).code == Some(0)
    }
}

/// Features and the capabilities that each needs, as the table has them: `| feature | command | capabilities | without |`.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let begin = TABLE.lines().skip_while(|line| !line.starts_with("| feature")).skip(2);
    begin
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let needs = ALL.into_iter().filter(|capability| cells[2].contains(capability)).collect();
            (cells[0], needs)
        })
        .collect()
}

fn joined(capabilities: impl Iterator<Item = &'static str>) -> &'static str {
    let list: Vec<_> = capabilities.map(str::to_lowercase).collect();
    Box::leak(list.join(",").into_boxed_str())
}

#[test]
fn each_feature_needs_the_capabilities_of_the_table_and_no_others() {
    const TEST: &str = "each_feature_needs_the_capabilities_of_the_table_and_no_others";
    if !is_root(TEST) || !can_set_capabilities(TEST) {
        return;
    }
    let (netns, host) = (Netns::new(), Host::new());
    let journal = UnixDatagram::bind(host.log()).unwrap();
    std::fs::set_permissions(host.log(), std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    journal.set_nonblocking(true).unwrap();
    host.policy("allow-secure-set = true\nallow-secure-kill = true\n");
    let (_listener, client, _server) = connection(&netns, "127.0.0.1:0");
    set_options(&client, &keepalive(60, 10, 6));
    set_option(&client, libc::SOL_SOCKET, libc::SO_MARK, 7);
    let away = Sleeper::holding(&Netns::new(), &[]);
    let scene = Scene { netns, host, port: client.local_addr().unwrap().port(), away, _journal: journal };
    let rows = rows();
    assert_eq!(rows.len(), 7);
    for (feature, needs) in rows {
        assert!(scene.works(feature, joined(needs.iter().copied())), "{feature} with {needs:?} alone");
        for missing in &needs {
            let rest = joined(ALL.into_iter().filter(|capability| capability != missing));
            assert!(!scene.works(feature, rest), "{feature} without {missing}");
        }
    }
}

/// A line of /proc/PID/status.
fn status(pid: u32, name: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().to_owned()
}

#[test]
fn a_command_keeps_only_what_it_needs() {
    const TEST: &str = "a_command_keeps_only_what_it_needs";
    /// CAP_DAC_READ_SEARCH 2, CAP_NET_ADMIN 12, CAP_SYS_PTRACE 19, CAP_SYS_ADMIN 21
    const KEPT: u64 = 1 << 2 | 1 << 12 | 1 << 19 | 1 << 21;
    if !is_root(TEST) {
        return;
    }
    let netns = Netns::new();
    let mut command = command_in(&netns, User::Root);
    command.args(["ls", "-q", "-N", "current", "--format", "ndjson", "-w", "5"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let pid = child.id();
    until("system calls are filtered", Duration::from_secs(20), || (status(pid, "Seccomp") == "2").then_some(()));
    assert_eq!(status(pid, "NoNewPrivs"), "1");
    for set in ["CapEff", "CapPrm", "CapInh"] {
        let held = u64::from_str_radix(&status(pid, set), 16).unwrap();
        assert_eq!(held & !KEPT, 0, "{set} {held:x}");
    }
    // What is not dumpable belongs to root, and its memory is read by root alone.
    let nobody = netns.command("test", User::Nobody).args(["-r", &format!("/proc/{pid}/environ")]).status().unwrap();
    assert!(!nobody.success());
    child.kill().unwrap();
    child.wait().unwrap();
}
