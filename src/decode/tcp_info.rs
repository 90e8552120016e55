//! `struct tcp_info` of any length: 104 bytes (2.6) to 280 (6.18) and whatever comes later.

use super::bytes::{u16_at, u32_at, u64_at};
use crate::model::tcp_info::{FIELDS, Shape, TcpInfo};

/// Reads every known field that lies wholly within `bytes`; a longer struct is cut, a shorter one leaves fields absent.
pub fn decode(bytes: &[u8]) -> TcpInfo {
    let mut values = [0; FIELDS.len()];
    let (mut present, mut bit) = (0_u128, 1_u128);
    for (value_of, field) in values.iter_mut().zip(FIELDS) {
        let Some(value) = read(bytes, field.offset, field.shape) else { break };
        if field.none != Some(value) {
            present |= bit;
            *value_of = value;
        }
        bit <<= 1;
    }
    TcpInfo::new(values, present, u16::try_from(bytes.len()).unwrap_or(u16::MAX))
}

fn read(bytes: &[u8], offset: usize, shape: Shape) -> Option<u64> {
    match shape {
        Shape::U8 => bytes.get(offset).map(|&byte| u64::from(byte)),
        Shape::U16 => u16_at(bytes, offset).map(u64::from),
        Shape::U32 => u32_at(bytes, offset).map(u64::from),
        Shape::U64 => u64_at(bytes, offset),
        Shape::MicrosAsMillis => u32_at(bytes, offset).map(|micros| u64::from(micros / 1000)),
        Shape::Bits { shift, len } => bytes.get(offset).map(|&byte| u64::from(byte >> shift) & ((1 << len) - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::model::tcp_info::{FIELDS, Field};

    /// Each byte holds its own offset, so that a field read from the wrong place shows.
    fn numbered(length: usize) -> Vec<u8> {
        (0..length).map(|offset| offset as u8).collect()
    }

    #[test]
    fn each_length_gives_the_fields_it_holds_and_no_others() {
        for length in [0, 1, 103, 104, 191, 192, 232, 248, 276, 280, 400, 70_000] {
            let info = decode(&numbered(length));
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
        let info = decode(&numbered(280));
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
        let info = decode(&bytes);
        assert_eq!(info.get(Field::SndSsthresh), None);
        assert_eq!(info.get(Field::PacingRate), None);
        assert_eq!(info.get(Field::Rtt), None);
    }
}
