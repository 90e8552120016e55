//! Marks, questions, the keepalive form, the clipboard and files.

use crate::model::change::KeepaliveChange;
use crate::tui::action::{Effect, Event};
use crate::tui::state::Mode;
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use super::scene::{BUSY, Scene, id};

const SIZE: (u16, u16) = (120, 40);

#[test]
fn destroying_asks_first_and_only_y_is_yes() {
    let mut scene = Scene::busy(SIZE);
    for no in [KeyCode::Char('n'), KeyCode::Enter, KeyCode::Esc, KeyCode::Char('Y'), KeyCode::Char('q')] {
        scene.keys("x");
        let asked = "Destroy established 10.0.0.9:40003 10.0.0.5:5432 api[812]? [y/N]";
        assert!(scene.drawn().contains(asked), "{}", scene.drawn());
        assert_eq!(scene.press(no), []);
        assert!(matches!(scene.state.mode, Mode::Browse));
    }
    scene.keys("x");
    // The rows change while the question is open; the question still refers to the same connection.
    scene.look(&BUSY[..1]);
    assert_eq!(scene.keys("y"), [Effect::Destroy(vec![id(3)])]);
    scene.happen(Event::Told("destroyed it".to_owned()));
    assert!(scene.drawn().contains("destroyed it"));
    scene.keys("j");
    assert!(!scene.drawn().contains("destroyed it"));
}

#[test]
fn what_was_typed_or_pasted_before_the_question_was_seen_is_no_answer() {
    let mut scene = Scene::busy(SIZE);
    let key = |character| Event::Input(Input::Key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE)));
    scene.happen(key('x'));
    assert_eq!(scene.happen(key('y')), []);
    scene.happen(key('x'));
    scene.happen(Event::Drawn);
    let ctrl_y = KeyEvent::new(KeyCode::Char('y'), KeyModifiers::CONTROL);
    assert_eq!(scene.happen(Event::Input(Input::Key(ctrl_y))), []);
    assert_eq!(scene.happen(Event::Input(Input::Paste("xy".to_owned()))), []);
    assert!(matches!(scene.state.mode, Mode::Browse));
    scene.keys("/");
    scene.happen(Event::Input(Input::Paste("dport = 5432\nx".to_owned())));
    assert_eq!(scene.state.query.typed, "dport = 5432");
    scene.press(KeyCode::Esc);
    // tmux sends a line break as CR.
    scene.keys("/");
    scene.happen(Event::Input(Input::Paste("dport = 443\rx".to_owned())));
    assert_eq!(scene.state.query.typed, "dport = 443");
}

#[test]
fn of_several_the_form_shows_the_values_of_the_selected_one() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("*");
    scene.keys("gj");
    let selected = scene.selected();
    let effects = scene.keys("K");
    assert!(matches!(&effects[..], [Effect::Inspect(whom)] if whom.id == id(selected)), "{effects:?}");
    assert!(scene.drawn().contains(&format!("current values of 10.0.0.9:{}", 40_000 + selected)), "{}", scene.drawn());
}

#[test]
fn marks_say_how_many_and_whose_and_follow_their_rows() {
    let mut scene = Scene::busy(SIZE);
    scene.keys(" j ");
    assert!(scene.drawn().contains("2 marked"), "{}", scene.drawn());
    scene.look(&BUSY);
    scene.keys("x");
    assert!(scene.drawn().contains("Destroy 2 connections (1 of api[812], 1 of nginx[900])?"), "{}", scene.drawn());
    assert_eq!(scene.keys("y"), [Effect::Destroy(vec![id(3), id(6)])]);
    // A connection that closes loses its mark.
    scene.look(&BUSY[3..]);
    assert!(scene.drawn().contains("1 marked"));
    scene.press(KeyCode::Esc);
    assert!(!scene.drawn().contains("marked"));
    scene.keys("*");
    assert!(scene.drawn().contains("3 marked"), "{}", scene.drawn());
    scene.keys("*");
    assert!(!scene.drawn().contains("marked"));
}

