//! The dashboard without a terminal: what keys and looks make of the state, and what is drawn of it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};
use tcpulse::fields::table::column;
use tcpulse::filter::{Filter, Names};
use tcpulse::model::address::{Cookie, Endpoint, Family, NetnsId};
use tcpulse::model::counters::{Counters, SockStat};
use tcpulse::model::gap::{Gap, Gaps};
use tcpulse::model::keepalive::Keepalive;
use tcpulse::model::liveness::{Bound, Deadline, Liveness, Mechanism, Verdict};
use tcpulse::model::namespace::{Namespace, Source};
use tcpulse::model::owner::Holder;
use tcpulse::model::reach::Reach;
use tcpulse::model::row::{Judged, Row};
use tcpulse::model::snapshot::{Head, Host, Sink, Summary, Tail};
use tcpulse::model::socket::{Attributes, Queues, Socket, SocketId};
use tcpulse::model::state::TcpState;
use tcpulse::model::sysctl::Sysctls;
use tcpulse::model::timer::Timer;
use tcpulse::tui::action::{Effect, Event};
use tcpulse::tui::keymap::COMMANDS;
use tcpulse::tui::sight::Gathering;
use tcpulse::tui::state::{Mode, Order, State, View, Wanted};
use tcpulse::tui::theme::Theme;
use tcpulse::tui::update::update;
use tcpulse::tui::view::draw;

struct NoNames;

impl Names for NoNames {}

const COLUMNS: [&str; 6] = ["state", "verdict", "dead-in", "local", "peer", "recv-q"];

fn wanted() -> Wanted {
    Wanted {
        view: View::Connections,
        filter: Filter::default(),
        columns: COLUMNS.iter().map(|name| column(name).unwrap()).collect(),
        order: Order::Alarm,
    }
}

fn namespace() -> Namespace {
    Namespace {
        id: NetnsId(1),
        name: "host".to_owned(),
        source: Source::SockDiag,
        sysctls: Sysctls::default(),
        sockstat: SockStat::default(),
        counters: Counters::default(),
        reach: Reach::default(),
        interfaces: Vec::new(),
    }
}

/// A look that found these: cookie, state, verdict.
fn look(wanted: &Wanted, rows: &[(u64, TcpState, Verdict)]) -> Event {
    let namespace = namespace();
    let mut gathering = Gathering::new(wanted.clone());
    let host = Host { hostname: "web-1".to_owned(), kernel: "6.18".to_owned() };
    let head = Head { taken_at: SystemTime::UNIX_EPOCH, host, namespaces: vec![namespace.clone()] };
    gathering.head(&head).unwrap();
    let mut summary = Summary::default();
    for &(cookie, state, verdict) in rows {
        let end = |port| Endpoint { addr: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5)), port };
        let socket = Socket {
            id: SocketId { netns: NetnsId(1), cookie: Some(Cookie(cookie)) },
            family: Family::Ipv4,
            state,
            local: end(40_000 + u16::try_from(cookie).unwrap()),
            remote: end(5432),
            interface: None,
            uid: None,
            inode: Some(7),
            queues: Queues::Bytes { recv: 12, send: 0 },
            timer: Timer::OFF,
            attributes: Attributes::default(),
        };
        let deadline = Deadline { ms: Some(46_900), bound: Bound::Exact, mechanism: Mechanism::Keepalive };
        let liveness = Liveness { verdict, deadline, likely_ms: None };
        let judged = Judged { keepalive: Keepalive::default(), liveness };
        summary.count(&socket);
        summary.judge(verdict);
        gathering
            .row(&Row {
                socket: &socket,
                namespace: &namespace,
                interface: None,
                user: None,
                cgroup: None,
                holder: Holder::NotAsked,
                options: None,
                judged: Some(&judged),
            })
            .unwrap();
    }
    let mut gaps = Gaps::default();
    gaps.add(Gap { what: "process owners", why: "permission denied".to_owned(), count: 12, remedy: "run as root" });
    Event::Sight(Box::new(gathering.sight(Tail { summary, gaps, elapsed: Duration::from_millis(2) })))
}

