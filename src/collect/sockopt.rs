//! getsockopt(2) and setsockopt(2) of one option on a descriptor that the caller holds.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::model::address::Cookie;

/// `SO_COOKIE`: the socket's cookie, as reported by a sock_diag dump.
pub(super) fn cookie_of(socket: BorrowedFd<'_>) -> io::Result<Cookie> {
    get(socket, libc::SOL_SOCKET, libc::SO_COOKIE, 0_u64).map(Cookie)
}

pub(super) fn number(socket: BorrowedFd<'_>, level: i32, name: i32) -> io::Result<u32> {
    get(socket, level, name, 0_i32).map(|value| value.try_into().unwrap_or(0))
}

/// Types of option values.
///
/// # Safety
/// Every byte pattern must be a valid value of the type: `get` lets the kernel write to it.
#[allow(unsafe_code, reason = "get() relies on it")]
pub(super) unsafe trait Plain: Copy {}
// SAFETY: an integer has no invalid byte pattern.
#[allow(unsafe_code, reason = "as for the trait")]
unsafe impl Plain for i32 {}
// SAFETY: as above.
#[allow(unsafe_code, reason = "as for the trait")]
unsafe impl Plain for u64 {}
// SAFETY: as above; an array has no padding.
#[allow(unsafe_code, reason = "as for the trait")]
unsafe impl Plain for [i32; 2] {}

/// setsockopt(2) of an int.
#[allow(unsafe_code, reason = "as for getsockopt: one way for all options")]
pub(super) fn set(socket: BorrowedFd<'_>, level: i32, name: i32, value: u32) -> io::Result<()> {
    let length = size_of::<u32>() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes from `value`, which outlives the call.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), length) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// getsockopt(2) of a fixed-size value.
#[allow(unsafe_code, reason = "neither rustix nor nix has all of these options")]
pub(super) fn get<T: Plain>(socket: BorrowedFd<'_>, level: i32, name: i32, mut value: T) -> io::Result<T> {
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `value`, which may hold any bytes (`Plain`), and the length written to
    // `length`; both outlive the call.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut length) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}
