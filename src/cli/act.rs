//! `set` and `kill`: list what is meant, ask, do it, and say of each socket what became of it.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, bail};
use rustc_hash::FxHashSet;

use super::action::{Action, Deed};
use super::asked::advice;
use super::candidates::{Candidate, Gather};
use super::exit::Exit;
use super::journal::Journal;
use super::note::{Event, Note};
use super::output::{Output, OutputError, print};
use super::policy::Policy;
use super::signals::Interrupt;
use super::stderr::{say, tell};
use super::usage::UsageError;
use crate::act::destroy::{Destroyer, NotDestroyed};
use crate::act::keepalive::{Changed, NotChanged, Setter};
use crate::act::own::Own;
use crate::collect::caller::Caller;
use crate::inspect::inspect;
use crate::model::gap::{Gap, GapKind, Gaps, Remedy};
use crate::model::needs::Needs;
use crate::model::socket::SocketId;
use crate::text::keepalive::{assignments, differences};
use crate::text::{self, printable};

/// Does it.
pub(super) fn run(action: &Action, interrupt: &Interrupt) -> anyhow::Result<Exit> {
    let Action { deed, how, .. } = action;
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !(how.yes || how.dry_run || can_ask) {
        let help =
            "there is no terminal to ask at; give --yes to do it without asking, or --dry-run to see what it would do";
        return Err(UsageError(help.to_owned()).into());
    }
    let mut journal = open_journal(action)?;
    let (gathered, gaps) = gather(action, &|| interrupt.is_asked())?;
    if !gaps.is_empty() && action.strict {
        say("something could not be seen, and --strict was given; nothing was changed");
        return Ok(Exit::Partial);
    }
    for spared in gathered.spared() {
        say(&format!("left out, since this session runs over it: {spared}; --include-self takes it in"));
    }
    let candidates = gathered.candidates();
    if !how.dry_run {
        refuse_too_many(action, gathered.matched())?;
    }
    let Some(whose) = Candidate::summary(candidates) else {
        return nothing_matched(action, &gaps);
    };
    let what = format!("{} {whose}", deed.imperative());
    announce_probes(candidates);
    if how.dry_run {
        return rehearse(action, &gathered, &what);
    }
    if !how.yes {
        io::stderr().write_all(gathered.list())?;
        if !ask(&what, interrupt)? {
            say("nothing was changed");
            return Ok(if interrupt.is_asked() { Exit::Interrupted } else { Exit::Failed });
        }
    }
    perform(action, candidates, &mut journal, interrupt)
}

