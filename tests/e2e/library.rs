//! The library's examples, built with the tests and run as a user would.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::is_root;
use crate::support::netns::{Netns, User};
use crate::support::program::{TCPULSE, tcpulse_in};
use crate::support::sockets::connection;
use crate::support::wait::until;

const PATIENCE: Duration = Duration::from_secs(30);

/// Builds an example: cargo does not build examples for these tests alone.
fn example(name: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    let is_release = PathBuf::from(TCPULSE).parent().is_some_and(|directory| directory.ends_with("release"));
    cargo.args(["build", "--quiet", "--example", name]).args(is_release.then_some("--release"));
    assert!(cargo.status().unwrap().success());
    PathBuf::from(TCPULSE).with_file_name("examples").join(name)
}

fn run(netns: &Netns, name: &str, arguments: &[&str]) -> Command {
    let mut command = netns.command(example(name).to_str().unwrap(), User::Root);
    command.args(arguments);
    command
}

#[test]
fn the_example_that_counts_counts_as_stat_does() {
    if !is_root("the_example_that_counts_counts_as_stat_does") {
        return;
    }
    let netns = Netns::new();
    let _sockets = connection(&netns, "127.0.0.1:0");
    let output = run(&netns, "count", &[]).output().unwrap();
    let counted = String::from_utf8(output.stdout).unwrap();
    let stat = tcpulse_in(&netns, User::Root, &["stat", "-q", "-N", "current", "--no-header", "-a"]).stdout;
    for line in counted.lines() {
        let (state, count) = line.split_once(' ').unwrap();
        let same = stat.lines().any(|line| line.split_whitespace().eq([state, count]));
        assert!(same, "{line}: {stat}");
    }
    assert!(counted.contains("established 2") && counted.contains("listen 1"), "{counted}");
}

#[test]
fn the_example_that_watches_prints_what_opens_and_closes() {
    if !is_root("the_example_that_watches_prints_what_opens_and_closes") {
        return;
    }
    let netns = Netns::new();
    let mut watch = run(&netns, "watch", &[]).stdout(Stdio::piped()).spawn().unwrap();
    let (out, told) = channel();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| out.send(line)));
    let mut sockets = Vec::new();
    // Sockets in the first snapshot are no change, so open more until an opening is reported.
    let opened = until("an opening was told", PATIENCE, || {
        sockets.push(connection(&netns, "127.0.0.1:0"));
        told.recv_timeout(Duration::from_millis(500)).ok().filter(|line| line.starts_with("opened"))
    });
    drop(sockets);
    let closed = until("a close was told", PATIENCE, || told.try_iter().find(|line| line.starts_with("closed")));
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert!(opened.contains("127.0.0.1") && opened.contains("by Processes"), "{opened}");
    assert!(closed.contains("127.0.0.1"), "{closed}");
}
