//! The only code that changes the state: events in, effects out. No I/O, no clock.

mod browse;
mod choose;
mod cursor;
mod event;
mod point;
mod press;
mod show;
mod typing;

pub(crate) use event::update;
