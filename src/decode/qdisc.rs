//! Decodes queueing disciplines, as far as they tell whether a packet would be refused (`include/uapi/linux/{pkt_sched,
//! gen_stats}.h`). Malformed messages are no answer.

use super::bytes::u32_at;
use super::netlink::attribute;

/// Type of the answers to `RTM_GETQDISC`.
pub(crate) const RTM_NEWQDISC: u16 = 36;

/// Bytes of `struct tcmsg`.
pub(crate) const HEADER_BYTES: usize = 20;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_STATS2: u16 = 7;
const TCA_STATS_QUEUE: u16 = 3;
const TCA_FQ_PLIMIT: u16 = 1;
const TCA_CODEL_LIMIT: u16 = 2;
const TCA_FQ_CODEL_LIMIT: u16 = 2;

/// A queueing discipline with a fixed limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Index of its interface
    pub interface: u32,
    capacity: Capacity,
    queued_packets: u32,
    queued_bytes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Capacity {
    Packets(u32),
    Bytes(u32),
}

impl Queue {
    /// `None` if it is of a kind that makes room for another packet, or that does not tell its limit.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        let attributes = body.get(HEADER_BYTES..)?;
        let queued = attribute(attributes, TCA_STATS2).and_then(|stats| attribute(stats, TCA_STATS_QUEUE));
        let queued = |offset| queued.and_then(|queued| u32_at(queued, offset)).unwrap_or(0);
        Some(Self {
            interface: u32_at(body, 4)?,
            capacity: capacity(attribute(attributes, TCA_KIND)?, attribute(attributes, TCA_OPTIONS)?)?,
            queued_packets: queued(0),
            queued_bytes: queued(4),
        })
    }

    /// Whether it would refuse a packet.
    pub(crate) fn is_full(&self) -> bool {
        /// A jumbo frame, longer than any packet that is sent again
        const PACKET_BYTES: u32 = 9_216;
        match self.capacity {
            Capacity::Packets(most) => self.queued_packets >= most,
            Capacity::Bytes(most) => self.queued_bytes.saturating_add(PACKET_BYTES) > most,
        }
    }
}

/// The limit in the options of each kind that refuses packets beyond it.
fn capacity(kind: &[u8], options: &[u8]) -> Option<Capacity> {
    let limit = |kind| attribute(options, kind).and_then(|limit| u32_at(limit, 0));
    match kind.strip_suffix(b"\0").unwrap_or(kind) {
        b"pfifo" => u32_at(options, 0).map(Capacity::Packets),
        b"bfifo" => u32_at(options, 0).map(Capacity::Bytes),
        // `struct tc_netem_qopt`: the latency, then the limit.
        b"netem" => u32_at(options, 4).map(Capacity::Packets),
        b"fq" => limit(TCA_FQ_PLIMIT).map(Capacity::Packets),
        b"codel" => limit(TCA_CODEL_LIMIT).map(Capacity::Packets),
        b"fq_codel" => limit(TCA_FQ_CODEL_LIMIT).map(Capacity::Packets),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use crate::decode::netlink::encode::attribute;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    fn queue(kind: &str, options: &[u8], packets: u32, bytes: u32) -> Option<(u32, bool)> {
        let mut body = vec![0; 20];
        body[4] = 3;
        body.extend(attribute(1, &[kind.as_bytes(), &[0]].concat()));
        body.extend(attribute(2, options));
        body.extend(attribute(7, &attribute(3, &numbers(&[packets, bytes, 0, 0, 0]))));
        Queue::of(&body).map(|queue| (queue.interface, queue.is_full()))
    }

    #[test]
    fn a_queue_is_full_that_has_no_place_for_one_packet_more() {
        let full =
            |kind, options: &[u8], packets, bytes| queue(kind, options, packets, bytes).map(|(_, is_full)| is_full);
        for kind in ["fq", "pfifo"] {
            let options = if kind == "fq" { attribute(1, &numbers(&[2])) } else { numbers(&[2]) };
            assert_eq!((full(kind, &options, 1, 0), full(kind, &options, 2, 0)), (Some(false), Some(true)));
        }
        assert_eq!(full("netem", &numbers(&[9, 0, 0, 0, 0, 0]), 0, 0), Some(true));
        assert_eq!(full("fq_codel", &attribute(2, &numbers(&[10_240])), 5, 0), Some(false));
        let bfifo = numbers(&[20_000]);
        assert_eq!((full("bfifo", &bfifo, 9, 10_000), full("bfifo", &bfifo, 9, 11_000)), (Some(false), Some(true)));
        assert_eq!((queue("noqueue", &[], 0, 0), Queue::of(&[0; 20]), Queue::of(&[])), (None, None, None));
        assert_eq!(queue("pfifo", &numbers(&[0]), 0, 0), Some((3, true)));
    }
}
