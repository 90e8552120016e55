//! `set` and `kill`: list what is meant, ask, do it, and say of each socket what became of it.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, bail};
use rustc_hash::FxHashSet;

use super::args::ActingArgs;
use super::asked::advice;
use super::candidates::{Candidate, Gather};
use super::change::Assignment;
use super::exit::{Exit, UsageError};
use super::journal::Journal;
use super::output::{Output, OutputError, print};
use super::run::{say, tell};
use super::signals::Interrupt;
use crate::act::destroy::{Destroyer, NotDestroyed};
use crate::act::keepalive::{NotChanged, Setter};
use crate::act::own::Own;
use crate::export::table::Look;
use crate::inspect::{Request, inspect};
use crate::model::socket::SocketId;
use crate::text::keepalive::differences;
use crate::text::{self, printable};

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
    pub(super) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Destroy => &["state", "verdict", "dead-in", "local", "peer", "idle", "process"],
            Self::Set(_) => {
                &["state", "verdict", "dead-in", "local", "peer", "keepalive", "user-timeout", "idle", "process"]
            }
        }
    }

    /// "Destroy", "Set keepalive on, idle 60s of": what is asked, and noted.
    fn imperative(self) -> String {
        match self {
            Self::Destroy => "destroy".to_owned(),
            Self::Set(assignment) => format!("set {assignment} of"),
        }
    }

    /// What was done.
    fn past(self) -> &'static str {
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

/// Does it.
pub(super) fn run(action: &Action, interrupt: &Interrupt) -> anyhow::Result<Exit> {
    let Action { deed, how, typed, .. } = action;
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !(how.yes || how.dry_run || can_ask) {
        let help =
            "there is no terminal to ask at; give --yes to do it without asking, or --dry-run to see what it would do";
        return Err(UsageError(help.to_owned()).into());
    }
    let (gathered, is_partial) = gather(action, &|| interrupt.is_asked())?;
    if is_partial && action.strict {
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
        say(&format!("no socket to {} matches '{typed}'", if let Deed::Destroy = deed { "destroy" } else { "set" }));
        if let Some(advice) = advice(&action.request, 0).filter(|_| !action.quiet) {
            say(&advice);
        }
        return Ok(Exit::NothingMatched);
    };
    let what = format!("{} {whose}", deed.imperative());
    let at_once = candidates.iter().filter(|candidate| candidate.probes_at_once).count();
    if at_once > 0 {
        say(&format!(
            "{at_once} of them have been silent for longer than the new idle time: their peers are probed at once"
        ));
    }
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
    let mut results = Results::new(how, action.quiet);
    let mut doer = Doer::open(action, candidates)?;
    let mut changed = Vec::new();
    for candidate in candidates.iter().take_while(|_| !interrupt.is_asked()) {
        match doer.apply(candidate) {
            Ok(line) => {
                results.done(&format!("{line} {}", candidate.identity()));
                match deed {
                    Deed::Destroy => results.tell(&line),
                    Deed::Set(_) => changed.push((candidate, line)),
                }
            }
            Err(Undone { is_gone: true, .. }) => results.gone(candidate),
            Err(Undone { why, .. }) => results.failed(deed.past(), candidate, &why),
        }
    }
    tell_deadlines(action, changed, interrupt, &mut results);
    results.exit(candidates.len())
}

/// What does it, whatever it is, to one socket after the other.
enum Doer {
    Destroyer(Destroyer),
    Setter(Setter),
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

    /// What was done: "destroyed …", "set …: keepalive off -> on".
    fn apply(&mut self, candidate: &Candidate) -> Result<String, Undone> {
        let Candidate { target, change, label, .. } = candidate;
        match self {
            Self::Destroyer(destroyer) => {
                let undone =
                    |why: NotDestroyed| Undone { is_gone: matches!(why, NotDestroyed::Gone), why: why.to_string() };
                destroyer.destroy(target).map_err(undone)?;
                Ok(format!("destroyed {label}"))
            }
            Self::Setter(setter) => {
                let undone =
                    |why: NotChanged| Undone { is_gone: matches!(why, NotChanged::Gone), why: why.to_string() };
                let changed = setter.set(target, change).map_err(undone)?;
                Ok(format!("set {label}: {}", differences(&changed.before, &changed.after)))
            }
        }
    }
}

/// A surprise is not acted upon.
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

