//! Keys in the tables, the filter box, the lists and the detail.

use std::time::Duration;

use crate::fields::id::ColumnId;
use crate::model::liveness::Verdict;
use crate::model::state::TcpState;
use crate::track::group::GroupBy;
use crate::track::query::Query;
use crate::track::table::Order;
use crate::track::views::{VIEWS, View};
use crate::tui::action::{Effect, Event};
use crate::tui::keymap::COMMANDS;
use crate::tui::state::Mode;
use ratatui::crossterm::event::{Event as Input, KeyCode};

use super::scene::{BUSY, IMPOSTOR, Made, Scene, id, made};

const SIZE: (u16, u16) = (120, 40);

fn is_by(effects: &[Effect], id: ColumnId, is_descending: bool) -> bool {
    matches!(effects, [Effect::Look(wanted)]
        if matches!(&wanted.order, Order::By { column, descending } if *column == id && *descending == is_descending))
}

#[test]
fn what_is_most_alarming_comes_first() {
    let scene = Scene::busy(SIZE);
    assert_eq!((scene.rows(), scene.selected()), (vec![3, 2, 6, 1, 7, 4], 3));
}

#[test]
fn a_process_is_not_grouped_with_sockets_whose_kind_it_is_named_after() {
    let mut scene = Scene::new(SIZE);
    scene.state.query = Query { by: GroupBy::Command, ..Query::new(View::Processes) };
    let impostor = Made { pid: IMPOSTOR, ..made(8, TcpState::Established, Verdict::Active) };
    scene.look(&[impostor, BUSY[3]]);
    let table = scene.state.table().unwrap();
    let mut filters: Vec<_> =
        (0..table.len()).map(|row| table.cell(row, ColumnId::Filter).unwrap().plain().into_owned()).collect();
    filters.sort();
    assert_eq!(filters, ["comm = \"(minisocket)\"", "holder = minisocket"]);
}

#[test]
fn the_selection_stays_with_its_connection_when_rows_move_and_near_when_it_goes() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("jjj");
    assert_eq!(scene.selected(), 1);
    let mut moved = BUSY;
    moved[0].verdict = Verdict::Probing;
    scene.look(&moved);
    assert_eq!((scene.selected(), scene.state.cursor.row), (1, 0));
    scene.look(&[]);
    scene.at += Duration::from_secs(3);
    scene.look(&[]);
    assert_eq!(scene.state.cursor.selected, None);
    scene.keys("j");
    assert_eq!(scene.press(KeyCode::Enter), []);
    assert!(scene.state.detail.is_none());
}

#[test]
fn a_filter_works_as_it_is_typed_and_is_undone_by_escape() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("/");
    let effects = scene.keys("dport = 5432");
    assert!(matches!(effects.last(), Some(Effect::Look(wanted)) if wanted.filter.to_string() == "dport = 5432"));
    scene.look(&BUSY);
    assert_eq!(scene.rows(), [3, 2, 1, 4]);
    // The header also counts what the filter hides.
    assert!(scene.drawn().contains("6 connections"), "{}", scene.drawn());
    scene.keys(" and idle > 10");
    let Mode::Typing(typing) = &scene.state.mode else { panic!("the box closed") };
    assert!(typing.wrong.as_ref().unwrap().message().contains("needs a unit"));
    // Enter does not accept an invalid filter.
    scene.press(KeyCode::Enter);
    assert!(matches!(scene.state.mode, Mode::Typing(_)));
    scene.keys("m");
    scene.press(KeyCode::Enter);
    assert_eq!(scene.state.query.typed, "dport = 5432 and idle > 10m");
    scene.keys("/ or listening");
    scene.press(KeyCode::Esc);
    assert_eq!(scene.state.query.filter.to_string(), "dport = 5432 and idle > 10m");
    let effects = scene.press(KeyCode::Esc);
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if wanted.filter.is_everything()));
}

