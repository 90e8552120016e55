//! Makes the kernel refuse system calls of a program, as a container's seccomp profile does.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARGUMENT_0: u32 = 16;
const ARGUMENT_2: u32 = 32;

/// Makes `socket(AF_NETLINK, _, NETLINK_SOCK_DIAG)` fail with EACCES in the command.
pub fn refuse_sock_diag(command: &mut Command) {
    let filter = [
        load(NUMBER),
        jump_unless_equal(libc::SYS_socket as u32, 5),
        load(ARGUMENT_0),
        jump_unless_equal(libc::AF_NETLINK as u32, 3),
        load(ARGUMENT_2),
        jump_unless_equal(libc::NETLINK_INET_DIAG as u32, 1),
        statement(0x06, libc::SECCOMP_RET_ERRNO | libc::EACCES as u32),
        statement(0x06, libc::SECCOMP_RET_ALLOW),
    ];
    install(command, filter);
}

/// Makes pidfd_getfd(2) fail with EPERM in the command, as Yama and every other ptrace check do.
pub fn refuse_pidfd_getfd(command: &mut Command) {
    refuse(command, libc::SYS_pidfd_getfd, libc::EPERM);
}

/// Makes a system call fail with this error in the command.
pub fn refuse(command: &mut Command, call: libc::c_long, errno: i32) {
    let filter = [
        load(NUMBER),
        jump_unless_equal(call.cast_unsigned() as u32, 1),
        statement(0x06, libc::SECCOMP_RET_ERRNO | errno.cast_unsigned()),
        statement(0x06, libc::SECCOMP_RET_ALLOW),
    ];
    install(command, filter);
}

/// Makes every recvfrom(2) in the command return at once without data: with this error, or empty if it is 0.
pub fn starve_receives(command: &mut Command, errno: u32) {
    let filter = [
        load(NUMBER),
        jump_unless_equal(libc::SYS_recvfrom as u32, 1),
        statement(0x06, libc::SECCOMP_RET_ERRNO | errno),
        statement(0x06, libc::SECCOMP_RET_ALLOW),
    ];
    install(command, filter);
}

#[allow(unsafe_code, reason = "libc")]
fn install<const N: usize>(command: &mut Command, filter: [libc::sock_filter; N]) {
    let install = move || {
        let mut filter = filter;
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        // SAFETY: two system calls with pointers to live values.
        let ok = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
        };
        if ok { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: the closure makes only system calls and allocates nothing.
    unsafe { command.pre_exec(install) };
}

fn load(offset: u32) -> libc::sock_filter {
    statement(0x20, offset)
}

fn statement(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

fn jump_unless_equal(k: u32, skip: u8) -> libc::sock_filter {
    libc::sock_filter { code: 0x15, jt: 0, jf: skip, k }
}
