//! Which sockets of a namespace were seen already. A socket that is moved between the kernel's tables during a dump, or
//! whose neighbours are, comes twice (KERNEL.md 7.1).

use rustc_hash::FxHashMap;

use crate::model::address::Cookie;

/// A set of cookies. The kernel counts cookies up, so neighbours share a word: on a host of long standing a socket takes
/// about two bytes, and never more than a hash set's entry.
#[derive(Debug, Default)]
pub(super) struct CookieSet {
    words: FxHashMap<u64, u64>,
}

impl CookieSet {
    /// Whether `cookie` is new.
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
