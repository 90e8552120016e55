//! Map from sockets to values that lasts across dumps. The kernel walks its tables in the same order each time, so the values are
//! stored in the order of the last dump: the value of the next socket is nearly always the next one. A hash table would fetch it
//! from a random place in memory; with 100,000 sockets that took a quarter of the time of a snapshot.

use rustc_hash::FxHashMap;

use super::socket::SocketId;

/// Entries that are searched ahead for the next socket. If more sockets have vanished, it is looked up in the index.
const WINDOW: usize = 8;

/// Values by socket, in the order of the last dump.
#[derive(Debug)]
pub(crate) struct Sequence<V> {
    entries: Vec<KeptEntry<V>>,
    /// Position at which the next socket is expected
    cursor: usize,
    /// Position of the socket that was met last
    last: usize,
    /// Number of sockets met in all dumps, and in all dumps before this one
    met: u32,
    met_before: u32,
    /// Whether a socket was not at its expected position
    is_disordered: bool,
    /// Built when the first socket is not at its expected position
    index: Option<FxHashMap<SequenceKey, u32>>,
}

/// Cookie, and inode number of the namespace, which the kernel keeps in 32 bits.
type SequenceKey = (u64, u32);

#[derive(Debug)]
struct KeptEntry<V> {
    key: SequenceKey,
    /// Value of `met` in the sequence when the socket was last met
    met: u32,
    value: V,
}

impl<V> Default for Sequence<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), cursor: 0, last: 0, met: 0, met_before: 0, is_disordered: false, index: None }
    }
}

fn key(id: SocketId) -> Option<SequenceKey> {
    Some((id.cookie?.0, id.netns.0 as u32))
}

impl<V> Sequence<V> {
    /// Begins a dump.
    pub(crate) fn begin(&mut self) {
        (self.cursor, self.is_disordered, self.index) = (0, false, None);
        if self.met > u32::MAX / 2 {
            self.met = 0;
            self.entries.iter_mut().for_each(|entry| entry.met = 0);
        }
        self.met_before = self.met;
    }

    /// Marks a socket as met (returned by this dump). Returns its value, and whether `make` created it; `None` for a
    /// socket without a cookie.
    pub(crate) fn meet(&mut self, id: SocketId, make: impl FnOnce() -> V) -> Option<(&mut V, bool)> {
        let key = key(id)?;
        let found = self.expect(key);
        let at = found.unwrap_or(self.entries.len());
        self.last = at;
        if found.is_none() {
            if let Some(index) = &mut self.index {
                index.insert(key, at as u32);
            }
            // If all others have been met, the end is its position in the dump.
            self.is_disordered |= self.count() < at;
            self.entries.push(KeptEntry { key, met: 0, value: make() });
        }
        let entry = self.entries.get_mut(at)?;
        self.met += 1;
        entry.met = self.met;
        Some((&mut entry.value, found.is_none()))
    }

    /// Position of the socket that the dump has reached.
    fn expect(&mut self, key: SequenceKey) -> Option<usize> {
        let ahead = self.entries.iter().skip(self.cursor).take(WINDOW);
        if let Some(skipped) = ahead.into_iter().position(|entry| entry.key == key) {
            let at = self.cursor + skipped;
            self.cursor = at + 1;
            return Some(at);
        }
        // All entries have been met, and a dump contains none twice, so the socket is new.
        if self.count() == self.entries.len() {
            return None;
        }
        let at = self.place(key)?;
        self.is_disordered = true;
        Some(at)
    }

    /// Number of sockets met in this dump.
    fn count(&self) -> usize {
        (self.met - self.met_before) as usize
    }

    /// Position of any socket, by the index, which the first call builds.
    fn place(&mut self, key: SequenceKey) -> Option<usize> {
        let number = || self.entries.iter().enumerate().map(|(at, entry)| (entry.key, at as u32)).collect();
        self.index.get_or_insert_with(number).get(&key).map(|at| *at as usize)
    }

