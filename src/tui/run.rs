//! The loop: waits for an event, updates, carries effects out through the caller, draws. Nothing is drawn unless something
//! happened.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event;

use super::action::{Effect, Event};
use super::state::State;
use super::terminal::Screen;
use super::update::update;
use super::view::draw;
use crate::filter::Names;

/// A look that is late by so much is told.
const LATE: Duration = Duration::from_secs(2);
/// How often its age is told then.
const TICK: Duration = Duration::from_secs(1);

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// The user, or a signal, said so
    Quit,
    /// The first look failed: why
    Failed(String),
}

/// Runs until the user has enough. `carry_out` does what is to be done outside, but for what is done to the terminal;
/// `suspend` stops the process until the shell lets it go on.
///
/// # Errors
/// The terminal cannot be set or written to.
pub fn run(
    mut state: State,
    has_mouse: bool,
    names: &dyn Names,
    events: &Receiver<Event>,
    carry_out: &mut dyn FnMut(Effect),
    suspend: &mut dyn FnMut(),
) -> io::Result<Ended> {
    let mut screen = Screen::take(has_mouse)?;
    let mut seen = Instant::now();
    loop {
        screen.draw(|frame| draw(&state, frame))?;
        update(&mut state, Event::Drawn, names);
        let Some(first) = next(events, &state, seen) else { return Ok(Ended::Quit) };
        // All that has come meanwhile is taken in before the next frame.
        for event in std::iter::once(first).chain(events.try_iter()) {
            if matches!(&event, Event::Sight(sight) if sight.wanted == state.wanted) {
                seen = Instant::now();
            }
            if matches!(event, Event::Input(event::Event::Resize(..))) {
                // Also where it is as large as before: it may have been smaller meanwhile, and have cut what stood there.
                screen.renew()?;
            }
            for effect in update(&mut state, event, names) {
                match effect {
                    Effect::Quit => return Ok(Ended::Quit),
                    Effect::Fail(why) => return Ok(Ended::Failed(why)),
                    Effect::Suspend => screen.lend(&mut *suspend)?,
                    Effect::Redraw => screen.renew()?,
                    Effect::Retake => screen.lend(|| ())?,
                    Effect::Copy(text) => screen.copy(&text)?,
                    effect => carry_out(effect),
                }
            }
        }
    }
}

/// What happens next; that a look is late is an event too. `None` once nothing can happen any more.
fn next(events: &Receiver<Event>, state: &State, seen: Instant) -> Option<Event> {
    if state.pace.is_paused {
        return events.recv().ok();
    }
    let usual = state.sight.as_ref().map_or(Duration::ZERO, |sight| sight.rest.max(state.pace.interval));
    loop {
        match events.recv_timeout(TICK) {
            Ok(event) => return Some(event),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) if seen.elapsed() > usual + LATE => {
                return Some(Event::Late(seen.elapsed()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Hands over what the terminal says, until it is gone or nobody listens.
///
/// # Errors
/// There is no thread for it: without keys there would be no way out.
pub fn listen(events: &Sender<Event>) -> io::Result<()> {
    let events = events.clone();
    let reader = thread::Builder::new().name("keys".to_owned()).spawn(move || {
        loop {
            let said = match event::read() {
                // To be stopped and let go on interrupts the waiting, and is no end of the terminal.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => Event::End,
                Ok(said) => Event::Input(said),
            };
            let is_end = matches!(said, Event::End);
            if events.send(said).is_err() || is_end {
                return;
            }
        }
    });
    reader.map(drop)
}
