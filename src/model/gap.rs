//! What could not be seen. A gap is counted, shown once, and says what would close it.

/// One kind of blindness of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What is missing: "process owners", "namespaces", …
    pub what: &'static str,
    /// The cause, as a phrase
    pub why: String,
    /// How many things are affected, in the unit that `what` names
    pub count: u64,
    /// What the user can do about it
    pub remedy: &'static str,
}

impl Gap {
    /// "12 process owners"; without the number where it is 1, which often says no more than that there is something.
    pub fn counted(&self) -> String {
        if self.count == 1 { self.what.to_owned() } else { format!("{} {}", self.count, self.what) }
    }
}

/// The gaps of a snapshot, one entry for each cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps(Vec<Gap>);

impl Gaps {
    /// Adds `gap`, or its count to the entry that names the same thing and cause.
    pub fn add(&mut self, gap: Gap) {
        match self.0.iter_mut().find(|known| known.what == gap.what && known.why == gap.why) {
            Some(known) => known.count += gap.count,
            None => self.0.push(gap),
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        for gap in other.0 {
            self.add(gap);
        }
    }

    /// In the order in which they were met.
    pub fn iter(&self) -> std::slice::Iter<'_, Gap> {
        self.0.iter()
    }

    /// Whether everything could be seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Gaps {
    type Item = &'a Gap;
    type IntoIter = std::slice::Iter<'a, Gap>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