#[test]
fn the_filter_box_completes_words_and_remembers_what_was_typed() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("/verdict = pro");
    scene.press(KeyCode::Tab);
    scene.press(KeyCode::Enter);
    assert_eq!(scene.state.query.typed, "verdict = probing");
    scene.press(KeyCode::Esc);
    scene.keys("/dport = 1");
    scene.press(KeyCode::Enter);
    scene.press(KeyCode::Esc);
    scene.keys("/");
    scene.press(KeyCode::Up);
    scene.press(KeyCode::Up);
    assert!(matches!(&scene.state.mode, Mode::Typing(typing) if typing.line.text() == "verdict = probing"));
    scene.press(KeyCode::Down);
    scene.press(KeyCode::Enter);
    assert_eq!(scene.state.query.typed, "dport = 1");
    // After the newest entry of the history comes the line that was being typed.
    scene.press(KeyCode::Esc);
    scene.keys("/idle > ");
    scene.press(KeyCode::Up);
    scene.press(KeyCode::Down);
    assert!(matches!(&scene.state.mode, Mode::Typing(typing) if typing.line.text() == "idle > "));
    scene.press(KeyCode::Esc);
    // Each further Tab offers the next word.
    scene.press(KeyCode::Esc);
    scene.keys("/verdict = u");
    for offered in ["unguarded", "unknown", "unaccepted", "unguarded"] {
        scene.press(KeyCode::Tab);
        assert!(
            matches!(&scene.state.mode, Mode::Typing(typing) if typing.line.text().ends_with(offered)),
            "{offered}"
        );
    }
}

#[test]
fn an_answer_to_an_old_question_is_not_shown() {
    let mut scene = Scene::busy(SIZE);
    let old = scene.frame(&BUSY[..1]);
    assert!(is_by(&scene.keys("s"), ColumnId::State, false));
    scene.happen(Event::Frame(old));
    assert_eq!(scene.state.rows(), 6);
    let new = scene.frame(&BUSY[..1]);
    scene.happen(Event::Frame(new));
    assert!(scene.rows().contains(&1));
}

#[test]
fn rows_are_sorted_by_any_column_from_either_end() {
    let mut scene = Scene::busy(SIZE);
    let columns: Vec<_> = scene.state.query.columns.iter().map(|column| column.id).collect();
    let local = columns.iter().position(|id| *id == ColumnId::Local).unwrap();
    scene.keys(&"s".repeat(local + 1));
    scene.look(&BUSY);
    assert_eq!(scene.rows(), [6, 7, 1, 2, 3, 4]);
    assert!(is_by(&scene.keys("S"), ColumnId::Local, true));
    scene.look(&BUSY);
    assert_eq!(scene.rows(), [4, 3, 2, 1, 6, 7]);
    assert!(scene.drawn().contains("LOCAL▼"));
    scene.keys(&"s".repeat(columns.len() - local));
    assert_eq!(scene.state.query.order, Order::Alarm);
}

