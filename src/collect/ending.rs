//! Signals that end the program while it shows the terminal's alternate screen: the handler leaves that screen, then
//! the program ends by the signal as if it had not been caught.
//!
//! The handler does this itself: the drawing thread may be blocked by a terminal that does not read (Ctrl-S), or may be
//! the thread that failed (SIGSEGV, SIGABRT of a failed allocation).

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::ending_signals::{CRASHES, act_by_default, action_of, requests};

/// Escape sequences that enter and leave the alternate screen.
const ENTER: &[u8] = b"\x1b[?1049h";
const LEAVE: &[u8] = b"\x1b[?1049l";

/// Attempts to write to a terminal that does not read, and the pause between two attempts.
const TRIES: u32 = 30;
const PAUSE_NS: i64 = 10_000_000;

static IS_THERE: AtomicBool = AtomicBool::new(false);
static TERMINAL: OnceLock<OwnedFd> = OnceLock::new();

/// Enters the alternate screen of the terminal on stdout. [`leave`] leaves it, as does a signal that ends the program.
///
/// # Errors
/// The terminal cannot be opened or written to.
pub(crate) fn enter() -> io::Result<()> {
    if TERMINAL.get().is_none() {
        // A separate open file description, so that non-blocking mode does not affect the shell.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open("/proc/self/fd/1", flags, Mode::empty())
            .or_else(|_| rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3))?;
        let _ = TERMINAL.set(terminal);
        // SIGINT is handled by `exit_on_second`.
        let requests = requests().into_iter().filter(|&signal| signal != libc::SIGINT);
        CRASHES.into_iter().chain(requests).chain([libc::SIGTSTP]).for_each(catch);
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            leave();
            report(panic);
        }));
    }
    // Set before the write, so that a signal between the two still leaves the screen.
    IS_THERE.store(true, Ordering::SeqCst);
    write(ENTER).inspect_err(|_| IS_THERE.store(false, Ordering::SeqCst))?;
    Ok(())
}

/// Leaves the alternate screen if the program has entered it. It may be called from a signal handler.
pub(crate) fn leave() {
    if !IS_THERE.swap(false, Ordering::SeqCst) {
        return;
    }
    // A terminal that is gone needs no restoring. One stopped by Ctrl-S would stay on the alternate screen.
    if write(LEAVE) == Err(Errno::AGAIN) {
        restart_output();
        let _ = write(LEAVE);
    }
}

/// Undoes Ctrl-S. The kernel restarts only output that tcflow(3) stopped, so it is stopped that way first.
#[allow(unsafe_code, reason = "rustix's tcflow is not told to be async-signal-safe, the C library's is")]
fn restart_output() {
    let Some(terminal) = TERMINAL.get() else { return };
    for action in [libc::TCOOFF, libc::TCOON] {
        // SAFETY: an ioctl of a number on an open descriptor.
        unsafe { libc::tcflow(terminal.as_raw_fd(), action) };
    }
}

/// Ends the program at once, with this exit code, if the signal arrives while `asked` is already true.
///
/// # Errors
/// The signal cannot be caught.
#[allow(unsafe_code, reason = "signal_hook has no safe way to do something of our own before the exit")]
pub(crate) fn exit_on_second(signal: c_int, code: c_int, asked: Arc<AtomicBool>) -> io::Result<()> {
    let handle = move || {
        if asked.load(Ordering::SeqCst) {
            leave();
            signal_hook::low_level::exit(code);
        }
    };
    // SAFETY: `handle` is async-signal-safe: atomics, write(2), nanosleep(2) and _exit(2).
    unsafe { signal_hook::low_level::register(signal, handle).map(drop) }
}

/// Installs the handler for a signal, unless the signal was ignored when the program was started.
#[allow(unsafe_code, reason = "signal_hook keeps no signal's default for those it does not know, such as SIGPWR")]
fn catch(signal: c_int) {
    let Ok(before) = action_of(signal) else { return };
    if before.sa_sigaction == libc::SIG_IGN {
        return;
    }
    // SAFETY: the struct is plain data for which zero is valid; the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        // On the alternate stack: the normal one may have overflowed. The handler of SIGTSTP raises SIGTSTP again.
        (action.sa_sigaction, action.sa_flags) = if signal == libc::SIGTSTP {
            (stop as *const () as usize, libc::SA_ONSTACK | libc::SA_RESTART | libc::SA_NODEFER)
        } else {
            // A second signal waits until the terminal has been restored.
            libc::sigfillset(&raw mut action.sa_mask);
            (end as *const () as usize, libc::SA_ONSTACK | libc::SA_RESTART)
        };
        libc::sigaction(signal, &raw const action, ptr::null_mut());
    }
}

/// Leaves the screen and lets the signal take its default action.
extern "C" fn end(signal: c_int) {
    leave();
    act_by_default(signal);
}

/// Handler of Ctrl-Z: leaves the alternate screen until the program is continued.
extern "C" fn stop(_: c_int) {
    let was_there = IS_THERE.load(Ordering::SeqCst);
    leave();
    // The kernel knows whether a shell could continue the program; if not, it does not stop it.
    act_by_default(libc::SIGTSTP);
    catch(libc::SIGTSTP);
    if was_there {
        IS_THERE.store(true, Ordering::SeqCst);
        let _ = write(ENTER);
    }
}

/// Writes to the terminal. Gives up if the terminal does not read for some tenths of a second.
#[allow(unsafe_code, reason = "nanosleep(2) without the standard library, which may not be called in a handler")]
fn write(mut bytes: &[u8]) -> Result<(), Errno> {
    let Some(terminal) = TERMINAL.get() else { return Ok(()) };
    let mut tries = 0;
    while !bytes.is_empty() {
        match rustix::io::write(terminal.as_fd(), bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if tries < TRIES => {
                tries += 1;
                let pause = libc::timespec { tv_sec: 0, tv_nsec: PAUSE_NS };
                // SAFETY: the pointer is to a live value; the remainder of an interrupted pause is not requested.
                unsafe { libc::nanosleep(&raw const pause, ptr::null_mut()) };
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
