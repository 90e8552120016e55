//! The journal: what was changed on this host, told to syslog(3)'s socket so that it can be found out later who did it.

use std::io;
use std::os::unix::net::UnixDatagram;

/// Where syslogd or journald listen.
const DEV_LOG: &str = "/dev/log";
/// `LOG_DAEMON`, `LOG_NOTICE`.
const PRIORITY: u8 = 3 << 3 | 5;

/// An open line to it.
#[derive(Debug)]
pub(super) struct Journal(UnixDatagram);

impl Journal {
    /// Connects.
    pub(super) fn open() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(DEV_LOG)?;
        Ok(Self(socket))
    }

    /// One line, harmless.
    pub(super) fn note(&self, text: &str) -> io::Result<()> {
        let line = format!("<{PRIORITY}>tcpulse[{}]: {}", std::process::id(), crate::text::printable(text));
        self.0.send(line.as_bytes()).map(|_| ())
    }
}
