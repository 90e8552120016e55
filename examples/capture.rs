//! Writes the captures below `fixtures/`. Run as root: `make fixtures`, or `cargo run --example capture --
//! fixtures/captures`.
//!
//! Everything comes from one network namespace made for this, with a socket in every state and none with an MD5 key.
//! The bytes are written as received, without any code of tcpulse in between: a fault of its decoder cannot hide in the
//! captures that it is tested against. The kernel chooses the namespace's link-local address and ports, so two runs
//! differ.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

use support::netns::{NOBODY, User};
use support::zoo::Zoo;

/// The part of the tests' support that does not need tcpulse's binary.
#[path = "../tests/support"]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a zoo that cannot be made is no capture")]
#[allow(clippy::print_stderr, clippy::large_stack_arrays, reason = "as the tests may")]
#[allow(unreachable_pub, dead_code, reason = "shared with the tests, which use more of it")]
mod support {
    pub mod netns;
    pub mod skip;
    pub mod sockets;
    pub mod ss;
    pub mod wait;
    pub mod zoo;
}

/// `TCP_ESTABLISHED` to `TCP_BOUND_INACTIVE`: the crate's flags lack the last two.
const EVERY_STATE: u32 = 0x3fff;
/// Twice the size of the kernel's largest datagram of a dump.
const BUFFER_BYTES: usize = 64 * 1024;
/// Captured files below /proc/net.
const PROC_NET: [&str; 5] = ["tcp", "tcp6", "netstat", "snmp", "sockstat"];
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

fn main() -> Result<()> {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        bail!("usage: capture DIRECTORY");
    };
    ensure!(nix::unistd::geteuid().is_root(), "making a network namespace needs root");
    fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    let kernel = kernel()?;
    let zoo = Zoo::new();
    zoo.settle();
    // The two must be close in time: the test that compares /proc with netlink relies on it.
    let texts = zoo.netns.run(proc_net)?;
    let dumps = DUMPS.map(|dump| (dump.name, zoo.netns.run(|| dump.take())));
    for (name, text) in texts {
        write(&directory, &format!("proc_net_{name}_{kernel}.txt"), text.as_bytes())?;
    }
    for (name, bytes) in dumps {
        write(&directory, &format!("dump_{name}_{kernel}.bin"), &bytes.with_context(|| format!("dumping {name}"))?)?;
    }
    Ok(())
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = directory.join(name);
    fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// `major.minor` of the running kernel.
fn kernel() -> Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").context("reading the kernel's release")?;
    let mut numbers = release.trim().splitn(3, '.');
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else {
        bail!("'{}' is no kernel release", release.trim());
    };
    Ok(format!("{major}.{minor}"))
}

/// Name and text of the files, in the calling thread's namespace.
fn proc_net() -> io::Result<Vec<(&'static str, String)>> {
    PROC_NET.into_iter().map(|name| Ok((name, fs::read_to_string(format!("/proc/thread-self/net/{name}"))?))).collect()
}

/// A dump request, and the user who sends it.
struct Dump {
    name: &'static str,
    family: u8,
    extensions: ExtensionFlags,
    user: User,
}

const DUMPS: [Dump; 4] = [
    Dump { name: "ipv4_all_attributes_root", family: AF_INET, extensions: ExtensionFlags::all(), user: User::Root },
    Dump { name: "ipv6_all_attributes_root", family: AF_INET6, extensions: ExtensionFlags::all(), user: User::Root },
    Dump { name: "ipv4_all_attributes_nobody", family: AF_INET, extensions: ExtensionFlags::all(), user: User::Nobody },
    Dump { name: "ipv4_no_attributes_root", family: AF_INET, extensions: ExtensionFlags::empty(), user: User::Root },
];

impl Dump {
    /// Returns the concatenated datagrams of the answer. Must run on a thread of its own, since it may drop root's
    /// rights for that thread.
    fn take(self) -> Result<Vec<u8>> {
        if self.user == User::Nobody {
            become_nobody().context("becoming nobody")?;
        }
        let mut socket = Socket::new(NETLINK_SOCK_DIAG).context("opening a netlink socket")?;
        socket.bind_auto().context("binding the netlink socket")?;
        socket.send(&self.request(), 0).context("sending the request")?;
        let mut answer = Vec::new();
        let mut datagram = vec![0; BUFFER_BYTES];
        loop {
            let length = socket.recv(&mut &mut datagram[..], libc::MSG_TRUNC).context("receiving the answer")?;
            let bytes = datagram.get(..length).with_context(|| format!("a datagram of {length} bytes was cut"))?;
            // Concatenated datagrams parse like one datagram only if each ends on an aligned offset.
            ensure!(length.is_multiple_of(4), "a datagram of {length} bytes is not aligned");
            answer.extend_from_slice(bytes);
            let kinds = kinds(bytes);
            ensure!(!kinds.contains(&NLMSG_ERROR), "the kernel refused: {bytes:?}");
            if kinds.contains(&NLMSG_DONE) {
                return Ok(answer);
            }
        }
    }

    fn request(self) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        header.sequence_number = 1;
        let request = InetRequest {
            family: self.family,
            protocol: IPPROTO_TCP,
            extensions: self.extensions,
            states: StateFlags::from_bits_retain(EVERY_STATE),
            socket_id: if self.family == AF_INET { SocketId::new_v4() } else { SocketId::new_v6() },
        };
        let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }
}

/// The types of the messages of a datagram.
fn kinds(mut datagram: &[u8]) -> Vec<u16> {
    let mut kinds = Vec::new();
    while let Some(&[l0, l1, l2, l3, k0, k1]) = datagram.first_chunk() {
        kinds.push(u16::from_ne_bytes([k0, k1]));
        let length = u32::from_ne_bytes([l0, l1, l2, l3]).next_multiple_of(4).max(16);
        datagram = datagram.get(length as usize..).unwrap_or_default();
    }
    kinds
}

/// Drops user, groups and with them all capabilities of the calling thread only: libc's own functions would drop them
/// for all threads.
#[allow(unsafe_code, reason = "libc has no function for one thread")]
fn become_nobody() -> io::Result<()> {
    let id = libc::c_long::from(NOBODY);
    for (call, first) in [(libc::SYS_setgroups, 0), (libc::SYS_setresgid, id), (libc::SYS_setresuid, id)] {
        // SAFETY: no memory is read: the list of groups has the length 0, the ids are plain numbers.
        if unsafe { libc::syscall(call, first, if first == 0 { 0 } else { id }, id) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
