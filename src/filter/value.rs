//! Parses values of a column: numbers, times and sizes with their units, and ranges of them.

use super::tree::Item;
use crate::fields::value::Unit;
use crate::text::quantity::{Measure, number};

/// Measure of a column's numbers.
pub(super) fn measure_of(unit: Unit) -> Measure {
    match unit {
        Unit::None | Unit::Tenths => Measure::Count,
        Unit::Millis | Unit::Micros | Unit::Seconds => Measure::Time,
        Unit::Bytes => Measure::Size,
        Unit::BytesPerSecond => Measure::Rate,
    }
}

/// Number of the smallest units of its kind in a column's unit.
pub(super) fn scale(unit: Unit) -> u64 {
    match unit {
        Unit::None | Unit::Tenths | Unit::Bytes | Unit::BytesPerSecond | Unit::Micros => 1,
        Unit::Millis => 1_000,
        Unit::Seconds => 1_000_000,
    }
}

/// Parses a number, or a range of numbers: `80`, `8000-8999`, `10s-1m`.
///
/// # Errors
/// The text is neither; the message fits after the value.
pub(super) fn item(text: &str, measure: Measure) -> Result<Item, String> {
    match text.split_once('-') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            let (from, to) = (number(from, measure)?, number(to, measure)?);
            if from > to {
                Err(format!("the range '{text}' is empty: {to} is less than {from}"))
            } else {
                Ok(Item::Range(from, to))
            }
        }
        _ => number(text, measure).map(Item::Number),
    }
}

/// Parses a number as strtoul(3) does with base 0, and so ss: `80`, `0x50`, `0120`.
pub(super) fn c_number(text: &str) -> Option<u32> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, text.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    // from_str_radix would accept a sign.
    if digits.chars().all(|c| c.is_digit(radix)) { u32::from_str_radix(digits, radix).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Item, Measure, c_number, item};

    #[test]
    fn ranges_have_two_ends_in_their_order() {
        assert_eq!(item("8000-8999", Measure::Count), Ok(Item::Range(8000, 8999)));
        assert_eq!(item("10s-1m", Measure::Time), Ok(Item::Range(10_000_000, 60_000_000)));
        assert!(item("9-8", Measure::Count).unwrap_err().contains("is empty"));
        assert!(item("1-2-3", Measure::Count).is_err() && item("-3", Measure::Count).is_err());
    }

    #[test]
    fn numbers_are_read_as_c_does() {
        assert_eq!(
            [c_number("80"), c_number("0x50"), c_number("0120"), c_number("0")],
            [Some(80), Some(80), Some(80), Some(0)]
        );
        assert_eq!(
            [c_number(""), c_number("-1"), c_number("+1"), c_number("0x"), c_number("08")].map(|n| n.is_some()),
            [false, false, false, false, false]
        );
    }
}
