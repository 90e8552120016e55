//! Ctrl-C: the first ends the listing between two rows; the second exits at once, in case a reader that does not read
//! blocks the first.

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::SIGINT;
use signal_hook::{flag, low_level::pipe};

use super::exit::Exit;
use crate::collect::ending::exit_on_second;

/// Whether Ctrl-C was pressed, with a pipe that wakes waits.
#[derive(Debug)]
pub(super) struct Interrupt {
    asked: Arc<AtomicBool>,
    wake: UnixStream,
}

impl Interrupt {
    /// Installs the handlers of SIGINT.
    pub(super) fn install() -> anyhow::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let (wake, waker) = UnixStream::pair().context("cannot make a pipe for signals")?;
        exit_on_second(SIGINT, Exit::Interrupted as i32, Arc::clone(&asked))
            .and_then(|()| flag::register(SIGINT, Arc::clone(&asked)))
            .and_then(|_| pipe::register(SIGINT, waker))
            .context("cannot handle SIGINT")?;
        Ok(Self { asked, wake })
    }

    /// Whether Ctrl-C was pressed.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Waits until stdin has something to read; false if Ctrl-C came first.
    pub(super) fn wait_for_stdin(&self) -> anyhow::Result<bool> {
        let stdin = std::io::stdin();
        loop {
            let mut both = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
            match poll(&mut both, None) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("cannot wait for an answer"),
                Ok(_) => return Ok(!self.is_asked()),
            }
            if self.is_asked() {
                return Ok(false);
            }
        }
    }

    /// Waits for `time` or for Ctrl-C, whichever comes first.
    pub(super) fn wait(&self, time: Duration) -> anyhow::Result<()> {
        self.wake.set_read_timeout(Some(time)).context("cannot wait")?;
        match (&self.wake).read(&mut [0]) {
            Err(error)
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                Err(error).context("cannot wait")
            }
            _ => Ok(()),
        }
    }
}
