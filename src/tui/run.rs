//! The loop: waits for an event, updates, carries effects out through the caller, draws. Nothing is drawn unless something
//! happened.

use std::io::{self, Read};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::{event, terminal};

use super::action::{Effect, Event};
use super::inbox::{Inbox, Outlet};
use super::input::Reader;
use super::state::State;
use super::terminal::{Screen, copy};
use super::update::update;
use super::view::draw;
use crate::filter::Names;

/// A look that is late by so much is told.
const LATE: Duration = Duration::from_secs(2);
/// How often its age is told then.
const TICK: Duration = Duration::from_secs(1);
/// A frame is drawn after so long, also where keys come faster than they are taken in.
const FRAME: Duration = Duration::from_millis(50);

/// How it ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The user said so, or the terminal is gone
    Quit,
    /// A signal said so: which
    Signal(i32),
    /// The first look failed: why
    Failed(String),
}

/// What the loop leaves to its caller.
pub(crate) struct Outside<'a> {
    /// The names that a filter may hold
    pub names: &'a dyn Names,
    /// Does what is to be done outside, but for what is done to the terminal
    pub carry_out: &'a mut dyn FnMut(Effect),
    /// Stops the process until the shell lets it go on
    pub suspend: &'a mut dyn FnMut(),
}

/// Runs until the user has enough.
///
/// # Errors
/// The terminal cannot be set or written to.
pub(crate) fn run(state: State, has_mouse: bool, inbox: &mut Inbox, outside: Outside<'_>) -> io::Result<Ended> {
    let (screen, seen) = (Screen::take(has_mouse)?, Instant::now());
    let mut dashboard = DashboardLoop { state, screen, outside, seen };
    loop {
        dashboard.draw(inbox)?;
        let mut event = next(inbox, &dashboard.state, dashboard.seen);
        if event.is_none() {
            return Ok(Ended::Quit);
        }
        // What has come meanwhile is taken in before the next frame.
        let began = Instant::now();
        while let Some(happened) = event {
            if let Some(ended) = dashboard.take_in(happened)? {
                return Ok(ended);
            }
            event = if began.elapsed() < FRAME { inbox.waiting() } else { None };
        }
        if let Some(ended) = dashboard.take_in(Event::Settled)? {
            return Ok(ended);
        }
    }
}

/// The state, what shows it, and what it has an effect on.
struct DashboardLoop<'a> {
    state: State,
    screen: Screen,
    outside: Outside<'a>,
    /// When the last look came
    seen: Instant,
}

impl DashboardLoop<'_> {
    fn draw(&mut self, inbox: &mut Inbox) -> io::Result<()> {
        let Self { state, screen, outside, .. } = self;
        let (columns, rows) = screen.fit()?;
        if state.size != (columns, rows) {
            update(state, Event::Input(event::Event::Resize(columns, rows)), outside.names);
        }
        screen.draw(|frame| draw(state, frame))?;
        // Keys that wait were typed before the frame was seen.
        if inbox.is_empty() {
            update(state, Event::Drawn, outside.names);
        }
        Ok(())
    }

    /// Updates, and carries out what follows; says how it ended, if it has.
    fn take_in(&mut self, event: Event) -> io::Result<Option<Ended>> {
        if matches!(&event, Event::Frame(frame) if frame.query == self.state.query) {
            self.seen = Instant::now();
        }
        if matches!(event, Event::Input(event::Event::Resize(..))) {
            // Also where it is as large as before: it may have been smaller meanwhile, and have cut what stood there.
            self.screen.renew()?;
        }
        for effect in update(&mut self.state, event, self.outside.names) {
            match effect {
                Effect::Quit => return Ok(Some(Ended::Quit)),
                Effect::EndBy(signal) => return Ok(Some(Ended::Signal(signal))),
                Effect::Fail(why) => return Ok(Some(Ended::Failed(why))),
                Effect::Suspend => self.screen.lend(&mut *self.outside.suspend)?,
                Effect::Redraw => self.screen.renew()?,
                Effect::Retake => self.screen.lend(|| ())?,
                Effect::Copy(text) => copy(&text)?,
                effect => (self.outside.carry_out)(effect),
            }
        }
        Ok(None)
    }
}

/// What happens next; that a look is late is an event too. `None` once nothing can happen any more.
fn next(inbox: &mut Inbox, state: &State, seen: Instant) -> Option<Event> {
    if state.pace.is_paused {
        return inbox.next(Duration::MAX).ok();
    }
    let usual = state.frame.as_ref().map_or(Duration::ZERO, |frame| frame.rest.max(state.pace.interval));
    loop {
        match inbox.next(TICK) {
            Ok(event) => return Some(event),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) if seen.elapsed() > usual + LATE => {
                return Some(Event::Late(seen.elapsed()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// A paste that brings nothing for so long has ended, whatever its end marker says.
const PASTE_PAUSE: Duration = Duration::from_secs(1);

/// Hands over what the terminal says, until it is gone or nobody listens. `has_more` waits until there is something to read,
/// or for so long.
///
/// # Errors
/// There is no thread for it: without keys there would be no way out.
pub(crate) fn listen(outlet: &Outlet, has_more: fn(Duration) -> bool) -> io::Result<()> {
    let outlet = outlet.clone();
    let reader = thread::Builder::new().name("keys".to_owned()).spawn(move || {
        let (mut reader, mut bytes, mut is_heard) = (Reader::default(), [0; 4096], true);
        while is_heard {
            if reader.is_pasting() && !has_more(PASTE_PAUSE) {
                reader.end_paste(&mut |input| is_heard &= outlet.press(Event::Input(input)));
            }
            match io::stdin().read(&mut bytes) {
                // To be stopped and let go on interrupts the waiting, and is no end of the terminal.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // That it is gone need not wait for what it said before.
                Ok(0) | Err(_) => {
                    outlet.tell(Event::End);
                    return;
                }
                Ok(length) => {
                    let is_more = length == bytes.len();
                    reader.take(&bytes[..length], is_more, &mut |input| is_heard &= outlet.press(Event::Input(input)));
                }
            }
        }
    });
    reader.map(drop)
}

/// What happens where the terminal has another size.
///
/// # Errors
/// It does not tell its size.
pub(crate) fn resized() -> io::Result<Event> {
    terminal::size().map(|(columns, rows)| Event::Input(event::Event::Resize(columns, rows)))
}
