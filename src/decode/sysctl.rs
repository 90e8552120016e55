//! Decodes the text of a file below /proc/sys/net.

use crate::model::sysctl::{Format, SysctlValue};

/// Decodes `text` in the given format; `None` for text of another form.
pub(crate) fn decode(text: &str, format: Format) -> Option<SysctlValue> {
    let text = text.trim_ascii();
    match format {
        Format::Number => text.parse().ok().map(SysctlValue::Number),
        Format::Numbers => {
            let numbers = text.split_ascii_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>().ok()?;
            (!numbers.is_empty()).then_some(SysctlValue::Numbers(numbers))
        }
        Format::Text => Some(SysctlValue::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::model::sysctl::{Format, SysctlValue};

    #[test]
    fn shapes_are_distinguished_and_nonsense_is_absent() {
        assert_eq!(decode("7200\n", Format::Number), Some(SysctlValue::Number(7200)));
        assert_eq!(decode("32768\t60999\n", Format::Numbers), Some(SysctlValue::Numbers(vec![32768, 60999])));
        assert_eq!(decode("\n", Format::Text), Some(SysctlValue::Text(String::new())));
        assert_eq!(
            (decode("", Format::Number), decode("", Format::Numbers), decode("1 x", Format::Numbers)),
            (None, None, None)
        );
    }
}
