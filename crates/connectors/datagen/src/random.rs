//! Random numbers that are functions of where they are used.

/// Mixes two numbers into a pseudorandom one (the finaliser of SplitMix64 over their combination).
#[inline]
pub(crate) fn mix(seed: u64, salt: u64) -> u64 {
    let mut z =
        seed.wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number between both bounds, inclusive; the bias is less than one in 2^64.
#[inline]
pub(crate) fn between(random: u64, min: i64, max: i64) -> i64 {
    let span = (i128::from(max) - i128::from(min) + 1) as u128;
    let offset = (u128::from(random) * span) >> 64;
    (i128::from(min) + offset as i128) as i64
}

/// A number in `[0, 1)`.
#[inline]
pub(crate) fn fraction(random: u64) -> f64 {
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_within_their_bounds_and_reach_them() {
        let mut seen = [false; 5];
        for row in 0..1_000 {
            let number = between(mix(7, row), -2, 2);
            seen[(number + 2) as usize] = true;
            assert!((0.0..1.0).contains(&fraction(mix(8, row))));
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(between(u64::MAX, i64::MIN, i64::MAX), i64::MAX);
        assert_eq!(between(0, i64::MIN, i64::MAX), i64::MIN);
    }
}
