//! `struct tcp_info` (`include/uapi/linux/tcp.h`): what the kernel measures of a connection.
//!
//! The table [`FIELDS`] holds each field's JSON key with its unit, its offset in the struct and its meaning; [`TcpInfo`], JSON,
//! columns and the schema test read it. Omitted on purpose: `tcpi_state` (the row has it), `tcpi_last_ack_sent` and
//! `tcpi_fackets` (always 0), and the AccECN modes at offset 276, whose layout changed between 6.18 and 7.0.

use super::time::Millis;

/// Encoding of a field in the struct, and its conversion to the reported number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One byte
    U8,
    /// Two bytes, native order
    U16,
    /// Four bytes, native order
    U32,
    /// Eight bytes, native order
    U64,
    /// Four bytes of microseconds that the kernel counts in whole jiffies; reported in milliseconds
    MicrosAsMillis,
    /// Some bits of one byte
    Bits {
        /// Lowest bit
        shift: u8,
        /// Number of bits
        len: u8,
    },
}

impl Shape {
    /// Size in the struct, in bytes.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::U8 | Self::Bits { .. } => 1,
            Self::U16 => 2,
            Self::U32 | Self::MicrosAsMillis => 4,
            Self::U64 => 8,
        }
    }
}

/// Entry of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldSpec {
    /// The field
    pub field: Field,
    /// Key in JSON, with its unit; a key without one counts packets or events
    pub key: &'static str,
    /// Offset in `struct tcp_info`
    pub offset: usize,
    /// Encoding
    pub shape: Shape,
    /// Raw value that means "none": no limit, or not measured yet
    pub none: Option<u64>,
    /// Meaning
    pub help: &'static str,
}

macro_rules! tcp_info_fields {
    ($($field:ident $key:literal $offset:literal $shape:expr, $none:expr, $help:literal;)*) => {
        /// A field of `struct tcp_info`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Field {
            $(#[doc = $help] $field,)*
        }

        /// Every field, in the struct's order.
        pub(crate) const FIELDS: &[FieldSpec] = &[
            $(FieldSpec { field: Field::$field, key: $key, offset: $offset, shape: $shape, none: $none, help: $help },)*
        ];
    };
}

const NEVER: Option<u64> = None;
const ZERO: Option<u64> = Some(0);
const MAX32: Option<u64> = Some(u32::MAX as u64);
const MAX64: Option<u64> = Some(u64::MAX);
/// `TCP_INFINITE_SSTHRESH`: no loss yet, slow start continues.
const INFINITE_SSTHRESH: Option<u64> = Some(0x7fff_ffff);