#[test]
fn the_mouse_shows_views_sorts_selects_and_opens() {
    let mut scene = Scene::busy(SIZE);
    let screen = scene.drawn();
    let place = |text: &str| {
        let (y, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
        // The line begins with a quote.
        let x = line.split_once(text).unwrap().0.chars().count() - 1;
        (u16::try_from(x).unwrap(), u16::try_from(y).unwrap())
    };
    let title = place("LOCAL");
    assert!(is_by(&scene.click(title.0 + 1, title.1), ColumnId::Local, false));
    assert!(is_by(&scene.click(title.0, title.1), ColumnId::Local, true));
    scene.click(title.0, title.1);
    assert_eq!(scene.state.query.order, Order::Alarm);
    scene.look(&BUSY);
    let row = place("10.0.0.9:40002");
    assert_eq!((scene.click(row.0, row.1), scene.selected()), (vec![], 2));
    assert!(matches!(&scene.click(row.0, row.1)[..], [Effect::Inspect(whom)] if whom.id == id(2)));
    let tab = place("4 listeners");
    assert!(matches!(&scene.click(tab.0, tab.1)[..], [Effect::Look(wanted)] if wanted.view == View::Listeners));
    assert!(scene.state.detail.is_none());
    // A click outside of everything does nothing.
    assert_eq!([scene.click(119, 0), scene.click(119, 39)], [vec![], vec![]]);
}

#[test]
fn each_view_keeps_its_order_and_all_share_the_filter_but_the_kernels() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("s/sport = 443");
    scene.press(KeyCode::Enter);
    let effects = scene.keys("4");
    let Some(Effect::Look(wanted)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!((wanted.view, &wanted.order, wanted.typed.as_str()), (View::Listeners, &Order::Alarm, "sport = 443"));
    assert_eq!((scene.state.rows(), scene.keys("4")), (0, vec![]));
    scene.look(&BUSY);
    assert_eq!(scene.rows(), [5]);
    scene.keys("5/keepalive");
    scene.press(KeyCode::Enter);
    scene.look(&BUSY);
    let drawn = scene.drawn();
    assert!(drawn.contains("tcp_keepalive_time") && !drawn.contains("tcp_retries2"), "{drawn}");
    scene.keys("1");
    assert_eq!(
        (scene.state.query.typed.as_str(), scene.state.query.filter.to_string().as_str()),
        ("sport = 443", "sport = 443")
    );
    assert!(matches!(&scene.state.query.order, Order::By { column, .. } if *column == ColumnId::State));
    scene.keys("5");
    assert_eq!(scene.state.query.typed, "keepalive");
    // Tab cycles through the views.
    for spec in VIEWS.iter().skip(5).chain(&VIEWS[..5]) {
        scene.press(KeyCode::Tab);
        assert_eq!(scene.state.view(), spec.view);
    }
    scene.press(KeyCode::BackTab);
    assert_eq!(scene.state.view(), View::Listeners);
}

#[test]
fn a_peer_or_a_process_opens_its_connections() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("2");
    scene.look(&BUSY);
    let drawn = scene.drawn();
    assert!(drawn.contains("10.0.0.5:5432") && drawn.contains("in :443"), "{drawn}");
    let effects = scene.press(KeyCode::Enter);
    assert!(matches!(effects.last(), Some(Effect::Look(wanted)) if wanted.view == View::Connections));
    scene.look(&BUSY);
    assert_eq!(scene.rows(), [3, 2, 1, 4]);
    scene.press(KeyCode::Esc);
    assert_eq!((scene.state.view(), scene.state.query.typed.as_str()), (View::Peers, ""));
    // Back also restores the filter.
    scene.keys("/dport = 5432");
    scene.press(KeyCode::Enter);
    scene.look(&BUSY);
    scene.press(KeyCode::Enter);
    assert_eq!(scene.state.query.typed, "(dport = 5432) and dst 10.0.0.5 and dport = 5432 and sport != 0");
    let effects = scene.press(KeyCode::Esc);
    assert!(matches!(effects.last(), Some(Effect::Look(wanted)) if wanted.filter.to_string() == "dport = 5432"));
    assert_eq!((scene.state.view(), scene.state.query.typed.as_str()), (View::Peers, "dport = 5432"));
    scene.press(KeyCode::Esc);
    scene.keys("3");
    scene.look(&BUSY);
    for (by, shown) in
        [("process", "api[812]"), ("comm", "nginx"), ("unit", "web.service"), ("container", "(api without")]
    {
        assert!(scene.drawn().contains(shown), "{by}: {}", scene.drawn());
        assert!(scene.drawn().contains(&format!("by {by}")));
        scene.keys("t");
        scene.look(&BUSY);
    }
    scene.press(KeyCode::Enter);
    scene.look(&BUSY);
    assert_eq!(scene.state.query.typed, "pid = 812");
    assert_eq!(scene.rows(), [3, 2, 1]);
}

#[test]
fn another_text_for_the_same_filter_is_looked_for_too() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("/dport = 5432");
    scene.press(KeyCode::Enter);
    scene.look(&BUSY);
    scene.keys("/");
    let effects = scene.keys(" ");
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if wanted.typed == "dport = 5432 "), "{effects:?}");
    scene.press(KeyCode::Enter);
    scene.look(&BUSY[..2]);
    // The new snapshot is shown.
    assert_eq!(scene.state.frame.as_ref().unwrap().counts.connections, 2);
}

#[test]
fn a_listener_that_loses_connections_comes_first() {
    let mut scene = Scene::new(SIZE);
    let listener = |cookie, waiting| Made {
        local: 80 + cookie as u16,
        remote: (0, waiting),
        ..made(cookie, TcpState::Listen, Verdict::Listening)
    };
    scene.keys("4");
    scene.look(&[listener(1, 0), listener(2, 100), listener(3, 126)]);
    assert_eq!(scene.rows(), [3, 2, 1]);
    assert!(scene.drawn().contains("most alarming first"));
}

