//! Decodes queueing disciplines, as far as they tell whether a packet would be refused (`include/uapi/linux/{pkt_sched,
//! gen_stats}.h`). Malformed messages are no answer.

use super::bytes::u32_at;
use super::netlink::attribute;

/// Bytes of `struct tcmsg`.
pub(crate) const HEADER_BYTES: usize = 20;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_STATS2: u16 = 7;
const TCA_STATS_QUEUE: u16 = 3;
const TCA_FQ_PLIMIT: u16 = 1;
const TCA_CODEL_LIMIT: u16 = 2;
const TCA_FQ_CODEL_LIMIT: u16 = 2;

/// A queueing discipline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Index of its interface
    pub interface: u32,
    /// How full it is
    pub fill: Fill,
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// No packet waits in it
    Empty,
    /// Packets wait in it
    Waiting,
    /// It would refuse a packet
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Capacity {
    Packets(u32),
    Bytes(u32),
}

impl Queue {
    /// Reads a queueing discipline.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        let attributes = body.get(HEADER_BYTES..)?;
        let queued = attribute(attributes, TCA_STATS2).and_then(|stats| attribute(stats, TCA_STATS_QUEUE));
        let queued = |offset| queued.and_then(|queued| u32_at(queued, offset)).unwrap_or(0);
        let options = attribute(attributes, TCA_OPTIONS).unwrap_or_default();
        let capacity = capacity(attribute(attributes, TCA_KIND)?, options);
        // The order of `struct gnet_stats_queue`.
        let (packets, bytes) = (queued(0), queued(4));
        let fill = match packets {
            _ if capacity.is_some_and(|capacity| capacity.is_reached(packets, bytes)) => Fill::Full,
            0 => Fill::Empty,
            _ => Fill::Waiting,
        };
        Some(Self { interface: u32_at(body, 4)?, fill })
    }
}

impl Capacity {
    fn is_reached(self, packets: u32, bytes: u32) -> bool {
        /// A jumbo frame, longer than any packet that is sent again
        const PACKET_BYTES: u32 = 9_216;
        match self {
            Self::Packets(most) => packets >= most,
            Self::Bytes(most) => bytes.saturating_add(PACKET_BYTES) > most,
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
    use super::{Fill, Queue};
    use crate::decode::netlink::encode::attribute;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    fn queue(kind: &str, options: &[u8], packets: u32, bytes: u32) -> Option<(u32, Fill)> {
        let mut body = vec![0; 20];
        body[4] = 3;
        body.extend(attribute(1, &[kind.as_bytes(), &[0]].concat()));
        body.extend(attribute(2, options));
        body.extend(attribute(7, &attribute(3, &numbers(&[packets, bytes, 0, 0, 0]))));
        Queue::of(&body).map(|queue| (queue.interface, queue.fill))
    }

    #[test]
    fn a_queue_is_full_that_has_no_place_for_one_packet_more() {
        let fill =
            |kind, options: &[u8], packets, bytes| queue(kind, options, packets, bytes).map(|(_, fill)| fill).unwrap();
        for kind in ["fq", "pfifo"] {
            let options = if kind == "fq" { attribute(1, &numbers(&[2])) } else { numbers(&[2]) };
            let fills = [0, 1, 2].map(|packets| fill(kind, &options, packets, 0));
            assert_eq!(fills, [Fill::Empty, Fill::Waiting, Fill::Full]);
        }
        assert_eq!(fill("netem", &numbers(&[9, 0, 0, 0, 0, 0]), 0, 0), Fill::Full);
        assert_eq!(fill("fq_codel", &attribute(2, &numbers(&[10_240])), 5, 0), Fill::Waiting);
        let bfifo = numbers(&[20_000]);
        assert_eq!([fill("bfifo", &bfifo, 9, 10_000), fill("bfifo", &bfifo, 9, 11_000)], [Fill::Waiting, Fill::Full]);
        assert_eq!([fill("noqueue", &[], 0, 0), fill("tbf", &[], 3, 4_000)], [Fill::Empty, Fill::Waiting]);
        assert_eq!((Queue::of(&[0; 20]), Queue::of(&[])), (None, None));
        assert_eq!(queue("pfifo", &numbers(&[0]), 0, 0), Some((3, Fill::Full)));
    }
}
