//! Which room may import which (HOUSE.md): reads src/ and fails on a door that the table does not have.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the source is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Room, and what it may import of the crate. `cli` and `main.rs` may import everything.
const DOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("decode", &["model"]),
    ("collect", &["decode", "model"]),
    ("diagnose", &["model"]),
    ("fields", &["model", "text"]),
    ("filter", &["model", "fields", "text"]),
    ("inspect", &["model", "collect", "diagnose", "filter", "fields"]),
    ("act", &["model", "collect"]),
    ("export", &["model", "fields", "text"]),
    ("tui", &["model", "diagnose", "fields", "filter", "text"]),
    ("text", &["model"]),
];

/// Crates that only some rooms may use: whoever asks the kernel, and nobody else.
const CRATES: &[(&str, &[&str])] = &[
    ("netlink_sys", &["collect"]),
    ("netlink_packet_core", &["collect", "decode"]),
    ("netlink_packet_sock_diag", &["collect", "decode"]),
    ("procfs", &["collect"]),
    ("procfs_core", &["decode"]),
    ("nix", &["collect", "cli"]),
    ("rustix", &["collect", "cli"]),
    ("libc", &["collect"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
];

/// What reaches outside the program by way of std.
const OUTSIDE: &[&str] =
    &["std::fs", "std::net::Tcp", "std::thread", "std::process::Command", "Instant::now", "SystemTime::now"];
const OUTSIDE_ROOMS: &[&str] = &["collect", "cli", "tui"];

fn sources() -> Vec<(String, PathBuf, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut pending = vec![source.clone()];
    let mut found = Vec::new();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            let below = path.strip_prefix(&source).unwrap().to_path_buf();
            let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
            let room = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            found.push((room, below, text));
        }
    }
    found
}

/// The part of a file before its tests, comments left out: tests may reach further than the code they test.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every word that follows `prefix`, `{a, b}` groups taken apart.
fn words_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].chars().next_back().is_some_and(is_word) {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap_or_default();
            words.extend(group.split(',').map(|part| part.trim().split("::").next().unwrap_or_default().to_owned()));
        } else {
            words.insert(rest.chars().take_while(|&c| is_word(c)).collect());
        }
    }
    words
}

#[test]
fn rooms_import_only_through_their_doors() {
    let rooms: BTreeSet<_> = DOORS.iter().map(|(room, _)| (*room).to_owned()).collect();
    for (room, path, text) in sources() {
        let Some((_, doors)) = DOORS.iter().find(|(name, _)| *name == room) else {
            assert!(["cli", "main", "lib"].contains(&room.as_str()), "{} is in no room of HOUSE.md", path.display());
            continue;
        };
        for import in words_after(&code(&text), "crate::") {
            let known = rooms.contains(&import) || import == "cli";
            assert!(
                !known || import == room || doors.contains(&import.as_str()),
                "{}: {room} may not import {import}",
                path.display()
            );
        }
    }
}

#[test]
fn crates_are_used_where_they_belong() {
    for (room, path, text) in sources() {
        let code = code(&text);
        for (name, rooms) in CRATES {
            let used = words_after(&code, name).contains("") && code.contains(&format!("{name}::"));
            assert!(!used || rooms.contains(&room.as_str()), "{}: {room} may not use {name}", path.display());
        }
    }
}

#[test]
fn only_some_rooms_reach_outside() {
    for (room, path, text) in sources().into_iter().filter(|(room, ..)| !OUTSIDE_ROOMS.contains(&room.as_str())) {
        let code = code(&text);
        for outside in OUTSIDE {
            assert!(!code.contains(outside), "{}: {room} reaches outside by {outside}", path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_owns_and_none_is_too_long() {
    for (_, path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not open with //!", path.display());
        assert!(text.lines().count() <= 600, "{} has more than 600 lines", path.display());
    }
}

#[test]
fn the_test_would_notice() {
    let code = code("use crate::{model::row::Row, collect::diag};\nlet x = crate::inspect::run;\n// crate::act\n");
    let words: Vec<_> = words_after(&code, "crate::").into_iter().collect();
    assert_eq!(words, ["collect", "inspect", "model"]);
}
