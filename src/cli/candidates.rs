//! The sockets that a filter of `set` or `kill` means, kept until the user has said yes.

use std::io;

use rustc_hash::FxHashMap;

use super::action::{Action, Deed};
use super::asked;
use super::signals::Interrupt;
use crate::act::own::Own;
use crate::act::target::Target;
use crate::export::list::{Listing, Order};
use crate::export::table::TableListing;
use crate::fields::id::ColumnId;
use crate::fields::socket::SocketColumn;
use crate::fields::table::listed;
use crate::inspect::{Request, inspect};
use crate::model::change::KeepaliveChange;
use crate::model::needs::Needs;
use crate::model::options::SocketOptions;
use crate::model::owner::escaped;
use crate::model::row::Row;
use crate::model::snapshot::{Head, Sink, Tail};
use crate::model::socket::SocketId;
use crate::model::state::StateSet;
use crate::text::keepalive::differences;
use crate::text::{self, printable};

/// One of them, as it was when it was listed.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) target: Target,
    /// What it is called: its ends, its state, who holds it
    pub(super) label: String,
    /// Who holds it, for a count and for the journal
    pub(super) holder: String,
    /// What is to be set on it
    pub(super) change: KeepaliveChange,
    /// Its options, where they could be read
    pub(super) was: Option<SocketOptions>,
    /// Setting it makes the kernel probe the peer at once
    pub(super) probes_at_once: bool,
    /// When the kernel would have given up on its peer
    pub(super) dead_in: String,
}

impl Candidate {
    /// "3 sockets (2 of nginx, 1 of curl)"; `None` of none.
    pub(super) fn summary(candidates: &[Self]) -> Option<String> {
        const MOST_NAMES: usize = 5;
        let shares = text::shares(candidates.iter().map(|candidate| candidate.holder.as_str()), MOST_NAMES);
        let plural = if candidates.len() == 1 { "" } else { "s" };
        (!candidates.is_empty()).then(|| format!("{} socket{plural} ({shares})", candidates.len()))
    }

    /// What setting it would change.
    pub(super) fn planned(&self) -> String {
        let Some(was) = self.was else { return "its options cannot be read, so not set either".to_owned() };
        differences(&was, &self.change.applied_to(was))
    }
}

/// Receives the rows that the filter means.
pub(super) struct Gather<'a> {
    action: &'a Action,
    own: Option<Own>,
    listing: Listing<Vec<u8>, TableListing<'a>>,
    several_namespaces: bool,
    /// What a socket is called by, looked up once: it may be asked of every row
    name: Name,
    candidates: Vec<Candidate>,
    matched: u64,
    spared: Vec<String>,
    trouble: Option<String>,
}

impl<'a> Gather<'a> {
    /// Leaves out what is `own`.
    pub(super) fn new(action: &'a Action, own: Option<Own>) -> Self {
        let columns = listed(action.deed.columns());
        let table = TableListing::new(columns, true, action.look, false, &|_| None);
        Self {
            action,
            own,
            listing: Listing::new(Vec::new(), table, Order::default()),
            several_namespaces: false,
            name: Name::default(),
            candidates: Vec::new(),
            matched: 0,
            spared: Vec::new(),
            trouble: None,
        }
    }

    /// Those that are to be changed; where more match than may be, not all of them.
    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// How many match.
    pub(super) fn matched(&self) -> u64 {
        self.matched
    }

    /// What the user sits on, and is left alone.
    pub(super) fn spared(&self) -> &[String] {
        &self.spared
    }

    /// Why nothing must be changed.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The candidates as a table.
    pub(super) fn list(&self) -> &[u8] {
        self.listing.output()
    }

