//! stdout as the program was given it, and writes to it whose every failure is an error.
//!
//! Two habits of Rust's standard library lose output without an error: before `main` it opens /dev/null in place of each
//! standard descriptor that is closed, and it takes EBADF from stdout for success.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::Errno;

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Functions in this section are run before the standard library looks at the descriptors. Once `main` runs it is too
/// late: Python's `subprocess.DEVNULL` gives a stdout that looks just like the library's own /dev/null.
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

/// Whether stdout can be written to at all.
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
/// Those of write(2), EBADF included; and that stdout was closed when the program was started.
pub(crate) fn write(bytes: &[u8]) -> io::Result<usize> {
    if WAS_CLOSED.load(Ordering::Relaxed) {
        check()?;
    }
    match rustix::io::write(io::stdout(), bytes) {
        Err(Errno::BADF) => check().and(Err(Errno::BADF.into())),
        written => Ok(written?),
    }
}
