//! Suggests the word that was probably meant.

use std::fmt::Write;

/// The word that is nearest to `word`, if it is near enough to have been meant.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    let most = (word.chars().count() / 3).clamp(1, 3);
    // A long word is no typing error, and comparing it would take long.
    if word.len() > 40 {
        return None;
    }
    let near = words.into_iter().map(|known| (strsim::osa_distance(&word, known), known));
    near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// "; did you mean 'dport'?"; empty if no word is near.
pub(crate) fn did_you_mean<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, words).map_or(String::new(), |near| format!("; did you mean '{near}'?"))
}

/// Words joined as in "a, b or c".
pub(crate) fn one_of(words: &[&str]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        let joint = match index {
            0 => "",
            _ if index + 1 == words.len() => " or ",
            _ => ", ",
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{joint}{word}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_what_is_near_is_suggested() {
        assert_eq!(nearest("dprot", ["sport", "dport", "state"]), Some("dport"));
        assert_eq!(nearest("User_Timout", ["user", "user-timeout"]), Some("user-timeout"));
        assert_eq!(nearest("postgres", ["sport", "dport", "state"]), None);
        assert_eq!(nearest(&"x".repeat(10_000), ["sport"]), None);
    }
}
