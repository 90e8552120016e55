//! Signals that end a program, their current actions, and how to end by a signal that was caught.

use std::ffi::c_int;
use std::io;
use std::ptr;

/// Signals caused by the thread itself. It cannot continue, so the handler cannot wait for anything.
pub(super) const CRASHES: [c_int; 7] =
    [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS];

/// Signals sent by another process, a timer or a resource limit.
const REQUESTS: [c_int; 14] = [
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGIO,
    libc::SIGPWR,
    libc::SIGSTKFLT,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

/// Signals that end a process by default and that it can defer until the terminal is restored. Signals that were
/// ignored when the program was started (`nohup`) are excluded, as is SIGPIPE, which Rust's runtime ignores.
pub(crate) fn requests() -> Vec<c_int> {
    let all = REQUESTS.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX());
    all.filter(|signal| action_of(*signal).is_ok_and(|action| action.sa_sigaction != libc::SIG_IGN)).collect()
}

/// Takes the signal's default action. Within the signal's own handler, the action follows when the handler returns.
#[allow(unsafe_code, reason = "neither rustix nor std can set what a signal does")]
pub(super) fn act_by_default(signal: c_int) {
    // SAFETY: all zeros are a valid sigaction: SIG_DFL, no flags, an empty mask.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live sigaction, the kernel only reads it; both calls are async-signal-safe.
    unsafe {
        libc::sigaction(signal, &raw const default, ptr::null_mut());
        libc::raise(signal);
    }
}

/// Current action of a signal.
#[allow(unsafe_code, reason = "neither rustix nor std can tell what a signal does")]
pub(super) fn action_of(signal: c_int) -> io::Result<libc::sigaction> {
    // SAFETY: all zeros are a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live sigaction, which the kernel writes.
    let result = unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) };
    if result == 0 { Ok(action) } else { Err(io::Error::last_os_error()) }
}
