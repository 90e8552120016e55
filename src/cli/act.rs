//! `set` and `kill`: list the matching sockets, ask, change them, and report each result.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, anyhow, bail};

use super::action::{ActingTask, imperative};
use super::asked::advice;
use super::candidates::{Gather, deadlines, in_words, remedy};
use super::exit::Exit;
use super::journal::Journal;
use super::named::{Named, dead_in, summary};
use super::noted::{Doing, Done, Reporter, change_noted, is_refused, open_journal, sentence};
use super::output::{Output, OutputError, print};
use super::policy::Logging;
use super::signals::Interrupt;
use super::stderr::{say, tell};
use super::usage::UsageError;
use crate::act::perform::{Outcome, Stopped};
use crate::act::plan::{Candidate, Deed, Plan};
use crate::inspect::inspect;
use crate::model::change::AtOnce;
use crate::model::gap::{Gap, GapKind, Gaps, Remedy};
use crate::model::liveness::{Bound, Deadline};
use crate::model::needs::Needs;
use crate::text::setting::differences;
use crate::text::{self, printable};

/// Runs `set` or `kill`.
pub(super) fn run(action: &ActingTask, interrupt: &Interrupt) -> anyhow::Result<Exit> {
    let ActingTask { deed, how, .. } = action;
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !(how.yes || how.dry_run || can_ask) {
        let help =
            "there is no terminal to ask at; give --yes to do it without asking, or --dry-run to see what it would do";
        return Err(UsageError(help.to_owned()).into());
    }
    let journal = open_journal(*deed, Logging { none: how.no_log, required: how.require_log })?;
    let (plan, list, gaps) = plan(action, interrupt)?;
    if !gaps.is_empty() && action.strict {
        say("something could not be seen, and --strict was given; nothing was changed");
        return Ok(Exit::Partial);
    }
    for left_out in &plan.left_out {
        say(&format!("left out: {} carries this session; --include-self includes it", left_out.label));
    }
    if !how.dry_run {
        refuse_too_many(action, plan.matched)?;
    }
    let Some(whose) = summary(&plan.candidates) else {
        return nothing_matched(action, &gaps);
    };
    let what = format!("{} {whose}", imperative(*deed));
    announce_probes(&plan.candidates);
    if how.dry_run {
        return rehearse(action, &plan, list, &what);
    }
    if !how.yes {
        io::stderr().write_all(&list)?;
        if !ask(&what, interrupt)? {
            say("nothing was changed");
            return Ok(if interrupt.is_asked() { Exit::Interrupted } else { Exit::Failed });
        }
    }
    Performer { action, candidates: &plan.candidates, interrupt }.perform(journal)
}

/// Collects the matching sockets: the plan, its table, and the gaps of the snapshot.
fn plan(action: &ActingTask, interrupt: &Interrupt) -> anyhow::Result<(Plan<Named>, Vec<u8>, Gaps)> {
    let mut gather = Gather::new(action);
    let tail = inspect(&action.request, None, &mut gather, &|| interrupt.is_asked())?;
    if !action.quiet {
        tell(&tail.gaps);
    }
    let (plan, list) = gather.finish().map_err(|why| {
        let remedy = remedy(&why).map_or_else(String::new, |remedy| format!("; {remedy}"));
        anyhow!("{}{remedy}; nothing was changed", in_words(&why))
    })?;
    Ok((plan, list, tail.gaps))
}

/// Reports that no socket matches, or that this is unknown because processes could not be read.
fn nothing_matched(action: &ActingTask, gaps: &Gaps) -> anyhow::Result<Exit> {
    let ActingTask { deed, typed, .. } = action;
    // Only gaps with a remedy count: another run, with more rights, could read these processes.
    let is_unread = |gap: &Gap| gap.kind == GapKind::ProcessOwners && matches!(gap.remedy, Remedy::Do(_));
    if action.request.filter.needs().contains(Needs::OWNERS) && gaps.iter().any(is_unread) {
        bail!("processes could not be read, so it is not known which sockets match '{typed}'; nothing was changed");
    }
    say(&format!("no socket to {} matches '{typed}'", if let Deed::Destroy = deed { "destroy" } else { "set" }));
    if let Some(advice) = advice(&action.request, 0).filter(|_| !action.quiet) {
        say(&advice);
    }
    Ok(Exit::NothingMatched)
}

