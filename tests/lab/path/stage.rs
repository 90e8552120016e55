//! Opens the socket of a case and carries out the acts of its script.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::case::{Act, Case, Opening, Setting};
use super::watch::{Watch, Watched};
use crate::support::link::set_options;
use crate::support::path::Path;
use crate::support::relay::{Answer, Passage};
use crate::support::sockets::{fill, option};
use crate::support::wait::until;

const SOON: Duration = Duration::from_secs(20);
/// Longer than it takes from a fork to the exec that closes descriptors.
const FORK: Duration = Duration::from_millis(300);
/// Port of the peer at which nothing listens.
const NOWHERE: u16 = 9;

/// A socket on its path.
pub(crate) struct Stage {
    pub(crate) path: Path,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) socket: Arc<Watched>,
    ours: Option<TcpStream>,
    peer: Option<TcpStream>,
    /// Held open
    listeners: Vec<TcpListener>,
    is_mptcp: bool,
    /// When our side last did something
    acted: Instant,
}

/// The ends of a new socket.
struct Ends {
    ours: Option<TcpStream>,
    peer: Option<TcpStream>,
    listeners: Vec<TcpListener>,
    local: SocketAddr,
    remote: SocketAddr,
}

impl Stage {
    pub(crate) fn open(case: &Case, watch: &Watch) -> Self {
        let path = Path { congestion: case.congestion, ..Path::new(case.family, &case.sysctls) };
        if case.has_small_buffers {
            path.peer.sysctl("ipv4/tcp_rmem", "4096 32768 65536");
        }
        // Fast Open without a cookie, for the one case that asks for it.
        path.peer.sysctl("ipv4/tcp_fastopen", "5");
        if case.has_idle_interface {
            path.add_idle_interface();
        }
        for act in &case.before {
            steer(&path, *act);
        }
        let Ends { ours, peer, listeners, local, remote } = open(&path, case);
        let socket = until("the socket is there", SOON, || watch.add(&path.ours, local, remote));
        Self {
            path,
            local,
            remote,
            socket,
            ours,
            peer,
            listeners,
            is_mptcp: case.protocol == libc::IPPROTO_MPTCP,
            acted: Instant::now(),
        }
    }

    /// Carries out an act. An act on our side makes every earlier prediction void.
    pub(crate) fn perform(&mut self, act: Act) {
        match act {
            Act::PeerWrite(bytes) => drop(self.peer.as_ref().unwrap().write_all(&vec![0x55; bytes])),
            Act::PeerShutdown => self.peer.as_ref().unwrap().shutdown(Shutdown::Write).unwrap(),
            Act::Write(bytes) => self.write(bytes),
            Act::Fill => fill(self.ours.as_ref().unwrap()),
            Act::ShutdownWrite => self.ours.as_ref().unwrap().shutdown(Shutdown::Write).unwrap(),
            Act::Close => self.close(),
            Act::Set(setting) => set_options(self.ours.as_ref().unwrap(), &[setting]),
            Act::Sysctl(name, value) => self.path.ours.sysctl(name, value),
            Act::Break(_) => steer(&self.path, act),
            _ => return steer(&self.path, act),
        }
        if !matches!(act, Act::PeerWrite(_) | Act::PeerShutdown) {
            self.acted = self.acted.max(Instant::now());
        }
    }

    fn write(&self, bytes: usize) {
        let mut ours = self.ours.as_ref().unwrap();
        ours.set_nonblocking(true).unwrap();
        // The kernel may have ended it already, and the send buffer may be full.
        let _ = ours.write(&vec![0x55; bytes]);
        ours.set_nonblocking(false).unwrap();
    }

    fn close(&mut self) {
        drop(self.ours.take());
        // A fork of the test process holds the descriptor for a moment longer. A subflow of MPTCP belongs to a socket of
        // the kernel and does not show it, so the looks of that moment are void.
        if self.is_mptcp {
            self.acted = Instant::now() + FORK;
            return;
        }
        let is_closed = || self.socket.find().is_none_or(|found| found.inode == 0).then_some(());
        until("the socket is closed", SOON, is_closed);
    }

    /// An option of our socket, if our program still has it.
    pub(crate) fn option(&self, level: i32, name: i32) -> Option<i32> {
        Some(option(self.ours.as_ref()?, level, name))
    }

    /// Whether our program has a descriptor of the socket.
    pub(crate) fn is_held(&self) -> bool {
        self.ours.is_some()
    }

    /// The last time at which something happened on our side: an act, or a packet that the socket had to deal with.
    pub(crate) fn disturbed(&self, case: &Case) -> Instant {
        let delivered = self.path.relay.delivered();
        let is_ended_by_icmp = matches!(case.opening, Opening::Connecting);
        let icmp = if is_ended_by_icmp { delivered.icmp } else { delivered.reverting };
        [delivered.tcp, icmp].into_iter().flatten().fold(self.acted, Instant::max)
    }
}