    fn candidate(&mut self, row: &Row<'_>) -> Candidate {
        let change = match self.action.deed {
            Deed::Destroy => KeepaliveChange::default(),
            Deed::Set(assignment) => assignment.within(row.namespace).unwrap_or_else(|trouble| {
                self.trouble = Some(trouble);
                KeepaliveChange::default()
            }),
        };
        let was_enabled = row.judged.is_some_and(|judged| judged.keepalive.enabled == Some(true));
        let holders = row.holder.owners().into_iter().flat_map(|owners| owners.processes());
        let mut holders: Vec<_> =
            holders.map(|process| escaped(&process.comm, &[',', '+', '(', ')']).into_owned()).collect();
        holders.dedup();
        let nobody = row.holder.name().unwrap_or("unknown");
        Candidate {
            target: Target::of(row),
            label: self.label(row),
            holder: if holders.is_empty() { format!("no process ({nobody})") } else { holders.join("+") },
            was: row.options.copied(),
            probes_at_once: change.probes_at_once(was_enabled, row.socket.idle_ms()),
            change,
            dead_in: dead_in(row),
        }
    }

    fn label(&self, row: &Row<'_>) -> String {
        let mut label = self.name.of(row);
        if self.several_namespaces {
            label.push_str(" in netns ");
            label.push_str(&printable(&row.namespace.name));
        }
        label
    }
}

/// The columns that say which socket it is.
struct Name {
    ends: Vec<SocketColumn>,
    words: Vec<SocketColumn>,
}

impl Default for Name {
    fn default() -> Self {
        Self { ends: listed(&[ColumnId::Local, ColumnId::Peer]), words: listed(&[ColumnId::State, ColumnId::Process]) }
    }
}

impl Name {
    /// `local->peer state process`, as far as there is any of it.
    fn of(&self, row: &Row<'_>) -> String {
        let cells = |columns: &[SocketColumn], between: &str| {
            let cells = columns.iter().map(|column| column.value(row).plain().into_owned());
            cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(between)
        };
        [cells(&self.ends, "->"), cells(&self.words, " ")].join(" ").trim_end().to_owned()
    }
}

impl Sink for Gather<'_> {
    fn head(&mut self, head: &Head) -> io::Result<()> {
        self.several_namespaces = head.namespaces.len() > 1;
        self.listing.head(head)
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        if self.action.only.as_ref().is_some_and(|only| !only.contains(&row.socket.id)) {
            return Ok(());
        }
        if self.own.as_ref().is_some_and(|own| own.is(row)) {
            self.spared.push(self.label(row));
            return Ok(());
        }
        if self.own.as_ref().is_some_and(|own| own.may_be(row)) {
            self.trouble = Some(format!(
                "{} may be the connection that this session runs over: sshd's descriptors are hidden from this user; \
                 run as root, or take it in with --include-self",
                self.label(row)
            ));
        }
        self.matched += 1;
        // More than that many are counted, and not touched; a dry run lists them.
        if self.matched <= self.action.how.max || self.action.how.dry_run {
            self.listing.row(row)?;
            let candidate = self.candidate(row);
            self.candidates.push(candidate);
        }
        Ok(())
    }

    fn tail(&mut self, tail: &Tail) -> io::Result<()> {
        self.listing.tail(tail)
    }
}

fn dead_in(row: &Row<'_>) -> String {
    let deadline = row.judged.map(|judged| judged.liveness.deadline);
    match deadline.map(|deadline| text::bounded(deadline.ms, deadline.bound)) {
        Some(text) if !text.is_empty() => text.into_owned(),
        _ => text::DASH.to_owned(),
    }
}

/// When the kernel would give up on the peers of these now: those that are still there.
pub(super) fn deadlines<'a>(
    action: &Action,
    candidates: impl Iterator<Item = &'a Candidate>,
    interrupt: &Interrupt,
) -> anyhow::Result<FxHashMap<SocketId, String>> {
    let cookies: Vec<_> = candidates.filter_map(|candidate| candidate.target.socket.id.cookie).collect();
    let mut deadlines = Deadlines::default();
    if !cookies.is_empty() {
        // Asked anew: what was just set may be what the filter asked for.
        let filter = asked::cookies(cookies)?;
        let needs = action.request.needs | Needs::LIVENESS;
        let request = Request { filter, states: StateSet::ALL, needs, ..action.request.clone() };
        inspect(&request, None, &mut deadlines, &|| interrupt.is_asked())?;
    }
    Ok(deadlines.0)
}

/// Receives the rows of sockets that were changed.
#[derive(Default)]
struct Deadlines(FxHashMap<SocketId, String>);

impl Sink for Deadlines {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.0.insert(row.socket.id, dead_in(row));
        Ok(())
    }
}