/// Reports how many peers are probed at once, and how many connections end.
fn announce_probes(candidates: &[Candidate<Named>]) {
    let count = |at_once| candidates.iter().filter(|candidate| candidate.at_once == at_once).count();
    let (probed, ended) = (count(AtOnce::Probe), count(AtOnce::End));
    if probed > 0 {
        let sockets = text::counted(probed as u64, "socket");
        say(&format!("{sockets} silent for longer than the new idle time: the kernel probes the peer at once"));
    }
    if ended > 0 {
        let sockets = text::counted(ended as u64, "socket");
        say(&format!("{sockets} with enough unanswered probes already: the kernel ends the connection at once"));
    }
}

/// Refuses if more sockets match than `--max`.
fn refuse_too_many(action: &ActingTask, matched: u64) -> anyhow::Result<()> {
    let max = action.how.max;
    if matched > max {
        bail!("{matched} sockets match '{}', more than --max {max}; narrow the filter, or raise --max", action.typed);
    }
    Ok(())
}

/// Prints what would be done; fails if `--max` would refuse it.
fn rehearse(action: &ActingTask, plan: &Plan<Named>, mut list: Vec<u8>, what: &str) -> anyhow::Result<Exit> {
    if let Deed::Set(_) = action.deed {
        for candidate in &plan.candidates {
            writeln!(list, "would set {}: {}", printable(&candidate.name.label), planned(candidate))?;
        }
    }
    let printed = print(list);
    say(&format!("would {what}; nothing was changed"));
    // The refusal determines the exit code, even if the reader of the list closed the pipe.
    refuse_too_many(action, plan.matched)?;
    printed?;
    Ok(Exit::Done)
}

/// What the change would alter on this socket.
fn planned(candidate: &Candidate<Named>) -> String {
    let Some(was) = candidate.was else { return "its options cannot be read, so not set either".to_owned() };
    differences(&was.keepalive, &candidate.change.applied_to(was).keepalive)
}

/// Asks for confirmation. Only y, Y, yes and Yes confirm.
fn ask(what: &str, interrupt: &Interrupt) -> anyhow::Result<bool> {
    let mut stderr = io::stderr();
    write!(stderr, "{}? [y/N] ", text::printable(&capitalised(what)))?;
    stderr.flush()?;
    if !interrupt.wait_for_stdin()? {
        writeln!(stderr)?;
        return Ok(false);
    }
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

/// Changes the sockets of a plan, and reports each.
#[derive(Clone, Copy)]
struct Performer<'a> {
    action: &'a ActingTask,
    candidates: &'a [Candidate<Named>],
    interrupt: &'a Interrupt,
}

