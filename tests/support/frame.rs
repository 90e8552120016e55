//! Ethernet frames that carry TCP over IPv4 or IPv6: read, changed, and answered in the name of the peer or of a router.

const ETHERNET_BYTES: usize = 14;
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_ICMPV6: u8 = 58;
const HOPS: u8 = 64;
/// As much of a packet as each kernel accepts inside of an ICMP error.
const QUOTED_BYTES: usize = 500;

const FLAG_SYN: u8 = 0x02;
const FLAG_RST: u8 = 0x04;
const FLAG_ACK: u8 = 0x10;

/// A frame with a whole TCP header.
#[derive(Debug, Clone)]
pub struct TcpFrame {
    bytes: Vec<u8>,
    is_v6: bool,
    /// Offset of the TCP header
    tcp: usize,
}

/// Type and code of an ICMP or ICMPv6 error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpError {
    pub kind: u8,
    pub code: u8,
}

impl IcmpError {
    /// Whether the kernel takes back the last doubling of the retransmission timeout: network or host unreachable
    /// (`tcp_v4_err`, `tcp_v6_err`).
    pub fn reverts_timeout(self, is_v6: bool) -> bool {
        if is_v6 { self.kind == 1 && self.code == 0 } else { self.kind == 3 && self.code <= 1 }
    }
}

impl TcpFrame {
    /// The frame, if it carries TCP.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let is_v6 = match bytes.get(12..14)? {
            kind if kind == IPV4 => false,
            kind if kind == IPV6 => true,
            _ => return None,
        };
        let ip = bytes.get(ETHERNET_BYTES..)?;
        let (protocol, header, length) = if is_v6 {
            (*ip.get(6)?, 40, 40 + usize::from(u16::from_be_bytes([*ip.get(4)?, *ip.get(5)?])))
        } else {
            (
                *ip.get(9)?,
                usize::from(ip.first()? & 0xf) * 4,
                usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?])),
            )
        };
        let tcp = ETHERNET_BYTES + header;
        let bytes = bytes.get(..ETHERNET_BYTES + length)?;
        (protocol == PROTOCOL_TCP && bytes.len() >= tcp + 20).then(|| Self { bytes: bytes.to_vec(), is_v6, tcp })
    }

    /// The frame as it is sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn is_v6(&self) -> bool {
        self.is_v6
    }

    pub fn is_reset(&self) -> bool {
        self.flags() & FLAG_RST != 0
    }

    /// Sets the window field, which is not scaled here.
    pub fn set_window(&mut self, window: u16) {
        let at = self.tcp + 14;
        self.bytes[at..at + 2].copy_from_slice(&window.to_be_bytes());
        self.fix_checksum();
    }

    /// The window field.
    pub fn window(&self) -> u16 {
        u16::from_be_bytes([self.bytes[self.tcp + 14], self.bytes[self.tcp + 15]])
    }

    fn flags(&self) -> u8 {
        self.bytes[self.tcp + 13]
    }

    fn is_syn(&self) -> bool {
        self.flags() & FLAG_SYN != 0
    }

    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.bytes[self.tcp + at..][..4].try_into().unwrap())
    }

    fn fix_checksum(&mut self) {
        let at = self.tcp + 16;
        self.bytes[at..at + 2].fill(0);
        let sum = self.checksum(PROTOCOL_TCP, &self.bytes[self.tcp..]);
        self.bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }

    /// Whether the TCP checksum is right.
    pub fn is_intact(&self) -> bool {
        self.checksum(PROTOCOL_TCP, &self.bytes[self.tcp..]) == 0
    }

    /// Source and destination address, as they stand in the frame.
    fn addresses(&self) -> &[u8] {
        let ip = &self.bytes[ETHERNET_BYTES..];
        if self.is_v6 { &ip[8..40] } else { &ip[12..20] }
    }

    /// Checksum of a segment between the frame's addresses, with the pseudo header.
    fn checksum(&self, protocol: u8, segment: &[u8]) -> u16 {
        let length = u32::try_from(segment.len()).unwrap();
        let pseudo = [&length.to_be_bytes()[..], &[0, 0, 0, protocol]].concat();
        !folded(words(self.addresses()) + words(&pseudo) + words(segment))
    }

    /// A reset that answers this segment, as from a peer that does not know the connection.
    pub fn reset(&self) -> Vec<u8> {
        let payload = self.bytes.len() - self.tcp - usize::from(self.bytes[self.tcp + 12] >> 4) * 4;
        let length = u32::try_from(payload).unwrap() + u32::from(self.is_syn());
        let (sequence, acknowledged, flags) = if self.flags() & FLAG_ACK != 0 {
            (self.number(8), 0, FLAG_RST)
        } else {
            (0, self.number(4).wrapping_add(length), FLAG_RST | FLAG_ACK)
        };
        let ports = &self.bytes[self.tcp..self.tcp + 4];
        let mut segment = [&ports[2..], &ports[..2]].concat();
        segment.extend(sequence.to_be_bytes());
        segment.extend(acknowledged.to_be_bytes());
        segment.extend([5 << 4, flags, 0, 0, 0, 0, 0, 0]);
        let mut answer = Self { bytes: self.answer(PROTOCOL_TCP, &segment), is_v6: self.is_v6, tcp: 0 };
        answer.tcp = answer.bytes.len() - segment.len();
        answer.fix_checksum();
        answer.bytes
    }

    /// An ICMP error about this packet, sent by its destination.
    pub fn icmp(&self, error: IcmpError) -> Vec<u8> {
        let packet = &self.bytes[ETHERNET_BYTES..];
        let mut message = vec![error.kind, error.code, 0, 0, 0, 0, 0, 0];
        message.extend(&packet[..packet.len().min(QUOTED_BYTES)]);
        let sum = if self.is_v6 { self.checksum(PROTOCOL_ICMPV6, &message) } else { !folded(words(&message)) };
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        self.answer(if self.is_v6 { PROTOCOL_ICMPV6 } else { PROTOCOL_ICMP }, &message)
    }

    /// A frame back to the sender.
    fn answer(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = [&self.bytes[6..12], &self.bytes[..6], &self.bytes[12..14]].concat();
        let addresses = self.addresses();
        let (from, to) = addresses.split_at(addresses.len() / 2);
        let length = |header: usize| u16::try_from(header + payload.len()).unwrap().to_be_bytes();
        if self.is_v6 {
            frame.extend([0x60, 0, 0, 0]);
            frame.extend(length(0));
            frame.extend([protocol, HOPS]);
            frame.extend([to, from, payload].concat());
            return frame;
        }
        let mut header = vec![0x45, 0];
        header.extend(length(20));
        header.extend([0, 0, 0, 0, HOPS, protocol, 0, 0]);
        header.extend([to, from].concat());
        let sum = !folded(words(&header));
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        frame.extend(header);
        frame.extend(payload);
        frame
    }
}

/// Sum of the 16-bit words; a last odd byte is the upper half of a word.
fn words(bytes: &[u8]) -> u32 {
    let word = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    bytes.chunks(2).map(word).sum()
}

/// The sum as 16 bits in one's complement.
fn folded(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
