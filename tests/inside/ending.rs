//! If the dashboard ends by its own fault (a panic, a stack overflow), the terminal is restored.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use super::support::terminal::Session;
use crate::collect::signals;
use crate::filter::Names;
use crate::track::query::Query;
use crate::track::views::View;
use crate::tui::action::{Effect, Event};
use crate::tui::inbox::inbox;
use crate::tui::run::{Outside, run};
use crate::tui::state::{Setup, State};
use crate::tui::terminal::{TAKEN, give_back_bytes};

const ENTER_ALTERNATE: &str = "\x1b[?1049h";
const LEAVE_ALTERNATE: &str = "\x1b[?1049l";

struct Nobody;
impl Names for Nobody {}

/// Set in the process that panics on purpose.
const PANICS: &str = "TCPULSE_TEST_PANICS";

#[test]
fn a_panic_gives_the_terminal_back() {
    if std::env::var_os(PANICS).is_some() {
        let state =
            State::new(Query::new(View::Connections), Vec::new(), Duration::from_secs(1), (80, 24), Setup::default());
        let (outlet, mut inbox) = inbox();
        let key = KeyEvent::new(KeyCode::Char('p'), KeyModifiers::NONE);
        assert!(outlet.press(Event::Input(Input::Key(key))));
        let mut carry_out = |_: Effect| panic!("on purpose");
        let outside = Outside { names: &Nobody, carry_out: &mut carry_out, suspend: &mut || {} };
        run(state, true, &mut inbox, outside).unwrap();
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "inside::ending::a_panic_gives_the_terminal_back", "--nocapture"]).env(PANICS, "1");
    let mut session = Session::start(command);
    session.expect(ENTER_ALTERNATE);
    session.expect("on purpose");
    assert!(!session.end().success());
    assert!(session.seen.rfind(LEAVE_ALTERNATE).unwrap() < session.seen.find("on purpose").unwrap());
    assert_eq!(session.modes(), session.modes_before);
}

/// Set in the process whose stack overflows on purpose.
const OVERFLOWS: &str = "TCPULSE_TEST_OVERFLOWS";

#[test]
fn a_stack_that_overflows_says_so_on_a_terminal_that_is_given_back() {
    #[allow(unconditional_recursion, reason = "on purpose")]
    fn deeper(depth: &mut [u8; 4096]) -> u8 {
        let mut more = [depth[0]; 4096];
        deeper(&mut more).wrapping_add(more[1])
    }

    if std::env::var_os(OVERFLOWS).is_some() {
        // No core dump of an intended failure.
        nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0).unwrap();
        signals::guard(&TAKEN, give_back_bytes().unwrap()).unwrap();
        let state =
            State::new(Query::new(View::Connections), Vec::new(), Duration::from_secs(1), (80, 24), Setup::default());
        let (outlet, mut inbox) = inbox();
        outlet.press(Event::Input(Input::Key(KeyEvent::new(KeyCode::Char('p'), KeyModifiers::NONE))));
        let mut carry_out = |_| assert_eq!(deeper(&mut [0; 4096]), 0);
        let outside = Outside { names: &Nobody, carry_out: &mut carry_out, suspend: &mut || {} };
        run(state, true, &mut inbox, outside).unwrap();
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = "inside::ending::a_stack_that_overflows_says_so_on_a_terminal_that_is_given_back";
    command.args(["--exact", name, "--nocapture"]).env(OVERFLOWS, "1");
    let mut session = Session::start(command);
    session.expect("has overflowed its stack");
    assert_eq!(session.end().signal(), Some(libc::SIGABRT));
    assert_eq!(session.modes(), session.modes_before);
    assert!(session.seen.rfind(LEAVE_ALTERNATE).unwrap() < session.seen.find("overflowed its stack").unwrap());
}