#[test]
fn what_is_gone_or_no_socket_is_not_acted_upon() {
    let mut scene = Scene::busy(SIZE);
    scene.look(&BUSY[..2]);
    let gone = scene.rows().iter().position(|cookie| *cookie == 3).unwrap();
    scene.keys("g");
    scene.keys(&"j".repeat(gone));
    assert_eq!((scene.selected(), scene.keys("x")), (3, vec![]));
    assert!(scene.drawn().contains("this socket is gone"));
    scene.keys("2");
    scene.look(&BUSY);
    assert_eq!(scene.keys("x"), []);
    assert!(scene.drawn().contains("press Enter to list the connections"));
    scene.keys("5 x");
    assert!(scene.drawn().contains("cannot be changed"));
}

#[test]
fn keepalive_is_set_in_a_form_and_asked_about() {
    let mut scene = Scene::busy(SIZE);
    let effects = scene.keys("K");
    assert!(matches!(&effects[..], [Effect::Inspect(whom)] if whom.id == id(3) && whom.ports == Some((40_003, 5432))));
    assert!(scene.drawn().contains("no value given yet"));
    // Without a value, Enter asks nothing.
    scene.press(KeyCode::Enter);
    assert!(matches!(scene.state.mode, Mode::Form(_)));
    scene.keys("1");
    assert!(scene.drawn().contains("needs a unit"), "{}", scene.drawn());
    scene.press(KeyCode::Backspace);
    scene.keys("30s");
    for _ in 0..4 {
        scene.press(KeyCode::Down);
    }
    scene.keys("5");
    scene.press(KeyCode::Enter);
    // The question is complete at any width: what, whose, and how to answer.
    for part in ["Set keepalive on, idle 15s, interval 5s, probes 5", "10.0.0.9:40003", "[y/N]"] {
        assert!(scene.drawn().contains(part), "{}", scene.drawn());
    }
    // After a "no" the typed values are still there to be changed.
    assert_eq!(scene.keys("n"), []);
    assert!(scene.drawn().contains("30s"), "{}", scene.drawn());
    scene.press(KeyCode::Enter);
    let change = KeepaliveChange {
        enabled: Some(true),
        idle_s: Some(15),
        interval_s: Some(5),
        probes: Some(5),
        user_timeout_ms: Some(30_000),
    };
    assert_eq!(scene.keys("y"), [Effect::Set(vec![id(3)], change)]);
    scene.keys("K");
    scene.press(KeyCode::Esc);
    assert!(matches!(scene.state.mode, Mode::Browse));
}

#[test]
fn a_row_is_copied_as_it_is_shown() {
    let mut scene = Scene::busy(SIZE);
    let effects = scene.keys("y");
    let [Effect::Copy(text)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(text, "established\tprobing\t46.9s\t10.0.0.9:40003\t10.0.0.5:5432\t—\t—\t12\t0\tapi[812]");
}

#[test]
fn a_saved_file_needs_an_extension_that_names_its_format() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("e.txt");
    assert_eq!(scene.press(KeyCode::Enter), []);
    assert!(scene.drawn().contains("must end in .json or .csv"), "{}", scene.drawn());
    for _ in 0..4 {
        scene.press(KeyCode::Backspace);
    }
    let effects = scene.press(KeyCode::Enter);
    assert!(
        matches!(&effects[..], [Effect::Save(name, table)] if name == "tcpulse-connections.json" && table.0.len() == 6)
    );
}

#[test]
fn the_detail_follows_its_connection_and_says_when_it_is_gone() {
    let mut scene = Scene::busy(SIZE);
    let effects = scene.press(KeyCode::Enter);
    assert!(matches!(&effects[..], [Effect::Inspect(whom)] if whom.id == id(3)));
    assert!(scene.drawn().contains("…"));
    assert!(matches!(&scene.look(&BUSY)[..], [Effect::Inspect(whom)] if whom.id == id(3)));
    scene.happen(Event::Detail(id(3), None));
    assert!(scene.drawn().contains("this connection is gone"));
    assert_eq!(scene.look(&BUSY), []);
    scene.press(KeyCode::Esc);
    assert!(scene.state.detail.is_none());
}
