//! Signals that end the process, where it has the terminal in its hands: what can be waited for is listed here; of the rest
//! (a crash, an allocation that failed) a handler gives the terminal back on the spot. Then the signal does what it would
//! have done without us. The bytes that give a terminal back are the caller's.

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

/// Said where the process aborts itself: the reason that was printed went down with the other screen.
const ABORTED: &[u8] = b"tcpulse: aborted: there was no memory left for it, or it has a fault of its own; \
a filter, -N or a higher limit (ulimit -v) leaves it more room\n";

/// What the handler has to know. It may not allocate, nor wait for a lock.
struct GuardedTerminal {
    /// Whether there is anything to give back
    is_taken: &'static AtomicBool,
    /// What the terminal is sent
    bytes: Vec<u8>,
    modes: Termios,
}

static TERMINAL: OnceLock<GuardedTerminal> = OnceLock::new();
/// What std does about a stack that overflows, to be done after ours.
static BEFORE: OnceLock<[(c_int, libc::sigaction); 2]> = OnceLock::new();

/// From now on the terminal is given back by these bytes, and with the modes that it has now, whenever it `is_taken` and the
/// process ends by a signal.
///
/// # Errors
/// stdin is no terminal, or a handler cannot be set.
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

/// Ends this process by this signal, as if nobody had caught it; before that the terminal is given back, if it is not yet.
pub(crate) fn end_by(signal: c_int) -> ! {
    give_back();
    act_by_default(signal);
    // Nobody survives the signals of `requests`; but whoever should must not go on here.
    std::process::exit(128 + signal)
}

/// Gives the terminal back without waiting for anything: a terminal that does not read is left as it is.
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

/// Sets the handler of a crash.
#[allow(unsafe_code, reason = "signal-hook refuses SIGSEGV, SIGILL and SIGFPE, and runs on the stack that overflowed")]
fn catch(signal: c_int) -> io::Result<()> {
    // SAFETY: all zeros are a valid sigaction; the pointers are to one that lives. The handler has the signature that
    // SA_SIGINFO asks for, and calls only what is async-signal-safe. No other signal interrupts it: a process in the
    // background would be stopped by SIGTTOU as it sets the terminal's modes.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = crashed as extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void) as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigfillset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The handler.
#[allow(unsafe_code, reason = "a signal handler gets pointers")]
extern "C" fn crashed(signal: c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel hands over a siginfo; si_pid is set where somebody sent the signal, which is read
    // only for SIGABRT, that nobody else raises.
    let (code, sender) = unsafe { ((*info).si_code, (*info).si_pid()) };
    let was_taken = TERMINAL.get().is_some_and(|terminal| terminal.is_taken.load(Ordering::SeqCst));
    give_back();
    if was_taken && signal == libc::SIGABRT && u32::try_from(sender).is_ok_and(|sender| sender == std::process::id()) {
        say(stderr(), ABORTED);
    }
    let before = BEFORE.get().into_iter().flatten().find(|(overflow, _)| *overflow == signal);
    match before.filter(|_| code > 0) {
        // What caused it is done again when we return, and then std says whether it was the stack.
        Some((_, before)) => {
            // SAFETY: the pointer is to the sigaction that was read, which lives as long as the process.
            unsafe { libc::sigaction(signal, before, ptr::null_mut()) };
        }
        None => act_by_default(signal),
    }
}
