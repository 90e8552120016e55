//! Text that is searched for: a part of a word in any case, or a regular expression.

use regex_lite::Regex;

/// What text has to look like.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// It contains this, upper and lower case alike. Kept in lower case
    Part(String),
    /// It matches this
    Regex(Regex),
}

impl Pattern {
    /// Text that contains `part`.
    pub(super) fn part(part: &str) -> Self {
        Self::Part(part.to_lowercase())
    }

    /// Text that matches `regex`.
    ///
    /// # Errors
    /// It is no regular expression, or one too large.
    pub(super) fn regex(regex: &str) -> Result<Self, String> {
        Regex::new(regex).map(Self::Regex).map_err(|error| error.to_string())
    }

    /// Whether it is found in `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Part(part) if text.is_ascii() => {
                let (part, text) = (part.as_bytes(), text.as_bytes());
                part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
            }
            Self::Part(part) => text.to_lowercase().contains(part),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Part(one), Self::Part(other)) => one == other,
            (Self::Regex(one), Self::Regex(other)) => one.as_str() == other.as_str(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_part_is_found_in_any_case_and_a_regex_as_it_is_written() {
        assert!(Pattern::part("NGIN").is_in("nginx[812]") && Pattern::part("").is_in(""));
        assert!(Pattern::part("straße").is_in("STRAßE 1") && !Pattern::part("x").is_in(""));
        let regex = Pattern::regex(r"^ngin\w\[8").unwrap();
        assert!(regex.is_in("nginx[812]") && !regex.is_in("NGINX[812]"));
        assert!(Pattern::regex("(").is_err());
    }
}
