//! Rows that leave memory, and come back: see [`spill`](crate::spill).

use flott_types::{Error, Result, Timestamp};

use super::{RowColumn, RowSpill, Rows, WithStamps};
use crate::Index;
use crate::spill::{Fetched, RowState, Spilled, SpilledTable};

impl<R: Rows> RowColumn<R> {
    pub(super) fn enable_eviction(&mut self) -> bool {
        if self.codec.is_none() && self.rows.can_spill() {
            self.codec = RowSpill::new(self.rows.key_fields(), self.value_fields()).map(Box::new);
        }
        self.codec.is_some()
    }

    pub(super) fn retain_evictable(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        let RowColumn { rows, changes, .. } = self;
        slots.retain(|slot| rows.is_settled(*slot, |row| changes.is_dead(row)));
        rows.each_state(&mut |state| state.retain_settled(slots))
    }

    pub(super) fn last_expiry(&self, slot: u32) -> Timestamp {
        let mut rows = Vec::new();
        self.rows.rows_of(slot, &mut rows);
        let live = rows.into_iter().filter(|row| self.live.get(*row));
        let expiry = live.map(|row| self.ttl.as_ref().map_or(Timestamp::MAX, |ttl| ttl.expiry(row)));
        expiry.max().unwrap_or(Timestamp::MIN)
    }

    pub(super) fn evict(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        self.note_reads();
        let RowColumn { name, rows, live, changes, ttl, codec, batch_bytes, .. } = self;
        let codec = codec.as_mut().ok_or_else(not_enabled)?;
        let (mut of_key, mut leaving) = (Vec::new(), Vec::new());
        for (key, slot) in slots.iter().enumerate() {
            of_key.clear();
            rows.rows_of(*slot, &mut of_key);
            // What a snapshot must still delete leaves too.
            let there = |row: &&u32| live.get(**row) || changes.is_dead(**row);
            leaving.extend(of_key.iter().filter(there).map(|row| (key as u32, *row)));
        }
        let source = WithStamps { rows, ttl: ttl.as_ref() };
        let state = |row| match changes.is_dead(row) {
            true => RowState { persisted: true, dirty: true, deleted: true },
            false => RowState {
                persisted: changes.is_persisted(row),
                dirty: changes.is_dirty(row),
                deleted: false,
            },
        };
        codec.write(name, &source, &leaving, *batch_bytes, state, into)?;
        self.rows.each_state(&mut |nested| nested.spill(slots, into))
    }

    pub(super) fn forget_evicted(&mut self, slots: &[u32]) -> Result<()> {
        // What is nested first: nothing of it is left to be removed with its owner.
        self.rows.each_state(&mut |nested| nested.leave(slots))?;
        let mut of_key = Vec::new();
        for slot in slots {
            of_key.clear();
            self.rows.rows_of(*slot, &mut of_key);
            for row in &of_key {
                if self.live.unset(*row) {
                    self.rows.clear(*row);
                    self.ttl.iter_mut().for_each(|ttl| ttl.unset(*row));
                    self.changes.evicted(*row);
                    self.rows.forget(*row);
                } else if self.changes.is_dead(*row) {
                    self.changes.evicted(*row);
                    self.rows.forget(*row);
                }
            }
        }
        Ok(())
    }

    pub(super) fn take_back(&mut self, from: &Fetched<'_>) -> Result<()> {
        let RowColumn { name, rows, live, changes, ttl, codec, .. } = self;
        let codec = codec.as_ref().ok_or_else(not_enabled)?;
        codec.read(name, from, |mut stored, states| {
            let stamps = if ttl.is_some() { stored.values.pop() } else { None };
            let (numbers, _) = rows.restore(stored)?;
            for (number, state) in numbers.iter().zip(states) {
                if state.deleted {
                    changes.fetched_dead(*number);
                } else {
                    live.set(*number);
                    changes.fetched(*number, state.persisted, state.dirty);
                }
            }
            if let (Some(ttl), Some(stamps)) = (ttl.as_mut(), stamps) {
                ttl.restore(&numbers, stamps)?;
                let dead = numbers.iter().filter(|row| changes.is_dead(**row));
                dead.for_each(|row| ttl.unset(*row));
            }
            Ok(())
        })?;
        self.rows.each_state(&mut |nested| nested.fetch(from))
    }

    pub(super) fn describe_evicted(&mut self, index: &dyn Index, into: &mut Vec<SpilledTable>) -> Result<()> {
        into.extend(self.codec.as_ref().map(|codec| codec.describe(&self.name, index)));
        self.rows.each_state(&mut |nested| nested.describe(index, into))
    }
}

fn not_enabled() -> Error {
    Error::internal("rows of a state that cannot be spilled")
}