tcp_info_fields! {
    CaState "ca_state" 1 Shape::U8, NEVER, "congestion state: open, disorder, cwr, recovery, loss";
    Retransmits "retransmits" 2 Shape::U8, NEVER, "unanswered retransmission timeouts in a row";
    Probes "probes" 3 Shape::U8, NEVER, "unanswered keepalive or zero-window probes";
    Backoff "backoff" 4 Shape::U8, NEVER, "how often the timeout was doubled";
    Options "options" 5 Shape::U8, NEVER, "negotiated options, one bit each";
    SndWscale "snd_wscale" 6 Shape::Bits { shift: 0, len: 4 }, NEVER, "window scale of the peer";
    RcvWscale "rcv_wscale" 6 Shape::Bits { shift: 4, len: 4 }, NEVER, "window scale of this side";
    DeliveryRateAppLimited "delivery_rate_app_limited" 7 Shape::Bits { shift: 0, len: 1 }, NEVER,
        "1 where the application, not the path, limited the delivery rate";
    FastopenClientFail "fastopen_client_fail" 7 Shape::Bits { shift: 1, len: 2 }, NEVER, "why Fast Open failed, 0 if it did not";
    Rto "rto_ms" 8 Shape::MicrosAsMillis, NEVER, "retransmission timeout, back-off included";
    Ato "ato_ms" 12 Shape::MicrosAsMillis, NEVER, "delayed-ACK timeout";
    SndMss "snd_mss_bytes" 16 Shape::U32, NEVER, "segment size towards the peer";
    RcvMss "rcv_mss_bytes" 20 Shape::U32, NEVER, "segment size from the peer, estimated";
    Unacked "unacked" 24 Shape::U32, NEVER, "segments sent and not yet acknowledged";
    Sacked "sacked" 28 Shape::U32, NEVER, "segments acknowledged selectively";
    Lost "lost" 32 Shape::U32, NEVER, "segments taken for lost";
    Retrans "retrans" 36 Shape::U32, NEVER, "retransmitted segments now in flight";
    LastDataSent "last_data_sent_ms" 44 Shape::U32, NEVER, "time since data was last sent";
    LastDataRecv "last_data_recv_ms" 52 Shape::U32, NEVER, "time since data last came";
    LastAckRecv "last_ack_recv_ms" 56 Shape::U32, NEVER, "time since an ACK last came";
    Pmtu "pmtu_bytes" 60 Shape::U32, NEVER, "path MTU";
    RcvSsthresh "rcv_ssthresh_bytes" 64 Shape::U32, NEVER, "limit of the window that is offered";
    Rtt "rtt_us" 68 Shape::U32, ZERO, "smoothed round-trip time; null before the first sample";
    Rttvar "rttvar_us" 72 Shape::U32, NEVER, "its mean deviation";
    SndSsthresh "snd_ssthresh" 76 Shape::U32, INFINITE_SSTHRESH, "slow-start threshold; null before the first loss";
    SndCwnd "snd_cwnd" 80 Shape::U32, NEVER, "congestion window";
    Advmss "advmss_bytes" 84 Shape::U32, NEVER, "segment size offered to the peer";
    Reordering "reordering" 88 Shape::U32, NEVER, "reordering that is tolerated";
    RcvRtt "rcv_rtt_us" 92 Shape::U32, ZERO, "round-trip time as the receiver sees it; null before it is measured";
    RcvSpace "rcv_space_bytes" 96 Shape::U32, NEVER, "receive space that auto-tuning aims at";
    TotalRetrans "total_retrans" 100 Shape::U32, NEVER, "segments retransmitted since the start";
    PacingRate "pacing_rate_bytes_per_s" 104 Shape::U64, MAX64, "pacing rate; null for no limit";
    MaxPacingRate "max_pacing_rate_bytes_per_s" 112 Shape::U64, MAX64, "SO_MAX_PACING_RATE; null for no limit";
    BytesAcked "bytes_acked" 120 Shape::U64, NEVER, "bytes acknowledged by the peer (RFC 4898)";
    BytesReceived "bytes_received" 128 Shape::U64, NEVER, "bytes received in order (RFC 4898)";
    SegsOut "segs_out" 136 Shape::U32, NEVER, "segments sent, ACKs included";
    SegsIn "segs_in" 140 Shape::U32, NEVER, "segments received, ACKs included";
    Notsent "notsent_bytes" 144 Shape::U32, NEVER, "bytes in the send queue that were never sent";
    MinRtt "min_rtt_us" 148 Shape::U32, MAX32, "smallest round-trip time of the last minutes; null before the first sample";
    DataSegsIn "data_segs_in" 152 Shape::U32, NEVER, "segments with data received";
    DataSegsOut "data_segs_out" 156 Shape::U32, NEVER, "segments with data sent";
    DeliveryRate "delivery_rate_bytes_per_s" 160 Shape::U64, NEVER, "latest delivery rate";
    BusyTime "busy_time_us" 168 Shape::U64, NEVER, "time with data to send";
    RwndLimited "rwnd_limited_us" 176 Shape::U64, NEVER, "time held back by the peer's window";
    SndbufLimited "sndbuf_limited_us" 184 Shape::U64, NEVER, "time held back by the send buffer";
    Delivered "delivered" 192 Shape::U32, NEVER, "segments delivered";
    DeliveredCe "delivered_ce" 196 Shape::U32, NEVER, "segments delivered with a congestion mark";
    BytesSent "bytes_sent" 200 Shape::U64, NEVER, "bytes sent, retransmissions included";
    BytesRetrans "bytes_retrans" 208 Shape::U64, NEVER, "bytes retransmitted";
    DsackDups "dsack_dups" 216 Shape::U32, NEVER, "duplicates that the peer reported";
    ReordSeen "reord_seen" 220 Shape::U32, NEVER, "reordering events";
    RcvOoopack "rcv_ooopack" 224 Shape::U32, NEVER, "segments received out of order";
    SndWnd "snd_wnd_bytes" 228 Shape::U32, NEVER, "window offered by the peer";
    RcvWnd "rcv_wnd_bytes" 232 Shape::U32, NEVER, "window offered to the peer";
    Rehash "rehash" 236 Shape::U32, NEVER, "changes of the flow hash after timeouts";
    TotalRto "total_rto" 240 Shape::U16, NEVER, "retransmission timeouts since the start";
    TotalRtoRecoveries "total_rto_recoveries" 242 Shape::U16, NEVER, "recoveries from timeouts, an unfinished one included";
    TotalRtoTime "total_rto_time_ms" 244 Shape::U32, NEVER, "time spent in recoveries from timeouts";
    ReceivedCe "received_ce" 248 Shape::U32, NEVER, "segments received with a congestion mark (AccECN)";
    DeliveredE1 "delivered_e1_bytes" 252 Shape::U32, NEVER, "bytes delivered as ECT(1) (AccECN)";
    DeliveredE0 "delivered_e0_bytes" 256 Shape::U32, NEVER, "bytes delivered as ECT(0) (AccECN)";
    DeliveredCeBytes "delivered_ce_bytes" 260 Shape::U32, NEVER, "bytes delivered with a congestion mark (AccECN)";
    ReceivedE1 "received_e1_bytes" 264 Shape::U32, NEVER, "bytes received as ECT(1) (AccECN)";
    ReceivedE0 "received_e0_bytes" 268 Shape::U32, NEVER, "bytes received as ECT(0) (AccECN)";
    ReceivedCeBytes "received_ce_bytes" 272 Shape::U32, NEVER, "bytes received with a congestion mark (AccECN)";
}

