//! The load: processes that hold both ends of many loopback connections. A loader reports when it is ready, and exits
//! when its stdin is closed, so that nothing is left behind however the bench ends.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt::KeepAlive,
    sockopt::Linger,
};

use crate::{HOLD, INHABIT};

/// Descriptors of a loader besides the connections: a listener, standard streams, and what std may open.
const SPARE_DESCRIPTORS: usize = 200;
/// Connections per source address: far below the kernel's 28,232 ephemeral ports.
const PER_SOURCE: usize = 2000;
/// One connection in this many has keepalive on, at both ends.
pub(crate) const KEEPALIVE_EACH: u32 = 2;
/// 127.0.1.1, the first source address.
const FIRST_SOURCE: u32 = 0x7f00_0101;
/// Data sent on each connection, so that its counters are not all 0.
const QUESTION: [u8; 120] = [b'?'; 120];
const ANSWER: [u8; 900] = [b'!'; 900];

/// The loaders; ended on drop.
pub(crate) struct Load {
    loaders: Vec<Child>,
    pub(crate) sources: usize,
}

impl Load {
    /// Starts as many loaders as needed, and waits until all connections are established.
    pub(crate) fn new(bench: &Path, connections: usize) -> Result<Self> {
        let most = (descriptors()? - SPARE_DESCRIPTORS) / 2;
        let mut load = Self { loaders: Vec::new(), sources: connections.div_ceil(PER_SOURCE) };
        for first in (0..connections).step_by(most) {
            let count = most.min(connections - first);
            let loader = Command::new(bench)
                .args([HOLD, &count.to_string(), &first.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| format!("starting a loader, {}", bench.display()))?;
            load.loaders.push(loader);
        }
        for loader in &mut load.loaders {
            let stdout = loader.stdout.take().context("a loader without a pipe")?;
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).context("reading from a loader")?;
            if line.is_empty() {
                bail!("a loader ended before its connections stood; its own error is above");
            }
        }
        Ok(load)
    }

    pub(crate) fn processes(&self) -> usize {
        self.loaders.len()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Close all first, then wait: closing 20,000 sockets takes a while, and `wait` would close one stdin at a time.
        self.loaders.iter_mut().for_each(|loader| drop(loader.stdin.take()));
        for loader in &mut self.loaders {
            // Cannot fail: it is a child that was not waited for.
            let _ = loader.wait();
        }
    }
}

/// Processes in empty network namespaces of their own; ended on drop.
pub(crate) struct Namespaces(Vec<Child>);

impl Namespaces {
    /// Starts them, and waits until each is in its namespace.
    pub(crate) fn new(bench: &Path, count: usize) -> Result<Self> {
        let mut namespaces = Self(Vec::new());
        for _ in 0..count {
            let mut inhabitant = Command::new(bench)
                .arg(INHABIT)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .context("starting a process for a namespace")?;
            let stdout = inhabitant.stdout.take().context("a process without a pipe")?;
            namespaces.0.push(inhabitant);
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).context("reading from a process in a namespace")?;
            if line.is_empty() {
                bail!("no network namespace can be made; its own error is above (it takes root)");
            }
        }
        Ok(namespaces)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|inhabitant| drop(inhabitant.stdin.take()));
        for inhabitant in &mut self.0 {
            let _ = inhabitant.wait();
        }
    }
}

/// Stays in a new network namespace until the bench ends.
pub(crate) fn inhabit() -> Result<()> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    writeln!(io::stdout(), "ready").context("saying that the namespace stands")?;
    io::stdin().read_to_end(&mut Vec::new()).context("waiting for the end of the bench")?;
    Ok(())
}

/// Number of descriptors that a loader may open.
fn descriptors() -> Result<usize> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("RLIMIT_NOFILE")?;
    let hard = usize::try_from(hard).unwrap_or(usize::MAX);
    if hard < 2 * SPARE_DESCRIPTORS {
        bail!("RLIMIT_NOFILE: {hard} descriptors are too few");
    }
    // With a high limit, keep the size of process that earlier runs measured with.
    Ok(hard.min(20_000))
}

/// The loader: opens `count` connections, numbered from `first`, and holds them.
pub(crate) fn hold(count: usize, first: usize) -> Result<()> {
    let limit = descriptors()? as u64;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("RLIMIT_NOFILE")?;
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).with_context(|| format!("raising RLIMIT_NOFILE to {limit}"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listening on 127.0.0.1")?;
    let mut held = Vec::with_capacity(count);
    for number in first..first + count {
        held.push(connection(&listener, number).with_context(|| format!("connection {number}"))?);
    }
    writeln!(io::stdout(), "ready").context("saying that the load stands")?;
    // Nothing is ever written to stdin; it is closed when the bench ends.
    io::stdin().read_to_end(&mut Vec::new()).context("waiting for the end of the bench")?;
    Ok(())
}

/// Opens one connection and sends data both ways; returns both ends.
fn connection(listener: &TcpListener, number: usize) -> Result<(TcpStream, TcpStream)> {
    let SocketAddr::V4(listening) = listener.local_addr()? else { bail!("the listener is not of IPv4") };
    let source = Ipv4Addr::from_bits(FIRST_SOURCE + (number / PER_SOURCE) as u32);
    let client = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).context("a socket")?;
    let [a, b, c, d] = source.octets();
    bind(client.as_raw_fd(), &SockaddrIn::new(a, b, c, d, 0)).with_context(|| format!("binding to {source}"))?;
    connect(client.as_raw_fd(), &SockaddrIn::from(listening)).with_context(|| format!("from {source}"))?;
    let mut client = TcpStream::from(client);
    let (mut server, _) = listener.accept().context("accepting")?;
    for end in [&client, &server] {
        // Close with a RST, so that no TIME-WAIT is left behind.
        setsockopt(end, Linger, &libc::linger { l_onoff: 1, l_linger: 0 }).context("SO_LINGER")?;
        setsockopt(end, KeepAlive, &number.is_multiple_of(KEEPALIVE_EACH as usize)).context("SO_KEEPALIVE")?;
    }
    client.write_all(&QUESTION)?;
    server.read_exact(&mut [0; QUESTION.len()])?;
    server.write_all(&ANSWER)?;
    client.read_exact(&mut [0; ANSWER.len()])?;
    Ok((client, server))
}
