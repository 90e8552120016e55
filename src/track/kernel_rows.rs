//! Kernel values as rows: sysctls, gauges, and counters with their growth rates.

use rustc_hash::FxHashMap;

use super::line::{RowId, Sign};
use crate::fields::kernel::{Entry, Section, sections};
use crate::model::address::NetnsId;
use crate::model::namespace::Namespace;
use crate::model::time::Millis;

/// Counters whose growth means that a connection or packet is lost or given up.
const BAD: &[&str] = &[
    "TcpExt.ListenOverflows",
    "TcpExt.ListenDrops",
    "TcpExt.TCPAbortOnMemory",
    "TcpExt.TCPAbortOnTimeout",
    "TcpExt.TCPTimeWaitOverflow",
    "TcpExt.TCPReqQFullDrop",
    "TcpExt.TCPRetransFail",
];

/// Values of /proc/net/snmp that are not counters.
const NO_COUNTERS: &[&str] = &["Tcp.RtoAlgorithm", "Tcp.RtoMin", "Tcp.RtoMax", "Tcp.MaxConn", "Tcp.CurrEstab"];

/// One kernel value of one namespace.
#[derive(Debug)]
pub struct KernelRow {
    /// Identity of the row
    pub id: RowId,
    pub(super) namespace: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) default: &'static str,
    pub(super) scope: &'static str,
    pub(super) meaning: String,
    /// Growth per second since the previous snapshot, in tenths
    pub(super) now: Option<u64>,
    pub(super) since_start: Option<u64>,
}

impl KernelRow {
    /// Whether its name or its meaning contains `text`, which has to be in lower case.
    pub fn mentions(&self, text: &str) -> bool {
        self.name.to_lowercase().contains(text) || self.meaning.to_lowercase().contains(text)
    }

    /// Sign of the row.
    pub fn sign(&self) -> Sign {
        if self.now.is_some_and(|now| now > 0) && BAD.contains(&self.name.as_str()) {
            Sign::Warning
        } else {
            Sign::Plain
        }
    }
}

/// Value of a counter at one time.
#[derive(Debug, Clone, Copy)]
struct Then {
    at: Millis,
    value: i64,
}

/// Values of the counters in the first snapshot and in the previous one.
#[derive(Debug, Default)]
pub struct KernelCounters {
    past: FxHashMap<(NetnsId, String), (Then, Then)>,
}

impl KernelCounters {
    /// Records the counters of a namespace without making rows.
    pub fn note(&mut self, namespace: &Namespace, at: Millis) {
        drop(self.rows(namespace, at, true));
    }

    /// All values of a namespace. Counters that are 0 and seldom matter are left out unless `all` is set.
    pub fn rows(&mut self, namespace: &Namespace, at: Millis, all: bool) -> Vec<KernelRow> {
        let mut rows = Vec::new();
        for (number, (section, entries)) in sections(namespace).into_iter().enumerate() {
            for (index, entry) in entries.into_iter().enumerate() {
                let rates = self.rates(section, &entry, namespace.id, at);
                if all || !entry.boring {
                    let place = (number << 16 | index) as u64;
                    rows.push(row(section, entry, namespace, place, rates));
                }
            }
        }
        rows
    }

    /// Growth per second, in tenths, since the previous snapshot and since the first.
    fn rates(&mut self, section: Section, entry: &Entry<'_>, netns: NetnsId, at: Millis) -> [Option<u64>; 2] {
        let counts = section.counts() && !NO_COUNTERS.contains(&entry.name.as_str());
        let value = entry.value.as_ref().filter(|_| counts).and_then(|value| value.parse().ok());
        let Some(value) = value else { return [None; 2] };
        let now = Then { at, value };
        let (first, last) = *self.past.entry((netns, entry.name.clone())).or_insert((now, now));
        self.past.insert((netns, entry.name.clone()), (first, now));
        [last, first].map(|then| {
            let passed = at - then.at;
            u64::try_from(value - then.value).ok()?.saturating_mul(10_000).checked_div(passed.get())
        })
    }
}

fn row(section: Section, entry: Entry<'_>, namespace: &Namespace, place: u64, rates: [Option<u64>; 2]) -> KernelRow {
    KernelRow {
        id: RowId { netns: namespace.id, key: place },
        namespace: namespace.name.clone(),
        kind: section.kind,
        name: entry.name,
        value: entry.value,
        default: entry.default,
        scope: if section.has_scopes { entry.scope.name() } else { "" },
        meaning: entry.meaning.to_owned(),
        now: rates[0],
        since_start: rates[1],
    }
}
