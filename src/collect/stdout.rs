//! stdout as inherited from the caller, with writes that report every failure.
//!
//! Rust's standard library loses output without an error in two ways: before `main` it opens /dev/null in place of each
//! closed standard descriptor, and it treats EBADF from stdout as success.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::Errno;

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Functions in this section run before the standard library checks the descriptors. In `main` it is too late: a stdout
/// from Python's `subprocess.DEVNULL` cannot be distinguished from the library's own /dev/null.
#[used]
#[allow(unsafe_code, reason = "a constructor is the only code that runs before the standard library's")]
// SAFETY: the C library calls each pointer of this section once, on the only thread; the function takes no arguments,
// makes one system call and stores one atomic.
#[unsafe(link_section = ".init_array")]
static NOTE_AT_START: extern "C" fn() = note_at_start;

#[allow(unsafe_code, reason = "there is no safe name for a descriptor that may be closed")]
extern "C" fn note_at_start() {
    // SAFETY: fcntl(F_GETFD) of any number reads no memory.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    WAS_CLOSED.store(flags < 0, Ordering::Relaxed);
}

/// Checks that stdout can be written to.
///
/// # Errors
/// It was closed when the program was started, or it was opened for reading only.
pub(crate) fn check() -> io::Result<()> {
    if WAS_CLOSED.load(Ordering::Relaxed) {
        return Err(io::Error::other("stdout is closed"));
    }
    match fcntl_getfl(io::stdout())?.intersection(OFlags::RWMODE) {
        OFlags::RDONLY => Err(io::Error::other("stdout is open for reading only")),
        _ => Ok(()),
    }
}

/// write(2) to stdout.
///
/// # Errors
/// Errors of write(2), EBADF included, and an error if stdout was closed when the program was started.
pub(crate) fn write(bytes: &[u8]) -> io::Result<usize> {
    if WAS_CLOSED.load(Ordering::Relaxed) {
        check()?;
    }
    match rustix::io::write(io::stdout(), bytes) {
        Err(Errno::BADF) => check().and(Err(Errno::BADF.into())),
        written => Ok(written?),
    }
}
