//! README's transcripts match the program's output: each command runs on a small host, and the output is compared by
//! its shape, the text without numbers, addresses and times.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::is_root;
use crate::support::link::{Link, keepalive, set_options};
use crate::support::netns::User;
use crate::support::processes::Sleeper;
use crate::support::program::{TCPULSE, tcpulse_in};
use crate::support::skip::skip;
use crate::support::sockets::{connect_unanswered, listener};
use crate::support::wait::until;

/// A host with a program whose peer has vanished.
struct Host {
    link: Link,
    /// Owners of the sockets, and connections that fill an accept queue
    _held: (Vec<Sleeper>, Vec<TcpStream>),
    directory: PathBuf,
}

impl Host {
    fn new() -> Self {
        let link = Link::new(&[]);
        let backend = link.peer.run(|| TcpListener::bind("198.18.0.2:5432").unwrap());
        let connect = || link.ours.run(|| TcpStream::connect("198.18.0.2:5432").unwrap());
        let mut peers = Vec::new();
        let mut ours: Vec<TcpStream> = (0..5)
            .map(|_| {
                let client = connect();
                peers.push(backend.accept().unwrap().0);
                client
            })
            .collect();
        for (client, options) in
            ours.iter().zip([keepalive(1, 10, 6), keepalive(60, 10, 6), keepalive(7200, 75, 9), Vec::new(), Vec::new()])
        {
            set_options(client, &options);
        }
        // The peer closes one; our program does not.
        let leaked = connect();
        drop(backend.accept().unwrap().0);
        ours.push(leaked);
        let web = link.ours.run(|| listener("198.18.0.1:8080".parse().unwrap(), 2));
        let waiting = link.peer.run(|| (0..6).map(|_| connect_unanswered(web.local_addr().unwrap())).collect());
        let idle = link.ours.run(|| listener("127.0.0.1:5432".parse().unwrap(), 4));
        until("the queue overflows", Duration::from_secs(10), || {
            let arguments = ["ls", "-l", "-N", "current", "-q", "--no-header", "-o", "drops", "drops > 0"];
            tcpulse_in(&link.ours, User::Root, &arguments).stdout.contains(char::is_numeric).then_some(())
        });
        link.black_hole();
        ours[4].write_all(b"a question").unwrap();
        let sockets: Vec<&dyn std::os::fd::AsRawFd> = ours.iter().map(|socket| socket as _).collect();
        let sleepers = vec![Sleeper::named(b"app", &sockets), Sleeper::named(b"web", &[&web, &idle])];
        let directory = std::env::temp_dir().join(format!("tcpulse-readme-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let host = Self { link, _held: (sleepers, waiting), directory };
        host.provide();
        drop((ours, web, idle, peers, backend));
        host.settle();
        host
    }

    /// Puts a `tcpulse` on PATH that shows only this host.
    fn provide(&self) {
        let script = format!("#!/bin/sh\nexec '{TCPULSE}' \"$@\" -N current -q\n");
        let path = self.directory.join("tcpulse");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Waits until a probe and retransmissions were sent and the accept queue overflows.
    fn settle(&self) {
        let count = |filter: &str| {
            let arguments = ["ls", "-a", "-N", "current", "-q", "--no-header", "-o", "cookie", filter];
            tcpulse_in(&self.link.ours, User::Root, &arguments).stdout.lines().filter(|line| !line.is_empty()).count()
        };
        for filter in ["verdict = probing", "verdict = retransmitting", "drops > 0", "state close-wait"] {
            until(filter, Duration::from_secs(30), || (count(filter) == 1).then_some(()));
        }
    }

    /// Output of a command line of README: stdout and stderr interleaved, as on a terminal.
    fn run(&self, line: &str) -> String {
        let mut command = self.link.ours.command("sh", User::Root);
        let path = format!("{}:{}", self.directory.display(), std::env::var("PATH").unwrap_or_default());
        command.args(["-c", &format!("exec 2>&1; {line}")]).env("PATH", path).env_remove("COLUMNS");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Words of a line, with parts that differ between runs replaced.
fn shape(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let word = word.trim_end_matches(',');
        let word = if is_time(word) { "TIME".to_owned() } else { without_numbers(word) };
        // `2h 11m 15s` is one time.
        if word != "TIME" || words.last().is_none_or(|last| last != "TIME") {
            words.push(word);
        }
    }
    words
}

fn is_time(word: &str) -> bool {
    let word = word.trim_start_matches(['≥', '≤', '~']).trim_end_matches(';');
    let number = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let unit = &word[number.len()..];
    let is_number =
        number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    is_number && ["ms", "s", "m", "h", "d"].contains(&unit)
}

/// `10.0.0.5:48350` becomes `#`, `app[812]` becomes `app[#]`.
fn without_numbers(word: &str) -> String {
    let mut shape = String::new();
    for character in word.chars() {
        let is_part = character.is_ascii_digit() || (matches!(character, '.' | ':') && shape.ends_with('#'));
        if !is_part {
            shape.push(character);
        } else if !shape.ends_with('#') {
            shape.push('#');
        }
    }
    shape
}

/// Each command of README and the output below it.
fn transcripts() -> Vec<(String, Vec<String>)> {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut is_open = false;
    for line in readme.lines() {
        match (line.strip_prefix("    "), found.last_mut()) {
            (Some(code), _) if code.starts_with("$ tcpulse") => {
                found.push((code[2..].to_owned(), Vec::new()));
                is_open = true;
            }
            (Some(code), Some((_, output))) if is_open => output.push(code.to_owned()),
            _ => is_open = false,
        }
    }
    found
}

#[test]
fn readme_shows_what_the_program_prints() {
    if !is_root("readme_shows_what_the_program_prints") {
        return;
    }
    let (host, transcripts) = (Host::new(), transcripts());
    assert!(transcripts.len() >= 8, "README has transcripts");
    let has_jq = std::process::Command::new("jq").arg("--version").output().is_ok();
    for (command, expected) in transcripts {
        if command.contains("| jq ") && !has_jq {
            skip("readme_shows_what_the_program_prints", "not found: jq; its line of README is left out");
            continue;
        }
        let output = host.run(&command);
        let real: Vec<_> = output.lines().map(shape).collect();
        for line in expected.iter().filter(|line| line.trim() != "...") {
            // README may shorten a line.
            let is_it = |real: &Vec<String>| match line.strip_suffix('…') {
                Some(start) => real.starts_with(&shape(start)),
                None => *real == shape(line),
            };
            assert!(real.iter().any(is_it), "README: $ {command}\n{line}\nnow:\n{output}");
        }
    }
}

#[test]
fn shapes_leave_out_what_changes() {
    assert_eq!(
        shape("established  2h 11m 15s  10.0.0.5:48350  app[812]  0"),
        ["established", "TIME", "#", "app[#]", "#"]
    );
    assert_eq!(shape("≥1m 37s never [::1]:5432"), ["TIME", "never", "[::#]:#"]);
    assert_ne!(shape("active  never"), shape("probing  never"));
}
