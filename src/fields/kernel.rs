//! Kernel values of a namespace, each with its meaning, as `kernel` and the dashboard show them.

use crate::model::counters::{WATCHED, meaning};
use crate::model::namespace::Namespace;
use crate::model::sysctl::Scope;

/// One kernel value with its description.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    /// The kernel's name for it
    pub name: String,
    /// Its value; `None` if it could not be read
    pub value: Option<String>,
    /// Initial value in the kernel; empty if it has no meaning
    pub default: &'static str,
    /// Whether it belongs to the namespace or to the whole host
    pub scope: Scope,
    /// What it decides or counts
    pub meaning: &'a str,
    /// Left out of the table while it is 0
    pub boring: bool,
}

/// Section of kernel values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    /// Title above the names
    pub title: &'static str,
    /// Its word in CSV
    pub kind: &'static str,
    /// Whether its entries have defaults
    pub has_defaults: bool,
    /// Whether some of its entries do not belong to the namespace alone
    pub has_scopes: bool,
}

const SYSCTLS: Section = Section { title: "SYSCTL", kind: "sysctl", has_defaults: true, has_scopes: true };
const GAUGES: Section = Section { title: "GAUGE", kind: "gauge", has_defaults: false, has_scopes: true };
const COUNTERS: Section = Section { title: "COUNTER", kind: "counter", has_defaults: false, has_scopes: false };

impl Section {
    /// Whether its values only ever grow.
    pub(crate) fn counts(&self) -> bool {
        *self == COUNTERS
    }
}

/// All kernel values of a namespace, those of keepalive first.
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
