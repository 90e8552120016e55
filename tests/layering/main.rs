//! Which room (top-level module) may import which (ARCHITECTURE.md): parses src/ and fails on an import that the table lacks.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the source is a failed test")]

mod shape;
mod source;

use std::collections::BTreeSet;
use std::path::Path;

use shape::{Function, circles, functions};
use source::{Crate, Source};

/// Rooms, and the rooms that each may import. `cli` and `main.rs` may import everything.
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
    ("track", &["model", "diagnose", "fields", "filter", "text"]),
    ("tui", &["model", "diagnose", "fields", "filter", "track", "text"]),
    ("text", &["model"]),
];

/// External crates that only some rooms may use: crates for the kernel, the command line and the terminal.
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

/// Paths of std that reach outside the program.
const OUTSIDE: &[&str] =
    &["std::fs", "std::net::Tcp", "std::thread", "std::process::Command", "Instant::now", "SystemTime::now"];
const OUTSIDE_ROOMS: &[&str] = &["collect", "cli", "tui"];

/// Import cycles that still exist, to be resolved by the next change of these files.
const KNOWN_CIRCLES: &[&[&str]] = &[];

/// Functions that are still too long or take too many parameters: file and name.
const KNOWN_FUNCTIONS: &[(&str, &str)] = &[];

#[test]
fn rooms_import_only_through_their_doors() {
    let house = Crate::read();
    let mut wrong = Vec::new();
    for file in &house.files {
        let room = file.room();
        let Some((_, doors)) = DOORS.iter().find(|(name, _)| *name == room) else {
            assert!(["cli", "main", "lib"].contains(&room), "{} is in no room", file.path.display());
            continue;
        };
        for import in house.imports(file) {
            let other = house.files[import].room();
            if other != room && !doors.contains(&other) {
                wrong.push(format!("{}: {room} may not import {other}", file.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_are_used_where_they_belong() {
    let house = Crate::read();
    for file in &house.files {
        let room = file.room();
        for first in Crate::paths(file).iter().filter_map(|path| path.first()) {
            let rooms = CRATES.iter().find(|(name, _)| name == first).map(|(_, rooms)| rooms);
            assert!(
                rooms.is_none_or(|rooms| rooms.contains(&room)),
                "{}: {room} may not use {first}",
                file.path.display()
            );
        }
    }
}

#[test]
fn only_some_rooms_reach_outside() {
    for file in Crate::read().files.iter().filter(|file| !OUTSIDE_ROOMS.contains(&file.room())) {
        for path in Crate::paths(file) {
            let path = path.join("::");
            let reaches = OUTSIDE.iter().find(|outside| path.starts_with(*outside) || path.ends_with(*outside));
            assert!(reaches.is_none(), "{}: {} reaches outside by {path}", file.path.display(), file.room());
        }
    }
}

#[test]
fn every_file_says_what_it_owns_and_none_is_too_long() {
    for file in &Crate::read().files {
        assert!(file.text.starts_with("//!"), "{} does not open with //!", file.path.display());
        assert!(file.text.lines().count() <= 600, "{} has more than 600 lines", file.path.display());
    }
}

#[test]
fn no_type_name_has_two_meanings() {
    assert_eq!(shape::names_of_several(&Crate::read()), Vec::<String>::new());
}

#[test]
fn the_checks_notice_what_they_are_for() {
    let file = |path: &str, text: &str| Source::parse(Path::new(path), text.to_owned());
    let house = Crate::of(vec![
        file("a/mod.rs", "mod one;\nmod two;\npub use one::One;"),
        file("a/one.rs", "pub struct One;\nfn f() { super::two::g() }\n#[cfg(test)] mod tests { use crate::b::B; }"),
        file("a/two.rs", "use crate::{a::{One}, std::fs};\npub fn g() {}"),
        file("b.rs", "use crate::a::One;\npub struct B;\nfn long(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {\n}"),
    ]);
    let imports: Vec<Vec<_>> = house.files.iter().map(|file| house.imports(file).into_iter().collect()).collect();
    // Re-exports resolve to the defining file; tests and `mod` are no imports.
    assert_eq!(imports, [vec![], vec![2], vec![1], vec![1]]);
    let edges: Vec<_> = house.files.iter().map(|file| house.imports(file)).collect();
    assert_eq!(circles(&edges), [[1, 2]]);
    let functions = functions(&house);
    let long = functions.iter().find(|(_, function)| function.name == "long").unwrap();
    assert_eq!((long.1.lines, long.1.parameters), (2, 6));
    let twice = Crate::of(vec![file("a.rs", "struct Order;"), file("b.rs", "pub enum Order {}\ntype Other = u8;")]);
    assert_eq!(shape::names_of_several(&twice), ["Order: a.rs, b.rs"]);
}

#[test]
fn files_import_each_other_in_no_circle() {
    let house = Crate::read();
    let edges: Vec<_> = house.files.iter().map(|file| house.imports(file)).collect();
    let names = |circle: Vec<usize>| {
        let mut names: Vec<_> = circle.iter().map(|index| house.files[*index].path.display().to_string()).collect();
        names.sort();
        names
    };
    let circles: BTreeSet<_> = circles(&edges).into_iter().map(names).collect();
    let known = KNOWN_CIRCLES.iter().map(|circle| circle.iter().map(|&file| file.to_owned()).collect()).collect();
    assert_eq!(circles, known, "a circle that is gone leaves the list; a new one is not let in");
}

#[test]
fn functions_are_short_and_take_few_arguments() {
    let wrong: BTreeSet<_> = functions(&Crate::read())
        .into_iter()
        .filter(|(_, function)| function.lines > 60 || function.parameters > 5)
        .map(|(path, Function { name, .. })| (path, name))
        .collect();
    let known = KNOWN_FUNCTIONS.iter().map(|&(path, name)| (path.to_owned(), name.to_owned())).collect();
    assert_eq!(wrong, known, "at most 60 lines and 5 parameters; one that is mended leaves the list");
}
