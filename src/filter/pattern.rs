//! Text search: for a part of a word in any case, or by a regular expression.

use regex_lite::{Regex, RegexBuilder};

/// Maximum length of a regular expression in bytes: enough for some hundred names.
const LONGEST: usize = 4096;
/// Maximum number of groups in one. A search keeps two numbers for each group and each state of the compiled
/// expression: 45,000 groups in 90 KB requested 97 GB.
const MOST_GROUPS: usize = 16;
/// Maximum size of a compiled one in bytes, which nested repetitions reach quickly. With the most groups, a search
/// takes some 5 MB.
const LARGEST: usize = 256 * 1024;
/// Maximum number of regular expressions in a filter.
pub(super) const MOST_REGEXES: usize = 32;

/// What to search for in a text.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// The text contains this, in any case. Stored in lower case
    Part(String),
    /// The text matches this
    Regex(Regex),
}

impl Pattern {
    /// Search for text that contains `part`.
    pub(super) fn part(part: &str) -> Self {
        Self::Part(part.to_lowercase())
    }

    /// Search for text that matches `regex`.
    ///
    /// # Errors
    /// It is no regular expression, or too large; the message names the error and what would be right.
    pub(super) fn regex(regex: &str) -> Result<Self, String> {
        if regex.len() > LONGEST {
            return Err(format!(
                "this regular expression has {} bytes, more than {LONGEST}; search for less, or for several: ~ /a/ or ~ /b/",
                regex.len()
            ));
        }
        let built = RegexBuilder::new(regex)
            .size_limit(LARGEST)
            .build()
            .map_err(|error| format!("this regular expression cannot be used: {error}"))?;
        // The whole match counts as one group.
        let groups = built.captures_len() - 1;
        if groups > MOST_GROUPS {
            return Err(format!(
                "this regular expression has {groups} groups, more than {MOST_GROUPS}; write (?:…) for (…), which does the same"
            ));
        }
        Ok(Self::Regex(built))
    }

    /// Whether the pattern is found in `text`.
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
    use super::{MOST_REGEXES, Pattern};

    #[test]
    fn a_part_is_found_in_any_case_and_a_regex_as_it_is_written() {
        assert!(Pattern::part("NGIN").is_in("nginx[812]") && Pattern::part("").is_in(""));
        assert!(Pattern::part("straße").is_in("STRAßE 1") && !Pattern::part("x").is_in(""));
        let regex = Pattern::regex(r"^ngin\w\[8").unwrap();
        assert!(regex.is_in("nginx[812]") && !regex.is_in("NGINX[812]"));
        assert!(Pattern::regex("(").is_err());
    }

    #[test]
    fn many_expressions_are_refused_as_one_large_one_is() {
        struct NoNames;
        impl crate::filter::Names for NoNames {}
        let filter = |count: usize| vec!["~ /a{4000}/"; count].join(" or ");
        assert!(crate::filter::Filter::parse(&filter(MOST_REGEXES), &NoNames).is_ok());
        let wrong = crate::filter::Filter::parse(&filter(MOST_REGEXES + 1), &NoNames).unwrap_err();
        assert!(wrong.message().contains("more than 32 regular expressions"), "{wrong}");
    }

    #[test]
    fn an_expression_that_would_take_all_of_the_memory_is_refused_with_what_would_be_right() {
        for (regex, said) in [
            ("()".repeat(45_000), "90000 bytes, more than 4096"),
            ("()".repeat(1_000), "1000 groups, more than 16; write (?:…)"),
            ("(a{1000}){1000}".to_owned(), "size limit"),
            ("(?:){1000000000}".to_owned(), "size limit"),
            ("(".repeat(2_000) + &")".repeat(2_000), "cannot be used: "),
        ] {
            let wrong = Pattern::regex(&regex).unwrap_err();
            assert!(wrong.contains(said), "{said}: {wrong}");
        }
        let names = vec!["nginx"; 300].join("|");
        assert!(Pattern::regex(&format!("^({names})$")).unwrap().is_in("nginx"));
        assert!(Pattern::regex(&"(a)".repeat(16)).unwrap().is_in(&"a".repeat(16)));
    }
}
