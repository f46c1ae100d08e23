//! Random numbers that are functions of where they are used.

/// The step of SplitMix64: two to the 64, divided by the golden ratio.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64.
#[inline(always)]
pub(crate) fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The random numbers of one field, one for each event.
#[derive(Clone, Copy, Debug)]
pub struct Stream(u64);

impl Stream {
    /// Field `field` of the events of a seed.
    pub(crate) fn new(seed: u64, field: u64) -> Self {
        Stream(mix(mix(seed.wrapping_add(GOLDEN)).wrapping_add(field.wrapping_mul(GOLDEN))))
    }

    /// The fixed sequence that a table is made from.
    pub(crate) fn of_table(table: u64) -> Self {
        Stream(mix(table))
    }

    /// The number that belongs to event `number`.
    #[inline(always)]
    pub fn draw(self, number: u64) -> u64 {
        mix(self.0.wrapping_add(number.wrapping_mul(GOLDEN)))
    }
}

/// The upper 32 bits.
#[inline(always)]
pub(crate) fn hi(random: u64) -> u64 {
    random >> 32
}

/// The lower 32 bits.
#[inline(always)]
pub(crate) fn lo(random: u64) -> u64 {
    random & 0xffff_ffff
}

/// One of the four 16-bit parts, the uppermost first.
#[inline(always)]
pub(crate) fn quarter(random: u64, part: u32) -> u64 {
    (random >> (48 - 16 * part)) & 0xffff
}

/// A number below `bound` from 32 random bits.
#[inline(always)]
pub(crate) fn below(bits: u64, bound: u64) -> u64 {
    (bits * bound) >> 32
}

/// A number below `bound` from 16 random bits.
#[inline(always)]
pub(crate) fn below16(bits: u64, bound: u64) -> u64 {
    (bits * bound) >> 16
}
