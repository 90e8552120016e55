//! What `set` and `kill` are to do: to which sockets, and how carefully.

use rustc_hash::FxHashSet;

use super::args::ActingArgs;
use super::change::Assignment;
use crate::export::table::Look;
use crate::fields::id::ColumnId;
use crate::inspect::Request;
use crate::model::socket::SocketId;

/// What is to be done to each socket.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    /// `kill`
    Destroy,
    /// `set`
    Set(Assignment),
}

impl Deed {
    /// Columns of the list that is shown before anything is done.
    pub(super) fn columns(self) -> &'static [ColumnId] {
        match self {
            Self::Destroy => &[
                ColumnId::State,
                ColumnId::Verdict,
                ColumnId::DeadIn,
                ColumnId::Local,
                ColumnId::Peer,
                ColumnId::Idle,
                ColumnId::Process,
            ],
            Self::Set(_) => &[
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

    /// "Destroy", "Set keepalive on, idle 60s of": what is asked, and noted.
    pub(super) fn imperative(self) -> String {
        match self {
            Self::Destroy => "destroy".to_owned(),
            Self::Set(assignment) => format!("set {assignment} of"),
        }
    }

    /// What was done.
    pub(super) fn past(self) -> &'static str {
        match self {
            Self::Destroy => "destroyed",
            Self::Set(_) => "set",
        }
    }
}

/// All that has to be known to do it.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) deed: Deed,
    /// Which sockets
    pub(super) request: Request,
    /// And of those only these
    pub(super) only: Option<FxHashSet<SocketId>>,
    /// As the filter was typed
    pub(super) typed: String,
    pub(super) how: ActingArgs,
    pub(super) look: Look,
    pub(super) quiet: bool,
    /// Do nothing where something could not be seen
    pub(super) strict: bool,
}
