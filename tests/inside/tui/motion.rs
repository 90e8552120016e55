//! Changes between snapshots: rows that appear and disappear, and the changes view.

use std::time::{Duration, SystemTime};

use crate::fields::id::ColumnId;
use crate::fields::value::Value;
use crate::model::gap::{Gap, GapKind, Remedy};
use crate::model::liveness::Verdict;
use crate::model::socket::Socket;
use crate::model::state::TcpState;
use crate::model::timer::{Timer, TimerKind};
use crate::track::change_log::MOST_CHANGES;
use crate::track::line::Age::{self, Gone, New, Settled};
use crate::track::tracker::DestroyEvent;
use crate::tui::action::Event;
use ratatui::crossterm::event::KeyCode;

use super::scene::{BUSY, Made, Scene, made, socket};

const SIZE: (u16, u16) = (120, 40);

fn ages(scene: &Scene) -> Vec<(u64, Age)> {
    let table = scene.state.table().unwrap();
    (0..table.len()).map(|row| (table.id(row).unwrap().key, table.age(row))).collect()
}

/// Events of the changes view with their reasons, the newest first.
fn changes(scene: &Scene) -> Vec<(String, String)> {
    let table = scene.state.table().unwrap();
    let text = |row, id| table.cell(row, id).map_or_else(String::new, |value: Value<'_>| value.plain().into_owned());
    (0..table.len()).map(|row| (text(row, ColumnId::Event), text(row, ColumnId::Why))).collect()
}

#[test]
fn rows_that_come_and_go_are_marked_for_a_moment_and_nothing_else_moves() {
    let quiet: Vec<Made> = (1..=4).map(|cookie| made(cookie, TcpState::Established, Verdict::Active)).collect();
    let mut scene = Scene::new(SIZE);
    scene.look(&quiet);
    assert!(ages(&scene).iter().all(|(_, age)| *age == Age::Settled));
    let next = [quiet[0], quiet[1], made(9, TcpState::Established, Verdict::Active), quiet[3]];
    scene.look(&next);
    assert_eq!(ages(&scene), [(1, Settled), (2, Settled), (3, Gone), (9, New), (4, Settled)]);
    let drawn = scene.drawn();
    assert!(drawn.contains("+● established") && drawn.contains("-● established"), "{drawn}");
    scene.at += Duration::from_secs(2);
    scene.look(&next);
    assert_eq!(ages(&scene), [(1, Settled), (2, Settled), (9, Settled), (4, Settled)]);
}

#[test]
fn a_dump_that_lost_rows_makes_none_of_them_gone() {
    let mut scene = Scene::busy(SIZE);
    let why = "the kernel dropped messages of the dump";
    scene.gaps.add(Gap::new(GapKind::Sockets, why, Remedy::Do("take the snapshot again")));
    scene.look(&BUSY[..1]);
    assert_eq!(ages(&scene), [(1, Age::Settled)]);
    scene.keys("6");
    scene.look(&BUSY[..1]);
    assert_eq!(changes(&scene), []);
}

#[test]
fn rows_that_come_before_their_holders_are_shown_as_such_and_counted_once() {
    let mut scene = Scene::new(SIZE);
    let without: Vec<_> = BUSY.iter().map(|made| Made { pid: 0, ..*made }).collect();
    let mut early = scene.frame(&without);
    early.is_early = true;
    // The worker discards the tracker of the early frame.
    scene.tracker = crate::track::tracker::Tracker::new(|_| String::new());
    scene.happen(Event::Frame(early));
    assert!(scene.drawn().contains("processes and options follow"), "{}", scene.drawn());
    assert!(scene.drawn().contains("10.0.0.9:40003"), "{}", scene.drawn());
    scene.keys("j");
    let selected = scene.selected();
    scene.keys("*x");
    assert!(scene.drawn().contains("Destroy 6 connections? [y/N]"), "{}", scene.drawn());
    scene.keys("n*");
    // If paused after the early frame, the complete one is still taken.
    scene.keys("p");
    scene.look(&BUSY);
    assert_eq!(scene.selected(), selected);
    assert!(scene.drawn().contains("api[812]"), "{}", scene.drawn());
    scene.keys("p6");
    scene.look(&BUSY);
    assert_eq!(changes(&scene), []);
}

#[test]
fn changes_tell_what_opened_closed_and_changed() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("6");
    scene.look(&BUSY);
    assert!(scene.drawn().contains("no changes since"));
    // One opens, one times out, one changes state, one falls silent, one enters TIME-WAIT.
    let mut rows = vec![made(8, TcpState::SynSent, Verdict::Connecting)];
    rows.push(Made { state: TcpState::CloseWait, verdict: Verdict::PeerClosed, ..BUSY[0] });
    rows.push(BUSY[1]);
    rows.push(Made { verdict: Verdict::Retransmitting, ..BUSY[5] });
    rows.push(Made { state: TcpState::TimeWait, verdict: Verdict::TimeWait, pid: 0, ..BUSY[6] });
    rows.push(BUSY[4]);
    scene.look(&rows);
    let mut told = changes(&scene);
    told.sort();
    let expected = [
        ("closed", "ETIMEDOUT, or closed or reset"),
        ("closed", "closed in order: TIME-WAIT keeps the port"),
        ("established → close-wait", ""),
        ("opened (syn-sent)", ""),
        ("unguarded → retransmitting", ""),
    ];
    assert_eq!(told, expected.map(|(event, why)| (event.to_owned(), why.to_owned())));
    // The end of a TIME-WAIT is not reported, and the owner of a closed socket is remembered.
    scene.look(&rows[..4]);
    assert_eq!(changes(&scene).len(), 6);
    assert!(scene.drawn().contains("listens no more") && scene.drawn().contains("nginx[900]"), "{}", scene.drawn());
}

