//! What netlink sockets have in common, whatever their protocol: how they are opened, and how requests are framed and
//! sent. `decode::netlink` reads the answers.

use std::io;
use std::time::Duration;

use netlink_packet_core::NLM_F_REQUEST;
use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use crate::decode::netlink::HEADER_BYTES;

/// Opens a socket in the calling thread's namespace, and returns it with its port. The kernel answers at once; without a
/// timeout, a lost answer would block for ever.
pub(super) fn open(protocol: isize, timeout: Duration) -> io::Result<(Socket, u32)> {
    let mut socket = Socket::new(protocol)?;
    let address = socket.bind_auto()?;
    // Connected to the kernel, so that no other process can send messages to this socket.
    socket.connect(&SocketAddr::new(0, 0))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(timeout))?;
    Ok((socket, address.port_number()))
}

/// A request with this body.
pub(super) fn request(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER_BYTES + body.len());
    message.extend(((HEADER_BYTES + body.len()) as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    // The port of the sender, which the kernel fills in.
    message.extend([0; 4]);
    message.extend_from_slice(body);
    message
}

/// Appends an attribute to a message, padded to a multiple of 4 bytes.
pub(super) fn append(message: &mut Vec<u8>, kind: u16, content: &[u8]) {
    const ATTRIBUTE_HEADER_BYTES: usize = 4;
    let length = (ATTRIBUTE_HEADER_BYTES + content.len()) as u16;
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend_from_slice(content);
    message.resize(message.len().next_multiple_of(4), 0);
    let length = message.len() as u32;
    message[..4].copy_from_slice(&length.to_ne_bytes());
}

/// Sends a request.
pub(super) fn send(socket: &Socket, request: &[u8]) -> io::Result<()> {
    loop {
        match socket.send(request, 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            sent => return sent.map(|_| ()),
        }
    }
}