const BUSY: [(u64, TcpState, Verdict); 4] = [
    (1, TcpState::Established, Verdict::Active),
    (2, TcpState::CloseWait, Verdict::PeerClosed),
    (3, TcpState::Established, Verdict::Probing),
    (4, TcpState::TimeWait, Verdict::TimeWait),
];

fn state(size: (u16, u16)) -> State {
    State::new(wanted(), String::new(), size)
}

fn busy(size: (u16, u16)) -> State {
    let mut state = state(size);
    let event = look(&state.wanted, &BUSY);
    happen(&mut state, event);
    state
}

fn happen(state: &mut State, event: Event) -> Vec<Effect> {
    update(state, event, &NoNames)
}

fn press(state: &mut State, code: KeyCode) -> Vec<Effect> {
    happen(state, Event::Input(Input::Key(KeyEvent::new(code, KeyModifiers::NONE))))
}

fn type_text(state: &mut State, text: &str) -> Vec<Effect> {
    text.chars().flat_map(|character| press(state, KeyCode::Char(character))).collect()
}

fn terminal(state: &State, theme: Theme) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).unwrap();
    terminal.draw(|frame| draw(state, theme, frame)).unwrap();
    terminal
}

fn drawn(state: &State) -> String {
    terminal(state, Theme::new(true)).backend().to_string()
}

fn selected(state: &State) -> u64 {
    state.selected.unwrap().cookie.unwrap().0
}

#[test]
fn what_is_most_alarming_comes_first() {
    let state = busy((120, 40));
    let order: Vec<_> = state.lines().iter().map(|line| line.id.cookie.unwrap().0).collect();
    assert_eq!(order, [3, 2, 1, 4]);
    assert_eq!(selected(&state), 3);
}

#[test]
fn the_selection_stays_with_its_connection_when_rows_move_and_near_when_it_goes() {
    let mut state = busy((120, 40));
    press(&mut state, KeyCode::Char('j'));
    press(&mut state, KeyCode::Char('j'));
    assert_eq!(selected(&state), 1);
    let moved = [(1, TcpState::Established, Verdict::Probing), BUSY[1], BUSY[2], BUSY[3]];
    let event = look(&state.wanted, &moved);
    happen(&mut state, event);
    assert_eq!((selected(&state), state.row), (1, 0));
    let event = look(&state.wanted, &BUSY[1..]);
    happen(&mut state, event);
    assert_eq!((selected(&state), state.row), (3, 0));
    let event = look(&state.wanted, &[]);
    happen(&mut state, event);
    assert_eq!(state.selected, None);
    press(&mut state, KeyCode::Char('j'));
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.mode, Mode::Table));
}

#[test]
fn a_filter_works_as_it_is_typed_and_is_undone_by_escape() {
    let mut state = busy((120, 40));
    press(&mut state, KeyCode::Char('/'));
    let effects = type_text(&mut state, "dport = 5432");
    assert!(matches!(effects.last(), Some(Effect::Look(wanted)) if wanted.filter.to_string() == "dport = 5432"));
    type_text(&mut state, " and idle > 10");
    let Mode::Typing(typing) = &state.mode else { panic!("the box closed") };
    assert!(typing.wrong.as_ref().unwrap().message().contains("needs a unit"));
    // Enter does not take what is wrong.
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.mode, Mode::Typing(_)));
    type_text(&mut state, "m");
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.typed, "dport = 5432 and idle > 10m");
    press(&mut state, KeyCode::Char('/'));
    type_text(&mut state, " or listening");
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.wanted.filter.to_string(), "dport = 5432 and idle > 10m");
    let effects = press(&mut state, KeyCode::Esc);
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if wanted.filter.is_everything()));
}

