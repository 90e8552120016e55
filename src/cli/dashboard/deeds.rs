//! What is done to sockets from the dashboard, as `set` and `kill` do it.

use crate::cli::act::run_quietly;
use crate::cli::action::{Action, Deed};
use crate::cli::args::ActingArgs;
use crate::cli::change::Assignment;
use crate::export::style::Styles;
use crate::export::table::Look;
use crate::filter::Filter;
use crate::inspect::Request;
use crate::model::change::KeepaliveChange;
use crate::model::needs::Needs;
use crate::model::socket::SocketId;
use crate::model::state::StateSet;

/// What became of it in one line, and which sockets it was done to.
type Done = (String, Vec<SocketId>);

/// Destroys these sockets.
pub(super) fn destroy(request: &Request, ids: &[SocketId]) -> Done {
    run(request, ids, Deed::Destroy).unwrap_or_else(|error| (format!("not destroyed: {error:#}"), Vec::new()))
}

/// Sets keepalive of these sockets.
pub(super) fn set(request: &Request, ids: &[SocketId], change: KeepaliveChange) -> Done {
    let deed = Deed::Set(Assignment::of(change));
    run(request, ids, deed).unwrap_or_else(|error| (format!("not set: {error:#}"), Vec::new()))
}

fn run(request: &Request, ids: &[SocketId], deed: Deed) -> anyhow::Result<Done> {
    let needs = Needs::LIVENESS | Needs::OWNERS;
    let action = Action {
        deed,
        request: Request { states: StateSet::ALL, needs, filter: Filter::default(), ..request.clone() },
        only: Some(ids.iter().copied().collect()),
        typed: String::new(),
        how: ActingArgs {
            yes: true,
            dry_run: false,
            max: ids.len() as u64,
            include_self: false,
            no_log: false,
            require_log: false,
        },
        look: Look { room: None, header: false, styles: Styles::new(false) },
        quiet: true,
        strict: false,
    };
    run_quietly(&action)
}
