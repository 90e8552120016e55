//! What `set` and `kill` are to do: to which sockets, and how carefully.

use super::args::ActingArgs;
use super::change;
use crate::act::plan::Deed;
use crate::export::table::Look;
use crate::fields::id::ColumnId;
use crate::inspect::Request;

/// Columns of the list that is shown before anything is done.
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

/// "destroy", "set keepalive on, idle 60s of": what is asked.
pub(super) fn imperative(deed: Deed) -> String {
    match deed {
        Deed::Destroy => "destroy".to_owned(),
        Deed::Set(assignment) => format!("set {} of", change::in_words(&assignment)),
    }
}

/// All that has to be known to do it.
#[derive(Debug)]
pub(super) struct ActingTask {
    pub(super) deed: Deed,
    /// Which sockets
    pub(super) request: Request,
    /// As the filter was typed
    pub(super) typed: String,
    pub(super) how: ActingArgs,
    pub(super) look: Look,
    pub(super) quiet: bool,
    /// Do nothing where something could not be seen
    pub(super) strict: bool,
}