/// What the filter means, and whether something could not be seen.
fn gather<'a>(action: &'a Action, interrupted: &dyn Fn() -> bool) -> anyhow::Result<(Gather<'a>, bool)> {
    let own = (!action.how.include_self).then(Own::find);
    let mut gather = Gather::new(action, own);
    let tail = inspect(&action.request, None, &mut gather, interrupted)?;
    if !action.quiet {
        tell(&tail.gaps);
    }
    if let Some(trouble) = gather.trouble() {
        bail!("{trouble}; nothing was changed");
    }
    Ok((gather, !tail.gaps.is_empty()))
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
    journal: Journal,
    /// Whether to say that there is no journal
    quiet: bool,
    done: usize,
    /// Closed by itself, or along with its other end, before its turn came: nothing is left to be done
    gone: usize,
    failed: usize,
    /// The first failure to tell of a change that was made
    unsaid: io::Result<()>,
}

impl Results {
    fn new(how: &ActingArgs, quiet: bool) -> Self {
        Self { journal: Journal::new(how.no_log), quiet, done: 0, gone: 0, failed: 0, unsaid: Ok(()) }
    }

    /// A change was made: `note` goes to the journal.
    fn done(&mut self, note: &str) {
        self.done += 1;
        if let Err(error) = self.journal.note(note)
            && !self.quiet
        {
            say(&format!("the changes are not noted in the journal: /dev/log: {error}; --no-log leaves it out"));
        }
    }

    fn tell(&mut self, line: &str) {
        let told = Output.write_all(format!("{}\n", printable(line)).as_bytes());
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
    fn exit(self, wanted: usize) -> anyhow::Result<Exit> {
        let Self { done, gone, failed, unsaid, .. } = self;
        let untried = wanted - done - gone - failed;
        if failed + untried > 0 {
            let interrupted = if untried > 0 { format!(", {untried} not tried: interrupted") } else { String::new() };
            say(&format!("{done} of {wanted} done, {failed} failed{interrupted}"));
        }
        let unsaid =
            unsaid.map_err(OutputError::from).or_else(|error| error.is_broken_pipe().then_some(()).ok_or(error));
        match (untried, failed) {
            (1.., _) => Ok(Exit::Interrupted),
            (0, 1..) => Ok(Exit::Failed),
            (0, 0) => unsaid.map(|()| Exit::Done).context("the changes were made, but not all could be reported"),
        }
    }
}

/// Does it without a word, for the dashboard; says what became of it in one line, and to which sockets it was done.
pub(super) fn run_quietly(action: &Action, journal: &mut Journal) -> anyhow::Result<(String, Vec<SocketId>)> {
    let (gathered, _) = gather(action, &|| false)?;
    let candidates = gathered.candidates();
    let verb = action.deed.past();
    let (mut told, mut done) = (Vec::new(), Vec::new());
    told.extend(
        gathered.spared().iter().map(|spared| format!("left alone, since this session runs over it: {spared}")),
    );
    let mut doer = Doer::open(action, candidates)?;
    for candidate in candidates {
        match doer.apply(candidate) {
            Ok(line) => {
                done.push(candidate.target.socket.id);
                let noted = journal.note(&format!("{line} {}", candidate.identity()));
                told.push(noted.map_or_else(
                    |error| format!("{line} (not noted in the journal: /dev/log: {error})"),
                    |()| line.clone(),
                ));
            }
            Err(Undone { why, .. }) => told.push(format!("not {verb}: {}: {why}", candidate.label)),
        }
    }
    let first = told.first().cloned().unwrap_or_else(|| "gone already".to_owned());
    let line = if told.len() <= 1 {
        first
    } else {
        let failed = told.iter().find(|line| !line.starts_with(verb));
        let wanted = action.only.as_ref().map_or(candidates.len(), FxHashSet::len);
        failed.map_or_else(
            || format!("{verb} {} of {wanted}", done.len()),
            |why| format!("{verb} {} of {wanted}; {why}", done.len()),
        )
    };
    Ok((line, done))
}

/// What was set, and when the kernel would notice a dead peer now.
fn tell_deadlines(action: &Action, changed: Vec<(&Candidate, String)>, interrupt: &Interrupt, results: &mut Results) {
    let after = super::candidates::deadlines(action, changed.iter().map(|(candidate, _)| *candidate), interrupt);
    for (candidate, line) in changed {
        let now = after.as_ref().map(|after| after.get(&candidate.target.socket.id));
        let dead_in = match now {
            // A listener has none.
            Ok(Some(now)) if now == text::DASH => String::new(),
            Ok(Some(now)) => format!("; dead-in {} -> {now}", candidate.dead_in),
            Ok(None) => "; gone since".to_owned(),
            Err(_) => String::new(),
        };
        let at_once = if candidate.probes_at_once { "; its peer is probed at once" } else { "" };
        results.tell(&format!("{line}{dead_in}{at_once}"));
    }
    if let Err(error) = after {
        say(&format!("cannot read the new dead-in of the sockets that were set: {error:#}"));
    }
}
