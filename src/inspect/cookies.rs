//! Detects duplicate sockets of a namespace. A socket that moves between the kernel's tables during a dump, or whose
//! neighbours move, is dumped twice (docs/kernel.md 1).

use rustc_hash::FxHashMap;

use crate::model::address::Cookie;

/// A set of cookies. The kernel counts cookies up, so neighbours share a word: on a long-running host a socket takes
/// about two bytes, and never more than an entry of a hash set.
#[derive(Debug, Default)]
pub(super) struct CookieSet {
    words: FxHashMap<u64, u64>,
}

impl CookieSet {
    /// Adds `cookie`, and returns whether it is new.
    pub(super) fn insert(&mut self, cookie: Cookie) -> bool {
        let word = self.words.entry(cookie.0 >> 6).or_default();
        let bit = 1 << (cookie.0 & 63);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::CookieSet;
    use crate::model::address::Cookie;

    #[test]
    fn each_cookie_is_new_once() {
        let mut set = CookieSet::default();
        for cookie in [0, 63, 64, u64::MAX - 1, 1 << 40] {
            assert!(set.insert(Cookie(cookie)), "{cookie}");
            assert!(!set.insert(Cookie(cookie)), "{cookie}");
        }
    }
}
