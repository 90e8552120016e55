//! A list with at least one element, so that no code has to define what an empty one means.

use std::iter;

/// One or more elements.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NonEmpty<T> {
    first: Box<T>,
    rest: Vec<T>,
}

impl<T> NonEmpty<T> {
    pub(super) fn new(first: T) -> Self {
        Self { first: Box::new(first), rest: Vec::new() }
    }

    pub(super) fn push(&mut self, next: T) {
        self.rest.push(next);
    }

    /// Appends the elements of `other`.
    pub(super) fn append(&mut self, other: Self) {
        self.rest.push(*other.first);
        self.rest.extend(other.rest);
    }

    pub(super) fn len(&self) -> usize {
        1 + self.rest.len()
    }

    pub(super) fn last(&self) -> &T {
        self.rest.last().unwrap_or(&self.first)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        iter::once(&*self.first).chain(&self.rest)
    }

    pub(super) fn map<U>(&self, mut of: impl FnMut(&T) -> U) -> NonEmpty<U> {
        NonEmpty { first: Box::new(of(&self.first)), rest: self.rest.iter().map(of).collect() }
    }

    /// Combines all elements, from left to right.
    pub(super) fn reduce(self, join: impl FnMut(T, T) -> T) -> T {
        self.rest.into_iter().fold(*self.first, join)
    }

    /// Maps each element by a function that can fail.
    ///
    /// # Errors
    /// The first failure.
    pub(super) fn try_map<U, E>(self, mut of: impl FnMut(T) -> Result<U, E>) -> Result<NonEmpty<U>, E> {
        let first = Box::new(of(*self.first)?);
        Ok(NonEmpty { first, rest: self.rest.into_iter().map(of).collect::<Result<_, _>>()? })
    }
}
