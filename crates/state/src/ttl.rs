//! State that expires when it is not used.

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, TimestampMillisecondType};
use flott_types::{Result, Timestamp};

use crate::{PrimitiveColumn, SlotColumns};

/// How much later than its time to live an entry may expire, as a fraction of that time.
const GRAINS: i64 = 16;

/// When each slot was last used, and which have not been used for longer than the time to live.
///
/// Put it beside the values of a table, so that the stamps are in its snapshots. Stamps are coarse, a sixteenth of the time
/// to live, so that a key that is used all the time is not written by every checkpoint on that account; rounded up,
/// so that nothing expires early. Expired slots are found by a hand that goes round the table a few slots a call.
#[derive(Debug)]
pub struct Ttl {
    ttl: i64,
    grain: i64,
    stamps: PrimitiveColumn<TimestampMillisecondType>,
    hand: u32,
}

impl Ttl {
    /// For entries that live `ttl` milliseconds after their last use.
    pub fn new(ttl: i64) -> Self {
        let ttl = ttl.max(1);
        Ttl {
            ttl,
            grain: (ttl / GRAINS).max(1),
            stamps: PrimitiveColumn::new("last_access", i64::MIN),
            hand: 0,
        }
    }

    /// Notes that a slot is used. Returns whether its stamp changed: then mark the slot.
    #[inline]
    pub fn touch(&mut self, slot: u32, now: Timestamp) -> bool {
        let stamp = (now.div_euclid(self.grain) + 1).saturating_mul(self.grain) - 1;
        let old = &mut self.stamps.values_mut()[slot as usize];
        let newer = *old < stamp;
        *old = stamp.max(*old);
        newer
    }

    /// Whether a slot has not been used for longer than the time to live.
    #[inline]
    pub fn is_expired(&self, slot: u32, now: Timestamp) -> bool {
        self.stamps.values()[slot as usize].saturating_add(self.ttl) <= now
    }

    /// Looks at the next `budget` of the slots below `end` and adds those to `expired` that are live and expired.
    /// With the number of rows of a batch as budget, the hand gets round as fast as slots can be made.
    pub fn sweep(
        &mut self,
        now: Timestamp,
        budget: usize,
        end: usize,
        is_live: impl Fn(u32) -> bool,
        expired: &mut Vec<u32>,
    ) {
        for _ in 0..budget.min(end) {
            if self.hand as usize >= end {
                self.hand = 0;
            }
            if is_live(self.hand) && self.is_expired(self.hand, now) {
                expired.push(self.hand);
            }
            self.hand += 1;
        }
    }
}

impl SlotColumns for Ttl {
    fn fields(&self) -> Vec<FieldRef> {
        self.stamps.fields()
    }

    fn reset(&mut self, slot: u32) {
        self.stamps.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.stamps.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.stamps.write(slots, columns)
    }

    fn memory(&self) -> usize {
        self.stamps.memory()
    }
}
