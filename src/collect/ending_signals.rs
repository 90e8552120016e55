//! The signals that end a program, what is done about one now, and how a program that caught one ends by it all the same.

use std::ffi::c_int;
use std::io;
use std::ptr;

/// Raised by what a thread does itself, so that nothing after it can be waited for.
pub(super) const CRASHES: [c_int; 7] =
    [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS];

/// Asked from outside, or by a timer or a limit.
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

/// The signals that end a process unless it says otherwise, and that it can put off until the terminal is given back. Those
/// that whoever started it had ignored (`nohup`) are none; neither is SIGPIPE, which Rust's runtime ignores.
pub(crate) fn requests() -> Vec<c_int> {
    let all = REQUESTS.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX());
    all.filter(|signal| action_of(*signal).is_ok_and(|action| action.sa_sigaction != libc::SIG_IGN)).collect()
}

/// The signal's own action; where it is raised in its own handler, as soon as that returns.
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

/// What is done about a signal now.
#[allow(unsafe_code, reason = "neither rustix nor std can tell what a signal does")]
pub(super) fn action_of(signal: c_int) -> io::Result<libc::sigaction> {
    // SAFETY: all zeros are a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live sigaction, which the kernel writes.
    let result = unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) };
    if result == 0 { Ok(action) } else { Err(io::Error::last_os_error()) }
}
