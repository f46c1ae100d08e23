//! Which slots a snapshot must write.

use crate::bits::Bits;

/// With no more than this many leftovers, the list is not worth cleaning.
const LEFTOVERS: usize = 1024;

/// What changed since the last snapshot, slot by slot.
///
/// A slot is *persisted* once a snapshot has written it. A persisted entry that is removed stays in its table
/// as *dead* until the next snapshot, which writes its key as deleted; its key need not be copied, and if the
/// key comes back before then, the slot is simply revived. An entry that no snapshot has seen is freed at
/// once. Without snapshots nothing is ever dead.
///
/// Cost: one bit test per mark; taking the changes is linear in their number.
#[derive(Clone, Default, Debug)]
pub struct DirtySlots {
    dirty: Bits,
    /// The slots in `dirty`, perhaps with duplicates and slots that were removed since.
    list: Vec<u32>,
    persisted: Bits,
    dead: Bits,
}

/// The slots that a snapshot must write, and those it must delete.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Changes {
    /// Write these.
    pub changed: Vec<u32>,
    /// Write these as deleted (unless the snapshot is full), then free them.
    pub deleted: Vec<u32>,
}

impl DirtySlots {
    /// Notes that an entry changed.
    #[inline]
    pub fn mark(&mut self, slot: u32) {
        if self.dirty.set(slot) {
            self.list.push(slot);
            if self.list.len() > 2 * self.dirty.ones() + LEFTOVERS {
                self.forget_leftovers();
            }
        }
    }

    /// Keys that come and go between snapshots must not pile up in the list.
    #[cold]
    fn forget_leftovers(&mut self) {
        self.list.retain(|slot| self.dirty.unset(*slot));
        self.list.iter().for_each(|slot| _ = self.dirty.set(*slot));
    }

    /// Notes that entries changed.
    pub fn mark_all(&mut self, slots: &[u32]) {
        slots.iter().for_each(|slot| self.mark(*slot));
    }

    /// Whether an entry is new or changed since the last snapshot.
    pub fn is_dirty(&self, slot: u32) -> bool {
        self.dirty.get(slot)
    }

    /// Whether the last snapshot has the entry, even if it was changed or removed since.
    pub fn is_persisted(&self, slot: u32) -> bool {
        self.persisted.get(slot)
    }

    /// Notes that an entry was removed. Returns whether the slot can be freed at once; otherwise it is dead.
    #[must_use]
    pub fn remove(&mut self, slot: u32) -> bool {
        self.dirty.unset(slot);
        let persisted = self.persisted.get(slot);
        if persisted {
            self.dead.set(slot);
        }
        !persisted
    }

    /// Whether an entry was removed but still has its slot.
    #[inline]
    pub fn is_dead(&self, slot: u32) -> bool {
        self.dead.ones() > 0 && self.dead.get(slot)
    }

    /// How many entries are dead.
    #[inline]
    pub fn dead(&self) -> usize {
        self.dead.ones()
    }

    /// Brings a dead entry back, as changed. Returns whether it was dead.
    #[inline]
    pub fn revive(&mut self, slot: u32) -> bool {
        let dead = self.dead.ones() > 0 && self.dead.unset(slot);
        if dead {
            self.mark(slot);
        }
        dead
    }

    /// Notes that an entry came out of a snapshot.
    pub fn restored(&mut self, slot: u32) {
        self.persisted.set(slot);
        self.dirty.unset(slot);
    }

    /// Notes that an entry came back from where it had been evicted to.
    pub fn fetched(&mut self, slot: u32, persisted: bool, dirty: bool) {
        if persisted {
            self.persisted.set(slot);
        }
        if dirty {
            self.mark(slot);
        }
    }

    /// Notes that a dead entry came back from where it had been evicted to.
    pub fn fetched_dead(&mut self, slot: u32) {
        self.persisted.set(slot);
        self.dead.set(slot);
    }

    /// Notes that an entry is evicted. It is not removed, or it was dead before.
    pub fn evicted(&mut self, slot: u32) {
        self.dirty.unset(slot);
        self.persisted.unset(slot);
        self.dead.unset(slot);
    }

    /// How many entries a snapshot would write now.
    pub fn pending(&self) -> usize {
        self.dirty.ones() + self.dead.ones()
    }

    /// Takes the changes and starts over. With `full`, `live` are all slots of the table.
    pub fn take(&mut self, full: bool, live: impl Iterator<Item = u32>) -> Changes {
        let deleted: Vec<u32> = if self.dead.ones() > 0 { self.dead.iter().collect() } else { Vec::new() };
        let changed = if full {
            live.filter(|slot| !self.dead.get(*slot)).collect()
        } else {
            let mut changed = std::mem::take(&mut self.list);
            changed.retain(|slot| self.dirty.unset(*slot));
            changed
        };
        changed.iter().for_each(|slot| _ = self.persisted.set(*slot));
        deleted.iter().for_each(|slot| _ = self.persisted.unset(*slot));
        if full {
            self.dirty.clear();
            self.list.clear();
        }
        if !deleted.is_empty() {
            self.dead.clear();
        }
        Changes { changed, deleted }
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.dirty.memory() + self.persisted.memory() + self.dead.memory() + self.list.capacity() * 4
    }
}
