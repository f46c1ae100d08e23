//! Tells which keys are certainly not in a run, without reading it.
//!
//! A Bloom filter in blocks of a cache line (Putze, Sanders, Singler 2007): a question costs one line of
//! memory. With 10 bits for each key about one key of 50 that is not there is looked for in vain.

/// Words of a block: 64 bytes.
const WORDS: usize = 8;
const BITS_PER_KEY: usize = 10;
/// Bits of a key within its block.
const PROBES: u32 = 6;

/// A filter for as many keys as it was made for.
#[derive(Debug)]
pub(super) struct Filter {
    blocks: Vec<[u64; WORDS]>,
}

impl Filter {
    pub fn new(keys: usize) -> Self {
        let blocks = (keys * BITS_PER_KEY).div_ceil(WORDS * 64).max(1);
        Filter { blocks: vec![[0; WORDS]; blocks] }
    }

    /// The upper half of the hash chooses the block, the lower half the bits.
    fn block_of(&self, hash: u64) -> usize {
        ((u128::from(hash >> 32) * self.blocks.len() as u128) >> 32) as usize
    }

    fn bits(hash: u64) -> impl Iterator<Item = (usize, u64)> {
        // A multiplication spreads the 32 bits over the 6 times 9 that are needed.
        let spread = (hash & 0xffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..PROBES).map(move |probe| {
            let bit = (spread >> (probe * 9 + 9)) & 511;
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }

    pub fn add(&mut self, hash: u64) {
        let block = self.block_of(hash);
        for (word, bit) in Self::bits(hash) {
            self.blocks[block][word] |= bit;
        }
    }

    #[inline]
    pub fn may_hold(&self, hash: u64) -> bool {
        let block = &self.blocks[self.block_of(hash)];
        Self::bits(hash).all(|(word, bit)| block[word] & bit != 0)
    }

    pub fn memory(&self) -> usize {
        self.blocks.len() * size_of::<[u64; WORDS]>()
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    #[test]
    fn holds_what_was_added_and_little_else() {
        let hash = |key: u64| xxh3_64(&key.to_le_bytes());
        let mut filter = Filter::new(10_000);
        (0..10_000).for_each(|key| filter.add(hash(key)));
        assert!((0..10_000).all(|key| filter.may_hold(hash(key))));
        let wrong = (10_000..110_000).filter(|key| filter.may_hold(hash(*key))).count();
        assert!(wrong < 3_000, "{wrong} of 100000");
    }
}
