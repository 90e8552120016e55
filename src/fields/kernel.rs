//! The kernel's own numbers of a namespace, each with what it means: what `kernel` and the dashboard show.

use crate::model::counters::{WATCHED, meaning};
use crate::model::namespace::Namespace;
use crate::model::sysctl::Scope;

/// One number with all that is said of it.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    /// As the kernel calls it
    pub name: String,
    /// Its value; `None` where it could not be read
    pub value: Option<String>,
    /// What the kernel starts with, empty where that says nothing
    pub default: &'static str,
    /// Whose it is
    pub scope: Scope,
    /// What it decides or counts
    pub meaning: &'a str,
    /// Left out of the table while it is 0
    pub boring: bool,
}

/// What belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    /// Above its names
    pub title: &'static str,
    /// The word in CSV
    pub kind: &'static str,
    /// Whether its entries have defaults
    pub has_defaults: bool,
    /// Whether its entries are not all the namespace's own
    pub has_scopes: bool,
}

const SYSCTLS: Section = Section { title: "SYSCTL", kind: "sysctl", has_defaults: true, has_scopes: true };
const GAUGES: Section = Section { title: "GAUGE", kind: "gauge", has_defaults: false, has_scopes: true };
const COUNTERS: Section = Section { title: "COUNTER", kind: "counter", has_defaults: false, has_scopes: false };

impl Section {
    /// Whether its numbers only ever grow.
    pub(crate) fn counts(&self) -> bool {
        *self == COUNTERS
    }
}

/// All of a namespace, those of keepalive first.
pub(crate) fn sections(namespace: &Namespace) -> [(Section, Vec<Entry<'_>>); 3] {
    let sysctls = namespace.sysctls.iter().map(|(spec, value)| Entry {
        name: spec.name(),
        value: value.map(|value| crate::text::printable(&value.to_string()).into_owned()),
        default: spec.default,
        scope: spec.scope,
        meaning: spec.meaning,
        boring: false,
    });
    let gauges = namespace.sockstat.iter().map(|(gauge, value)| Entry {
        name: format!("{}.{}", gauge.group, gauge.name),
        value: value.map(|value| value.to_string()),
        default: "",
        scope: gauge.scope,
        meaning: gauge.meaning,
        boring: false,
    });
    let counters = namespace.counters.groups().into_iter().flat_map(|(group, values)| {
        values.iter().map(move |(name, value)| Entry {
            name: format!("{group}.{}", crate::text::printable(name)),
            value: Some(value.to_string()),
            default: "",
            scope: Scope::Netns,
            meaning: meaning(group, name).unwrap_or("not known to this version of tcpulse"),
            boring: *value == 0 && !WATCHED.contains(&name.as_str()),
        })
    });
    [(SYSCTLS, sysctls.collect()), (GAUGES, gauges.collect()), (COUNTERS, counters.collect())]
}