/// Names of `enum tcp_ca_state`, by number.
pub(crate) const CA_STATES: [&str; 5] = ["open", "disorder", "cwr", "recovery", "loss"];

/// Names of the bits of `tcpi_options` (`TCPI_OPT_*`), lowest first.
pub(crate) const OPTIONS: [&str; 8] =
    ["timestamps", "sack", "wscale", "ecn", "ecn_seen", "syn_data", "usec_timestamps", "fastopen_child"];

/// Bytes of the struct up to the last known field: 276 of the 280 of Linux 6.18.
const KNOWN_BYTES: usize = {
    let last = FIELDS[FIELDS.len() - 1];
    last.offset + last.shape.width()
};

/// `struct tcp_info` as sent by the kernel: 104 bytes (Linux 2.6) to 280 (6.18), or more in the future. Fields are
/// decoded on access: most rows need four of them, and decoding all fields of all rows took a fourteenth of the
/// dashboard's time. A field beyond the end of an older kernel's shorter struct is absent, not 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpInfo {
    bytes: [u8; KNOWN_BYTES],
    size_bytes: u16,
    forgotten: u128,
}

impl TcpInfo {
    /// Copies a struct of any length.
    pub fn from_kernel(sent: &[u8]) -> Self {
        let mut bytes = [0; KNOWN_BYTES];
        let known = sent.len().min(KNOWN_BYTES);
        bytes[..known].copy_from_slice(&sent[..known]);
        Self { bytes, size_bytes: u16::try_from(sent.len()).unwrap_or(u16::MAX), forgotten: 0 }
    }

    /// Value of a field; `None` if the kernel did not send it or sent "none".
    #[inline]
    pub fn get(&self, field: Field) -> Option<u64> {
        self.at(field as usize)
    }

    /// Value of the field at `index` of the table.
    #[inline]
    pub fn at(&self, index: usize) -> Option<u64> {
        let field = &FIELDS[index];
        let is_sent = field.offset + field.shape.width() <= usize::from(self.size_bytes);
        let value = self.read(field.offset, field.shape)?;
        (is_sent && field.none != Some(value) && self.forgotten & (1 << index) == 0).then_some(value)
    }