#[test]
fn enter_shows_the_cells_that_a_narrow_screen_leaves_out() {
    let mut scene = Scene::busy((40, 10));
    scene.keys("6");
    scene.look(&BUSY[1..]);
    scene.press(KeyCode::Enter);
    assert_eq!(scene.state.messages.outcome.as_deref(), Some("closed, lifetime ≥1.0s, closed or reset, api[812]"));
}

#[test]
fn columns_are_chosen_from_a_list() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("c ");
    let effects = scene.press(KeyCode::Enter);
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if wanted.columns[0].id == ColumnId::Verdict));
    // A table cannot be left without columns.
    let shown = scene.state.query.columns.len();
    scene.keys("c");
    for _ in 0..shown {
        scene.keys(" j");
    }
    assert_eq!(scene.press(KeyCode::Enter), []);
    assert_eq!(scene.state.query.columns.len(), shown);
    assert!(scene.drawn().contains("a table needs a column"));
}

#[test]
fn a_namespace_is_chosen_from_a_list_and_named_where_there_are_several() {
    let mut scene = Scene::new(SIZE);
    scene.namespaces = 3;
    let rows = [BUSY[0], Made { netns: 2, ..BUSY[2] }, Made { netns: 3, ..BUSY[1] }];
    scene.look(&rows);
    assert!(scene.drawn().contains("NETNS") && scene.drawn().contains("web"), "{}", scene.drawn());
    scene.keys("njj");
    assert!(scene.drawn().contains("every namespace that may be entered"));
    let effects = scene.press(KeyCode::Enter);
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if wanted.netns.is_some_and(|netns| netns.0 == 2)));
    assert_eq!(scene.state.history.of(|counts| counts.connections, 9), [3]);
    scene.at += Duration::from_secs(10);
    scene.look(&rows);
    assert_eq!(scene.rows(), [3]);
    // The history of another namespace is dropped.
    assert_eq!(scene.state.history.of(|counts| counts.connections, 9), [1]);
    assert!(scene.drawn().contains("1 connections") || scene.drawn().contains("namespace web"), "{}", scene.drawn());
}

#[test]
fn pause_freezes_the_data_and_not_the_keys() {
    let mut scene = Scene::busy(SIZE);
    assert_eq!(scene.keys("p"), [Effect::Pause(true)]);
    scene.look(&BUSY[..1]);
    assert_eq!(scene.state.rows(), 6);
    scene.keys("G");
    assert_eq!(scene.selected(), 4);
    assert!(scene.drawn().contains("PAUSED"));
    // While paused, a new query is still answered once.
    scene.keys("s");
    scene.look(&BUSY[..2]);
    let answered = scene.rows();
    scene.look(&BUSY);
    assert_eq!(scene.rows(), answered);
    assert_eq!(scene.keys("p"), [Effect::Pause(false)]);
}

#[test]
fn the_interval_has_ends() {
    let mut scene = Scene::busy(SIZE);
    scene.keys(&"+".repeat(20));
    assert_eq!(scene.state.pace.interval, Duration::from_millis(200));
    scene.keys(&"-".repeat(20));
    assert_eq!(scene.state.pace.interval, Duration::from_secs(60));
}

#[test]
fn a_failed_or_late_snapshot_is_reported_over_the_last_good_one() {
    let mut scene = Scene::new(SIZE);
    assert!(scene.drawn().contains("taking the first snapshot…"));
    assert_eq!(scene.happen(Event::Failed("no /proc".to_owned())), [Effect::Fail("no /proc".to_owned())]);
    let mut scene = Scene::busy(SIZE);
    scene.happen(Event::Late(Duration::from_secs(7)));
    assert!(scene.drawn().contains("data from 7s ago"), "{}", scene.drawn());
    scene.happen(Event::Failed("no /proc".to_owned()));
    assert!(scene.drawn().contains("snapshot failed: no /proc") && scene.drawn().contains("10.0.0.9:40003"));
    scene.look(&BUSY);
    assert!(!scene.drawn().contains("snapshot failed") && !scene.drawn().contains("from 7s"));
}

