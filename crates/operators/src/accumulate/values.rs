//! The values of one group in the order of arrival, as encoded rows in one buffer.
//!
//! A value is added at the end. To remove one, the earliest equal value is found by hash and marked as
//! removed; when more than half are removed, the rest is compacted. So both operations cost only the value's
//! own bytes, however many values there are.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use flott_types::FastMap;

/// With fewer removed values than this, compaction is not worth it.
const WORTH_COMPACTING: usize = 32;

/// See the module's header.
#[derive(Clone, Default, Debug)]
pub(super) struct Values {
    bytes: Vec<u8>,
    /// By position: where the value's bytes end, and whether it is still present.
    ends: Vec<(usize, bool)>,
    gone: usize,
    /// No value before this position is present.
    first: usize,
    /// For an input with retractions: by hash, the positions that are present, the earliest first.
    positions: Option<FastMap<u64, VecDeque<u32>>>,
    /// How many bytes were moved so far.
    #[cfg(test)]
    moved: usize,
}

impl Values {
    /// An empty list whose values can be retracted.
    pub fn retractable() -> Self {
        Values { positions: Some(FastMap::default()), ..Values::default() }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.ends.len() - self.gone
    }

    /// The size of all values in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a value.
    pub fn push(&mut self, value: &[u8]) {
        if let Some(positions) = &mut self.positions {
            positions
                .entry(positions.hasher().hash_one(value))
                .or_default()
                .push_back(self.ends.len() as u32);
        }
        self.bytes.extend_from_slice(value);
        self.ends.push((self.bytes.len(), true));
    }

    /// Removes the earliest equal value. Returns whether there was one.
    pub fn take(&mut self, value: &[u8]) -> bool {
        let Values { bytes, ends, positions, .. } = self;
        let Some(positions) = positions else { return false };
        let hash = positions.hasher().hash_one(value);
        let Some(same) = positions.get_mut(&hash) else { return false };
        let start = |at: usize| at.checked_sub(1).map_or(0, |before| ends[before].0);
        let found = same.iter().position(|at| bytes[start(*at as usize)..ends[*at as usize].0] == *value);
        let Some(at) = found.and_then(|found| same.remove(found)) else { return false };
        if same.is_empty() {
            positions.remove(&hash);
        }
        self.ends[at as usize].1 = false;
        self.gone += 1;
        while self.ends.get(self.first).is_some_and(|(_, there)| !there) {
            self.first += 1;
        }
        if self.gone > WORTH_COMPACTING && self.gone * 2 > self.ends.len() {
            self.compact();
        }
        true
    }

    #[cold]
    fn compact(&mut self) {
        let retractable = self.positions.is_some();
        let mut moved = if retractable { Values::retractable() } else { Values::default() };
        self.iter().for_each(|value| moved.push(value));
        #[cfg(test)]
        {
            moved.moved = self.moved + moved.bytes.len();
        }
        *self = moved;
    }

    /// The values in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + '_ {
        let value = |at: usize| {
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before].0);
            self.ends[at].1.then(|| &self.bytes[start..self.ends[at].0])
        };
        (self.first..self.ends.len()).filter_map(value)
    }

    /// The memory that they hold in bytes.
    pub fn memory(&self) -> usize {
        let positions = self.positions.as_ref().map_or(0, |positions| {
            positions.capacity() * (size_of::<(u64, VecDeque<u32>)>()) + self.len() * size_of::<u32>()
        });
        self.bytes.capacity() + self.ends.capacity() * size_of::<(usize, bool)>() + positions
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn values_come_and_go_as_in_a_list() {
        for seed in 0..30 {
            println!("seed {seed}");
            let mut rng = SmallRng::seed_from_u64(seed);
            let (mut values, mut model) = (Values::retractable(), Vec::<Vec<u8>>::new());
            for _ in 0..400 {
                let value = vec![rng.random_range(0..9u8); rng.random_range(0..4)];
                if rng.random_bool(0.5) {
                    values.push(&value);
                    model.push(value);
                } else {
                    let at = model.iter().position(|other| *other == value);
                    assert_eq!(values.take(&value), at.is_some());
                    at.into_iter().for_each(|at| _ = model.remove(at));
                }
                assert!(values.iter().eq(model.iter().map(Vec::as_slice)));
                assert_eq!(values.len(), model.len());
            }
        }
    }

    #[test]
    fn removals_move_no_more_than_was_added() {
        // First in, first out, while many are present: in a plain list, each removal would move all others.
        let moved = |count: u32| {
            let (mut values, mut pushed) = (Values::retractable(), 0);
            for number in 0..2 * count {
                values.push(&number.to_le_bytes());
                pushed += 4;
                if number >= count {
                    assert!(values.take(&(number - count).to_le_bytes()));
                }
            }
            assert_eq!(values.len(), count as usize);
            assert!(values.moved <= 2 * pushed, "{} bytes of {pushed} moved", values.moved);
            values.moved
        };
        assert!(moved(20_000) <= 3 * moved(10_000));
    }
}
