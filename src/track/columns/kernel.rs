//! Columns of the kernel's own numbers.

use crate::fields::value::{Unit, Value};
use crate::track::heading::{Heading, Source};

/// What the view shows.
pub const COLUMNS: &[&str] = &["name", "value", "now", "since-start", "default", "meaning"];

/// Columns of the view.
pub fn headings() -> Vec<Heading> {
    let text = |name, title, importance, help, get| Heading::text(name, title, importance, help, Source::Kernel(get));
    let number =
        |name, title, importance, help, get| Heading::number(name, title, importance, help, Source::Kernel(get));
    vec![
        text("name", "NAME", 99, "as the kernel calls it", |number| Value::name(Some(&number.name))),
        number("value", "VALUE", 98, "its value", |number| match &number.value {
            Some(text) => text.parse().map_or_else(|_| Value::name(Some(text)), Value::Number),
            None => Value::Absent,
        }),
        number("now", "NOW/S", 75, "growth per second since the last look", |number| Value::number(number.now))
            .unit(Unit::Tenths),
        number("since-start", "START/S", 70, "growth per second since the dashboard was opened", |number| {
            Value::number(number.since_start)
        })
        .unit(Unit::Tenths),
        number("default", "DEFAULT", 60, "what the kernel starts with", |number| match number.default {
            "" => Value::Absent,
            default => default.parse().map_or_else(|_| Value::word(default), Value::Number),
        }),
        text("kind", "KIND", 30, "sysctl, gauge or counter", |number| Value::word(number.kind)),
        text("scope", "SCOPE", 40, "the namespace's own, or one for the whole host", |number| match number.scope {
            "" => Value::Absent,
            scope => Value::word(scope),
        }),
        text("meaning", "MEANING", 80, "what it decides or counts", |number| Value::name(Some(&number.meaning)))
            .flexible(20),
        text("netns", "NETNS", 97, "network namespace by name", |number| Value::name(Some(&number.namespace))),
    ]
}