/// Changes the path.
fn steer(path: &Path, act: Act) {
    match act {
        Act::Silence => path.relay.change(|rules| {
            (rules.to_us, rules.to_peer, rules.answer) = (Passage::CLOSED, Passage::CLOSED, Answer::Peer);
        }),
        Act::ToPeer(passage) => path.relay.change(|rules| rules.to_peer = passage),
        Act::ToUs(passage) => path.relay.change(|rules| rules.to_us = passage),
        Act::Icmp(error) => path.relay.change(|rules| rules.answer = Answer::Error(error)),
        Act::Reset => path.relay.change(|rules| rules.answer = Answer::Reset),
        Act::Window(window) => path.relay.change(|rules| rules.window = Some(window)),
        Act::Break(breach) => path.breach(breach),
        Act::Sysctl(name, value) => path.ours.sysctl(name, value),
        _ => panic!("{act:?} needs a socket"),
    }
}

fn open(path: &Path, case: &Case) -> Ends {
    match &case.opening {
        Opening::Connected | Opening::FallenBack => {
            let is_mptcp = case.opening == Opening::Connected;
            let listener = path.peer_listener(if is_mptcp { case.protocol } else { libc::IPPROTO_TCP });
            let ours = path.connect(listener.local_addr().unwrap(), case.protocol, &case.settings);
            let (peer, local) = accept(&listener);
            let remote = listener.local_addr().unwrap();
            Ends { ours: Some(ours), peer: Some(peer), listeners: Vec::new(), local, remote }
        }
        Opening::Accepted | Opening::Queued => {
            let listener = path.listener(case.protocol, &case.settings);
            let local = listener.local_addr().unwrap();
            let peer = path.peer_connects(local, case.protocol, false);
            let remote = peer.local_addr().unwrap();
            let ours = matches!(case.opening, Opening::Accepted).then(|| accept(&listener).0);
            Ends { ours, peer: Some(peer), listeners: vec![listener], local, remote }
        }
        Opening::Connecting => {
            let remote = SocketAddr::new(case.family.peer(), NOWHERE);
            let ours = path.connecting(remote, &case.settings);
            let local = ours.local_addr().unwrap();
            Ends { ours: Some(ours), peer: None, listeners: Vec::new(), local, remote }
        }
        Opening::Requested { others } => requested(path, case, others),
        Opening::FastOpen => fast_open(path, case),
    }
}

/// Accepts a connection. On a busy machine a packet may be lost before the addresses are in use, and with it the data of a
/// SYN: then none ever comes.
fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    listener.set_nonblocking(true).unwrap();
    let (accepted, from) = until("a connection is accepted", SOON, || listener.accept().ok());
    listener.set_nonblocking(false).unwrap();
    accepted.set_nonblocking(false).unwrap();
    (accepted, from)
}

/// A SYN to a listener of ours; whether our answer arrives is up to the path.
fn requested(path: &Path, case: &Case, others: &[Vec<Setting>]) -> Ends {
    const SHARED: Setting = (libc::SOL_SOCKET, libc::SO_REUSEPORT, 1);
    let settings = [&[SHARED], &case.settings[..]].concat();
    let first = path.listener(case.protocol, &settings);
    let local = first.local_addr().unwrap();
    let mut listeners = vec![first];
    for other in others {
        let settings = [&[SHARED], &other[..]].concat();
        listeners.push(path.ours.run(|| path.bound(local, case.protocol, &settings)));
    }
    let peer = path.peer_connects(local, case.protocol, true);
    let remote = peer.local_addr().unwrap();
    Ends { ours: None, peer: Some(peer), listeners, local, remote }
}

/// A connection that exists with its SYN. `case.before` keeps our answer from the peer, so that it stays unconfirmed.
fn fast_open(path: &Path, case: &Case) -> Ends {
    let listener = path.listener(case.protocol, &case.settings);
    let local = listener.local_addr().unwrap();
    let peer = path.peer.run(|| {
        let socket = path.socket(case.protocol, &[]);
        let peer = TcpStream::from(socket);
        peer.set_nonblocking(true).unwrap();
        let address = nix::sys::socket::SockaddrStorage::from(local);
        let flags = nix::sys::socket::MsgFlags::from_bits_retain(libc::MSG_FASTOPEN);
        let sent = nix::sys::socket::sendto(peer.as_raw_fd(), b"early", &address, flags);
        assert!(matches!(sent, Ok(_) | Err(nix::errno::Errno::EINPROGRESS)), "{sent:?}");
        peer
    });
    let remote = peer.local_addr().unwrap();
    let ours = accept(&listener).0;
    let mut early = [0; 5];
    (&ours).read_exact(&mut early).unwrap();
    Ends { ours: Some(ours), peer: Some(peer), listeners: vec![listener], local, remote }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Nothing passes while the sockets are closed.
        steer(&self.path, Act::Silence);
        self.listeners.clear();
    }
}
