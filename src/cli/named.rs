//! Names of a socket that is to be changed, for lists, questions, reports and the journal.

use crate::act::plan::Candidate;
use crate::fields::id::ColumnId;
use crate::fields::socket::SocketColumn;
use crate::fields::table::listed;
use crate::model::liveness::Deadline;
use crate::model::owner::escaped;
use crate::model::row::Row;
use crate::text::{self, printable};

/// The names of one socket.
#[derive(Debug)]
pub(super) struct Named {
    /// Addresses, state and owner
    pub(super) label: String,
    /// Owner, for counts and the journal
    pub(super) holder: String,
}

/// Builds the names of sockets.
#[derive(Debug)]
pub(super) struct Namer {
    ends: Vec<SocketColumn>,
    words: Vec<SocketColumn>,
    /// Whether names include the network namespace
    pub(super) several_namespaces: bool,
}

impl Default for Namer {
    fn default() -> Self {
        Self {
            ends: listed(&[ColumnId::Local, ColumnId::Peer]),
            words: listed(&[ColumnId::State, ColumnId::Process]),
            several_namespaces: false,
        }
    }
}

impl Namer {
    /// Names of a row's socket.
    pub(super) fn name(&self, row: &Row<'_>) -> Named {
        Named { label: self.label(row), holder: holder(row) }
    }

    /// `local->peer state process`, without the parts that are unknown.
    fn label(&self, row: &Row<'_>) -> String {
        let cells = |columns: &[SocketColumn], between: &str| {
            let cells = columns.iter().map(|column| column.value(row).plain().into_owned());
            cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(between)
        };
        let mut label = [cells(&self.ends, "->"), cells(&self.words, " ")].join(" ").trim_end().to_owned();
        if self.several_namespaces {
            label.push_str(" in netns ");
            label.push_str(&printable(&row.namespace.name));
        }
        label
    }
}

fn holder(row: &Row<'_>) -> String {
    let holders = row.holder.owners().into_iter().flat_map(|owners| owners.processes());
    let mut holders: Vec<_> =
        holders.map(|process| escaped(&process.comm, &[',', '+', '(', ')']).into_owned()).collect();
    holders.dedup();
    if holders.is_empty() {
        return format!("no process ({})", row.holder.name().unwrap_or("unknown"));
    }
    holders.join("+")
}

/// Summary such as "3 sockets (2 of nginx, 1 of curl)"; `None` if there are none.
pub(super) fn summary(candidates: &[Candidate<Named>]) -> Option<String> {
    const MOST_NAMES: usize = 5;
    let shares = text::shares(candidates.iter().map(|candidate| candidate.name.holder.as_str()), MOST_NAMES);
    (!candidates.is_empty()).then(|| format!("{} ({shares})", text::counted(candidates.len() as u64, "socket")))
}

/// When the kernel gives up, as text; a dash if unknown.
pub(super) fn dead_in(deadline: Option<Deadline>) -> String {
    match deadline.map(|deadline| text::bounded(deadline.after, deadline.bound)) {
        Some(text) if !text.is_empty() => text.into_owned(),
        _ => text::DASH.to_owned(),
    }
}
