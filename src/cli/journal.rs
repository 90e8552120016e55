//! The journal: one line before each change of a socket and one after it, sent to the socket that syslogd or journald
//! reads, so that changes can be traced to their author. It never blocks a change for long: if the log daemon does not
//! read, the journal gives up after a short wait.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with};

use super::note::{Note, NoteEvent, Who};
use super::policy::{Logging, Policy};
use crate::collect::caller::Caller;

/// Socket of syslogd or journald.
const DEV_LOG: &str = "/dev/log";
/// `LOG_DAEMON`, `LOG_NOTICE`.
const PRIORITY: u8 = 3 << 3 | 5;
/// Longest wait of one line for room in the log daemon's queue.
const PATIENCE: Duration = Duration::from_millis(100);
/// Longest wait of all lines of a run together: without this limit, 700 sockets would wait over a minute.
const BUDGET: Duration = Duration::from_secs(1);

/// Which changes are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// None, by root's choice
    Nothing,
    /// Changes of other users' sockets only: the caller has no special privileges
    OfOthers,
    /// All changes
    All,
}

/// Connection to the log daemon, opened with the first line: a run without changes does not need a log daemon.
#[derive(Debug)]
enum JournalSocket {
    Shut,
    Open(OwnedFd, SocketType),
    /// Connecting or sending failed: not retried in this run
    Failed,
}

/// Journal of one run.
#[derive(Debug)]
pub(super) struct Journal {
    who: Who,
    is_root: bool,
    rule: Rule,
    /// Whether a change is refused if it cannot be logged
    is_required: bool,
    socket: JournalSocket,
    /// Time that the lines of this run have waited so far
    waited: Duration,
    /// Failure that was not reported yet
    unreported: Option<String>,
    /// Number of changes whose intent should have been logged and was not
    unnoted: usize,
}

impl Journal {
    /// Logs every change of a privileged caller, and of an unprivileged one those of other users' sockets. `logging` is
    /// the caller's choice.
    pub(super) fn new(caller: &Caller, policy: Policy, logging: Logging) -> Self {
        // With rights from the file (setuid or capabilities), logging is required: the caller could otherwise stall the
        // log daemon and change sockets unlogged.
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
            socket: JournalSocket::Shut,
            waited: Duration::ZERO,
            unreported: None,
            unnoted: 0,
        }
    }

    /// Whether a change is refused if it cannot be logged.
    pub(super) fn is_required(&self) -> bool {
        self.is_required
    }

    /// Whether logging was required and has failed.
    pub(super) fn has_failed_though_required(&self) -> bool {
        self.is_required && matches!(self.socket, JournalSocket::Failed)
    }

    /// Whether the caller may disable the journal.
    pub(super) fn may_be_left_out(&self) -> bool {
        self.is_root && !self.is_required
    }

    /// Connects to the log daemon; returns whether it is there.
    pub(super) fn check(&mut self) -> bool {
        let opened = open(&mut self.socket);
        self.keep(opened)
    }

    /// Logs a note if the rule covers it. Returns false if it should have been logged and could not be; see
    /// [`Journal::failure`].
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

    /// Number of changes that were tried without the log line they should have had.
    pub(super) fn unnoted(&self) -> usize {
        self.unnoted
    }

    /// Why logging has failed; returned once.
    pub(super) fn failure(&mut self) -> Option<String> {
        self.unreported.take()
    }

    fn keep(&mut self, done: io::Result<()>) -> bool {
        let Err(error) = done else { return true };
        // Keep the first failure: later ones would only report that it failed before.
        if !matches!(self.socket, JournalSocket::Failed) {
            self.socket = JournalSocket::Failed;
            self.unreported = Some(format!("{DEV_LOG}: {error}"));
        }
        false
    }

    fn send(&mut self, line: &[u8]) -> io::Result<()> {
        match self.send_once(line) {
            // The log daemon restarted and listens on a new socket with the same path.
            Err(error) if is_gone(&error) => {
                self.socket = JournalSocket::Shut;
                self.send_once(line)
            }
            sent => sent,
        }
    }

    fn send_once(&mut self, line: &[u8]) -> io::Result<()> {
        open(&mut self.socket)?;
        let JournalSocket::Open(socket, kind) = &self.socket else { return Ok(()) };
        // On a stream socket NUL ends a message, as in syslog(3).
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

/// Whether the peer of the connection is gone.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | BrokenPipe | NotConnected)
}

/// Connects to the log daemon by datagrams, or else by a stream, as syslog(3) does. Neither blocks.
fn open(socket: &mut JournalSocket) -> io::Result<()> {
    match socket {
        JournalSocket::Shut => {}
        JournalSocket::Open(..) => return Ok(()),
        JournalSocket::Failed => return Err(io::Error::other("it failed before")),
    }
    let address = SocketAddrUnix::new(DEV_LOG)?;
    let connected = |kind| {
        let opened = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        connect(&opened, &address).map(|()| JournalSocket::Open(opened, kind))
    };
    *socket = match connected(SocketType::DGRAM) {
        Err(Errno::PROTOTYPE) => connected(SocketType::STREAM)?,
        opened => opened?,
    };
    Ok(())
}

/// Waits until the socket is writable, but no longer than `at_most`. An interrupt is harmless: the caller retries.
fn wait_for_room(socket: &OwnedFd, at_most: Duration) {
    let timeout = Timespec { tv_sec: at_most.as_secs().cast_signed(), tv_nsec: i64::from(at_most.subsec_nanos()) };
    let _ = poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&timeout));
}