impl Performer<'_> {
    fn perform(self, mut journal: Journal) -> anyhow::Result<Exit> {
        let Self { action, candidates, interrupt } = self;
        let help = if journal.may_be_left_out() { "; --no-log changes sockets without a note" } else { "" };
        let mut told = ToldOnStdout { interrupt, help, unsaid: Ok(()) };
        let doing =
            Doing { deed: action.deed, netns: &action.request.netns, typed: &action.typed, in_dashboard: false };
        let done = change_noted(doing, candidates, &mut journal, &mut told)?;
        if journal.unnoted() > 0 && !journal.is_required() {
            say(&format!("{} of {} changes are not noted in the journal", journal.unnoted(), candidates.len()));
        }
        let is_cut_short = self.tell_deadlines(&done.performance.outcomes, &mut told);
        let exit = self.exit(&done, told)?;
        if exit == Exit::Done && journal.has_failed_though_required() {
            say("the last change was made, and its result not noted in the journal");
            return Ok(Exit::Failed);
        }
        Ok(if is_cut_short && exit == Exit::Done { Exit::Interrupted } else { exit })
    }

    /// Prints the new `dead-in` of each socket that was set. The changes are already reported, so an interrupt or
    /// failure here loses nothing. Returns whether it was interrupted.
    fn tell_deadlines(self, outcomes: &[Outcome], told: &mut ToldOnStdout<'_>) -> bool {
        let Self { action, candidates, interrupt } = self;
        let is_set = |(_, outcome): &(_, &Outcome)| matches!(outcome, Outcome::Set(_));
        let set: Vec<_> = candidates.iter().zip(outcomes).filter(is_set).map(|(candidate, _)| candidate).collect();
        if set.is_empty() || interrupt.is_asked() {
            return false;
        }
        let after = match deadlines(&action.request, set.iter().copied(), interrupt) {
            Ok(after) => after,
            Err(error) => {
                let is_cut_short = interrupt.is_asked();
                let why = if is_cut_short { "interrupted".to_owned() } else { format!("{error:#}") };
                say(&format!("the changes were made; their new dead-in was not read: {why}"));
                return is_cut_short;
            }
        };
        for candidate in set {
            let (label, before) = (&candidate.name.label, dead_in(candidate.deadline));
            match after.get(&candidate.target.socket.id) {
                // A listener has no deadline.
                Some(Some(Deadline { bound: Bound::NotApplicable, .. })) => {}
                Some(now) => told.tell(&format!("{label}: dead-in {before} -> {}", dead_in(*now))),
                None => told.tell(&format!("gone since: {label}")),
            }
        }
        false
    }

    /// Exit code: whether all sockets were changed; if so, also whether all could be reported. A closed pipe is not a
    /// failure.
    fn exit(self, done: &Done, told: ToldOnStdout<'_>) -> anyhow::Result<Exit> {
        let outcomes = &done.performance.outcomes;
        let wanted = self.candidates.len();
        let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
        let failed = count(|outcome| matches!(outcome, Outcome::NotDestroyed(_) | Outcome::NotSet(_)));
        let untried = wanted - outcomes.len();
        if failed + untried > 0 {
            let changed = count(|outcome| matches!(outcome, Outcome::Destroyed | Outcome::Set(_)));
            let rest = match (done.performance.stopped, &done.refusal) {
                (Some(Stopped::Interrupted), _) => format!(", {untried} not tried: interrupted"),
                (Some(Stopped::Refused), why) => {
                    format!(", {untried} not tried: {}", why.as_deref().unwrap_or_default())
                }
                (None, _) => String::new(),
            };
            say(&format!("{changed} of {wanted} done, {failed} failed{rest}"));
        }
        let unsaid =
            told.unsaid.map_err(OutputError::from).or_else(|error| error.is_broken_pipe().then_some(()).ok_or(error));
        match (untried, failed) {
            (1.., _) if is_refused(&done.performance) => Ok(Exit::Failed),
            (1.., _) => Ok(Exit::Interrupted),
            (0, 1..) => Ok(Exit::Failed),
            (0, 0) => unsaid.map(|()| Exit::Done).context("the changes were made, but not all could be reported"),
        }
    }
}

/// Reports each socket's result on stdout.
struct ToldOnStdout<'a> {
    interrupt: &'a Interrupt,
    /// Advice in case the journal fails
    help: &'static str,
    /// First failure to print the result of a change
    unsaid: io::Result<()>,
}

impl ToldOnStdout<'_> {
    /// Prints a line to stdout; if that fails, to stderr.
    fn tell(&mut self, line: &str) {
        let told = Output.write_all(format!("{}\n", printable(line)).as_bytes());
        if told.is_err() {
            say(line);
        }
        if self.unsaid.is_ok() {
            self.unsaid = told;
        }
    }
}

impl Reporter for ToldOnStdout<'_> {
    fn is_over(&self) -> bool {
        self.interrupt.is_asked()
    }

    fn outcome(&mut self, candidate: &Candidate<Named>, outcome: &Outcome) {
        let line = sentence(candidate, outcome);
        match outcome {
            Outcome::Destroyed | Outcome::Set(_) => self.tell(&line),
            Outcome::Gone | Outcome::NotDestroyed(_) | Outcome::NotSet(_) => say(&line),
        }
    }

    fn unnoted(&mut self, why: &str) {
        say(&format!("from here on changes are not noted in the journal: {why}{}", self.help));
    }
}
