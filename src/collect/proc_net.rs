//! /proc/net/tcp and tcp6 of one network namespace. They are opened inside it; an open file stays bound to its namespace.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};

use crate::decode::proc_tcp;
use crate::model::address::{Family, NetnsId};
use crate::model::socket::Socket;

/// Open /proc/net/tcp and tcp6 of one namespace. tcp6 is missing if IPv6 is off.
#[derive(Debug)]
pub(crate) struct ProcNetTcp {
    tcp: File,
    tcp6: Option<File>,
}

impl ProcNetTcp {
    /// Opens the files of the calling thread's namespace. /proc/net would show the main thread's namespace.
    ///
    /// # Errors
    /// /proc/thread-self/net/tcp cannot be opened. There is no further source to fall back to.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self { tcp: File::open("/proc/thread-self/net/tcp")?, tcp6: File::open("/proc/thread-self/net/tcp6").ok() })
    }

    /// Passes each socket of the family to `each`. Returns the number of lines, without the header, that are no sockets.
    ///
    /// # Errors
    /// Outer: the file cannot be read. Inner: `each` failed.
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
