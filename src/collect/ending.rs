//! Signals that end the program while it has the terminal's other screen: the screen is left first, then the program ends
//! by the signal as if nobody had caught it.
//!
//! It is done within the handler: the thread that draws may be held up by a terminal that takes nothing (Ctrl-S), or may
//! be what failed (SIGSEGV, SIGABRT of a failed allocation).

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::ending_signals::{CRASHES, act_by_default, action_of, requests};

/// What changes over to the other screen, and back.
const ENTER: &[u8] = b"\x1b[?1049h";
const LEAVE: &[u8] = b"\x1b[?1049l";

/// Tries to write to a terminal that takes nothing at the moment, and the pause between two.
const TRIES: u32 = 30;
const PAUSE_NS: i64 = 10_000_000;

static IS_THERE: AtomicBool = AtomicBool::new(false);
static TERMINAL: OnceLock<OwnedFd> = OnceLock::new();

/// Enters the other screen of the terminal that stdout is. It is left by [`leave`], or when a signal ends the program.
///
/// # Errors
/// The terminal cannot be opened or written to.
pub(crate) fn enter() -> io::Result<()> {
    if TERMINAL.get().is_none() {
        // Of its own, so that it can be non-blocking without being so for the shell too.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open("/proc/self/fd/1", flags, Mode::empty())
            .or_else(|_| rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3))?;
        let _ = TERMINAL.set(terminal);
        // SIGINT has a meaning of its own.
        let requests = requests().into_iter().filter(|&signal| signal != libc::SIGINT);
        CRASHES.into_iter().chain(requests).chain([libc::SIGTSTP]).for_each(catch);
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            leave();
            report(panic);
        }));
    }
    // First, so that there is no moment in which a signal leaves it behind.
    IS_THERE.store(true, Ordering::SeqCst);
    write(ENTER).inspect_err(|_| IS_THERE.store(false, Ordering::SeqCst))?;
    Ok(())
}

/// Leaves the other screen, where the program has it. It may be called from a signal handler.
pub(crate) fn leave() {
    if !IS_THERE.swap(false, Ordering::SeqCst) {
        return;
    }
    // A terminal that is gone needs nothing put back. One that was stopped by Ctrl-S would be stopped on the other screen.
    if write(LEAVE) == Err(Errno::AGAIN) {
        restart_output();
        let _ = write(LEAVE);
    }
}

/// Undoes Ctrl-S: the kernel starts only what was stopped by tcflow(3), so it is stopped that way first.
#[allow(unsafe_code, reason = "rustix's tcflow is not told to be async-signal-safe, the C library's is")]
fn restart_output() {
    let Some(terminal) = TERMINAL.get() else { return };
    for action in [libc::TCOOFF, libc::TCOON] {
        // SAFETY: an ioctl of a number on an open descriptor.
        unsafe { libc::tcflow(terminal.as_raw_fd(), action) };
    }
}

/// Ends the program at once, with this exit code, if the signal comes when `asked` is true already.
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

/// Installs the handler, where the signal would end the program: not where whoever started it had it ignored.
#[allow(unsafe_code, reason = "signal_hook keeps no signal's default for those it does not know, such as SIGPWR")]
fn catch(signal: c_int) {
    let Ok(before) = action_of(signal) else { return };
    if before.sa_sigaction == libc::SIG_IGN {
        return;
    }
    // SAFETY: the struct is plain data for which zero is valid; the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        // On the alternate stack: the stack may be what has overflowed. SIGTSTP is raised again from within its handler.
        (action.sa_sigaction, action.sa_flags) = if signal == libc::SIGTSTP {
            (stop as *const () as usize, libc::SA_ONSTACK | libc::SA_RESTART | libc::SA_NODEFER)
        } else {
            // A second signal waits until the terminal has been given back.
            libc::sigfillset(&raw mut action.sa_mask);
            (end as *const () as usize, libc::SA_ONSTACK | libc::SA_RESTART)
        };
        libc::sigaction(signal, &raw const action, ptr::null_mut());
    }
}

/// Leaves the screen and lets the signal do what it does by default.
extern "C" fn end(signal: c_int) {
    leave();
    act_by_default(signal);
}

/// Ctrl-Z: the shell gets its own screen, until the program goes on.
extern "C" fn stop(_: c_int) {
    let was_there = IS_THERE.load(Ordering::SeqCst);
    leave();
    // Whether there is a shell that could let the program go on, the kernel knows.
    act_by_default(libc::SIGTSTP);
    catch(libc::SIGTSTP);
    if was_there {
        IS_THERE.store(true, Ordering::SeqCst);
        let _ = write(ENTER);
    }
}

/// Writes to the terminal, and gives up where it takes nothing for some tenths of a second.
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
                // SAFETY: the pointer is to a live value; the rest of an interrupted pause is not asked for.
                unsafe { libc::nanosleep(&raw const pause, ptr::null_mut()) };
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