#[test]
fn sockets_between_two_snapshots_come_from_destroy_events() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("6");
    let short = Made { state: TcpState::Close, ..made(50, TcpState::Close, Verdict::Active) };
    let known = Made { state: TcpState::Close, ..BUSY[2] };
    for (made, count) in [(short, 0), (known, 3)] {
        // Final counters of the socket: three probes were not answered.
        let timer = Timer { kind: TimerKind::Off, expires_ms: 0, count };
        let socket = Socket { timer, ..socket(made) };
        scene.destroy_events.push(DestroyEvent { socket, at: SystemTime::UNIX_EPOCH });
    }
    let left: Vec<_> = BUSY.into_iter().filter(|made| made.cookie != 3).collect();
    scene.look(&left);
    let told = changes(&scene);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].1, "ETIMEDOUT: the kernel gave up on the peer");
    assert_eq!(told[1], ("closed".to_owned(), "closed or reset".to_owned()));
    let table = scene.state.table().unwrap();
    let lifetime =
        |row| table.cell(row, ColumnId::Lifetime).unwrap().for_people(crate::fields::value::Unit::Millis).into_owned();
    assert_eq!([lifetime(0), lifetime(1)], ["≥2.0s", "≤1.0s"]);
}

#[test]
fn what_was_destroyed_from_here_says_so() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("6");
    scene.tracker.destroyed.insert(super::scene::id(1));
    scene.look(&BUSY[1..]);
    assert_eq!(changes(&scene)[0].1, "ECONNABORTED: destroyed from here");
}

#[test]
fn changes_are_filtered_by_what_is_remembered_and_bounded() {
    let mut scene = Scene::new(SIZE);
    scene.look(&[]);
    let many: Vec<_> =
        (1..=6_000).map(|cookie| Made { local: 443, ..made(cookie, TcpState::Established, Verdict::Active) }).collect();
    scene.look(&many);
    scene.look(&[]);
    assert_eq!(scene.tracker.changes.len(), MOST_CHANGES);
    let other = Made { local: 80, remote: (9, 81), pid: 900, ..made(9_999, TcpState::Established, Verdict::Active) };
    scene.keys("6");
    scene.look(&[other]);
    assert_eq!(scene.state.rows(), MOST_CHANGES);
    for (filter, rows) in [("dport = 81", 1), ("process = nginx", 1), ("pid = 900", 1), ("dst 10.0.0.7", 0)] {
        scene.keys(&format!("/{filter}"));
        scene.press(KeyCode::Enter);
        scene.look(&[other]);
        assert_eq!(scene.state.rows(), rows, "{filter}");
        scene.press(KeyCode::Esc);
    }
}

#[test]
fn whoever_stands_at_the_top_of_the_changes_sees_the_next() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("6");
    for cookie in 20..23 {
        scene.look(&[&BUSY[..], &[made(cookie, TcpState::Established, Verdict::Active)]].concat());
        assert_eq!(scene.state.cursor.row, 0);
    }
    scene.keys("j");
    let selected = scene.selected();
    scene.look(&BUSY);
    assert_eq!(scene.selected(), selected);
}

#[test]
fn growing_close_waits_are_shown_by_process() {
    let mut scene = Scene::new(SIZE);
    scene.keys("3");
    let leak = |count: u64| -> Vec<Made> {
        (1..=count).map(|cookie| made(cookie, TcpState::CloseWait, Verdict::PeerClosed)).collect()
    };
    scene.look(&leak(2));
    scene.look(&leak(5));
    let table = scene.state.table().unwrap();
    assert_eq!(table.cell(0, ColumnId::CwGrowth).unwrap().plain(), "+3");
    assert_eq!(table.cell(0, ColumnId::CloseWait), Some(Value::Number(5)));
    assert_eq!(
        (table.cell(0, ColumnId::Fds), table.cell(0, ColumnId::Limit)),
        (Some(Value::Number(900)), Some(Value::Number(1024)))
    );
}

#[test]
fn ports_towards_a_peer_are_counted_for_each_address_of_ours() {
    let mut scene = Scene::new(SIZE);
    scene.keys("2");
    let rows: Vec<_> = (1..=50).map(|cookie| made(cookie, TcpState::TimeWait, Verdict::TimeWait)).collect();
    scene.look(&rows);
    let table = scene.state.table().unwrap();
    let number = |id| table.cell(0, id);
    assert_eq!(
        (number(ColumnId::Ports), number(ColumnId::Available)),
        (Some(Value::Number(50)), Some(Value::Number(28_232)))
    );
    assert_eq!(number(ColumnId::TwShare).unwrap().plain(), "100%");
    assert_eq!(number(ColumnId::From).unwrap().plain(), "10.0.0.9");
}
