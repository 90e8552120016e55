//! /proc/net/tcp and tcp6 of one namespace, opened from within it: an open file stays with its namespace.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};

use crate::decode::proc_tcp;
use crate::model::address::{Family, NetnsId};
use crate::model::socket::Socket;

/// The two files. tcp6 is missing where IPv6 is off.
#[derive(Debug)]
pub(crate) struct ProcNetTcp {
    tcp: File,
    tcp6: Option<File>,
}

impl ProcNetTcp {
    /// Opens the files of the calling thread's namespace. /proc/net would be the main thread's.
    ///
    /// # Errors
    /// /proc/thread-self/net/tcp cannot be opened: nothing is left to read from.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self { tcp: File::open("/proc/thread-self/net/tcp")?, tcp6: File::open("/proc/thread-self/net/tcp6").ok() })
    }

    /// Hands each socket of the family to `each`. Lines that are no sockets are left out and counted, the header apart.
    ///
    /// # Errors
    /// The outer one: the file cannot be read. The inner one: `each` failed.
    pub(crate) fn read<E>(
        &mut self,
        family: Family,
        netns: NetnsId,
        mut each: impl FnMut(&Socket) -> Result<(), E>,
    ) -> io::Result<Result<u64, E>> {
        let file = match family {
            Family::Ipv4 => &mut self.tcp,
            Family::Ipv6 => match &mut self.tcp6 {
                Some(file) => file,
                None => return Ok(Ok(0)),
            },
        };
        file.rewind()?;
        let mut lines = BufReader::with_capacity(super::diag::BUFFER_BYTES, file);
        let mut line = Vec::new();
        let mut unreadable = 0;
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(Ok(unreadable));
            }
            match std::str::from_utf8(&line).ok().and_then(|text| proc_tcp::decode(text, family, netns)) {
                Some(socket) => {
                    if let Err(error) = each(&socket) {
                        return Ok(Err(error));
                    }
                }
                None => unreadable += u64::from(!line.trim_ascii().starts_with(b"sl")),
            }
        }
    }
}
