//! Tumbling windows of different subtasks need not end at the same moment.

use flott_operator::windows::start_of;
use flott_types::Timestamp;

/// When the windows of a subtask begin: all at once make a burst of work.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum WindowStagger {
    /// With those of all others.
    #[default]
    Aligned,
    /// Later by a random time that is drawn when the subtask's first record comes.
    Random,
    /// Later by as much as the subtask's first record comes after the begin of a window, by the clock.
    Natural,
}

impl WindowStagger {
    /// By how much windows begin later than they would, where the first record has come `now`. `seed` differs from one subtask to
    /// another.
    pub(super) fn offset(self, now: Timestamp, size: i64, seed: u64) -> i64 {
        match self {
            WindowStagger::Aligned => 0,
            WindowStagger::Natural => now - start_of(now, 0, size),
            WindowStagger::Random => {
                // Murmur's finaliser: each bit of the seed decides over each bit of the result.
                let mut bits = seed ^ now as u64;
                bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
                bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
                ((bits ^ (bits >> 33)) % size.unsigned_abs()) as i64
            }
        }
    }
}
