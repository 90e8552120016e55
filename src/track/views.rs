//! The views, one table for keys, tabs, titles, columns and the configuration.

use super::columns::{changes, groups, kernel};
use super::heading::{Heading, Source};
use super::motion::Motion;
use crate::fields::column::Width;
use crate::fields::table::{CONNECTION_COLUMNS, columns};
use crate::fields::value::{Unit, Value};
use crate::model::row::Row;
use crate::model::socket::Queues;
use crate::model::sysctl::Sysctl;
use crate::text::bar;

/// What the screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// Connections
    Connections,
    /// Connections by what they go to
    Peers,
    /// Connections by whose they are
    Processes,
    /// Listeners, with their accept queues
    Listeners,
    /// Sysctls, gauges and counters
    Kernel,
    /// What happened
    Changes,
}

/// One line of the table.
#[derive(Debug)]
pub struct ViewSpec {
    /// Which
    pub view: View,
    /// On its tab, and in the configuration
    pub name: &'static str,
    /// What one of its rows is called, and several
    pub rows: [&'static str; 2],
    /// Columns by default
    columns: &'static [&'static str],
    /// All that it could show
    catalogue: fn() -> Vec<Heading>,
}

/// Every view, in the order of the number keys.
pub const VIEWS: [ViewSpec; 6] = [
    ViewSpec {
        view: View::Connections,
        name: "connections",
        rows: ["connection", "connections"],
        columns: CONNECTION_COLUMNS,
        catalogue: connections,
    },
    ViewSpec {
        view: View::Peers,
        name: "peers",
        rows: ["peer", "peers"],
        columns: groups::PEER_COLUMNS,
        catalogue: groups::of_peers,
    },
    ViewSpec {
        view: View::Processes,
        name: "processes",
        rows: ["process", "processes"],
        columns: groups::PROCESS_COLUMNS,
        catalogue: groups::of_processes,
    },
    ViewSpec {
        view: View::Listeners,
        name: "listeners",
        rows: ["listener", "listeners"],
        columns: LISTENERS,
        catalogue: listeners,
    },
    ViewSpec {
        view: View::Kernel,
        name: "kernel",
        rows: ["value", "values"],
        columns: kernel::COLUMNS,
        catalogue: kernel::headings,
    },
    ViewSpec {
        view: View::Changes,
        name: "changes",
        rows: ["change", "changes"],
        columns: changes::COLUMNS,
        catalogue: changes::headings,
    },
];

/// What the view of listeners shows: the columns of `ls -l`, with the queue as a bar and the drops as a rate.
const LISTENERS: &[&str] =
    &["local", "fill", "accept-q", "backlog", "somaxconn", "drops", "drop-rate", "keepalive", "user", "process"];

impl View {
    /// Its line of the table.
    pub fn spec(self) -> &'static ViewSpec {
        &VIEWS[self.index()]
    }

    /// Its place among the views.
    pub fn index(self) -> usize {
        VIEWS.iter().position(|spec| spec.view == self).unwrap_or(0)
    }

    /// The view so many places further on.
    #[must_use]
    pub fn next(self, by: usize) -> Self {
        VIEWS[(self.index() + by) % VIEWS.len()].view
    }

    /// What so many of its rows are called.
    pub fn count(self, rows: usize) -> String {
        let [one, several] = self.spec().rows;
        format!("{rows} {}", if rows == 1 { one } else { several })
    }

    /// Whether its rows are sockets.
    pub fn has_sockets(self) -> bool {
        matches!(self, Self::Connections | Self::Listeners)
    }

    /// All columns that it could show, with what each is.
    pub fn catalogue(self) -> Vec<Heading> {
        (self.spec().catalogue)()
    }

    /// Its columns by default.
    pub fn columns(self) -> Vec<Heading> {
        let catalogue = self.catalogue();
        let find = |name: &&str| catalogue.iter().find(|heading| heading.name == **name).cloned();
        self.spec().columns.iter().filter_map(find).collect()
    }
}

impl ViewSpec {
    /// Names of its columns by default.
    pub fn default_columns(&self) -> &'static [&'static str] {
        self.columns
    }
}

fn fields() -> Vec<Heading> {
    columns().map(Heading::from).collect()
}

fn connections() -> Vec<Heading> {
    let mut headings = fields();
    headings.extend([
        Heading::number(
            "sent-rate",
            "SENT/S",
            60,
            "bytes that the peer acknowledged, per second since the last look",
            Source::Moving(|_, motion| Value::number(motion.sent_per_s)),
        )
        .unit(Unit::BytesPerSecond),
        Heading::number(
            "received-rate",
            "RECEIVED/S",
            60,
            "bytes that came in order, per second since the last look",
            Source::Moving(|_, motion| Value::number(motion.received_per_s)),
        )
        .unit(Unit::BytesPerSecond),
    ]);
    headings
}

fn listeners() -> Vec<Heading> {
    let mut headings = fields();
    for heading in &mut headings {
        // Connections that are lost matter more here than how the listener is set.
        heading.importance = match &*heading.name {
            "drops" => 94,
            "backlog" => 91,
            "keepalive" => 38,
            _ => heading.importance,
        };
    }
    headings.extend([
        Heading::text("fill", "ACCEPT QUEUE", 95, "how full the accept queue is", Source::Moving(fill)),
        Heading::number(
            "somaxconn",
            "SOMAXCONN",
            60,
            "net.core.somaxconn: the most that listen() may ask for",
            Source::Moving(|row, _| Value::number(row.namespace.sysctls.number(Sysctl::Somaxconn))),
        ),
        Heading::number(
            "drop-rate",
            "DROPS/S",
            93,
            "connection attempts dropped, per second since the last look",
            Source::Moving(|_, motion: &Motion| Value::number(motion.drops_per_s)),
        ),
    ]);
    headings
}

/// One more than the backlog fits.
fn fill(row: &Row<'_>, _: &Motion) -> Value<'static> {
    const CELLS: usize = 8;
    match row.socket.queues {
        Queues::Accept { length, max: Some(max) } => Value::Word(bar(length.into(), u64::from(max) + 1, CELLS).into()),
        _ => Value::Absent,
    }
}

/// The columns of rows that say which socket it is, whatever columns are shown.
pub const TELLING: [&str; 5] = ["netns", "state", "local", "peer", "process"];

/// Whether its cells are addresses with ports.
pub fn is_end(heading: &Heading) -> bool {
    matches!(&*heading.name, "local" | "peer")
}

/// How a column may be squeezed: long addresses may be cut, unless somebody wants all of them.
pub fn squeezed(heading: &Heading, has_full_addresses: bool) -> Width {
    const LEAST: u8 = 21;
    if is_end(heading) && !has_full_addresses { Width::Flexible(LEAST) } else { heading.width }
}