    /// Value of a socket, met or not. The socket that was met last needs no index.
    pub(crate) fn get_mut(&mut self, id: SocketId) -> Option<&mut V> {
        let key = key(id)?;
        let is_last = self.entries.get(self.last).is_some_and(|entry| entry.key == key);
        let at = if is_last { self.last } else { self.place(key)? };
        self.entries.get_mut(at).map(|entry| &mut entry.value)
    }

    /// Calls `each` with the value of every socket that this dump has not met.
    pub(crate) fn each_unmet(&mut self, each: impl FnMut(&mut V)) {
        let met_before = self.met_before;
        self.entries.iter_mut().filter(|entry| entry.met <= met_before).map(|entry| &mut entry.value).for_each(each);
    }

    fn entry(&mut self, id: SocketId) -> Option<&KeptEntry<V>> {
        let at = self.place(key(id)?)?;
        self.entries.get(at)
    }

    /// Value of a socket, whether this dump has met it or not.
    pub(crate) fn find(&mut self, id: SocketId) -> Option<&V> {
        self.entry(id).map(|entry| &entry.value)
    }

    /// Whether this dump has met the socket.
    pub(crate) fn is_met(&mut self, id: SocketId) -> bool {
        let met_before = self.met_before;
        self.entry(id).is_some_and(|entry| entry.met > met_before)
    }

    /// Ends a complete dump. Sockets that it did not contain are removed and passed to `gone` with their values.
    pub(crate) fn end(&mut self, mut gone: impl FnMut(SocketId, V)) {
        use super::address::{Cookie, NetnsId};
        self.index = None;
        if self.count() < self.entries.len() {
            let met_before = self.met_before;
            let vanished = self.entries.extract_if(.., |entry| entry.met <= met_before);
            vanished.for_each(|KeptEntry { key: (cookie, netns), value, .. }| {
                gone(SocketId { netns: NetnsId(netns.into()), cookie: Some(Cookie(cookie)) }, value);
            });
        }
        // Move new entries to their position in the dump. A stable sort of nearly sorted entries takes little time.
        if self.is_disordered {
            self.entries.sort_by_key(|entry| entry.met);
        }
        // Release the memory of a vector that used to be much larger.
        if self.entries.capacity() > 2 * self.entries.len() + 1024 {
            self.entries.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sequence;
    use crate::model::address::{Cookie, NetnsId};
    use crate::model::socket::SocketId;
    use proptest::prelude::{prop, proptest};
    use std::collections::BTreeMap;

    fn id(cookie: u64) -> SocketId {
        SocketId { netns: NetnsId(4_026_531_840), cookie: Some(Cookie(cookie)) }
    }

    proptest! {
        /// However sockets come, go and move, the sequence returns the values that a map would.
        #[test]
        fn it_is_a_map_whatever_the_order(dumps in prop::collection::vec(prop::collection::vec(0_u64..60, 0..80), 1..8)) {
            let mut sequence = Sequence::default();
            let mut map: BTreeMap<u64, u64> = BTreeMap::new();
            for mut dump in dumps {
                let mut seen = std::collections::BTreeSet::new();
                dump.retain(|cookie| seen.insert(*cookie));
                sequence.begin();
                for cookie in &dump {
                    let is_new = !map.contains_key(cookie);
                    let expected = *map.entry(*cookie).and_modify(|count| *count += 1).or_insert(1);
                    let (count, made) = sequence.meet(id(*cookie), || 0).unwrap();
                    *count += 1;
                    assert_eq!((*count, made), (expected, is_new));
                }
                assert!((0..60).all(|cookie| sequence.is_met(id(cookie)) == seen.contains(&cookie)));
                let mut gone = BTreeMap::new();
                sequence.end(|id, count| assert_eq!(gone.insert(id.cookie.unwrap().0, count), None));
                let expected: BTreeMap<_, _> =
                    map.iter().filter(|(cookie, _)| !seen.contains(cookie)).map(|(cookie, count)| (*cookie, *count)).collect();
                assert_eq!(gone, expected);
                map.retain(|cookie, _| seen.contains(cookie));
            }
        }
    }

    #[test]
    fn a_socket_without_a_cookie_has_no_value() {
        let mut sequence = Sequence::<u8>::default();
        assert!(sequence.meet(SocketId { cookie: None, ..id(1) }, || 1).is_none());
    }
}
