//! Much text at once: pasted, or from a key that is held down.

use crate::tui::action::Effect;
use crate::tui::editor::MOST_BYTES;
use crate::tui::state::{Mode, State};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use super::scene::Scene;

const SIZE: (u16, u16) = (120, 40);

fn paste(text: impl Into<String>) -> Input {
    Input::Paste(text.into())
}

fn key(character: char) -> Input {
    Input::Key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE))
}

/// Text of the open field.
fn typed(state: &State) -> &str {
    match &state.mode {
        Mode::Typing(typing) => typing.line.text(),
        Mode::Saving(saving) => saving.line.text(),
        Mode::Form(form) => form.fields[form.at].line.text(),
        mode => panic!("{mode:?}"),
    }
}

#[test]
fn a_long_paste_is_cut_with_a_message_and_one_request() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("/");
    let long = format!("dport = 1{}", " or dport = 1".repeat(10_000));
    let effects = scene.burst([paste(long.as_str())]);
    assert_eq!(typed(&scene.state), &long[..MOST_BYTES]);
    assert!(scene.drawn().contains("the paste was cut: a field holds 8 KiB"), "{}", scene.drawn());
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if wanted.typed.len() == MOST_BYTES));
    // If it is no longer a valid filter, the error is shown and no snapshot is requested.
    let effects = scene.burst([Input::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)), key('(')]);
    assert_eq!(effects.len(), 0);
    assert!(matches!(&scene.state.mode, Mode::Typing(typing) if typing.wrong.is_some()));
    scene.press(KeyCode::Esc);
    scene.keys("/");
    let effects = scene.burst([paste("dport = 1 or "), paste("dport = 2"), key('2'), key('3')]);
    let [Effect::Look(wanted)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(wanted.typed, "dport = 1 or dport = 223");
    // An unchanged filter requests no snapshot.
    assert_eq!(scene.burst([key('4'), Input::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE))]), []);
}

#[test]
fn the_whole_field_is_bounded_however_it_is_filled() {
    for open in ["/", "e", "K", "5/"] {
        let mut scene = Scene::busy(SIZE);
        scene.keys(open);
        scene.look(&super::scene::BUSY);
        scene.burst((0..10).map(|_| paste("x".repeat(3_000))));
        assert_eq!(typed(&scene.state).len(), MOST_BYTES, "{open}");
        scene.burst((0..100_000).map(|_| key('y')));
        assert_eq!(typed(&scene.state).len(), MOST_BYTES, "{open}");
        assert!(scene.drawn().contains("there is no room for more: a field holds 8 KiB"), "{}", scene.drawn());
        scene.press(KeyCode::Backspace);
        assert!(!scene.drawn().contains("8 KiB"), "{}", scene.drawn());
        assert_eq!(typed(&scene.state).len(), MOST_BYTES - 1, "{open}");
    }
}

#[test]
fn a_held_key_requests_one_snapshot() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("/");
    // Each prefix would be a filter of its own.
    let effects = scene.burst("dport = 1".chars().chain(std::iter::repeat_n('1', 3)).map(key));
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if wanted.typed == "dport = 1111"), "{effects:?}");
    // Enter parses the current line, even within a burst.
    scene.press(KeyCode::Esc);
    scene.keys("/");
    let enter = Input::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
    let effects = scene.burst("dport = 7".chars().map(key).chain([enter, key('j')]));
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if wanted.typed == "dport = 7"), "{effects:?}");
    assert!(matches!(scene.state.mode, Mode::Browse));
}

#[test]
fn of_several_lines_the_first_is_taken_and_control_characters_are_not() {
    let mut scene = Scene::busy(SIZE);
    for (pasted, taken, is_told) in [
        ("dport = 5432\n", "dport = 5432", false),
        ("\r\ndport\t= 5432\r\n", "dport = 5432", false),
        ("dport = 5432\nx", "dport = 5432", true),
        ("dport = 5432\rx", "dport = 5432", true),
        ("dport\x1b[2J\0\x07 = \u{9b}5432\u{7f}", "dport[2J = 5432", false),
        ("\n\n", "", false),
        ("", "", false),
        ("\u{fffd}日", "\u{fffd}日", false),
    ] {
        scene.keys("/");
        scene.burst([paste(pasted)]);
        assert_eq!(typed(&scene.state), taken);
        assert_eq!(scene.drawn().contains("only the first line"), is_told, "{pasted:?}: {}", scene.drawn());
        scene.press(KeyCode::Esc);
    }
}

#[test]
fn what_is_pasted_where_no_field_is_open_does_nothing() {
    for open in ["", "?", "x", "c"] {
        let mut scene = Scene::busy(SIZE);
        scene.keys(open);
        let before = format!("{:?}", scene.state.mode);
        assert_eq!(scene.burst([paste("xyq\r")]), [], "{open}");
        assert_eq!(format!("{:?}", scene.state.mode), before);
        assert!(scene.drawn().contains("no text field is open"), "{}", scene.drawn());
    }
}

#[test]
fn a_full_field_is_drawn_as_fast_as_an_empty_one() {
    let mut scene = Scene::busy(SIZE);
    for open in ["/", "e"] {
        scene.keys(open);
        scene.burst([paste("日".repeat(MOST_BYTES)), paste("é".repeat(8)), key('!')]);
        // The end of the line is visible, with the cursor behind it.
        assert!(scene.drawn().contains("日日é"), "{}", scene.drawn());
        scene.press(KeyCode::Home);
        assert!(scene.drawn().contains("日"), "{}", scene.drawn());
        scene.press(KeyCode::Esc);
    }
}
