//! Runs one case: asks tcpulse as root and as nobody until the kernel ends the socket, and keeps every answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use serde_json::Value;

use super::case::{Case, Opening};
use super::judge::{Between, Fate, Said};
use super::stage::Stage;
use super::watch::Watch;
use crate::support::netns::User;
use crate::support::program::tcpulse_in;

/// Time between two checks whether the socket has ended.
const CHECK: Duration = Duration::from_millis(20);
/// One of so many looks also reads how the connection ends.
const ENDINGS_EVERY: usize = 3;

/// What the cases share.
pub(crate) struct Lab {
    pub(crate) watch: Watch,
    pub(crate) turns: Turns,
}

/// Lets only some programs run at a time, in the order in which they asked, so that each is quick: the time of a row is
/// known no better than that.
pub(crate) struct Turns {
    at_a_time: usize,
    /// How many asked for a turn so far, and how many are done
    counts: Mutex<(usize, usize)>,
    is_done: Condvar,
}

impl Turns {
    pub(crate) fn new(at_a_time: usize) -> Self {
        Self { at_a_time, counts: Mutex::new((0, 0)), is_done: Condvar::new() }
    }

    fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        let mut counts = self.counts.lock().unwrap();
        let own = counts.0;
        counts.0 += 1;
        drop(self.is_done.wait_while(counts, |(_, done)| own >= *done + self.at_a_time).unwrap());
        let result = std::panic::catch_unwind(AssertUnwindSafe(work));
        self.counts.lock().unwrap().1 += 1;
        self.is_done.notify_all();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// What one run of tcpulse said of the socket.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) by: User,
    pub(crate) said: Said,
    pub(crate) state: String,
    pub(crate) mechanism: String,
    /// What was said of keepalive and contradicts getsockopt(2)
    pub(crate) contradictions: Vec<String>,
    /// What `show` said on how it ends, if it was asked
    pub(crate) endings: Option<Endings>,
}

/// The section "How it ends".
#[derive(Debug)]
pub(crate) struct Endings {
    pub(crate) whole: String,
    /// What the program gets if the peer stays silent
    pub(crate) silent: String,
}

/// Everything that was seen of a case.
pub(crate) struct Record {
    pub(crate) case: Case,
    pub(crate) looks: Vec<Look>,
    pub(crate) fate: Fate,
    /// Last packet or act on our side
    pub(crate) disturbed: Duration,
    /// What the program got, if it kept its descriptor
    pub(crate) got: Option<Errno>,
    /// Whether an answer from the path ended it, which no look could foresee
    pub(crate) was_answered: bool,
    /// Why the case could not be carried out
    pub(crate) broken: Option<String>,
}

/// Runs a case. One that cannot be set up is broken.
pub(crate) fn run(case: &Case, lab: &Lab) -> Record {
    catch_unwind(AssertUnwindSafe(|| Observer::new(case, lab).observe())).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Record {
            case: case.clone(),
            looks: Vec::new(),
            fate: Fate::Lived(Duration::ZERO),
            disturbed: Duration::ZERO,
            got: None,
            was_answered: false,
            broken: Some(text.unwrap_or_else(|| "panicked".to_owned())),
        }
    })
}

struct Observer<'a> {
    case: &'a Case,
    lab: &'a Lab,
    stage: Stage,
    begin: Instant,
    looks: Vec<Look>,
    rounds: usize,
}

impl<'a> Observer<'a> {
    fn new(case: &'a Case, lab: &'a Lab) -> Self {
        let stage = Stage::open(case, &lab.watch);
        Self { case, lab, stage, begin: Instant::now(), looks: Vec::new(), rounds: 0 }
    }

    fn observe(mut self) -> Record {
        let mut script = self.case.script.iter().peekable();
        let mut next = Duration::ZERO;
        let mut ended = None;
        while self.begin.elapsed() < self.case.watched {
            while let Some((_, act)) = script.next_if(|(when, _)| *when <= self.begin.elapsed()) {
                self.stage.perform(*act);
            }
            let soon = script.peek().map_or(next, |(when, _)| next.min(*when));
            if next <= self.begin.elapsed() {
                next = self.begin.elapsed() + self.case.every;
                self.round();
            }
            ended = self.wait_until(soon);
            if ended.is_some() {
                break;
            }
        }
        if let Some(end) = ended {
            // A peer that sends its SYN again makes a new request, with the same addresses.
            self.looks.retain(|look| look.said.read.earliest <= end.latest);
        }
        let since = |time: Instant| time.saturating_duration_since(self.begin);
        let delivered = self.stage.path.relay.delivered();
        let is_syn = matches!(self.case.opening, Opening::Connecting);
        let error = self.stage.option(libc::SOL_SOCKET, libc::SO_ERROR).filter(|_| ended.is_some());
        Record {
            case: self.case.clone(),
            fate: ended.map_or_else(|| Fate::Lived(self.begin.elapsed()), Fate::Ended),
            disturbed: since(self.stage.disturbed(self.case)),
            // The program keeps an MPTCP socket that has lost its subflow.
            got: error.filter(|&error| error != 0 || self.case.protocol == libc::IPPROTO_TCP).map(Errno::from_raw),
            was_answered: delivered.reset.is_some() || (is_syn && delivered.icmp.is_some()),
            looks: self.looks,
            broken: None,
        }
    }