#[test]
fn an_answer_to_an_old_question_is_not_shown() {
    let mut state = busy((120, 40));
    let old = look(&state.wanted, &BUSY[..1]);
    let effects = press(&mut state, KeyCode::Char('s'));
    let is_by_state = |wanted: &Wanted| matches!(&wanted.order, Order::By { column, .. } if column.name == "state");
    assert!(matches!(&effects[..], [Effect::Look(wanted)] if is_by_state(wanted)));
    happen(&mut state, old);
    assert_eq!(state.lines().len(), 4);
    let new = look(&state.wanted, &BUSY[..1]);
    happen(&mut state, new);
    assert_eq!(state.lines().len(), 1);
}

#[test]
fn destroying_asks_first_and_only_y_is_yes() {
    let mut state = busy((120, 40));
    let id = state.selected.unwrap();
    for no in [KeyCode::Char('n'), KeyCode::Enter, KeyCode::Esc, KeyCode::Char('Y'), KeyCode::Char('q')] {
        press(&mut state, KeyCode::Char('x'));
        assert!(drawn(&state).contains("Destroy established 10.0.0.5:40003 10.0.0.5:5432? [y/N]"), "{}", drawn(&state));
        assert_eq!(press(&mut state, no), []);
        assert!(matches!(state.mode, Mode::Table));
    }
    press(&mut state, KeyCode::Char('x'));
    // The rows move while it is asked: the question stays about its connection.
    let event = look(&state.wanted, &BUSY[..1]);
    happen(&mut state, event);
    assert_eq!(press(&mut state, KeyCode::Char('y')), [Effect::Destroy(id)]);
    happen(&mut state, Event::Told("destroyed it".to_owned()));
    assert!(drawn(&state).contains("destroyed it"));
    press(&mut state, KeyCode::Char('j'));
    assert!(!drawn(&state).contains("destroyed it"));
}

#[test]
fn each_view_keeps_its_order_and_all_share_the_filter() {
    let mut state = busy((120, 40));
    press(&mut state, KeyCode::Char('s'));
    press(&mut state, KeyCode::Char('/'));
    type_text(&mut state, "sport = 80");
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Char('4'));
    let Some(Effect::Look(wanted)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(
        (wanted.view, &wanted.order, wanted.filter.to_string().as_str()),
        (View::Listeners, &Order::Alarm, "sport = 80")
    );
    assert!(wanted.columns.iter().any(|column| column.name == "accept-q"));
    assert_eq!((state.lines().len(), press(&mut state, KeyCode::Char('4'))), (0, vec![]));
    press(&mut state, KeyCode::Tab);
    assert!(matches!(&state.wanted.order, Order::By { column, .. } if column.name == "state"));
    assert_eq!(state.wanted.columns.len(), COLUMNS.len());
}

#[test]
fn pause_freezes_the_data_and_not_the_keys() {
    let mut state = busy((120, 40));
    assert_eq!(press(&mut state, KeyCode::Char('p')), [Effect::Pause(true)]);
    let event = look(&state.wanted, &BUSY[..1]);
    happen(&mut state, event);
    assert_eq!(state.lines().len(), 4);
    press(&mut state, KeyCode::Char('G'));
    assert_eq!(selected(&state), 4);
    assert!(drawn(&state).contains("PAUSED"));
    // Another question is answered all the same, once.
    press(&mut state, KeyCode::Char('s'));
    for rows in [&BUSY[..2], &BUSY[..1]] {
        let event = look(&state.wanted, rows);
        happen(&mut state, event);
        assert_eq!(state.lines().len(), 2);
    }
    assert_eq!(press(&mut state, KeyCode::Char('p')), [Effect::Pause(false)]);
}

#[test]
fn the_detail_follows_its_connection_and_says_when_it_is_gone() {
    let mut state = busy((120, 40));
    let id = state.selected.unwrap();
    assert_eq!(press(&mut state, KeyCode::Enter), [Effect::Inspect(id)]);
    happen(&mut state, Event::Detail(id, Some(vec!["probing".to_owned(), "  2 of 6 probes".to_owned()])));
    assert!(drawn(&state).contains("2 of 6 probes"));
    let event = look(&state.wanted, &BUSY);
    assert_eq!(happen(&mut state, event), [Effect::Inspect(id)]);
    happen(&mut state, Event::Detail(id, None));
    assert!(drawn(&state).contains("gone: this is what was last known") && drawn(&state).contains("2 of 6 probes"));
    let event = look(&state.wanted, &BUSY);
    assert_eq!(happen(&mut state, event), []);
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.mode, Mode::Table));
}

