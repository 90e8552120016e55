//! The loop: waits for an event, updates the state, passes effects to the caller, draws. Without an event nothing is
//! drawn.

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

/// How late a snapshot must be before the dashboard shows the age of its data.
const LATE: Duration = Duration::from_secs(2);
/// How often that age is updated.
const TICK: Duration = Duration::from_secs(1);
/// Longest time between two frames, even if keys arrive faster than they are processed.
const FRAME: Duration = Duration::from_millis(50);

/// How the dashboard ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The user quit, or the terminal is closed
    Quit,
    /// A signal: its number
    Signal(i32),
    /// The first snapshot failed: the error
    Failed(String),
}

/// Callbacks of the loop.
pub(crate) struct Outside<'a> {
    /// Names that a filter may refer to
    pub names: &'a dyn Names,
    /// Carries out an effect that does not concern the terminal
    pub carry_out: &'a mut dyn FnMut(Effect),
    /// Stops the process until the shell continues it
    pub suspend: &'a mut dyn FnMut(),
}

/// Runs the dashboard until it ends.
///
/// # Errors
/// The terminal cannot be set up or written to.
pub(crate) fn run(state: State, has_mouse: bool, inbox: &mut Inbox, outside: Outside<'_>) -> io::Result<Ended> {
    let (screen, seen) = (Screen::take(has_mouse)?, Instant::now());
    let mut dashboard = DashboardLoop { state, screen, outside, seen };
    loop {
        dashboard.draw(inbox)?;
        let mut event = next(inbox, &dashboard.state, dashboard.seen);
        if event.is_none() {
            return Ok(Ended::Quit);
        }
        // Events that arrived meanwhile are processed before the next frame.
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

/// State, screen and callbacks of a running dashboard.
struct DashboardLoop<'a> {
    state: State,
    screen: Screen,
    outside: Outside<'a>,
    /// Arrival of the last frame for the current query
    seen: Instant,
}

impl DashboardLoop<'_> {
    fn draw(&mut self, inbox: &mut Inbox) -> io::Result<()> {
        let Self { state, screen, outside, .. } = self;
        let (columns, rows) = screen.fit()?;
        if state.display.size != (columns, rows) {
            update(state, Event::Input(event::Event::Resize(columns, rows)), outside.names);
        }
        screen.draw(|frame| draw(state, frame))?;
        // Keys that already wait were typed before this frame was visible.
        if inbox.is_empty() {
            update(state, Event::Drawn, outside.names);
        }
        Ok(())
    }

    /// Updates the state and carries out the effects; returns how the dashboard ended, if it did.
    fn take_in(&mut self, event: Event) -> io::Result<Option<Ended>> {
        if matches!(&event, Event::Frame(frame) if frame.query == self.state.query) {
            self.seen = Instant::now();
        }
        if matches!(event, Event::Input(event::Event::Resize(..))) {
            // Redraw even if the size is unchanged: the terminal may have been smaller in between and cut its contents.
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

/// Waits for the next event; a late snapshot is one too. `None` if all senders are gone.
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

/// A paste without input for this long is ended, even if its end marker is missing.
const PASTE_PAUSE: Duration = Duration::from_secs(1);

/// Starts the thread that reads the terminal, until the terminal is closed or the inbox is gone. `has_more` waits for
/// input, no longer than the given time.
///
/// # Errors
/// The thread cannot be spawned: without keys the user could not quit.
pub(crate) fn listen(outlet: &Outlet, has_more: fn(Duration) -> bool) -> io::Result<()> {
    let outlet = outlet.clone();
    let reader = thread::Builder::new().name("keys".to_owned()).spawn(move || {
        let (mut reader, mut bytes, mut is_heard) = (Reader::default(), [0; 4096], true);
        while is_heard {
            if reader.is_pasting() && !has_more(PASTE_PAUSE) {
                reader.end_paste(&mut |input| is_heard &= outlet.press(Event::Input(input)));
            }
            match io::stdin().read(&mut bytes) {
                // A stop and continue of the process interrupts `read`; the terminal is still there.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The end of the terminal is urgent: it need not wait for the input before it.
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

/// The event for a resized terminal.
///
/// # Errors
/// The size cannot be read.
pub(crate) fn resized() -> io::Result<Event> {
    terminal::size().map(|(columns, rows)| Event::Input(event::Event::Resize(columns, rows)))
}
