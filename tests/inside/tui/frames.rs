//! Snapshots of drawn frames: each view, size and theme, with no, few and many sockets.

use std::fmt::Write;

use crate::track::views::VIEWS;
use crate::tui::theme::{THEMES, Theme};
use ratatui::crossterm::event::KeyCode;
use ratatui::style::{Color, Modifier};

use super::scene::{BUSY, Made, Scene, forbidden};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 10)];

#[test]
fn each_view_at_the_usual_sizes() {
    for (number, spec) in VIEWS.iter().enumerate() {
        for (columns, rows) in SIZES {
            let mut scene = Scene::busy((columns, rows));
            scene.keys(&(number + 1).to_string());
            scene.look(&BUSY);
            scene.look(&BUSY[1..]);
            insta::assert_snapshot!(format!("{}_{columns}x{rows}", spec.name), scene.drawn());
        }
    }
}

#[test]
fn each_view_over_an_empty_namespace() {
    for (number, spec) in VIEWS.iter().enumerate() {
        let mut scene = Scene::new((80, 24));
        scene.keys(&(number + 1).to_string());
        scene.look(&[]);
        insta::assert_snapshot!(format!("empty_{}", spec.name), scene.drawn());
    }
}

#[test]
fn what_the_user_nobody_may_not_see_is_reported() {
    for (columns, rows) in SIZES {
        let mut scene = Scene::new((columns, rows));
        scene.gaps = forbidden();
        scene.look(&BUSY.map(|made| Made { pid: 0, ..made }));
        insta::assert_snapshot!(format!("forbidden_{columns}x{rows}"), scene.drawn());
    }
    let mut scene = Scene::new((120, 40));
    scene.gaps = forbidden();
    scene.look(&BUSY);
    scene.keys("?");
    insta::assert_snapshot!("forbidden_help", scene.drawn());
}

#[test]
fn three_namespaces() {
    for (number, spec) in VIEWS.iter().enumerate() {
        let mut scene = Scene::new((120, 20));
        scene.namespaces = 3;
        let rows = [BUSY[0], Made { netns: 2, ..BUSY[2] }, Made { netns: 3, ..BUSY[1] }, Made { netns: 2, ..BUSY[4] }];
        scene.keys(&(number + 1).to_string());
        scene.look(&rows);
        scene.look(&rows[1..]);
        insta::assert_snapshot!(format!("three_{}", spec.name), scene.drawn());
    }
}

#[test]
fn boxes_and_lists() {
    for (name, keys) in [
        ("typing", "/dprot = 5432"),
        ("asking", "x"),
        ("form", "K30s"),
        ("columns", "c"),
        ("namespaces", "n"),
        ("saving", "e"),
        ("marked", " "),
        ("help", "?"),
    ] {
        let mut scene = Scene::busy((80, 24));
        scene.keys(keys);
        insta::assert_snapshot!(format!("box_{name}"), scene.drawn());
    }
    let mut scene = Scene::busy((80, 24));
    scene.keys("/ver");
    scene.press(KeyCode::Tab);
    insta::assert_snapshot!("box_completing", scene.drawn());
    // The line with the focus stays visible on the smallest screen.
    let mut scene = Scene::busy((40, 10));
    scene.keys("K30s");
    (0..4).for_each(|_| drop(scene.press(KeyCode::Down)));
    insta::assert_snapshot!("box_form_40x10", scene.drawn());
}

/// Each theme once, with its styles: a letter for each style, and a legend.
#[test]
fn each_theme() {
    for theme in THEMES {
        let mut scene = Scene::busy((80, 16));
        scene.state.display.theme = theme;
        scene.look(&BUSY);
        let terminal = scene.terminal();
        let buffer = terminal.backend().buffer();
        let mut styles = Vec::new();
        let mut drawn = String::new();
        for y in 0..16 {
            for x in 0..80 {
                let style = buffer.cell((x, y)).unwrap().style();
                let number = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
                    styles.push(style);
                    styles.len() - 1
                });
                drawn.push(char::from(b'a' + u8::try_from(number).unwrap()));
            }
            drawn.push('\n');
        }
        for (number, style) in styles.iter().enumerate() {
            let letter = char::from(b'a' + u8::try_from(number).unwrap());
            writeln!(drawn, "{letter} {:?} on {:?} {:?}", style.fg, style.bg, style.add_modifier).unwrap();
        }
        insta::assert_snapshot!(format!("theme_{}", theme.name), drawn);
    }
}

#[test]
fn silence_stands_out_with_every_theme_and_by_more_than_colour() {
    for theme in THEMES {
        let mut scene = Scene::busy((120, 40));
        scene.state.display.theme = theme;
        scene.keys("j");
        let terminal = scene.terminal();
        let buffer = terminal.backend().buffer();
        let cell = |x, y| buffer.cell((x, y)).unwrap().clone();
        let (sign, word) = (cell(1, 4), cell(20, 4));
        assert_eq!(sign.symbol(), "◔", "{}", theme.name);
        assert!(sign.modifier.contains(Modifier::BOLD) && word.modifier.contains(Modifier::BOLD), "{}", theme.name);
        let has_colour = sign.fg != Color::Reset || sign.bg != Color::Reset;
        assert_eq!(has_colour, theme.name != "none");
        // A row without urgency has neither.
        let calm = cell(20, 7);
        assert!(!calm.modifier.contains(Modifier::BOLD), "{}", theme.name);
        // The theme without colours sets none.
        if theme == Theme::called("none").unwrap() {
            assert!(buffer.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
        }
    }
}
