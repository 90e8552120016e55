//! A TAP device: a network interface whose frames the test process reads and writes.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use super::netns::Netns;

/// `TUNSETIFF` and `TUNSETCARRIER` of linux/if_tun.h, which libc does not have on every target.
const TUNSETIFF: libc::Ioctl = 0x4004_54ca;
const TUNSETCARRIER: libc::Ioctl = 0x4004_54e2;
const IFF_TAP: u16 = 0x0002;
const IFF_NO_PI: u16 = 0x1000;

/// `struct ifreq` with flags.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

/// A device that exists as long as this value.
pub struct Tap {
    file: File,
}

impl Tap {
    /// Creates the device in the namespace. Reading it never waits.
    #[allow(unsafe_code, reason = "libc")]
    pub fn new(netns: &Netns, name: &str) -> Self {
        netns.run(|| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC);
            let file = options.open("/dev/net/tun").unwrap();
            let mut request = InterfaceRequest { name: [0; 16], flags: IFF_TAP | IFF_NO_PI, rest: [0; 22] };
            request.name[..name.len()].copy_from_slice(name.as_bytes());
            // SAFETY: the request is a live struct ifreq.
            let result = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF, &raw mut request) };
            assert_eq!(result, 0, "TUNSETIFF: {}", std::io::Error::last_os_error());
            Self { file }
        })
    }

    /// The next frame that the kernel sends, if there is one.
    pub fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        (&self.file).read(buffer).ok()
    }

    /// Hands a frame to the kernel, which has dealt with it when this returns. Whether the interface was up.
    pub fn write(&self, frame: &[u8]) -> bool {
        (&self.file).write(frame).is_ok()
    }

    /// Sets whether the interface has a carrier.
    #[allow(unsafe_code, reason = "libc")]
    pub fn carrier(&self, has: bool) {
        let has = i32::from(has);
        // SAFETY: the pointer is to a live int.
        let result = unsafe { libc::ioctl(self.file.as_raw_fd(), TUNSETCARRIER, &raw const has) };
        assert_eq!(result, 0, "TUNSETCARRIER: {}", std::io::Error::last_os_error());
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
