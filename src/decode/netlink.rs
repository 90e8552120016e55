//! Decodes netlink framing (`include/uapi/linux/netlink.h`, RFC 3549): messages in a datagram, attributes in a message.

use super::bytes::{array_at, u16_at, u32_at};

/// Bytes of `struct nlmsghdr`.
pub(crate) const HEADER_BYTES: usize = 16;
const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSG_OVERRUN: u16 = 4;
const NLM_F_DUMP_INTR: u16 = 0x10;
const ATTRIBUTE_HEADER_BYTES: usize = 4;
/// Mask that removes the flags `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
const NLA_TYPE_MASK: u16 = 0x3fff;

/// One message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// Content
    pub payload: Payload<'a>,
    /// `nlmsg_seq`: sequence number of the request that it answers
    pub sequence: u32,
    /// `nlmsg_pid`: port of the receiver
    pub port: u32,
    /// `NLM_F_DUMP_INTR`: the table changed during the dump, which may be inconsistent
    pub interrupted: bool,
}

/// Content of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    /// A message of the protocol: its type and body
    Data(u16, &'a [u8]),
    /// `NLMSG_DONE`: the dump has ended; with an errno, it ended early
    Done(Option<Errno>),
    /// `NLMSG_ERROR`: the request was refused; without an errno, it was acknowledged
    Error(Option<Errno>),
    /// `NLMSG_OVERRUN`: data was lost
    Overrun,
    /// `NLMSG_NOOP`
    Noop,
}

/// A positive error number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// Netlink carries errors negated; 0 is success.
    fn from_negated(value: i32) -> Option<Self> {
        (value != 0).then(|| Self(value.saturating_neg().max(1)))
    }
}

/// Error of a length field that does not fit the received bytes. The remainder of the datagram cannot be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadFrame {
    /// Length in the header
    pub claimed_bytes: usize,
    /// Bytes that are left
    pub left_bytes: usize,
}

/// Iterator over the messages of a datagram.
#[derive(Debug, Clone)]
pub(crate) struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Iterates over `datagram`.
    pub(crate) fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, BadFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let left_bytes = self.rest.len();
        let claimed_bytes = u32_at(self.rest, 0).map_or(0, |length| length as usize);
        let (Some(body), true) = (self.rest.get(HEADER_BYTES..claimed_bytes), claimed_bytes >= HEADER_BYTES) else {
            self.rest = &[];
            return Some(Err(BadFrame { claimed_bytes, left_bytes }));
        };
        let header = self.rest;
        self.rest = self.rest.get(align(claimed_bytes)..).unwrap_or_default();
        let flags = u16_at(header, 6).unwrap_or_default();
        Some(Ok(Message {
            payload: payload(u16_at(header, 4).unwrap_or_default(), body),
            sequence: u32_at(header, 8).unwrap_or_default(),
            port: u32_at(header, 12).unwrap_or_default(),
            interrupted: flags & NLM_F_DUMP_INTR != 0,
        }))
    }
}

fn payload(kind: u16, body: &[u8]) -> Payload<'_> {
    let errno = || Errno::from_negated(array_at(body, 0).map_or(0, i32::from_ne_bytes));
    match kind {
        NLMSG_NOOP => Payload::Noop,
        NLMSG_ERROR => Payload::Error(errno()),
        NLMSG_DONE => Payload::Done(errno()),
        NLMSG_OVERRUN => Payload::Overrun,
        other => Payload::Data(other, body),
    }
}

/// One attribute: its number and its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    /// `nla_type` without flags
    pub kind: u16,
    /// Content without padding
    pub value: &'a [u8],
}

/// Iterator over the attributes of a message or of another attribute. It ends at an invalid length; attributes before
/// it are valid.
#[derive(Debug, Clone)]
pub(crate) struct NetlinkAttributes<'a> {
    rest: &'a [u8],
    broken: bool,
}

impl<'a> NetlinkAttributes<'a> {
    /// Iterates over `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, broken: false }
    }

    /// Whether the iteration ended early because of an invalid length.
    pub(crate) fn broken(&self) -> bool {
        self.broken
    }
}

impl<'a> Iterator for NetlinkAttributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let length = u16_at(self.rest, 0).map_or(0, usize::from);
        let (Some(value), Some(kind)) = (self.rest.get(ATTRIBUTE_HEADER_BYTES..length), u16_at(self.rest, 2)) else {
            self.broken = true;
            self.rest = &[];
            return None;
        };
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some(Attribute { kind: kind & NLA_TYPE_MASK, value })
    }
}

/// Content of the first attribute of this number.
pub(crate) fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    NetlinkAttributes::new(bytes).find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
}

/// Rounds up to a multiple of 4, as `NLMSG_ALIGN` and `NLA_ALIGN` do.
fn align(length: usize) -> usize {
    length.saturating_add(3) & !3
}

#[cfg(test)]
pub(crate) mod encode {
    /// An attribute, padded.
    pub(crate) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{BadFrame, Errno, Messages, NetlinkAttributes, Payload};

    fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = (16 + body.len() as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(7_u32.to_ne_bytes());
        bytes.extend(9_u32.to_ne_bytes());
        bytes.extend(body);
        bytes
    }

    #[test]
    fn control_messages_are_distinguished() {
        let mut bytes = message(20, 0x12, b"data");
        bytes.extend(message(2, 0, &(-13_i32).to_ne_bytes()));
        bytes.extend(message(2, 0, &0_i32.to_ne_bytes()));
        bytes.extend(message(4, 0, &[]));
        bytes.extend(message(3, 0, &(-105_i32).to_ne_bytes()));
        bytes.extend(message(3, 0, &[]));
        let messages: Vec<_> = Messages::new(&bytes).map(Result::unwrap).collect();
        assert_eq!(messages[0].payload, Payload::Data(20, b"data"));
        assert!(messages[0].interrupted && messages[0].sequence == 7 && messages[0].port == 9);
        assert_eq!(messages[1].payload, Payload::Error(Some(Errno(13))));
        assert_eq!(messages[2].payload, Payload::Error(None));
        assert_eq!(messages[3].payload, Payload::Overrun);
        assert_eq!(messages[4].payload, Payload::Done(Some(Errno(105))));
        assert_eq!(messages[5].payload, Payload::Done(None));
    }

    #[test]
    fn a_lying_length_ends_the_walk_with_the_lie_named() {
        let mut bytes = message(20, 0, b"data");
        bytes[0] = 200;
        assert_eq!(Messages::new(&bytes).next(), Some(Err(BadFrame { claimed_bytes: 200, left_bytes: 20 })));
        bytes[0] = 3;
        let mut walk = Messages::new(&bytes);
        assert!(walk.next().is_some_and(|first| first.is_err()));
        assert_eq!(walk.next(), None);
    }

    #[test]
    fn attributes_before_a_broken_one_are_kept() {
        let bytes = [5, 0, 8, 0, 3, 0, 0, 0, 99, 0, 1, 0];
        let mut walk = NetlinkAttributes::new(&bytes);
        let first = walk.next().unwrap();
        assert_eq!((first.kind, first.value), (8, &[3_u8][..]));
        assert_eq!(walk.next(), None);
        assert!(walk.broken());
    }
}
