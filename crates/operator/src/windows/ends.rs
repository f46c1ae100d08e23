//! When to check windows, or rows that are kept for some time, because they end or expire.
//!
//! There is no timer for each window of each key: windows that end together are in one list. Nothing is ever
//! removed. The window itself knows when it must be checked; an entry that disagrees with that is stale. A
//! session that grows keeps its entry: when its first end is reached, the entry is moved to the new one.
//!
//! A unique end, as most sessions have, does not allocate.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use flott_types::Timestamp;

/// Slots of windows, or of rows, by time.
#[derive(Default, Debug)]
pub struct Ends {
    lists: BTreeMap<Timestamp, List>,
    /// Kept to reuse its memory.
    spare: Vec<u32>,
}

#[derive(Debug)]
enum List {
    One(u32),
    Many(Vec<u32>),
}

impl Ends {
    /// Schedules a check of the window in this slot.
    pub fn push(&mut self, at: Timestamp, slot: u32) {
        let spare = &mut self.spare;
        self.lists
            .entry(at)
            .and_modify(|list| match list {
                List::Many(slots) => slots.push(slot),
                List::One(first) => {
                    let mut slots = std::mem::take(spare);
                    slots.extend([*first, slot]);
                    *list = List::Many(slots);
                }
            })
            .or_insert(List::One(slot));
    }

    /// Schedules a check of the windows in these slots.
    pub fn extend(&mut self, at: Timestamp, slots: &[u32]) {
        match slots {
            [] => {}
            [slot] => self.push(at, *slot),
            _ => {
                let mut more = |first: Option<u32>| {
                    let mut list = std::mem::take(&mut self.spare);
                    list.extend(first);
                    list.extend_from_slice(slots);
                    List::Many(list)
                };
                match self.lists.entry(at) {
                    Entry::Vacant(place) => _ = place.insert(more(None)),
                    Entry::Occupied(mut list) => match list.get_mut() {
                        List::Many(all) => all.extend_from_slice(slots),
                        List::One(first) => {
                            let first = *first;
                            list.insert(more(Some(first)));
                        }
                    },
                }
            }
        }
    }

    /// The earliest time with something to check.
    pub fn earliest(&self) -> Option<Timestamp> {
        self.lists.first_key_value().map(|(at, _)| *at)
    }

    /// The slots of the earliest time, if it is due, in the order in which they were pushed.
    pub fn pop(&mut self, is_due: impl FnOnce(Timestamp) -> bool) -> Option<(Timestamp, Vec<u32>)> {
        let entry = self.lists.first_entry().filter(|entry| is_due(*entry.key()))?;
        Some(match entry.remove_entry() {
            (at, List::Many(slots)) => (at, slots),
            (at, List::One(slot)) => {
                let mut slots = std::mem::take(&mut self.spare);
                slots.push(slot);
                (at, slots)
            }
        })
    }

    /// Takes back a list to reuse its memory.
    pub fn recycle(&mut self, mut list: Vec<u32>) {
        list.clear();
        if list.capacity() > self.spare.capacity() {
            self.spare = list;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_come_first_and_together() {
        let mut ends = Ends::default();
        [(5, 1), (3, 2), (5, 3), (5, 4)].into_iter().for_each(|(at, slot)| ends.push(at, slot));
        assert_eq!((ends.earliest(), ends.pop(|at| at < 3)), (Some(3), None));
        assert_eq!(ends.pop(|at| at <= 5), Some((3, vec![2])));
        let (at, slots) = ends.pop(|at| at <= 5).unwrap();
        assert_eq!((at, slots.as_slice()), (5, &[1, 3, 4][..]));
        ends.recycle(slots);
        ends.push(7, 9);
        ends.extend(7, &[8, 1]);
        ends.extend(8, &[5, 4]);
        ends.extend(8, &[]);
        ends.extend(8, &[3]);
        assert_eq!(ends.pop(|_| true), Some((7, vec![9, 8, 1])));
        assert_eq!(ends.pop(|_| true), Some((8, vec![5, 4, 3])));
        assert_eq!(ends.earliest(), None);
    }
}
