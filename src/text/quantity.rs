//! Parses and writes numbers: times and sizes with their units.

use winnow::combinator::{opt, preceded, repeat};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::token::take_while;

const MICROS: [(&str, u64); 16] = [
    ("us", 1),
    ("µs", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("sec", 1_000_000),
    ("m", 60_000_000),
    ("min", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
    ("second", 1_000_000),
    ("seconds", 1_000_000),
    ("minute", 60_000_000),
    ("minutes", 60_000_000),
    ("hour", 3_600_000_000),
    ("hours", 3_600_000_000),
    ("days", 86_400_000_000),
];
const BYTES: [(&str, u64); 13] = [
    ("b", 1),
    ("k", 1 << 10),
    ("kb", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mb", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gb", 1 << 30),
    ("gib", 1 << 30),
    ("t", 1 << 40),
    ("tb", 1 << 40),
    ("tib", 1 << 40),
];

/// Measure of a column's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// A plain number
    Count,
    /// Microseconds, typed with a unit
    Time,
    /// Bytes, typed with or without a unit
    Size,
    /// Bytes per second, typed with or without a unit
    Rate,
}

impl Measure {
    /// Examples of what to type.
    pub(crate) fn examples(self) -> &'static str {
        match self {
            Self::Count => "a number such as 0, 1 or 80",
            Self::Time => "a time with its unit, such as 500ms, 10s, 5m or 2h",
            Self::Size => "a size in bytes, such as 1000, 64K or 1M",
            Self::Rate => "bytes a second, such as 1000, 64K or 1M",
        }
    }

    fn units(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Count => &[],
            Self::Time => &MICROS,
            Self::Size | Self::Rate => &BYTES,
        }
    }

    /// Writes the exact number, in the largest unit that it is a multiple of.
    pub(crate) fn write(self, number: u64) -> String {
        let short = match self {
            Self::Count => &[][..],
            Self::Time => &["d", "h", "m", "s", "ms", "us"],
            Self::Size | Self::Rate => &["T", "G", "M", "K", "B"],
        };
        let factor = |unit: &str| self.units().iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let mut units = short.iter().filter_map(|unit| Some((unit, factor(unit)?.1)));
        match units.find(|(_, factor)| number > 0 && number.is_multiple_of(*factor)) {
            Some((unit, factor)) => format!("{}{unit}", number / factor),
            None => number.to_string(),
        }
    }
}

/// Parses one number.
///
/// # Errors
/// The text is no such number; the message fits after the value.
pub(crate) fn number(text: &str, measure: Measure) -> Result<u64, String> {
    let wrong = || format!("'{text}' is not {}", measure.examples());
    let text = if measure == Measure::Rate { text.strip_suffix("/s").unwrap_or(text) } else { text };
    if measure == Measure::Count {
        return text.parse().map_err(|_| wrong());
    }
    // 0 needs no unit; other times do.
    match (text.parse::<f64>(), measure) {
        (Ok(0.0), _) => return Ok(0),
        (Ok(_), Measure::Time) => return Err(format!("'{text}' needs a unit: {}", measure.examples())),
        (Ok(_), _) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            return text.parse().map_err(|_| too_large(text, measure));
        }
        _ => {}
    }
    let parts: Vec<_> = sum.parse(text).map_err(|_| wrong())?;
    let mut total = 0_u64;
    for ((whole, fraction), unit) in parts {
        let known = measure.units().iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let (_, factor) = known.ok_or_else(wrong)?;
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let more = whole.checked_mul(*factor).and_then(|whole| whole.checked_add(tail(fraction, *factor)));
        total = more.and_then(|more| total.checked_add(more)).ok_or_else(|| too_large(text, measure))?;
    }
    Ok(total)
}

fn too_large(text: &str, measure: Measure) -> String {
    format!("'{text}' is too large; type {}", measure.examples())
}

/// Whether a word is a unit of size, which would belong to a bare number before it.
pub(crate) fn is_size_unit(word: &str) -> bool {
    BYTES.iter().any(|(unit, _)| unit.eq_ignore_ascii_case(word))
}

/// Digits before and after the point, and a unit.
type NumberPart<'a> = ((&'a str, &'a str), &'a str);

/// Parses `1h30m`, `1.5s`: numbers, each with its unit.
fn sum<'a>(input: &mut &'a str) -> Result<Vec<NumberPart<'a>>, ContextError> {
    let digits = || take_while(1.., |c: char| c.is_ascii_digit());
    let fraction = opt(preceded('.', digits())).map(Option::unwrap_or_default);
    let unit = take_while(1.., char::is_alphabetic);
    repeat(1.., ((digits(), fraction), unit)).parse_next(input)
}

/// The part of `factor` that the digits after the point stand for, rounded down.
fn tail(fraction: &str, factor: u64) -> u64 {
    const MOST_DIGITS: usize = 15;
    let digits = &fraction[..fraction.len().min(MOST_DIGITS)];
    let numerator: u64 = digits.parse().unwrap_or(0);
    let part = u128::from(numerator) * u128::from(factor) / 10_u128.pow(digits.len() as u32);
    // It is less than `factor`.
    part as u64
}

/// Parses a time with its unit, in microseconds: `500ms`, `10s`, `1h30m`; `0` needs no unit.
///
/// # Errors
/// The text is no time; the message explains why, and what would be right.
pub(crate) fn time_us(text: &str) -> Result<u64, String> {
    number(text, Measure::Time)
}

#[cfg(test)]
mod tests {
    use super::{Measure, number};

    #[test]
    fn times_need_their_unit_sizes_may_have_one_and_both_take_sums() {
        for (text, micros) in
            [("10s", 10_000_000), ("1.5ms", 1_500), ("1h30m", 5_400_000_000), ("0", 0), ("2MIN", 120_000_000)]
        {
            assert_eq!(number(text, Measure::Time), Ok(micros), "{text}");
        }
        assert_eq!(number("1M", Measure::Size), Ok(1 << 20));
        assert_eq!(number("1.5k", Measure::Size), Ok(1536));
        assert_eq!(number("64K/s", Measure::Rate), Ok(65536));
        for bare in ["10", "1.5"] {
            assert!(number(bare, Measure::Time).unwrap_err().contains("needs a unit: "), "{bare}");
        }
        // A bare number is in bytes.
        assert_eq!(number("1000", Measure::Size), Ok(1000));
        assert_eq!(number("7/s", Measure::Rate), Ok(7));
        for wrong in ["1.5", "1e3", "-1", "18446744073709551616", "1Q"] {
            assert!(number(wrong, Measure::Size).is_err(), "{wrong}");
        }
        for wrong in ["", "s", "-1s", "1x", "1e3s", "99999999999999999999d", "1d99999999999999d", "nan", "inf"] {
            assert!(number(wrong, Measure::Time).is_err(), "{wrong}");
        }
        assert!(number("3s", Measure::Count).unwrap_err().contains("a number such as"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for measure in [Measure::Count, Measure::Time, Measure::Size, Measure::Rate] {
            for value in [0, 1, 999, 1_000, 1_024, 90_000_000, 86_400_000_000, u64::MAX] {
                assert_eq!(number(&measure.write(value), measure), Ok(value));
            }
        }
        assert_eq!(Measure::Time.write(600_000_000), "10m");
        assert_eq!(Measure::Size.write(1 << 20), "1M");
    }
}
