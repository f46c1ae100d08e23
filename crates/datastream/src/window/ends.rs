//! When windows are to be looked at, because they end or are over.
//!
//! Not a timer for each window of each key: windows that end together stand in one list. Nothing is ever taken out. A window says
//! itself when it is looked at ([`Entry::queued`](super::table::Entry)); a place in a list that does not agree is stale. A
//! session that grows keeps its place: when its first end comes, it is put to the new one.

use std::collections::BTreeMap;

use flott_types::Timestamp;

/// Slots of windows by time.
#[derive(Default)]
pub(super) struct Ends {
    lists: BTreeMap<Timestamp, Vec<u32>>,
    /// Kept for its memory.
    spare: Vec<u32>,
}

impl Ends {
    pub fn push(&mut self, at: Timestamp, slot: u32) {
        let spare = &mut self.spare;
        self.lists.entry(at).or_insert_with(|| std::mem::take(spare)).push(slot);
    }

    pub fn earliest(&self) -> Option<Timestamp> {
        self.lists.first_key_value().map(|(at, _)| *at)
    }

    /// The slots of the earliest time.
    pub fn pop(&mut self) -> Option<(Timestamp, Vec<u32>)> {
        self.lists.pop_first()
    }

    /// Takes back a list whose memory can be used again.
    pub fn recycle(&mut self, mut list: Vec<u32>) {
        list.clear();
        if list.capacity() > self.spare.capacity() {
            self.spare = list;
        }
    }
}
