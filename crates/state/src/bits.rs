//! A bitmap over slots that grows as needed.

/// One bit for each slot. Bits beyond the end are clear.
#[derive(Clone, Default, Debug)]
pub(crate) struct Bits {
    words: Vec<u64>,
    ones: usize,
}

impl Bits {
    /// How many bits are set.
    #[inline]
    pub fn ones(&self) -> usize {
        self.ones
    }

    #[inline]
    pub fn get(&self, slot: u32) -> bool {
        match self.words.get(slot as usize / 64) {
            Some(word) => word >> (slot % 64) & 1 == 1,
            None => false,
        }
    }

    /// Sets a bit; returns whether it was clear.
    #[inline]
    pub fn set(&mut self, slot: u32) -> bool {
        let at = slot as usize / 64;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        let mask = 1 << (slot % 64);
        if self.words[at] & mask != 0 {
            return false;
        }
        self.words[at] |= mask;
        self.ones += 1;
        true
    }

    /// Clears a bit; returns whether it was set.
    #[inline]
    pub fn unset(&mut self, slot: u32) -> bool {
        let Some(word) = self.words.get_mut(slot as usize / 64) else {
            return false;
        };
        let mask = 1 << (slot % 64);
        let old = *word & mask != 0;
        *word &= !mask;
        self.ones -= usize::from(old);
        old
    }

    pub fn clear(&mut self) {
        self.words.clear();
        self.ones = 0;
    }

    /// The bits that are set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    at as u32 * 64 + bit
                })
            })
        })
    }

    pub fn memory(&self) -> usize {
        self.words.capacity() * 8
    }
}
