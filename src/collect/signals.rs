//! Restores the terminal when a signal ends the process. Signals that the program can wait for are handled by its main
//! loop; on a crash or a failed allocation a handler restores the terminal at once. Then the signal takes the effect
//! that it would have had without a handler. The caller supplies the bytes that restore the terminal.

use std::ffi::c_int;
use std::io;
use std::os::fd::BorrowedFd;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::{stderr, stdin, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::ending_signals::{CRASHES, act_by_default, action_of};

/// Printed if the process aborts itself: the reason printed before is lost with the alternate screen.
const ABORTED: &[u8] = b"tcpulse: aborted: out of memory, or a bug in tcpulse; \
a filter, -N or a higher limit (ulimit -v) leaves it more room\n";

/// State of the signal handler, which must not allocate or wait for a lock.
struct GuardedTerminal {
    /// Whether the terminal has to be restored
    is_taken: &'static AtomicBool,
    /// Bytes that restore the terminal
    bytes: Vec<u8>,
    modes: Termios,
}

static TERMINAL: OnceLock<GuardedTerminal> = OnceLock::new();
/// The standard library's handlers for stack overflow, which run after ours.
static BEFORE: OnceLock<[(c_int, libc::sigaction); 2]> = OnceLock::new();

/// Installs the handlers. If a signal ends the process while `is_taken` is set, they restore the terminal with these
/// bytes and its current modes.
///
/// # Errors
/// stdin is no terminal, or a handler cannot be installed.
pub(crate) fn guard(is_taken: &'static AtomicBool, bytes: Vec<u8>) -> io::Result<()> {
    let modes = tcgetattr(stdin())?;
    if TERMINAL.set(GuardedTerminal { is_taken, bytes, modes }).is_err() {
        return Ok(());
    }
    let overflows = [libc::SIGSEGV, libc::SIGBUS];
    let [segv, bus] = overflows.map(action_of);
    let _ = BEFORE.set([(overflows[0], segv?), (overflows[1], bus?)]);
    CRASHES.into_iter().try_for_each(catch)
}

/// Restores the terminal if that has not happened yet, then ends this process by the signal as if it had not been caught.
pub(crate) fn end_by(signal: c_int) -> ! {
    give_back();
    act_by_default(signal);
    // The signals of `requests` end the process. If one does not, execution must not continue here.
    std::process::exit(128 + signal)
}

/// Restores the terminal without blocking: a terminal that does not read is left as it is.
fn give_back() {
    let Some(terminal) = TERMINAL.get().filter(|terminal| terminal.is_taken.swap(false, Ordering::SeqCst)) else {
        return;
    };
    let _ = tcsetattr(stdin(), OptionalActions::Now, &terminal.modes);
    say(stdout(), &terminal.bytes);
}

fn say(to: BorrowedFd<'_>, bytes: &[u8]) {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut [PollFd::new(&to, PollFlags::OUT)], Some(&now)).is_ok_and(|ready| ready > 0) {
        let _ = rustix::io::write(to, bytes);
    }
}

/// Installs the handler for a crash signal.
#[allow(unsafe_code, reason = "signal-hook refuses SIGSEGV, SIGILL and SIGFPE, and runs on the stack that overflowed")]
fn catch(signal: c_int) -> io::Result<()> {
    // SAFETY: all zeros are a valid sigaction; the pointers are to a live one. The handler has the signature that
    // SA_SIGINFO requires, and calls only async-signal-safe functions. All other signals are blocked: in a background
    // process, SIGTTOU would stop the process when it sets the terminal's modes.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = crashed as extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void) as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigfillset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Handler of crash signals.
#[allow(unsafe_code, reason = "a signal handler gets pointers")]
extern "C" fn crashed(signal: c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a siginfo. si_pid is set if a process sent the signal; it is read only
    // for SIGABRT, which only a process raises.
    let (code, sender) = unsafe { ((*info).si_code, (*info).si_pid()) };
    let was_taken = TERMINAL.get().is_some_and(|terminal| terminal.is_taken.load(Ordering::SeqCst));
    give_back();
    if was_taken && signal == libc::SIGABRT && u32::try_from(sender).is_ok_and(|sender| sender == std::process::id()) {
        say(stderr(), ABORTED);
    }
    let before = BEFORE.get().into_iter().flatten().find(|(overflow, _)| *overflow == signal);
    match before.filter(|_| code > 0) {
        // On return the faulting instruction runs again, and std's handler reports whether the stack overflowed.
        Some((_, before)) => {
            // SAFETY: the pointer is to the saved sigaction, which lives as long as the process.
            unsafe { libc::sigaction(signal, before, ptr::null_mut()) };
        }
        None => act_by_default(signal),
    }
}
