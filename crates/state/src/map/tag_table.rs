//! Entries by a hash, in one array: what is looked for is nearly always not there, and is then added.
//!
//! A bucket is 32 bits of the hash and the entry, in 8 bytes; what an entry is compared with lies elsewhere and is only
//! read when the 32 bits match. Buckets lie in the order of these bits, an occupied one's content in the next that is free
//! (linear probing). So looking in vain and adding touch one cache line, which can be [read ahead](TagTable::warm); and
//! growing reads and writes the array from its start to its end, without the hashes of entries.
//!
//! Memory: 12 to 24 bytes an entry.

/// An entry that no table has.
const NO_ENTRY: u32 = u32::MAX;
const EMPTY: u64 = u64::MAX;
const LEAST_BITS: u32 = 4;
/// With more buckets than this they do not stay in the processor's cache.
const CACHED: usize = 1 << 14;

/// A set of entries.
#[derive(Debug, Default)]
pub(super) struct TagTable {
    /// A power of two of them, or none.
    buckets: Vec<u64>,
    len: usize,
}

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn tag_of(bucket: u64) -> u32 {
    tag(bucket)
}

fn entry_of(bucket: u64) -> u32 {
    bucket as u32
}

impl TagTable {
    #[inline]
    fn home(&self, tag: u32) -> usize {
        // The table has at least 2 to the power of LEAST_BITS buckets, and at most 2 to the power of 32.
        (u64::from(tag) >> (32 - self.buckets.len().trailing_zeros())) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.buckets.len() - 1)
    }

    /// The entry with this hash for which `is` holds.
    #[inline]
    pub fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let tag = tag(hash);
        let mut at = self.home(tag);
        loop {
            let bucket = self.buckets[at];
            if bucket == EMPTY {
                return None;
            }
            if tag_of(bucket) == tag && is(entry_of(bucket)) {
                return Some(entry_of(bucket));
            }
            at = self.next(at);
        }
    }

    /// Adds an entry, which must not be there.
    #[inline]
    pub fn insert(&mut self, hash: u64, entry: u32) {
        debug_assert!(entry != NO_ENTRY, "an entry that no table has");
        if (self.len + 1) * 3 > self.buckets.len() * 2 {
            self.grow();
        }
        self.len += 1;
        self.put((u64::from(tag(hash)) << 32) | u64::from(entry));
    }

    #[inline]
    fn put(&mut self, bucket: u64) {
        let mut at = self.home(tag_of(bucket));
        while self.buckets[at] != EMPTY {
            at = self.next(at);
        }
        self.buckets[at] = bucket;
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.buckets.len() * 2).max(1 << LEAST_BITS);
        let old = std::mem::replace(&mut self.buckets, vec![EMPTY; size]);
        old.into_iter().filter(|bucket| *bucket != EMPTY).for_each(|bucket| self.put(bucket));
    }

    /// Takes an entry away; returns whether it was there.
    pub fn remove(&mut self, hash: u64, entry: u32) -> bool {
        if self.len == 0 {
            return false;
        }
        let mut hole = self.home(tag(hash));
        while entry_of(self.buckets[hole]) != entry {
            if self.buckets[hole] == EMPTY {
                return false;
            }
            hole = self.next(hole);
        }
        // Those behind it that would no longer be found move up.
        let mut at = hole;
        loop {
            at = self.next(at);
            let bucket = self.buckets[at];
            if bucket == EMPTY {
                break;
            }
            let mask = self.buckets.len() - 1;
            let (from_home, from_hole) = (at.wrapping_sub(self.home(tag_of(bucket))), at.wrapping_sub(hole));
            if from_home & mask >= from_hole & mask {
                self.buckets[hole] = bucket;
                hole = at;
            }
        }
        self.buckets[hole] = EMPTY;
        self.len -= 1;
        true
    }

    /// Reads where these hashes are looked for, so that the processor loads many cache lines at a time, where one would
    /// wait for the other later. The result means nothing, but must be used.
    pub fn warm(&self, hashes: &[u64]) -> u64 {
        if self.buckets.len() <= CACHED {
            return 0;
        }
        hashes.iter().map(|hash| self.buckets[self.home(tag(*hash))]).fold(0, |read, bucket| read ^ bucket)
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.buckets.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::TagTable;

    /// Against a map of the entries' hashes; few different ones, so that buckets collide and wrap around.
    #[test]
    fn it_has_what_was_added_and_not_removed() {
        for seed in 0..60u64 {
            let mut random = SmallRng::seed_from_u64(seed);
            let kinds = random.random_range(1..40);
            let hashes: Vec<u64> = (0..kinds)
                .map(|_| random.random::<u64>() | (random.random_range(0..2) * 0xffff_ffff_0000_0000))
                .collect();
            let (mut table, mut model) = (TagTable::default(), BTreeMap::new());
            for entry in 0..random.random_range(1..300u32) {
                let hash = hashes[random.random_range(0..hashes.len())];
                table.insert(hash, entry);
                model.insert(entry, hash);
                if random.random_range(0..3) == 0 {
                    let gone = random.random_range(0..=entry);
                    let hash = model.remove(&gone);
                    assert_eq!(table.remove(hash.unwrap_or(hashes[0]), gone), hash.is_some(), "seed {seed}");
                }
            }
            assert_eq!(table.len, model.len());
            for (entry, hash) in &model {
                assert_eq!(table.find(*hash, |found| found == *entry), Some(*entry), "seed {seed}");
                assert_eq!(table.find(*hash, |_| false), None);
                assert_eq!(table.find(!*hash, |found| found == *entry), None);
            }
            table.warm(&hashes);
            for (entry, hash) in model {
                assert!(table.remove(hash, entry), "seed {seed}");
            }
            assert_eq!(table.len, 0);
            assert!(hashes.iter().all(|hash| table.find(*hash, |_| true).is_none()));
        }
    }
}
