//! Creates sockets with options that std does not support.

use std::io::{ErrorKind, Write};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use super::netns::Netns;

/// setsockopt(2) with an int.
#[allow(unsafe_code, reason = "libc")]
pub fn set_option(socket: &impl AsFd, level: i32, name: i32, value: i32) {
    let fd = socket.as_fd().as_raw_fd();
    let length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the pointer and the length are those of a live i32.
    let result = unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), length) };
    assert_eq!(result, 0, "setsockopt {level}/{name}: {}", std::io::Error::last_os_error());
}

/// getsockopt(2) of an int.
#[allow(unsafe_code, reason = "libc")]
pub fn option(socket: &impl AsFd, level: i32, name: i32) -> i32 {
    let (mut value, mut length) = (0_i32, size_of::<i32>() as libc::socklen_t);
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the pointers are to live values, the length is the value's.
    let result = unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length) };
    assert_eq!(result, 0, "getsockopt {level}/{name}: {}", std::io::Error::last_os_error());
    value
}

/// Sets `TCP_CONGESTION`. The sysctl takes only some of them in a namespace.
#[allow(unsafe_code, reason = "libc")]
pub fn set_congestion(socket: &impl AsFd, name: &str) {
    let length = name.len() as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the pointer and the length are those of a live string.
    let result = unsafe { libc::setsockopt(fd, libc::IPPROTO_TCP, libc::TCP_CONGESTION, name.as_ptr().cast(), length) };
    assert_eq!(result, 0, "TCP_CONGESTION {name}: {}", std::io::Error::last_os_error());
}

/// socket(2) for TCP, or for MPTCP.
#[allow(unsafe_code, reason = "libc")]
pub fn socket(family: i32, protocol: i32, flags: i32) -> OwnedFd {
    // SAFETY: no pointers.
    let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | flags, protocol) };
    assert!(fd >= 0, "socket: {}", std::io::Error::last_os_error());
    // SAFETY: the descriptor is new and has no other owner.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// bind(2).
pub fn bind(socket: &impl AsFd, address: SocketAddr) {
    let address = nix::sys::socket::SockaddrStorage::from(address);
    nix::sys::socket::bind(socket.as_fd().as_raw_fd(), &address).unwrap();
}

/// listen(2) on a bound socket.
pub fn listen(socket: OwnedFd, backlog: i32) -> TcpListener {
    let backlog = nix::sys::socket::Backlog::new(backlog).unwrap();
    nix::sys::socket::listen(&socket, backlog).unwrap();
    TcpListener::from(socket)
}

/// A listener with this backlog.
pub fn listener(address: SocketAddr, backlog: i32) -> TcpListener {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let socket = socket(family, libc::IPPROTO_TCP, 0);
    bind(&socket, address);
    listen(socket, backlog)
}

/// connect(2) that does not wait.
pub fn connect_unanswered(address: SocketAddr) -> TcpStream {
    let socket = socket(libc::AF_INET, libc::IPPROTO_TCP, libc::SOCK_NONBLOCK);
    let address = nix::sys::socket::SockaddrStorage::from(address);
    let result = nix::sys::socket::connect(socket.as_raw_fd(), &address);
    assert_eq!(result, Err(nix::errno::Errno::EINPROGRESS));
    TcpStream::from(socket)
}

/// Client and server end of a new connection to the listener.
pub fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    (client, server)
}

/// A listener in a namespace, and the client and server end of a connection to it over loopback.
pub fn connection(netns: &Netns, address: &str) -> (TcpListener, TcpStream, TcpStream) {
    netns.run(|| {
        let listener = TcpListener::bind(address).unwrap();
        let (client, server) = pair(&listener);
        (listener, client, server)
    })
}

/// Writes until the peer's window and the local send buffer are full.
pub fn fill(stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let mut writer = stream;
    let bytes = vec![0x55; 65536];
    loop {
        match writer.write(&bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("fill: {error}"),
        }
    }
    stream.set_nonblocking(false).unwrap();
}

/// A link-local address on an interface.
pub fn link_local(address: &str, port: u16, scope: u32) -> SocketAddr {
    SocketAddr::V6(SocketAddrV6::new(address.parse::<Ipv6Addr>().unwrap(), port, 0, scope))
}
