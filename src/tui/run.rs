//! The loop: waits for an event, updates, carries effects out through the caller, draws. Nothing is drawn unless something
//! happened.

use std::io;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;

use ratatui::crossterm::event;

use super::action::{Effect, Event};
use super::state::State;
use super::terminal::Screen;
use super::theme::Theme;
use super::update::update;
use super::view::draw;
use crate::filter::Names;

/// Runs until the user has enough. `carry_out` does what is to be done outside, but for ending and suspending; `suspend`
/// stops the process until the shell lets it go on.
///
/// # Errors
/// The terminal cannot be set or written to.
pub fn run(
    mut state: State,
    theme: Theme,
    names: &dyn Names,
    events: &Receiver<Event>,
    carry_out: &mut dyn FnMut(Effect),
    suspend: &mut dyn FnMut(),
) -> io::Result<()> {
    let mut screen = Screen::take()?;
    loop {
        screen.terminal.draw(|frame| draw(&state, theme, frame))?;
        // All that has come meanwhile is taken in before the next frame.
        let Ok(first) = events.recv() else { return Ok(()) };
        for event in std::iter::once(first).chain(events.try_iter()) {
            for effect in update(&mut state, event, names) {
                match effect {
                    Effect::Quit => return Ok(()),
                    Effect::Suspend => screen.lend(&mut *suspend)?,
                    effect => carry_out(effect),
                }
            }
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
