//! The lower bounds: time of the kernel alone to report all sockets and all descriptors to a program that discards the
//! answers. Uses no code of tcpulse, so that it does not favour tcpulse.

use std::fs::{self, File};
use std::mem::MaybeUninit;
use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use rustix::fs::{RawDir, readlinkat_raw};

/// `idiag_ext` as requested by `tcpulse --json`: INFO, VEGASINFO, CONG, TOS, TCLASS and SKMEMINFO. `INET_DIAG_x` is bit
/// x - 1.
pub(crate) const ATTRIBUTES: u8 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const INET_DIAG_REQ_BYTECODE: u16 = 1;
/// `INET_DIAG_BC_S_COND` and `INET_DIAG_BC_D_COND`, under ss's names.
pub(crate) const SRC: u8 = 7;
pub(crate) const DST: u8 = 8;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER_BYTES: usize = 16;
/// A header and `struct inet_diag_req_v2`.
const REQUEST_BYTES: usize = HEADER_BYTES + 56;
const BUFFER_BYTES: usize = 64 * 1024;
const DIRENT_BYTES: usize = 32 * 1024;
const LINK_BYTES: usize = 64;

/// Dumps the TCP sockets of this namespace in all states that match the bytecode; returns their number.
pub(crate) fn dump(attributes: u8, bytecode: &[u8]) -> Result<u64> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG).context("a NETLINK_SOCK_DIAG socket")?;
    socket.bind_auto().context("binding the sock_diag socket")?;
    socket.connect(&SocketAddr::new(0, 0)).context("connecting the sock_diag socket to the kernel")?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut sockets = 0;
    for family in [AF_INET, AF_INET6] {
        socket.send(&request(family, attributes, bytecode), 0).context("the sock_diag request")?;
        while receive(&socket, &mut buffer, &mut sockets)? {}
    }
    Ok(sockets)
}

/// Bytecode: one `struct inet_diag_bc_op` with a `struct inet_diag_hostcond`. It matches if the address is within the
/// prefix.
pub(crate) fn prefix(code: u8, addr: Ipv4Addr, bits: u8) -> Vec<u8> {
    const BYTES: u8 = 16;
    let mut bytecode = vec![code, BYTES, BYTES + 4, 0, AF_INET, bits, 0, 0];
    bytecode.extend((-1_i32).to_ne_bytes());
    bytecode.extend(addr.octets());
    bytecode
}

/// Request: `struct nlmsghdr` and `struct inet_diag_req_v2` for all states and addresses, then
/// `INET_DIAG_REQ_BYTECODE`, if any.
fn request(family: u8, attributes: u8, bytecode: &[u8]) -> Vec<u8> {
    let mut request = vec![0; REQUEST_BYTES];
    if !bytecode.is_empty() {
        request.extend((4 + bytecode.len() as u16).to_ne_bytes());
        request.extend(INET_DIAG_REQ_BYTECODE.to_ne_bytes());
        request.extend_from_slice(bytecode);
    }
    let length = request.len() as u32;
    request[..4].copy_from_slice(&length.to_ne_bytes());
    request[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request[6..8].copy_from_slice(&(NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    request[HEADER_BYTES..HEADER_BYTES + 3].copy_from_slice(&[family, IPPROTO_TCP, attributes]);
    request[HEADER_BYTES + 4..HEADER_BYTES + 8].copy_from_slice(&u32::MAX.to_ne_bytes());
    request
}

/// Receives one datagram and counts its sockets; returns whether more follow. Only length and type of each message are
/// read. NLMSG_DONE may follow other messages in the same datagram.
fn receive(socket: &Socket, buffer: &mut [u8], sockets: &mut u64) -> Result<bool> {
    let length = socket.recv(&mut &mut *buffer, libc::MSG_TRUNC).context("receiving the sock_diag dump")?;
    let Some(mut rest) = buffer.get(..length) else { bail!("a sock_diag datagram of {length} bytes is too long") };
    while let [a, b, c, d, e, f, ..] = *rest {
        let message = u32::from_ne_bytes([a, b, c, d]) as usize;
        match u16::from_ne_bytes([e, f]) {
            NLMSG_DONE => return Ok(false),
            NLMSG_ERROR => bail!("the kernel refused the sock_diag dump: {:?}", rest.get(HEADER_BYTES..)),
            _ => *sockets += 1,
        }
        if message < HEADER_BYTES {
            bail!("a sock_diag message of {message} bytes is too short");
        }
        rest = rest.get(message.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

/// Reads the link of every descriptor of every process; returns their number.
pub(crate) fn scan() -> Result<u64> {
    let mut dirents = vec![MaybeUninit::uninit(); DIRENT_BYTES];
    let mut links = 0;
    for entry in fs::read_dir("/proc").context("/proc")? {
        let entry = entry.context("/proc")?;
        if !entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        // The process has exited, or may not be read.
        let Ok(directory) = File::open(entry.path().join("fd")) else { continue };
        links += descriptors(&directory, &mut dirents);
    }
    Ok(links)
}

fn descriptors(directory: &File, dirents: &mut [MaybeUninit<u8>]) -> u64 {
    let mut links = 0;
    let mut entries = RawDir::new(directory, dirents);
    while let Some(Ok(entry)) = entries.next() {
        let mut link = [MaybeUninit::<u8>::uninit(); LINK_BYTES];
        links += u64::from(readlinkat_raw(directory, entry.file_name(), &mut link).is_ok());
    }
    links
}
