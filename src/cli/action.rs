//! Settings of `set` and `kill`: which sockets to change, how, and with which safeguards.

use super::args::ActingArgs;
use super::change;
use crate::act::plan::Deed;
use crate::export::table::TableLayout;
use crate::fields::id::ColumnId;
use crate::inspect::Request;

/// Columns of the list that is shown before anything is changed.
pub(super) fn columns(deed: Deed) -> &'static [ColumnId] {
    match deed {
        Deed::Destroy => &[
            ColumnId::State,
            ColumnId::Verdict,
            ColumnId::DeadIn,
            ColumnId::Local,
            ColumnId::Peer,
            ColumnId::Idle,
            ColumnId::Process,
        ],
        Deed::Set(_) => &[
            ColumnId::State,
            ColumnId::Verdict,
            ColumnId::DeadIn,
            ColumnId::Local,
            ColumnId::Peer,
            ColumnId::Keepalive,
            ColumnId::UserTimeout,
            ColumnId::Idle,
            ColumnId::Process,
        ],
    }
}

/// The question's verb: "destroy", or "set keepalive on, idle 60s for".
pub(super) fn imperative(deed: Deed) -> String {
    match deed {
        Deed::Destroy => "destroy".to_owned(),
        Deed::Set(assignment) => format!("set {} for", change::in_words(&assignment)),
    }
}

/// A run of `set` or `kill`.
#[derive(Debug)]
pub(super) struct ActingTask {
    pub(super) deed: Deed,
    /// Request that selects the sockets
    pub(super) request: Request,
    /// The filter as typed
    pub(super) typed: String,
    pub(super) how: ActingArgs,
    pub(super) layout: TableLayout,
    pub(super) quiet: bool,
    /// Whether to change nothing if something could not be seen
    pub(super) strict: bool,
}