#[test]
fn names_are_asked_for_once_and_shown_in_the_place_of_addresses() {
    let mut scene = Scene::busy(SIZE);
    let effects = scene.keys("r");
    let Some(Effect::Resolve(asked)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(asked.len(), 3);
    assert_eq!(scene.keys("j"), []);
    scene.happen(Event::Names(vec![("10.0.0.5".parse().unwrap(), Some("db.example\x1b[2J".to_owned()))]));
    assert!(scene.drawn().contains("db.example\\x1b[2J:5432"), "{}", scene.drawn());
    scene.keys("r");
    assert!(scene.drawn().contains("10.0.0.5:5432"));
}

#[test]
fn no_size_is_too_small() {
    let mut scene = Scene::busy(SIZE);
    for columns in 1..30 {
        for rows in 1..14 {
            scene.happen(Event::Input(Input::Resize(columns, rows)));
            for keys in ["j", "G", "/x", "c", "n", "K", "x", "e", "?"] {
                scene.keys(keys);
                scene.drawn();
                scene.press(KeyCode::Esc);
            }
            scene.press(KeyCode::Enter);
            scene.drawn();
            scene.press(KeyCode::Esc);
        }
    }
    let mut scene = Scene::busy(SIZE);
    scene.keys("G");
    scene.happen(Event::Input(Input::Resize(20, 6)));
    assert!(scene.drawn().contains("· t"), "the selected row is still on the screen: {}", scene.drawn());
}

#[test]
fn wide_and_combining_characters_do_not_break_columns() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("r");
    let name = "日本語.e\u{301}xample".to_owned();
    scene.happen(Event::Names(vec![("10.0.0.5".parse().unwrap(), Some(name))]));
    scene.look(&BUSY);
    let terminal = scene.terminal();
    let buffer = terminal.backend().buffer();
    let column_of = |text: &str, y: u16| {
        let line: Vec<_> = (0..120).map(|x| buffer.cell((x, y)).unwrap().symbol().to_owned()).collect();
        line.windows(text.len()).position(|cells| cells.concat() == text)
    };
    let title = column_of("PROCESS", 3);
    assert!(title.is_some());
    assert_eq!(column_of("api[812", 4), title, "{}", scene.drawn());
}

#[test]
fn without_utf_8_there_is_nothing_but_ascii() {
    let mut scene = Scene::busy(SIZE);
    scene.state.display.is_ascii = true;
    for keys in ["1", "2", "3", "4", "5", "6", "1c", "\u{1b}n", "?"] {
        scene.keys(keys);
        scene.look(&BUSY);
        let terminal = scene.terminal();
        let odd = terminal.backend().buffer().content.iter().find(|cell| !cell.symbol().is_ascii());
        assert_eq!(odd.map(|cell| cell.symbol().to_owned()), None, "{keys}");
        scene.press(KeyCode::Esc);
    }
    scene.keys("1");
    scene.look(&BUSY);
    assert!(scene.drawn().contains("P established"), "{}", scene.drawn());
}

#[test]
fn every_command_is_in_the_help_which_scrolls() {
    let mut scene = Scene::busy((200, 20));
    scene.keys("?");
    let mut seen = String::new();
    for _ in 0..60 {
        seen += &scene.drawn();
        scene.keys("j");
    }
    for command in COMMANDS {
        assert!(seen.contains(command.help), "{}", command.help);
    }
    for verdict in Verdict::ALL {
        assert!(seen.contains(verdict.meaning()), "{}", verdict.name());
    }
    scene.keys("q");
    assert!(matches!(scene.state.mode, Mode::Browse));
}

#[test]
fn listeners_have_no_peers_and_connections_are_not_listed_among_them() {
    let mut scene = Scene::busy(SIZE);
    scene.keys("4");
    scene.look(&[BUSY[4], made(9, TcpState::Established, Verdict::Active)]);
    assert_eq!(scene.rows(), [5]);
    assert!(scene.drawn().contains("2%"), "3 of 129 wait: {}", scene.drawn());
    scene.keys("1a");
    scene.look(&[BUSY[4], made(9, TcpState::Established, Verdict::Active)]);
    assert_eq!(scene.rows(), [9, 5]);
}
