//! The journal: what was changed on this host, told to syslog(3)'s socket so that it can be found out later who did it.

use std::io;
use std::os::unix::net::UnixDatagram;

/// Where syslogd or journald listen.
const DEV_LOG: &str = "/dev/log";
/// `LOG_DAEMON`, `LOG_NOTICE`.
const PRIORITY: u8 = 3 << 3 | 5;

/// A line to it, opened with the first note: who changes nothing need not know whether there is one.
#[derive(Debug)]
pub(super) enum Journal {
    /// Nothing is noted
    Off,
    /// Changes are to be noted
    Wanted,
    /// They are
    Open(UnixDatagram),
}

impl Journal {
    /// As root changes are noted, unless the user does not want it.
    pub(super) fn new(no_log: bool) -> Self {
        if rustix::process::geteuid().is_root() && !no_log { Self::Wanted } else { Self::Off }
    }

    /// One line, harmless. After a failure nothing is noted any more.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        let noted = self.try_note(text);
        if noted.is_err() {
            *self = Self::Off;
        }
        noted
    }

    fn try_note(&mut self, text: &str) -> io::Result<()> {
        if let Self::Wanted = self {
            let socket = UnixDatagram::unbound()?;
            socket.connect(DEV_LOG)?;
            *self = Self::Open(socket);
        }
        let Self::Open(socket) = self else { return Ok(()) };
        let line = format!("<{PRIORITY}>tcpulse[{}]: {}", std::process::id(), crate::text::printable(text));
        socket.send(line.as_bytes()).map(|_| ())
    }
}
