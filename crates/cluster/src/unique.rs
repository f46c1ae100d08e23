//! Numbers that nothing else has.

use flott_types::Clock;

/// One that is unique within the process by `count`, and by the clock beyond it; nothing more is asked of it.
pub(crate) fn number(clock: &dyn Clock, count: u64) -> u128 {
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let high = mix(clock.now() as u64 ^ (u64::from(std::process::id()) << 42));
    let low = mix(clock.nanos() ^ high.rotate_left(17) ^ (count << 48));
    (u128::from(high) << 64) | u128::from(low)
}
