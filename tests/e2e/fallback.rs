//! Without sock_diag: what /proc/net/tcp reports matches sock_diag.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{Run, command_in, tcpulse_in};
use crate::support::seccomp::refuse_sock_diag;
use crate::support::wait::until;
use crate::support::zoo::Zoo;

/// Fields that both sources have, by a key that identifies a row in both.
fn shared(document: &Value) -> BTreeMap<String, Value> {
    let rows = document["connections"].as_array().unwrap().iter().filter(|row| row["state"] != "bound-inactive");
    rows.map(|row| {
        let key = format!("{} {} {} {} {}", row["family"], row["state"], row["local"], row["remote"], row["inode"]);
        (key, row.clone())
    })
    .collect()
}

#[test]
fn proc_net_tcp_and_sock_diag_agree_on_every_state() {
    if !is_root("proc_net_tcp_and_sock_diag_agree_on_every_state") {
        return;
    }
    let zoo = Zoo::new();
    zoo.settle();
    for user in [User::Root, User::Nobody] {
        let read = |source| tcpulse_in(&zoo.netns, user, &["--json", "-q", "-N", "current", "--source", source]).json();
        let queues = |document: &Value| -> Vec<Value> {
            let rows = shared(document);
            rows.values()
                .map(|row| Value::from(vec![row["recv_queue_bytes"].clone(), row["send_queue_bytes"].clone()]))
                .collect()
        };
        // A timer that was rearmed in between is another timer.
        let have_run_down = |diag: &Value, procfs: &Value| {
            let expires = |row: &Value| row["timer"]["expires_ms"].as_i64().unwrap_or(0);
            let later = shared(procfs);
            shared(diag).iter().all(|(key, row)| later.get(key).is_none_or(|then| expires(then) <= expires(row) + 20))
        };
        // While connections still change, the two sources show different moments.
        let (diag, procfs) = until("nothing moves between three looks", Duration::from_secs(10), || {
            let (before, procfs, after) = (read("sock_diag"), read("procfs"), read("sock_diag"));
            (queues(&before) == queues(&after) && have_run_down(&before, &procfs)).then_some((before, procfs))
        });
        assert_eq!(diag["namespaces"][0]["source"], "sock_diag");
        assert_eq!(procfs["namespaces"][0]["source"], "procfs");
        let (diag, procfs) = (shared(&diag), shared(&procfs));
        assert_eq!(diag.keys().collect::<Vec<_>>(), procfs.keys().collect::<Vec<_>>());
        for (key, row) in &diag {
            compare(row, &procfs[key]);
        }
    }
}

fn compare(diag: &Value, procfs: &Value) {
    let context = format!("\n{diag}\n{procfs}");
    for key in ["uid", "user", "holder", "owners", "accept_queue", "recv_queue_bytes", "send_queue_bytes"] {
        assert_eq!(diag.get(key), procfs.get(key), "{key} {context}");
    }
    for key in ["cookie", "tcp_info", "memory", "congestion", "shutdown", "cgroup", "mark", "accept_queue_max"] {
        assert!(procfs.get(key).is_none_or(Value::is_null), "{key} {context}");
    }
    assert_eq!(diag["timer"]["kind"], procfs["timer"]["kind"], "{context}");
    // If the timer fired in between, the two snapshots saw different timers.
    if diag["timer"]["count"] == procfs["timer"]["count"] && !diag["timer"]["expires_ms"].is_null() {
        let [first, then] = [diag, procfs].map(|row| row["timer"]["expires_ms"].as_i64().unwrap());
        assert!((-20..=2000).contains(&(first - then)), "{context}");
    }
}

fn refused(netns: &Netns, arguments: &[&str]) -> Run {
    let mut command = command_in(netns, User::Root);
    refuse_sock_diag(&mut command);
    command.args(arguments).output().unwrap().into()
}

#[test]
fn where_sock_diag_is_refused_rows_come_from_proc_and_one_gap_says_why() {
    if !is_root("where_sock_diag_is_refused_rows_come_from_proc_and_one_gap_says_why") {
        return;
    }
    let zoo = Zoo::new();
    zoo.settle();
    let run = refused(&zoo.netns, &["--json", "-N", "current"]);
    let document = run.json();
    assert_eq!(document["namespaces"][0]["source"], "procfs");
    let gaps = document["gaps"].as_array().unwrap();
    let details: Vec<_> = gaps.iter().filter(|gap| gap["what"] == "socket details").collect();
    assert_eq!(details.len(), 1, "{gaps:?}");
    assert!(details[0]["why"].as_str().unwrap().contains("Permission denied"), "{gaps:?}");
    assert!(run.stderr.contains("seccomp"), "{}", run.stderr);
    assert!(document["connections"].as_array().unwrap().len() > 30);

    let table = refused(&zoo.netns, &["ls", "-N", "current"]);
    assert!(table.stdout.contains("close-wait"), "{}", table.stdout);
    assert_eq!(refused(&zoo.netns, &["ls", "-N", "current", "--strict"]).code, Some(4));
    let stat = refused(&zoo.netns, &["stat", "-q", "-N", "current"]);
    assert!(stat.stdout.contains("last-ack") && stat.stderr.is_empty(), "{} {}", stat.stdout, stat.stderr);
    assert_eq!(refused(&zoo.netns, &["kernel", "-N", "current"]).code, Some(0));

    let forced = refused(&zoo.netns, &["ls", "-N", "current", "--source", "sock_diag"]);
    assert_eq!((forced.code, forced.stdout.as_str()), (Some(1), ""));
    assert!(forced.stderr.contains("--source procfs"), "{}", forced.stderr);
}
