//! Changes of sockets with journal lines before and after: the only path to them, for commands and dashboard.

use anyhow::bail;

use super::change;
use super::journal::Journal;
use super::named::Named;
use super::note::{Note, NoteEvent};
use super::policy::{Logging, Policy};
use crate::act::keepalive::Changed;
use crate::act::perform::{Outcome, Performance, Stopped, Witness, perform};
use crate::act::plan::{Candidate, Deed};
use crate::collect::caller::Caller;
use crate::collect::discovery::NetnsChoice;
use crate::model::change::AtOnce;
use crate::text::setting::{assignments, differences};

/// Checks that the policy permits the deed, and opens the journal. If logging is required, fails unless the log daemon
/// is there.
pub(super) fn open_journal(deed: Deed, logging: Logging) -> anyhow::Result<Journal> {
    let (caller, policy) = (Caller::find(), Policy::load()?);
    policy.permit(deed, &caller)?;
    policy.permit_silence(logging, &caller)?;
    let mut journal = Journal::new(&caller, policy, logging);
    if journal.is_required() && !journal.check() {
        bail!("nothing was changed: {}", unnoted(&mut journal));
    }
    Ok(journal)
}

/// Error text for a required note that could not be logged.
fn unnoted(journal: &mut Journal) -> String {
    let why = journal.failure().unwrap_or_default();
    format!("cannot log to the journal: {why}; logging is required here, so check that journald or a syslogd runs")
}

/// Receives each result at once, so that an interrupt loses nothing.
pub(super) trait Reporter {
    /// Whether the user interrupted.
    fn is_over(&self) -> bool {
        false
    }

    /// Receives the result of one socket.
    fn outcome(&mut self, candidate: &Candidate<Named>, outcome: &Outcome);

    /// Reports that later changes are not logged, and why.
    fn unnoted(&mut self, why: &str);
}

/// The deed, and the fields of the journal that are common to all sockets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doing<'a> {
    pub(super) deed: Deed,
    pub(super) netns: &'a NetnsChoice,
    /// The filter as typed
    pub(super) typed: &'a str,
    /// Whether the sockets were chosen one by one in the dashboard
    pub(super) in_dashboard: bool,
}

/// Results, and if the journal stopped the run: why.
pub(super) struct Done {
    pub(super) performance: Performance,
    pub(super) refusal: Option<String>,
}

/// Changes the sockets. If changes are logged, then whatever kills the program in between, each change was reported or
/// at least its intent was logged.
pub(super) fn change_noted(
    doing: Doing<'_>,
    candidates: &[Candidate<Named>],
    journal: &mut Journal,
    reporter: &mut dyn Reporter,
) -> anyhow::Result<Done> {
    let mut noting = Noting { doing, journal, reporter, refusal: None };
    let performance = perform(doing.deed, doing.netns, candidates, &mut noting)?;
    if performance.stopped.is_none() {
        noting.tell_failure();
    }
    Ok(Done { performance, refusal: noting.refusal })
}

struct Noting<'a> {
    doing: Doing<'a>,
    journal: &'a mut Journal,
    reporter: &'a mut dyn Reporter,
    /// Why a required note could not be logged
    refusal: Option<String>,
}

impl Noting<'_> {
    fn tell_failure(&mut self) {
        if let Some(why) = self.journal.failure() {
            self.reporter.unnoted(&why);
        }
    }
}

impl Witness<Named> for Noting<'_> {
    fn is_over(&self) -> bool {
        self.reporter.is_over()
    }

    fn before(&mut self, candidate: &Candidate<Named>) -> bool {
        if self.journal.note(&self.doing.intent(candidate)) {
            return true;
        }
        if self.journal.is_required() {
            self.refusal = Some(unnoted(self.journal));
            return false;
        }
        self.tell_failure();
        true
    }

    fn after(&mut self, candidate: &Candidate<Named>, outcome: &Outcome) {
        self.reporter.outcome(candidate, outcome);
        // If logging is required, `before` stops the next change and reports it.
        if !self.journal.note(&self.doing.result(candidate, outcome)) && !self.journal.is_required() {
            self.tell_failure();
        }
    }
}

impl<'a> Doing<'a> {
    /// Note before the change.
    fn intent(&self, candidate: &'a Candidate<Named>) -> Note<'a> {
        let socket = &candidate.target.socket;
        let (command, what, old, new) = match self.deed {
            Deed::Destroy => ("kill", None, socket.state.to_string(), "destroyed".to_owned()),
            Deed::Set(assignment) => {
                let old = candidate.was.map_or("unknown".to_owned(), |was| assignments(&was.keepalive));
                let new = candidate
                    .was
                    .map_or("unknown".to_owned(), |was| assignments(&candidate.change.applied_to(was).keepalive));
                ("set", Some(change::in_words(&assignment)), old, new)
            }
        };
        let mut pids: Vec<_> = candidate.target.holders.iter().map(|(pid, _)| *pid).collect();
        pids.dedup();
        Note {
            event: NoteEvent::Intent,
            command,
            in_dashboard: self.in_dashboard,
            socket,
            owner: &candidate.name.holder,
            pids,
            what,
            old,
            new,
            why: None,
            filter: self.typed,
        }
    }

    /// Note after the change.
    fn result(&self, candidate: &'a Candidate<Named>, outcome: &Outcome) -> Note<'a> {
        let intent = self.intent(candidate);
        match outcome {
            Outcome::Destroyed => Note { event: NoteEvent::Done, ..intent },
            Outcome::Set(Changed { before, after }) => Note {
                event: NoteEvent::Done,
                old: assignments(&before.keepalive),
                new: assignments(&after.keepalive),
                ..intent
            },
            Outcome::Gone => Note { event: NoteEvent::Gone, why: Some("gone already".to_owned()), ..intent },
            Outcome::NotDestroyed(why) => Note { event: NoteEvent::Failed, why: Some(why.to_string()), ..intent },
            Outcome::NotSet(why) => Note { event: NoteEvent::Failed, why: Some(why.to_string()), ..intent },
        }
    }
}

/// The report of one result: "destroyed …", "set …: keepalive off -> on", "not set: …: why".
pub(super) fn sentence(candidate: &Candidate<Named>, outcome: &Outcome) -> String {
    let label = &candidate.name.label;
    match outcome {
        Outcome::Destroyed => format!("destroyed {label}"),
        Outcome::Set(Changed { before, after }) => {
            let at_once = match candidate.at_once {
                AtOnce::Nothing => "",
                AtOnce::Probe => "; its peer is probed at once",
                AtOnce::End => "; enough probes were unanswered: the kernel ends it at once",
            };
            format!("set {label}: {}{at_once}", differences(&before.keepalive, &after.keepalive))
        }
        Outcome::Gone => format!("gone already: {label}"),
        Outcome::NotDestroyed(why) => format!("not destroyed: {label}: {why}"),
        Outcome::NotSet(why) => format!("not set: {label}: {why}"),
    }
}

/// Whether the run stopped because a required note could not be logged.
pub(super) fn is_refused(performance: &Performance) -> bool {
    performance.stopped == Some(Stopped::Refused)
}
