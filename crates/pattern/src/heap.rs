//! A binary heap that can be seen through.
//!
//! Partial matches that began with the same row are equal for the order in which they are tried, so what
//! decides is how the heap places equals. Which match is found first depends on it. This one places them as
//! `java.util.PriorityQueue` does, because Flink's matches come in its order; `std`'s heap promises nothing.

use serde::{Deserialize, Serialize};

/// What has a place in the order.
pub(crate) trait Ordered {
    fn key(&self) -> u64;
}

/// The least key is on top.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Heap<T>(Vec<T>);

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Heap(Vec::new())
    }
}

impl<T: Ordered> Heap<T> {
    /// Takes what another heap stored, in that order.
    pub fn from_stored(stored: Vec<T>) -> Self {
        Heap(stored)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order in which they are stored.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub fn into_stored(self) -> Vec<T> {
        self.0
    }

    pub fn peek(&self) -> Option<&T> {
        self.0.first()
    }

    pub fn clear(&mut self) {
        self.0 = Vec::new();
    }

    pub fn push(&mut self, item: T) {
        self.0.push(item);
        let mut at = self.0.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 2;
            if self.0[at].key() >= self.0[parent].key() {
                break;
            }
            self.0.swap(at, parent);
            at = parent;
        }
    }

    pub fn pop(&mut self) -> Option<T> {
        if self.0.is_empty() {
            return None;
        }
        let top = self.0.swap_remove(0);
        self.sink(0);
        Some(top)
    }

    /// Takes out what is to be removed.
    pub fn remove(&mut self, mut removed: impl FnMut(&T) -> bool) -> Vec<T> {
        if !self.0.iter().any(&mut removed) {
            return Vec::new();
        }
        let (gone, kept) = std::mem::take(&mut self.0).into_iter().partition(|item| removed(item));
        self.0 = kept;
        for at in (0..self.0.len() / 2).rev() {
            self.sink(at);
        }
        gone
    }

    fn sink(&mut self, mut at: usize) {
        while at < self.0.len() / 2 {
            let mut child = 2 * at + 1;
            if child + 1 < self.0.len() && self.0[child].key() > self.0[child + 1].key() {
                child += 1;
            }
            if self.0[at].key() <= self.0[child].key() {
                break;
            }
            self.0.swap(at, child);
            at = child;
        }
    }

    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }
}
