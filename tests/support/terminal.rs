//! Pseudo-terminal for programs that a user operates.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{SigHandler, Signal, signal};

use super::wait::until;

const ROWS: u16 = 40;
const COLUMNS: u16 = 120;

/// A program on a terminal of its own.
pub struct Session {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    is_hung_up: Arc<AtomicBool>,
    is_held: Arc<AtomicBool>,
    /// The terminal's modes before the program was started
    pub modes_before: String,
    /// All output so far
    pub seen: String,
    emulator: vt100::Parser,
}

impl Session {
    /// Starts the program on a terminal of 120 columns.
    pub fn start(command: Command) -> Self {
        Self::start_claiming(command, COLUMNS, ROWS)
    }

    /// Starts the program on a terminal that reports this size; the test sees nothing beyond 120 by 40 cells.
    pub fn start_claiming(mut command: Command, columns: u16, rows: u16) -> Self {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // Close-on-exec from the start; otherwise programs of other tests would keep the terminal open.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let mut options = File::options();
        options.read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits());
        let slave = options.open(ptsname_r(&master).unwrap()).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let master = File::from(OwnedFd::from(master));
        set_size(&master, &size);
        let modes_before = modes(&master);
        own_the_terminal(&mut command);
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let keyboard = master;
        let mut output = keyboard.try_clone().unwrap();
        let (shown, screen) = channel();
        // The thread ends with the terminal: reading fails once the other end is closed.
        let is_hung_up = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&is_hung_up);
        let is_held = Arc::new(AtomicBool::new(false));
        let waits = Arc::clone(&is_held);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                while waits.load(Ordering::SeqCst) {
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                if is_over.load(Ordering::SeqCst) || shown.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let emulator = emulator(ROWS, COLUMNS);
        Self { child, keyboard, screen, is_hung_up, is_held, modes_before, seen: String::new(), emulator }
    }

    /// Changes the size that the terminal reports; the emulator keeps its size.
    pub fn claim(&mut self, columns: u16, rows: u16) {
        set_size(&self.keyboard, &Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 });
    }

    /// Changes the size; the program receives SIGWINCH.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.claim(columns, rows);
        self.emulator.screen_mut().set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
    }

    /// Closes the terminal, like a connection that breaks.
    pub fn hang_up(&mut self) {
        // The reading thread has the terminal open too, until its next read.
        self.is_hung_up.store(true, Ordering::SeqCst);
        self.type_keys("?");
        self.keyboard = File::open("/dev/null").unwrap();
    }

    /// Sets whether the program's output is left unread, as by a stuck connection.
    pub fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::SeqCst);
    }

    /// Types on a separate thread, since the program may read slowly or not at all. It stops when all is written or the
    /// program has ended. Returns the count of bytes that the terminal has accepted so far.
    pub fn type_beside(&self, keys: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Arc<AtomicUsize> {
        let mut keyboard = self.keyboard.try_clone().unwrap();
        let typed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&typed);
        std::thread::spawn(move || {
            for keys in keys {
                if keyboard.write_all(&keys).is_err() {
                    return;
                }
                count.fetch_add(keys.len(), Ordering::Relaxed);
            }
        });
        typed
    }

    /// Contents of the screen.
    pub fn screen(&mut self) -> String {
        self.take_in();
        self.emulator.screen().contents()
    }

    fn take_in(&mut self) {
        for bytes in self.screen.try_iter() {
            self.emulator.process(&bytes);
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Types text.
    pub fn type_keys(&mut self, keys: &str) {
        self.type_bytes(keys.as_bytes());
    }

    /// Types bytes that need not be text.
    pub fn type_bytes(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).unwrap();
    }

    /// Waits until `text` has been written.
    pub fn expect(&mut self, text: &str) {
        self.wait_for(text, |session| session.seen.contains(text));
    }

    /// Waits until `text` is on the screen.
    pub fn see(&mut self, text: &str) {
        self.wait_for(text, |session| session.emulator.screen().contents().contains(text));
    }

    /// Waits until `text` is no longer on the screen.
    pub fn see_no(&mut self, text: &str) {
        self.wait_for(text, |session| !session.emulator.screen().contents().contains(text));
    }

    fn wait_for(&mut self, text: &str, is_so: impl Fn(&Self) -> bool) {
        let what = format!("'{text}' on the terminal");
        let waiting = AssertUnwindSafe(|| {
            until(&what, Duration::from_secs(20), || {
                self.take_in();
                is_so(self).then_some(())
            });
        });
        if let Err(panic) = catch_unwind(waiting) {
            // The contents of the screen explain the failure better than the missing text.
            eprintln!("{}", self.emulator.screen().contents());
            resume_unwind(panic);
        }
    }

    /// The terminal's modes (tcgetattr(3)).
    pub fn modes(&self) -> String {
        modes(&self.keyboard)
    }

    /// Process id of the program.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program has ended.
    pub fn end(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the program ends", Duration::from_secs(20), || child.try_wait().unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[allow(unsafe_code, reason = "an ioctl that nix does not wrap")]
fn set_size(terminal: &File, size: &Winsize) {
    // SAFETY: the pointer is to a live struct of the kind that the request reads.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const *size) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

fn emulator(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
}

fn modes(terminal: &impl std::os::fd::AsFd) -> String {
    let modes = nix::sys::termios::tcgetattr(terminal).unwrap();
    format!("{:?} {:?} {:?}", modes.input_flags, modes.output_flags, modes.local_flags)
}

/// Makes stdin the controlling terminal of a new session of the command, so that Ctrl-C and Ctrl-Z reach it.
#[allow(unsafe_code, reason = "pre_exec is unsafe to call")]
fn own_the_terminal(command: &mut Command) {
    let own = || {
        nix::unistd::setsid()?;
        for ignored in [Signal::SIGINT, Signal::SIGQUIT] {
            // A shell lets what it starts in the background ignore them, and a child inherits that.
            // SAFETY: no handler is installed.
            unsafe { signal(ignored, SigHandler::SigDfl) }?;
        }
        // SAFETY: a system call on stdin, which is the terminal.
        if unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
    };
    // SAFETY: the closure makes only system calls and allocates nothing.
    unsafe { command.pre_exec(own) };
}