#[test]
fn the_interval_has_ends() {
    let mut state = busy((120, 40));
    for _ in 0..20 {
        press(&mut state, KeyCode::Char('+'));
    }
    assert_eq!(state.interval, Duration::from_millis(200));
    for _ in 0..20 {
        press(&mut state, KeyCode::Char('-'));
    }
    assert_eq!(state.interval, Duration::from_secs(60));
}

#[test]
fn a_look_that_fails_is_told_over_the_last_that_did_not() {
    let mut state = state((120, 40));
    happen(&mut state, Event::Failed("no /proc".to_owned()));
    assert!(drawn(&state).contains("cannot look: no /proc"));
    let mut state = busy((120, 40));
    happen(&mut state, Event::Failed("no /proc".to_owned()));
    assert!(drawn(&state).contains("cannot look any more: no /proc") && drawn(&state).contains("10.0.0.5:40003"));
    let event = look(&state.wanted, &BUSY);
    happen(&mut state, event);
    assert!(!drawn(&state).contains("cannot look"));
}

#[test]
fn frames_at_the_usual_sizes() {
    for (columns, rows) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
        insta::assert_snapshot!(format!("busy_{columns}x{rows}"), drawn(&busy((columns, rows))));
    }
    let mut empty = state((80, 24));
    let event = look(&empty.wanted, &[]);
    happen(&mut empty, event);
    insta::assert_snapshot!("empty_80x24", drawn(&empty));
    let mut help = busy((120, 40));
    press(&mut help, KeyCode::Char('?'));
    insta::assert_snapshot!("help_120x40", drawn(&help));
    let mut typing = busy((80, 24));
    press(&mut typing, KeyCode::Char('/'));
    type_text(&mut typing, "dprot = 5432");
    insta::assert_snapshot!("typing_80x24", drawn(&typing));
}

#[test]
fn no_size_is_too_small() {
    for columns in 1..30 {
        for rows in 1..12 {
            let mut state = busy((columns, rows));
            drawn(&state);
            for key in ['j', 'G', '/', 'x'] {
                press(&mut state, KeyCode::Char(key));
                drawn(&state);
            }
            press(&mut state, KeyCode::Esc);
            press(&mut state, KeyCode::Char('?'));
            drawn(&state);
            press(&mut state, KeyCode::Esc);
            press(&mut state, KeyCode::Enter);
            drawn(&state);
        }
    }
    let mut state = busy((120, 40));
    press(&mut state, KeyCode::Char('G'));
    happen(&mut state, Event::Input(Input::Resize(20, 6)));
    assert!(drawn(&state).contains("· time…"), "the selected row is still on the screen: {}", drawn(&state));
}

#[test]
fn silence_is_red_and_bold_and_only_bold_without_colours() {
    let state = busy((120, 40));
    let look_of = |theme| {
        let terminal = terminal(&state, theme);
        let cell = terminal.backend().buffer().cell((0, 3)).unwrap().clone();
        (cell.symbol().to_owned(), cell.fg, cell.modifier)
    };
    let (sign, colour, modifier) = look_of(Theme::new(true));
    assert_eq!((sign.as_str(), colour), ("◔", Color::Red));
    assert!(modifier.contains(Modifier::BOLD | Modifier::REVERSED));
    let (sign, colour, modifier) = look_of(Theme::new(false));
    assert_eq!((sign.as_str(), colour), ("◔", Color::Reset));
    assert!(modifier.contains(Modifier::BOLD));
}

#[test]
fn every_command_is_in_the_help() {
    let mut state = busy((120, 60));
    press(&mut state, KeyCode::Char('?'));
    let help = drawn(&state);
    for command in COMMANDS {
        assert!(help.contains(command.help), "{}", command.help);
    }
}
