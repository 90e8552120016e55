//! The journal: a line before each change of a socket and one after it, sent to the socket that syslogd or journald listen
//! on, so that it can be found out later who did it. It never holds up what it notes: a journal that does not read is
//! waited for briefly, and then left alone.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with};

use super::note::{Note, NoteEvent, Who};
use super::policy::{Logging, Policy};
use crate::collect::caller::Caller;

/// Where syslogd or journald listen.
const DEV_LOG: &str = "/dev/log";
/// `LOG_DAEMON`, `LOG_NOTICE`.
const PRIORITY: u8 = 3 << 3 | 5;
/// A note may wait so long for room in the journal's queue.
const PATIENCE: Duration = Duration::from_millis(100);
/// All notes of a run may: 700 sockets never add up to minutes.
const BUDGET: Duration = Duration::from_secs(1);

/// Which changes are noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// None: root said so
    Nothing,
    /// Those of sockets of other users: the caller has no more rights than anybody
    OfOthers,
    /// All
    All,
}

/// The way to the journal, opened with the first note: who changes nothing need not know whether there is one.
#[derive(Debug)]
enum JournalSocket {
    Shut,
    Open(OwnedFd, SocketType),
    /// It failed: not tried again in this run
    Failed,
}

/// Takes the notes of one run.
#[derive(Debug)]
pub(super) struct Journal {
    who: Who,
    is_root: bool,
    rule: Rule,
    /// No change without a note
    is_required: bool,
    door: JournalSocket,
    /// How long the notes of this run have waited
    waited: Duration,
    /// A failure that nobody was told of yet
    untold: Option<String>,
    /// Intents that should have been noted and were not
    unnoted: usize,
}

impl Journal {
    /// What a privileged caller does is noted, and what anybody does to the sockets of others. `logging` is what
    /// the caller asks for.
    pub(super) fn new(caller: &Caller, policy: Policy, logging: Logging) -> Self {
        // Whoever has rights that are not theirs must not be able to stall the journal and go unnoticed.
        let is_required = logging.required || policy.require_log || caller.has_rights_of_file;
        let rule = match () {
            () if logging.none && caller.is_root() => Rule::Nothing,
            () if is_required || caller.is_privileged => Rule::All,
            () => Rule::OfOthers,
        };
        let who = Who::of(caller);
        let is_root = caller.is_root();
        Self {
            who,
            is_root,
            rule,
            is_required,
            door: JournalSocket::Shut,
            waited: Duration::ZERO,
            untold: None,
            unnoted: 0,
        }
    }

    /// Whether nothing may be changed without a note.
    pub(super) fn is_required(&self) -> bool {
        self.is_required
    }

    /// Whether changes had to be noted, and some were not.
    pub(super) fn has_failed_though_required(&self) -> bool {
        self.is_required && matches!(self.door, JournalSocket::Failed)
    }

    /// Whether the caller may do without it.
    pub(super) fn may_be_left_out(&self) -> bool {
        self.is_root && !self.is_required
    }

    /// Whether a note could be taken now: the journal is there.
    pub(super) fn check(&mut self) -> bool {
        let opened = open(&mut self.door);
        self.keep(opened)
    }

    /// Takes a note, if this one is to be taken. False if it should have been and could not; see [`Journal::failure`].
    pub(super) fn note(&mut self, note: &Note<'_>) -> bool {
        let is_wanted = match self.rule {
            Rule::Nothing => false,
            Rule::All => true,
            Rule::OfOthers => note.socket.uid != Some(self.who.uid),
        };
        if !is_wanted {
            return true;
        }
        let line = format!("<{PRIORITY}>tcpulse[{}]: {}", std::process::id(), note.line(&self.who));
        let sent = self.send(line.as_bytes());
        self.unnoted += usize::from(sent.is_err() && note.event == NoteEvent::Intent);
        self.keep(sent)
    }

    /// How many changes were tried without a note that should have had one.
    pub(super) fn unnoted(&self) -> usize {
        self.unnoted
    }

    /// Why notes are not taken any more: said once.
    pub(super) fn failure(&mut self) -> Option<String> {
        self.untold.take()
    }

    fn keep(&mut self, done: io::Result<()>) -> bool {
        let Err(error) = done else { return true };
        // A second failure would say that the door is shut.
        if !matches!(self.door, JournalSocket::Failed) {
            self.door = JournalSocket::Failed;
            self.untold = Some(format!("{DEV_LOG}: {error}"));
        }
        false
    }

    fn send(&mut self, line: &[u8]) -> io::Result<()> {
        match self.send_once(line) {
            // It was started anew meanwhile, and listens on another socket of the same name.
            Err(error) if is_gone(&error) => {
                self.door = JournalSocket::Shut;
                self.send_once(line)
            }
            sent => sent,
        }
    }

    fn send_once(&mut self, line: &[u8]) -> io::Result<()> {
        open(&mut self.door)?;
        let JournalSocket::Open(socket, kind) = &self.door else { return Ok(()) };
        // On a stream a NUL ends a message, as syslog(3) has it.
        let ended = [line, b"\0"].concat();
        let mut rest = if *kind == SocketType::STREAM { &ended[..] } else { line };
        let allowed = PATIENCE.min(BUDGET.saturating_sub(self.waited));
        let began = Instant::now();
        let sent = loop {
            match send(socket, rest, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(length) if *kind == SocketType::STREAM && length < rest.len() => rest = &rest[length..],
                Ok(_) => break Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let left = allowed.saturating_sub(began.elapsed());
                    if left.is_zero() {
                        let why = if allowed < PATIENCE {
                            "the log daemon reads too slowly"
                        } else {
                            "the log daemon does not read it"
                        };
                        break Err(io::Error::new(io::ErrorKind::TimedOut, why));
                    }
                    wait_for_room(socket, left);
                }
                Err(error) => break Err(error.into()),
            }
        };
        self.waited += began.elapsed();
        sent
    }
}

/// Whether nobody is at the other end any more.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | BrokenPipe | NotConnected)
}

/// Connects to it, by datagrams or else by a stream, as syslog(3) does. Neither waits.
fn open(door: &mut JournalSocket) -> io::Result<()> {
    match door {
        JournalSocket::Shut => {}
        JournalSocket::Open(..) => return Ok(()),
        JournalSocket::Failed => return Err(io::Error::other("it failed before")),
    }
    let address = SocketAddrUnix::new(DEV_LOG)?;
    let connected = |kind| {
        let socket = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        connect(&socket, &address).map(|()| JournalSocket::Open(socket, kind))
    };
    *door = match connected(SocketType::DGRAM) {
        Err(Errno::PROTOTYPE) => connected(SocketType::STREAM)?,
        opened => opened?,
    };
    Ok(())
}

/// Until something can be sent, or for so long. Interrupted, it is tried again anyway.
fn wait_for_room(socket: &OwnedFd, at_most: Duration) {
    let timeout = Timespec { tv_sec: at_most.as_secs().cast_signed(), tv_nsec: i64::from(at_most.subsec_nanos()) };
    let _ = poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&timeout));
}
