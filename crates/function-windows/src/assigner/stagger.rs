//! Staggered tumbling windows: those of different subtasks need not end at the same moment.

use flott_operator::windows::start_of;
use flott_types::Timestamp;

/// When the windows of a subtask begin: if all begin at once, they cause a burst of work.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum WindowStagger {
    /// Aligned with all others.
    #[default]
    Aligned,
    /// Shifted by a random duration, drawn when the subtask's first record arrives.
    Random,
    /// Shifted by the delay of the subtask's first record after the start of a window, in processing time.
    Natural,
}

impl WindowStagger {
    /// By how much windows are shifted if the first record arrives `now`. `seed` differs between subtasks.
    pub(super) fn offset(self, now: Timestamp, size: i64, seed: u64) -> i64 {
        match self {
            WindowStagger::Aligned => 0,
            WindowStagger::Natural => now - start_of(now, 0, size),
            WindowStagger::Random => {
                // Murmur's finaliser: each bit of the seed affects each bit of the result.
                let mut bits = seed ^ now as u64;
                bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
                bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
                ((bits ^ (bits >> 33)) % size.unsigned_abs()) as i64
            }
        }
    }
}