/// Says that no socket matches, or that it is not known which do.
fn nothing_matched(action: &Action, gaps: &Gaps) -> anyhow::Result<Exit> {
    let Action { deed, typed, .. } = action;
    // Not for lack of rights: there was something that another run may have.
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

/// Changes the sockets, and reports each.
fn perform(
    action: &Action,
    candidates: &[Candidate],
    journal: &mut Journal,
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let deed = action.deed;
    let help = if journal.may_be_left_out() { "; --no-log changes sockets without a note" } else { "" };
    let (mut results, mut changed) = (Results::default(), Vec::new());
    let stopped = carry_out(action, candidates, journal, &|| interrupt.is_asked(), &mut |report| match report {
        Report::Made(candidate, line) => {
            results.done(&line);
            changed.push(candidate);
        }
        Report::Not(candidate, Undone { is_gone: true, .. }) => results.gone(candidate),
        Report::Not(candidate, Undone { why, .. }) => results.failed(deed.past(), candidate, &why),
        Report::Unnoted(why) => say(&format!("from here on changes are not noted in the journal: {why}{help}")),
    })?;
    if journal.unnoted() > 0 && !journal.is_required() {
        say(&format!("{} of {} changes are not noted in the journal", journal.unnoted(), candidates.len()));
    }
    let is_cut_short = tell_deadlines(action, &changed, interrupt, &mut results);
    let exit = results.exit(candidates.len(), stopped.as_ref())?;
    if exit == Exit::Done && journal.has_failed_though_required() {
        say("the last change was made, and its result not noted in the journal");
        return Ok(Exit::Failed);
    }
    Ok(if is_cut_short && exit == Exit::Done { Exit::Interrupted } else { exit })
}

/// Says how many of these get a probe at once.
fn announce_probes(candidates: &[Candidate]) {
    let at_once = candidates.iter().filter(|candidate| candidate.probes_at_once).count();
    if at_once > 0 {
        say(&format!(
            "{at_once} of them have been silent for longer than the new idle time: their peers are probed at once"
        ));
    }
}

/// The journal for an action that the caller may take; where notes are required, one that can be written.
fn open_journal(action: &Action) -> anyhow::Result<Journal> {
    let (caller, policy) = (Caller::find(), Policy::load()?);
    policy.permit(action.deed, &caller)?;
    policy.permit_silence(&action.how, &caller)?;
    let mut journal = Journal::new(&caller, policy, action.how.no_log, action.how.require_log);
    if journal.is_required() && !journal.check() {
        bail!("nothing was changed: {}", unnoted(&mut journal));
    }
    Ok(journal)
}

/// A note is required, and there is none.
fn unnoted(journal: &mut Journal) -> String {
    let why = journal.failure().unwrap_or_default();
    format!(
        "each change has to be noted in the journal first, and that fails: {why}; see that journald or a syslogd reads it"
    )
}

/// What is reported while an action is carried out.
enum Report<'a> {
    /// A change was made: which
    Made(&'a Candidate, String),
    /// It was not
    Not(&'a Candidate, Undone),
    /// From here on the changes are not noted in the journal: why
    Unnoted(String),
}

/// Why the rest was not tried.
enum Stopped {
    Interrupted,
    /// Each change has to be noted, and cannot be: why
    Unnoted(String),
}

/// Goes through the sockets: notes what is about to be done to one, does it, reports it, and notes what became of it. So
/// where changes are noted, whatever ends the program in between, each was reported, or at least its intent was noted.
fn carry_out<'a>(
    action: &Action,
    candidates: &'a [Candidate],
    journal: &mut Journal,
    is_over: &dyn Fn() -> bool,
    report: &mut dyn FnMut(Report<'a>),
) -> anyhow::Result<Option<Stopped>> {
    let mut doer = Doer::open(action, candidates)?;
    for candidate in candidates {
        if is_over() {
            return Ok(Some(Stopped::Interrupted));
        }
        if !journal.note(&action.intent(candidate)) {
            if journal.is_required() {
                return Ok(Some(Stopped::Unnoted(unnoted(journal))));
            }
            journal.failure().into_iter().for_each(|why| report(Report::Unnoted(why)));
        }
        let became = doer.apply(candidate);
        let note = action.result(candidate, &became);
        report(match became {
            Ok(Made { line, .. }) => Report::Made(candidate, line),
            Err(undone) => Report::Not(candidate, undone),
        });
        // Where it stops the next change it is said there.
        if !journal.note(&note) && !journal.is_required() {
            journal.failure().into_iter().for_each(|why| report(Report::Unnoted(why)));
        }
    }
    journal.failure().into_iter().for_each(|why| report(Report::Unnoted(why)));
    Ok(None)
}

impl Action {
    /// A note of what is about to be done.
    fn intent<'a>(&'a self, candidate: &'a Candidate) -> Note<'a> {
        let socket = &candidate.target.socket;
        let (command, what, old, new) = match self.deed {
            Deed::Destroy => ("kill", None, socket.state.to_string(), "destroyed".to_owned()),
            Deed::Set(assignment) => {
                let old = candidate.was.as_ref().map_or("unknown".to_owned(), assignments);
                let new =
                    candidate.was.map_or("unknown".to_owned(), |was| assignments(&candidate.change.applied_to(was)));
                ("set", Some(assignment.to_string()), old, new)
            }
        };
        let mut pids: Vec<_> = candidate.target.holders.iter().map(|(pid, _)| *pid).collect();
        pids.dedup();
        Note {
            event: Event::Intent,
            command,
            // There the sockets are chosen one by one.
            in_dashboard: self.only.is_some(),
            socket,
            owner: &candidate.holder,
            pids,
            what,
            old,
            new,
            why: None,
            filter: &self.typed,
        }
    }

    /// A note of the result.
    fn result<'a>(&'a self, candidate: &'a Candidate, became: &Result<Made, Undone>) -> Note<'a> {
        let intent = self.intent(candidate);
        match became {
            Ok(Made { changed: None, .. }) => Note { event: Event::Done, ..intent },
            Ok(Made { changed: Some(Changed { before, after }), .. }) => {
                Note { event: Event::Done, old: assignments(before), new: assignments(after), ..intent }
            }
            Err(Undone { is_gone: true, why }) => Note { event: Event::Gone, why: Some(why.clone()), ..intent },
            Err(Undone { why, .. }) => Note { event: Event::Failed, why: Some(why.clone()), ..intent },
        }
    }
}

/// What does it, whatever it is, to one socket after the other.
enum Doer {
    Destroyer(Destroyer),
    Setter(Setter),
}

/// It was done.
struct Made {
    /// "destroyed …", "set …: keepalive off -> on"
    line: String,
    /// Options before and after
    changed: Option<Changed>,
}

/// It was not done.
struct Undone {
    why: String,
    /// Nothing is left to be done
    is_gone: bool,
}

impl Doer {
    fn open(action: &Action, candidates: &[Candidate]) -> anyhow::Result<Self> {
        let targets = candidates.iter().map(|candidate| &candidate.target);
        Ok(match action.deed {
            Deed::Destroy => Self::Destroyer(Destroyer::open(&action.request.netns, targets)?),
            Deed::Set(_) => Self::Setter(Setter::default()),
        })
    }

    fn apply(&mut self, candidate: &Candidate) -> Result<Made, Undone> {
        let Candidate { target, change, label, .. } = candidate;
        match self {
            Self::Destroyer(destroyer) => {
                let undone =
                    |why: NotDestroyed| Undone { is_gone: matches!(why, NotDestroyed::Gone), why: why.to_string() };
                destroyer.destroy(target).map_err(undone)?;
                Ok(Made { line: format!("destroyed {label}"), changed: None })
            }
            Self::Setter(setter) => {
                let undone =
                    |why: NotChanged| Undone { is_gone: matches!(why, NotChanged::Gone), why: why.to_string() };
                let changed = setter.set(target, change).map_err(undone)?;
                let at_once = if candidate.probes_at_once { "; its peer is probed at once" } else { "" };
                let line = format!("set {label}: {}{at_once}", differences(&changed.before, &changed.after));
                Ok(Made { line, changed: Some(changed) })
            }
        }
    }
}

/// Refuses if more sockets match than `--max`.
fn refuse_too_many(action: &Action, matched: u64) -> anyhow::Result<()> {
    let max = action.how.max;
    if matched > max {
        bail!("{matched} sockets match '{}', more than --max {max}; narrow the filter, or raise --max", action.typed);
    }
    Ok(())
}

/// Shows all that would be done; fails where it would be refused.
fn rehearse(action: &Action, gathered: &Gather<'_>, what: &str) -> anyhow::Result<Exit> {
    let mut list = gathered.list().to_vec();
    if let Deed::Set(_) = action.deed {
        for candidate in gathered.candidates() {
            writeln!(list, "would set {}: {}", printable(&candidate.label), candidate.planned())?;
        }
    }
    let printed = print(list);
    say(&format!("would {what}; nothing was changed"));
    // A refusal is the answer, also where nobody has read the list to its end.
    refuse_too_many(action, gathered.matched())?;
    printed?;
    Ok(Exit::Done)
}

/// What the filter means, and what could not be seen.
fn gather<'a>(action: &'a Action, interrupted: &dyn Fn() -> bool) -> anyhow::Result<(Gather<'a>, Gaps)> {
    let own = (!action.how.include_self).then(Own::find);
    let mut gather = Gather::new(action, own);
    let tail = inspect(&action.request, None, &mut gather, interrupted)?;
    if !action.quiet {
        tell(&tail.gaps);
    }
    if let Some(trouble) = gather.trouble() {
        bail!("{trouble}; nothing was changed");
    }
    Ok((gather, tail.gaps))
}

/// `y` and nothing else is yes.
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

/// What became of the sockets: told at once, so that nothing is lost if the rest is interrupted.
struct Results {
    done: usize,
    /// Closed by itself, or along with its other end, before its turn came: nothing is left to be done
    gone: usize,
    failed: usize,
    /// The first failure to tell of a change that was made
    unsaid: io::Result<()>,
}

impl Default for Results {
    fn default() -> Self {
        Self { done: 0, gone: 0, failed: 0, unsaid: Ok(()) }
    }
}

impl Results {
    /// A change was made.
    fn done(&mut self, line: &str) {
        self.done += 1;
        self.tell(line);
    }

    /// To stdout; where nobody can read that, to stderr.
    fn tell(&mut self, line: &str) {
        let told = Output.write_all(format!("{}\n", printable(line)).as_bytes());
        if told.is_err() {
            say(line);
        }
        if self.unsaid.is_ok() {
            self.unsaid = told;
        }
    }

    fn gone(&mut self, candidate: &Candidate) {
        self.gone += 1;
        say(&format!("gone already: {}", candidate.label));
    }

    fn failed(&mut self, verb: &str, candidate: &Candidate, why: &dyn std::fmt::Display) {
        self.failed += 1;
        say(&format!("not {verb}: {}: {why}", candidate.label));
    }

    /// What became of the sockets decides. Only where all was done does it matter that this could not be written; a reader
    /// who has read enough does not matter at all.
    fn exit(self, wanted: usize, stopped: Option<&Stopped>) -> anyhow::Result<Exit> {
        let Self { done, gone, failed, unsaid } = self;
        let untried = wanted - done - gone - failed;
        if failed + untried > 0 {
            let rest = match stopped {
                Some(Stopped::Interrupted) => format!(", {untried} not tried: interrupted"),
                Some(Stopped::Unnoted(why)) => format!(", {untried} not tried: {why}"),
                None => String::new(),
            };
            say(&format!("{done} of {wanted} done, {failed} failed{rest}"));
        }
        let unsaid =
            unsaid.map_err(OutputError::from).or_else(|error| error.is_broken_pipe().then_some(()).ok_or(error));
        match (untried, failed) {
            (1.., _) if matches!(stopped, Some(Stopped::Unnoted(_))) => Ok(Exit::Failed),
            (1.., _) => Ok(Exit::Interrupted),
            (0, 1..) => Ok(Exit::Failed),
            (0, 0) => unsaid.map(|()| Exit::Done).context("the changes were made, but not all could be reported"),
        }
    }
}

/// Does it without a word, for the dashboard; says what became of it in one line, and to which sockets it was done.
pub(super) fn run_quietly(action: &Action) -> anyhow::Result<(String, Vec<SocketId>)> {
    let mut journal = open_journal(action)?;
    let (gathered, _) = gather(action, &|| false)?;
    let candidates = gathered.candidates();
    let verb = action.deed.past();
    let (mut done, mut lines, mut failures, mut remarks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let stopped = carry_out(action, candidates, &mut journal, &|| false, &mut |report| match report {
        Report::Made(candidate, line) => {
            done.push(candidate.target.socket.id);
            lines.push(line);
        }
        Report::Not(candidate, Undone { why, .. }) => failures.push(format!("not {verb}: {}: {why}", candidate.label)),
        Report::Unnoted(why) => remarks.push(format!("not noted in the journal: {why}")),
    })?;
    if let Some(Stopped::Unnoted(why)) = stopped {
        failures.push(format!("not {verb}: {why}"));
    }
    let spared = gathered.spared().iter();
    remarks.extend(spared.map(|spared| format!("left alone, since this session runs over it: {spared}")));
    // Of one socket all that there is to say; of several how many, and the first reason why not all. What was done stands
    // first: the rest may be cut.
    let line = match &lines[..] {
        [] if failures.is_empty() && remarks.is_empty() => "gone already".to_owned(),
        _ if candidates.len() <= 1 => [lines, failures, remarks].concat().join("; "),
        _ => {
            let wanted = action.only.as_ref().map_or(candidates.len(), FxHashSet::len);
            let why = failures.into_iter().chain(remarks).next().map_or(String::new(), |why| format!("; {why}"));
            format!("{verb} {} of {wanted}{why}", done.len())
        }
    };
    Ok((line, done))
}

/// When the kernel would notice a dead peer now, of each socket that was set. The changes were reported before, so that an
/// interrupt or a failure here takes nothing away. Whether it was interrupted.
fn tell_deadlines(action: &Action, changed: &[&Candidate], interrupt: &Interrupt, results: &mut Results) -> bool {
    if changed.is_empty() || matches!(action.deed, Deed::Destroy) || interrupt.is_asked() {
        return false;
    }
    let after = match super::candidates::deadlines(action, changed.iter().copied(), interrupt) {
        Ok(after) => after,
        Err(error) => {
            let is_cut_short = interrupt.is_asked();
            let why = if is_cut_short { "interrupted".to_owned() } else { format!("{error:#}") };
            say(&format!("the changes were made; their new dead-in was not read: {why}"));
            return is_cut_short;
        }
    };
    for candidate in changed {
        match after.get(&candidate.target.socket.id) {
            // A listener has none.
            Some(now) if now == text::DASH => {}
            Some(now) => results.tell(&format!("{}: dead-in {} -> {now}", candidate.label, candidate.dead_in)),
            None => results.tell(&format!("gone since: {}", candidate.label)),
        }
    }
    false
}
