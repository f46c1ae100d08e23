//! When an operator wants its keys back.
//!
//! A state that is not part of snapshots: an operator that knows when it will need a key, because a window ends
//! or a row expires, notes it here, and derives it again when it restores. A key that leaves memory takes the
//! time along, and comes back [by it](crate::spill::Spill::fetch_due), or earlier with a row of its own.

use flott_types::{Error, Result, Timestamp};

use super::{Fetched, RowState, Spilled};
use crate::{Index, KeyedDelta, RestoredState, StateColumn};

/// Of a key that nobody waits for.
const NEVER: Timestamp = Timestamp::MAX;
const ROW: RowState = RowState { persisted: false, dirty: false, deleted: false };

/// When each key is wanted, by slot.
#[derive(Default, Debug)]
pub struct WantedAt {
    at: Vec<Timestamp>,
    /// What is wanted by then is being worked on, and stays.
    reached: Option<Timestamp>,
}

impl WantedAt {
    /// The state's name among those that spill.
    pub const STATE: &str = "$wanted";

    /// Notes when the key in a slot is wanted, instead of what was noted before.
    #[inline]
    pub fn set(&mut self, slot: u32, at: Timestamp) {
        if slot as usize >= self.at.len() {
            self.at.resize(slot as usize + 1, NEVER);
        }
        self.at[slot as usize] = at;
    }

    /// Notes that nobody waits for the key in a slot.
    #[inline]
    pub fn unset(&mut self, slot: u32) {
        if let Some(at) = self.at.get_mut(slot as usize) {
            *at = NEVER;
        }
    }

    /// When the key in a slot is wanted.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<Timestamp> {
        self.at.get(slot as usize).copied().filter(|at| *at != NEVER)
    }

    /// The slots of the keys in memory that are wanted by this time. They stay in memory until it is noted when
    /// they are wanted next.
    pub fn until(&mut self, time: Timestamp) -> Vec<u32> {
        self.reached = self.reached.max(Some(time));
        let wanted = self.at.iter().enumerate().filter(|(_, at)| **at <= time && **at != NEVER);
        wanted.map(|(slot, _)| slot as u32).collect()
    }
}

impl StateColumn for WantedAt {
    fn name(&self) -> &str {
        Self::STATE
    }

    fn occupied(&self, _: u32) -> bool {
        false
    }

    fn restore(&mut self, _: &mut dyn Index, _: &mut RestoredState) -> Result<()> {
        Ok(())
    }

    fn snapshot(&mut self, _: &dyn Index, _: bool, _: &mut Vec<u32>, _: &mut Vec<KeyedDelta>) -> Result<()> {
        Ok(())
    }

    fn enable_spilling(&mut self) -> bool {
        true
    }

    fn retain_settled(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        if let Some(reached) = self.reached {
            slots.retain(|slot| self.get(*slot).is_none_or(|at| at > reached));
        }
        Ok(())
    }

    /// It keeps no key alive.
    fn expiry(&self, _: u32) -> Timestamp {
        Timestamp::MIN
    }

    fn first_due(&self, slot: u32) -> Option<Timestamp> {
        self.get(slot)
    }

    fn spill(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        let state = into.state(Self::STATE);
        for (key, slot) in slots.iter().enumerate() {
            if let Some(at) = self.get(*slot) {
                into.push(state, key as u32, ROW, &at.to_le_bytes());
            }
        }
        Ok(())
    }

    fn leave(&mut self, slots: &[u32]) -> Result<()> {
        slots.iter().for_each(|slot| self.unset(*slot));
        Ok(())
    }

    fn fetch(&mut self, from: &Fetched<'_>) -> Result<()> {
        for (slot, _, bytes) in from.rows(Self::STATE) {
            let at = bytes.first_chunk().ok_or_else(|| Error::internal("a time of spilled state"))?;
            self.set(slot, Timestamp::from_le_bytes(*at));
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.at.capacity() * size_of::<Timestamp>()
    }
}
