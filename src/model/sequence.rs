//! Values by socket, from dump to dump. The kernel walks its tables in the same order each time, so the values lie in the
//! order of the last dump: the next socket's is nearly always the next one, which a hash table would have to fetch from
//! anywhere in memory. With 100,000 sockets that was a quarter of the time of a look.

use rustc_hash::FxHashMap;

use super::socket::SocketId;

/// Sockets that vanish leave gaps of this size at most before the rest is looked for by its number.
const WINDOW: usize = 8;

/// The values.
#[derive(Debug)]
pub(crate) struct Sequence<V> {
    entries: Vec<KeptEntry<V>>,
    /// Where the next socket is expected
    cursor: usize,
    /// Where the one stands that was met last
    last: usize,
    /// Sockets met in this dump and those before it, and in those before it
    met: u32,
    met_before: u32,
    /// Whether some were not where they were expected
    is_disordered: bool,
    /// Made when the first socket is not found where it is expected
    index: Option<FxHashMap<SequenceKey, u32>>,
}

/// Cookie, and inode number of the namespace, which the kernel keeps in 32 bits.
type SequenceKey = (u64, u32);

#[derive(Debug)]
struct KeptEntry<V> {
    key: SequenceKey,
    /// How many were met when it was met last
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
    /// A dump begins.
    pub(crate) fn begin(&mut self) {
        (self.cursor, self.is_disordered, self.index) = (0, false, None);
        if self.met > u32::MAX / 2 {
            self.met = 0;
            self.entries.iter_mut().for_each(|entry| entry.met = 0);
        }
        self.met_before = self.met;
    }

    /// The value of a socket that the dump has come to, and whether `make` was asked for it. `None` for a socket that
    /// cannot be told from others.
    pub(crate) fn meet(&mut self, id: SocketId, make: impl FnOnce() -> V) -> Option<(&mut V, bool)> {
        let key = key(id)?;
        let found = self.expect(key);
        let at = found.unwrap_or(self.entries.len());
        self.last = at;
        if found.is_none() {
            if let Some(index) = &mut self.index {
                index.insert(key, at as u32);
            }
            // Behind all others it stands where the dump has it.
            self.is_disordered |= self.count() < at;
            self.entries.push(KeptEntry { key, met: 0, value: make() });
        }
        let entry = self.entries.get_mut(at)?;
        self.met += 1;
        entry.met = self.met;
        Some((&mut entry.value, found.is_none()))
    }

    /// Where the socket stands that the dump has come to.
    fn expect(&mut self, key: SequenceKey) -> Option<usize> {
        let ahead = self.entries.iter().skip(self.cursor).take(WINDOW);
        if let Some(skipped) = ahead.into_iter().position(|entry| entry.key == key) {
            let at = self.cursor + skipped;
            self.cursor = at + 1;
            return Some(at);
        }
        // All have been met, and a dump comes to none twice: it is new.
        if self.count() == self.entries.len() {
            return None;
        }
        let at = self.place(key)?;
        self.is_disordered = true;
        Some(at)
    }

    /// How many were met in this dump.
    fn count(&self) -> usize {
        (self.met - self.met_before) as usize
    }

    /// Where a socket stands: for any, and for many.
    fn place(&mut self, key: SequenceKey) -> Option<usize> {
        let number = || self.entries.iter().enumerate().map(|(at, entry)| (entry.key, at as u32)).collect();
        self.index.get_or_insert_with(number).get(&key).map(|at| *at as usize)
    }

    /// The value of a socket, whatever was met; at once of the one that was met last.
    pub(crate) fn get_mut(&mut self, id: SocketId) -> Option<&mut V> {
        let key = key(id)?;
        let is_last = self.entries.get(self.last).is_some_and(|entry| entry.key == key);
        let at = if is_last { self.last } else { self.place(key)? };
        self.entries.get_mut(at).map(|entry| &mut entry.value)
    }

    /// Each value of a socket that this dump has not come to.
    pub(crate) fn each_unmet(&mut self, each: impl FnMut(&mut V)) {
        let met_before = self.met_before;
        self.entries.iter_mut().filter(|entry| entry.met <= met_before).map(|entry| &mut entry.value).for_each(each);
    }

    fn entry(&mut self, id: SocketId) -> Option<&KeptEntry<V>> {
        let at = self.place(key(id)?)?;
        self.entries.get(at)
    }

    /// The value of a socket, whether this dump has come to it or not.
    pub(crate) fn find(&mut self, id: SocketId) -> Option<&V> {
        self.entry(id).map(|entry| &entry.value)
    }

    /// Whether this dump has come to the socket.
    pub(crate) fn is_met(&mut self, id: SocketId) -> bool {
        let met_before = self.met_before;
        self.entry(id).is_some_and(|entry| entry.met > met_before)
    }

    /// The dump is over, and has shown every socket: those that it did not are taken out and handed over, as cookie and
    /// value.
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
        // New ones go where the dump has them. A stable sort takes little time over what is nearly in order.
        if self.is_disordered {
            self.entries.sort_by_key(|entry| entry.met);
        }
        // A vector that once was large does not stay so.
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
        /// Whatever comes, goes and moves: it says of each socket what a map would.
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
