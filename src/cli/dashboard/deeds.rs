//! Changes of sockets from the dashboard: planned and logged as by `set` and `kill`, and reported in one line.

use std::io;

use crate::act::assignment::Assignment;
use crate::act::perform::Outcome;
use crate::act::plan::{Candidate, Deed, PlanScope, Planner};
use crate::cli::candidates::in_words;
use crate::cli::named::{Named, Namer};
use crate::cli::noted::{Doing, Reporter, change_noted, open_journal, sentence};
use crate::cli::policy::Logging;
use crate::filter::Filter;
use crate::inspect::{Request, inspect};
use crate::model::change::KeepaliveChange;
use crate::model::needs::Needs;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink};
use crate::model::socket::SocketId;
use crate::model::state::StateSet;

/// Report in one line, and the sockets that were changed.
type Answer = (String, Vec<SocketId>);

/// Destroys these sockets.
pub(super) fn destroy(request: &Request, ids: &[SocketId]) -> Answer {
    run(request, ids, Deed::Destroy).unwrap_or_else(|error| (format!("not destroyed: {error:#}"), Vec::new()))
}

/// Sets keepalive of these sockets.
pub(super) fn set(request: &Request, ids: &[SocketId], change: KeepaliveChange) -> Answer {
    let deed = Deed::Set(Assignment::of(change));
    run(request, ids, deed).unwrap_or_else(|error| (format!("not set: {error:#}"), Vec::new()))
}

fn run(request: &Request, ids: &[SocketId], deed: Deed) -> anyhow::Result<Answer> {
    let mut journal = open_journal(deed, Logging::default())?;
    let needs = Needs::LIVENESS | Needs::OWNERS;
    let request = Request { states: StateSet::ALL, needs, filter: Filter::default(), ..request.clone() };
    let scope = PlanScope { only: Some(ids.iter().copied().collect()), max: ids.len() as u64, include_own: false };
    let mut gather = GatherAll { planner: Planner::new(deed, scope), namer: Namer::default() };
    inspect(&request, None, &mut gather, &|| false)?;
    let plan = gather.planner.finish().map_err(|why| anyhow::anyhow!("{}; nothing was changed", in_words(&why)))?;
    let mut told = ToldInOneLine::default();
    let doing = Doing { deed, netns: &request.netns, typed: "", in_dashboard: true };
    let done = change_noted(doing, &plan.candidates, &mut journal, &mut told)?;
    told.failures.extend(done.refusal.map(|why| format!("not {}: {why}", past(deed))));
    let left_out = plan.left_out.iter();
    told.remarks.extend(left_out.map(|left_out| format!("left out: {} carries this session", left_out.label)));
    Ok((told.line(deed, plan.candidates.len(), ids.len()), told.done))
}

fn past(deed: Deed) -> &'static str {
    match deed {
        Deed::Destroy => "destroyed",
        Deed::Set(_) => "set",
    }
}

/// Sink that plans the selected sockets.
struct GatherAll {
    planner: Planner<Named>,
    namer: Namer,
}

impl Sink for GatherAll {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.namer.several_namespaces = head.namespaces.len() > 1;
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.planner.add(row, |row| self.namer.name(row));
        Ok(())
    }
}

/// Collects the results for the report.
#[derive(Default)]
struct ToldInOneLine {
    done: Vec<SocketId>,
    lines: Vec<String>,
    failures: Vec<String>,
    remarks: Vec<String>,
}

impl Reporter for ToldInOneLine {
    fn outcome(&mut self, candidate: &Candidate<Named>, outcome: &Outcome) {
        let line = sentence(candidate, outcome);
        match outcome {
            Outcome::Destroyed | Outcome::Set(_) => {
                self.done.push(candidate.target.socket.id);
                self.lines.push(line);
            }
            Outcome::Gone | Outcome::NotDestroyed(_) | Outcome::NotSet(_) => self.failures.push(line),
        }
    }

    fn unnoted(&mut self, why: &str) {
        self.remarks.push(format!("not noted in the journal: {why}"));
    }
}

impl ToldInOneLine {
    /// The report: of one socket everything; of several the number, and the first reason why not all. What was done
    /// comes first, since the end may be cut.
    fn line(&self, deed: Deed, planned: usize, wanted: usize) -> String {
        let Self { done, lines, failures, remarks } = self;
        match &lines[..] {
            [] if failures.is_empty() && remarks.is_empty() => "gone already".to_owned(),
            _ if planned <= 1 => [&lines[..], failures, remarks].concat().join("; "),
            _ => {
                let why = failures.iter().chain(remarks).next().map_or(String::new(), |why| format!("; {why}"));
                format!("{} {} of {wanted}{why}", past(deed), done.len())
            }
        }
    }
}