    /// Waits, and returns when the kernel ended the socket if it has.
    fn wait_until(&self, when: Duration) -> Option<Between> {
        loop {
            if let Some(ended) = self.stage.socket.ended(self.begin) {
                return Some(ended);
            }
            let left = when.checked_sub(self.begin.elapsed())?;
            std::thread::park_timeout(left.min(CHECK));
        }
    }

    /// Asks as root, then as nobody.
    fn round(&mut self) {
        for by in [User::Root, User::Nobody] {
            let look = self.lab.turns.run(|| self.look(by));
            self.looks.extend(look);
        }
        self.rounds += 1;
    }

    fn look(&self, by: User) -> Option<Look> {
        let ours = &self.stage.path.ours;
        let earliest = self.begin.elapsed();
        let document = tcpulse_in(ours, by, &["--json", "-q", "-N", "current"]).json();
        let latest = self.begin.elapsed();
        let row = self.row(&document)?;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let liveness = &row["liveness"];
        Some(Look {
            by,
            said: Said {
                bound: text(&liveness["bound"]),
                after: liveness["dead_in_ms"].as_u64().map(Duration::from_millis),
                read: Between { earliest, latest },
            },
            state: text(&row["state"]),
            mechanism: text(&liveness["mechanism"]),
            contradictions: self.contradictions(&row["keepalive"]),
            endings: self.rounds.is_multiple_of(ENDINGS_EVERY).then(|| self.endings(by)).flatten(),
        })
    }

    fn row<'b>(&self, document: &'b Value) -> Option<&'b Value> {
        let is = |end: &Value, wanted: std::net::SocketAddr| {
            end["addr"] == wanted.ip().to_string() && end["port"] == wanted.port()
        };
        let rows = document["connections"].as_array().unwrap();
        rows.iter().find(|row| is(&row["local"], self.stage.local) && is(&row["remote"], self.stage.remote))
    }

    /// What the row claims of keepalive, held against the socket's own options.
    fn contradictions(&self, claimed: &Value) -> Vec<String> {
        // The options of an MPTCP socket are not those of its subflows.
        if !self.stage.is_held() || self.case.protocol != libc::IPPROTO_TCP {
            return Vec::new();
        }
        let tcp = |name| u64::try_from(self.stage.option(libc::IPPROTO_TCP, name).unwrap()).unwrap();
        let enabled = self.stage.option(libc::SOL_SOCKET, libc::SO_KEEPALIVE) != Some(0);
        let mut wrong = Vec::new();
        if claimed["enabled"].as_bool().is_some_and(|claimed| claimed != enabled) {
            wrong.push(format!("enabled is not {}", claimed["enabled"]));
        }
        let idle = tcp(libc::TCP_KEEPIDLE);
        for (key, real) in [
            ("idle_s", idle),
            ("interval_s", tcp(libc::TCP_KEEPINTVL)),
            ("probes", tcp(libc::TCP_KEEPCNT)),
            ("user_timeout_ms", tcp(libc::TCP_USER_TIMEOUT)),
        ] {
            if claimed[key].as_u64().is_some_and(|claimed| claimed != real) {
                wrong.push(format!("{key} is {real}, not {} (source {})", claimed[key], claimed["source"]));
            }
        }
        if claimed["idle_at_least_s"].as_u64().is_some_and(|least| idle < least)
            || claimed["idle_at_most_s"].as_u64().is_some_and(|most| idle > most)
        {
            let (least, most) = (&claimed["idle_at_least_s"], &claimed["idle_at_most_s"]);
            wrong.push(format!("idle_s is {idle}, not from {least} to {most}"));
        }
        wrong
    }

    fn endings(&self, by: User) -> Option<Endings> {
        let filter = format!("sport = :{} and dport = :{}", self.stage.local.port(), self.stage.remote.port());
        let shown = tcpulse_in(&self.stage.path.ours, by, &["show", "-q", "-N", "current", &filter]).stdout;
        let mut lines =
            shown.lines().skip_while(|line| *line != "How it ends").skip(1).take_while(|line| line.starts_with(' '));
        let silent =
            lines.clone().find_map(|line| line.trim().strip_prefix("the peer stays silent"))?.trim().to_owned();
        Some(Endings { whole: lines.by_ref().collect::<Vec<_>>().join("; "), silent })
    }
}