    fn read(&self, offset: usize, shape: Shape) -> Option<u64> {
        let bytes = &self.bytes[offset..];
        Some(match shape {
            Shape::U8 => u64::from(*bytes.first()?),
            Shape::U16 => u64::from(u16::from_ne_bytes(*bytes.first_chunk()?)),
            Shape::U32 => u64::from(u32::from_ne_bytes(*bytes.first_chunk()?)),
            Shape::U64 => u64::from_ne_bytes(*bytes.first_chunk()?),
            Shape::MicrosAsMillis => u64::from(u32::from_ne_bytes(*bytes.first_chunk()?) / 1000),
            Shape::Bits { shift, len } => u64::from(bytes.first()? >> shift) & ((1 << len) - 1),
        })
    }

    /// The value of every field, in the order of the struct.
    pub fn iter(&self) -> impl Iterator<Item = Option<u64>> + '_ {
        (0..FIELDS.len()).map(|index| self.at(index))
    }

    /// Marks a value as absent that the kernel sent but could not know.
    pub fn forget(&mut self, field: Field) {
        self.forgotten |= 1 << field as usize;
    }

    /// Number of bytes that the kernel sent, unknown fields included.
    pub fn size_bytes(&self) -> u16 {
        self.size_bytes
    }

    /// Time since the last data or ACK from the peer, whichever came later.
    pub fn idle(&self) -> Option<Millis> {
        let idle = match (self.get(Field::LastDataRecv), self.get(Field::LastAckRecv)) {
            (Some(data), Some(ack)) => Some(data.min(ack)),
            (one, other) => one.or(other),
        };
        idle.map(Millis::new)
    }

    /// A field that the kernel reports in milliseconds.
    pub(crate) fn millis(&self, field: Field) -> Option<Millis> {
        self.get(field).map(Millis::new)
    }
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, Field, TcpInfo};

    #[test]
    fn the_table_is_in_the_order_of_the_struct_and_fits_the_mask() {
        assert!(FIELDS.len() <= 128);
        for pair in FIELDS.windows(2) {
            assert!(
                pair[0].offset + pair[0].shape.width() <= pair[1].offset || pair[0].offset == pair[1].offset,
                "{pair:?}"
            );
        }
        assert_eq!(FIELDS[Field::Rtt as usize].key, "rtt_us");
    }

    #[test]
    fn keys_are_unique() {
        let mut keys: Vec<_> = FIELDS.iter().map(|field| field.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), FIELDS.len());
    }

    /// Struct whose bytes hold their own offsets, so that a field read at a wrong offset is detected.
    fn numbered(length: usize) -> Vec<u8> {
        (0..length).map(|offset| offset as u8).collect()
    }

    #[test]
    fn each_length_gives_the_fields_it_holds_and_no_others() {
        for length in [0, 1, 103, 104, 191, 192, 232, 248, 276, 280, 400, 70_000] {
            let info = TcpInfo::from_kernel(&numbered(length));
            for (index, field) in FIELDS.iter().enumerate() {
                assert_eq!(
                    info.at(index).is_some(),
                    field.offset + field.shape.width() <= length,
                    "{} at {length}",
                    field.key
                );
            }
        }
    }

    #[test]
    fn fields_are_read_from_their_offsets() {
        let info = TcpInfo::from_kernel(&numbered(280));
        assert_eq!(info.get(Field::Rtt), Some(u64::from(u32::from_ne_bytes([68, 69, 70, 71]))));
        assert_eq!(info.get(Field::BytesAcked), Some(u64::from_ne_bytes([120, 121, 122, 123, 124, 125, 126, 127])));
        assert_eq!(info.get(Field::Rto), Some(u64::from(u32::from_ne_bytes([8, 9, 10, 11])) / 1000));
        assert_eq!((info.get(Field::SndWscale), info.get(Field::RcvWscale)), (Some(6), Some(0)));
        assert_eq!(info.size_bytes(), 280);
    }

    #[test]
    fn the_kernels_word_for_none_is_absent() {
        let mut bytes = numbered(280);
        bytes[76..80].copy_from_slice(&0x7fff_ffff_u32.to_ne_bytes());
        bytes[104..112].fill(0xff);
        bytes[68..72].fill(0);
        let info = TcpInfo::from_kernel(&bytes);
        assert_eq!(info.get(Field::SndSsthresh), None);
        assert_eq!(info.get(Field::PacingRate), None);
        assert_eq!(info.get(Field::Rtt), None);
    }
}
