//! Which slots are taken, and which to assign next.

use flott_types::{Error, Result};

use crate::NO_SLOT;
use crate::bits::Bits;

/// Dense numbers that are reused after they are released.
#[derive(Clone, Default, Debug)]
pub struct Slots {
    live: Bits,
    free: Vec<u32>,
    end: u32,
}

impl Slots {
    /// Takes a free number.
    ///
    /// # Errors
    /// If none is free.
    #[inline]
    pub fn take(&mut self) -> Result<u32> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.end == NO_SLOT => {
                return Err(Error::state("more than 4294967295 entries of a state in one subtask"));
            }
            None => {
                self.end += 1;
                self.end - 1
            }
        };
        self.live.set(slot);
        Ok(slot)
    }

    /// Releases a number. Returns whether it was taken.
    pub fn release(&mut self, slot: u32) -> bool {
        let taken = self.live.unset(slot);
        if taken {
            self.free.push(slot);
        }
        taken
    }

    /// Whether a number is taken.
    #[inline]
    pub fn is_live(&self, slot: u32) -> bool {
        self.live.get(slot)
    }

    /// The numbers that are taken, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.live.iter()
    }

    /// How many are taken.
    #[inline]
    pub fn len(&self) -> usize {
        self.live.ones()
    }

    /// Whether none is taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All numbers are below this.
    pub fn end(&self) -> usize {
        self.end as usize
    }

    /// The bytes of memory that they hold.
    pub fn memory(&self) -> usize {
        self.live.memory() + self.free.capacity() * 4
    }
}
