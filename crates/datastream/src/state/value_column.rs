//! One value for each key, as the operator sees it.

use flott_batch::Record;
use flott_state::{DirtySlots, KeyedDelta, RestoredState};
use flott_types::{Result, Timestamp};

use super::rows::{DeltaRows, Migration, in_state, stored};
use super::ttl::{Stamps, has_stamps, stamp_column, stored_stamps};
use super::{Keys, StateColumn, StateTtlConfig};
use crate::codec::ColumnCodec;

/// The values of one state, by the slots of keys.
///
/// `get`, `get_mut`, `set` and `take` know nothing of a time to live; `read`, `read_mut`, `write` and `remove` do.
pub(crate) struct ValueColumn<T> {
    name: String,
    values: Vec<Option<T>>,
    changes: DirtySlots,
    codec: ColumnCodec<T>,
    stamps: Option<Stamps>,
    /// The snapshot's files have other columns: the next snapshot replaces them.
    migration: Option<Migration>,
    rewrite: bool,
}

impl<T: Record> ValueColumn<T> {
    pub fn new(name: &str) -> Result<Self> {
        Ok(ValueColumn {
            name: name.to_owned(),
            values: Vec::new(),
            changes: DirtySlots::default(),
            codec: ColumnCodec::new("value").map_err(|error| in_state(name, error))?,
            stamps: None,
            migration: None,
            rewrite: false,
        })
    }

    /// Values expire.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Option<&StateTtlConfig>, now: Timestamp) -> Self {
        self.stamps = ttl.filter(|ttl| ttl.is_enabled()).map(|ttl| Stamps::new(ttl.clone(), now));
        self
    }

    #[inline]
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.values.get(slot as usize).and_then(Option::as_ref)
    }

    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        let value = self.values.get_mut(slot as usize).and_then(Option::as_mut);
        if value.is_some() {
            self.changes.mark(slot);
        }
        value
    }

    #[inline]
    pub fn set(&mut self, slot: u32, value: T) {
        let at = slot as usize;
        if at >= self.values.len() {
            self.grow(at);
        }
        if !self.changes.revive(slot) {
            self.changes.mark(slot);
        }
        self.values[at] = Some(value);
    }

    #[cold]
    fn grow(&mut self, at: usize) {
        let end = (at + 1).max(self.values.len() * 2);
        self.values.resize_with(end, || None);
    }

    /// Whether the last snapshot has a value for the slot.
    pub fn is_persisted(&self, slot: u32) -> bool {
        self.changes.is_persisted(slot)
    }

    pub fn take(&mut self, slot: u32) -> Option<T> {
        let taken = self.values.get_mut(slot as usize).and_then(Option::take);
        if taken.is_some() {
            // Whether a snapshot must delete it, `occupied` tells.
            let _ = self.changes.remove(slot);
        }
        taken
    }

    /// The value, if it has not expired.
    #[inline]
    pub fn read(&self, slot: u32, now: Timestamp) -> Option<&T> {
        let value = self.get(slot)?;
        match &self.stamps {
            None => Some(value),
            Some(stamps) => stamps.read(slot, now).then_some(value),
        }
    }

    /// The value, if it has not expired, to be changed.
    #[inline]
    pub fn read_mut(&mut self, slot: u32, now: Timestamp) -> Option<&mut T> {
        if self.stamps.is_some() {
            self.read(slot, now)?;
            if let Some(stamps) = &mut self.stamps {
                stamps.set(slot, now);
            }
        }
        self.get_mut(slot)
    }

    #[inline]
    pub fn write(&mut self, slot: u32, value: T, now: Timestamp) {
        if let Some(stamps) = &mut self.stamps {
            stamps.set(slot, now);
        }
        self.set(slot, value);
    }

    /// Puts what the function makes of the value.
    #[inline]
    pub fn fold(&mut self, slot: u32, now: Timestamp, function: impl FnOnce(Option<T>) -> T) {
        let visible = self.stamps.is_none() || self.read(slot, now).is_some();
        let old = self.values.get_mut(slot as usize).and_then(Option::take);
        self.write(slot, function(old.filter(|_| visible)), now);
    }

    /// Removes the value. Says first whether there was one, and then the one that could be seen.
    pub fn remove(&mut self, slot: u32, now: Timestamp) -> (bool, Option<T>) {
        let visible = self.read(slot, now).is_some();
        let taken = self.take(slot);
        (taken.is_some(), taken.filter(|_| visible))
    }

    fn is_left_out(&self, slot: u32) -> bool {
        let left_out =
            |stamps: &Stamps| stamps.config.cleans_full_snapshots() && stamps.is_expired(slot, stamps.now());
        self.stamps.as_ref().is_some_and(left_out)
    }
}

impl<T: Record> StateColumn for ValueColumn<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn warm(&self, slots: &[u32]) -> usize {
        slots.iter().filter(|slot| self.get(**slot).is_some()).count()
    }

    fn occupied(&self, slot: u32) -> bool {
        self.get(slot).is_some() || self.changes.is_dead(slot)
    }

    fn restore(&mut self, keys: &mut dyn Keys, restored: &mut RestoredState) -> Result<()> {
        for rows in restored.take_keyed(&self.name) {
            let (field, column) = stored(&rows, &self.name, "key")?;
            let slots = keys.intern_column(field, column).map_err(|error| in_state(&self.name, error))?;
            let (field, column) = stored(&rows, &self.name, "value")?;
            Migration::note(&mut self.migration, field, &self.codec);
            let values =
                self.codec.decode_stored(field, column).map_err(|error| in_state(&self.name, error))?;
            let stamps = self.stamps.as_ref().map(|stamps| stored_stamps(&rows, stamps.now()));
            self.rewrite |= self.migration.is_some() || has_stamps(&rows) != stamps.is_some();
            for (row, (slot, value)) in slots.into_iter().zip(values).enumerate() {
                self.set(slot, value);
                self.changes.restored(slot);
                if let (Some(own), Some(stamps)) = (&mut self.stamps, &stamps) {
                    own.set(slot, stamps[row]);
                }
            }
        }
        Ok(())
    }

    fn snapshot(
        &mut self,
        keys: &dyn Keys,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        self.note_reads();
        let full = full | std::mem::take(&mut self.rewrite);
        let mut changes = std::mem::take(&mut self.changes);
        let live = (0..keys.end()).filter(|slot| self.get(*slot).is_some() && !self.is_left_out(*slot));
        let taken = changes.take(full, live);
        self.changes = changes;
        freed.extend(&taken.deleted);
        let (changed, deleted) = (taken.changed, if full { Vec::new() } else { taken.deleted });
        if changed.is_empty() && deleted.is_empty() && !full {
            return Ok(());
        }
        let encoded = self.codec.encode(changed.iter().filter_map(|slot| self.get(*slot)));
        let encoded = encoded.map_err(|error| in_state(&self.name, error))?;
        let mut values = vec![(self.codec.field().clone(), encoded)];
        if let Some(stamps) = &self.stamps {
            values.push(stamp_column(changed.iter().map(|slot| stamps.get(*slot))));
        }
        DeltaRows { name: &self.name, changed, deleted, further_keys: Vec::new(), values, full }
            .finish(keys, into)
    }

    fn tidy(&mut self, now: Timestamp, rows: usize, freed: &mut Vec<u32>) {
        let ValueColumn { values, stamps: Some(stamps), .. } = self else { return };
        let is_live = |slot: u32| values.get(slot as usize).is_some_and(Option::is_some);
        for slot in stamps.sweep(now, rows, is_live) {
            self.take(slot);
            freed.push(slot);
        }
        self.note_reads();
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.stamps.as_ref().and_then(Stamps::wake_at)
    }

    fn migration(&self) -> Option<&Migration> {
        self.migration.as_ref()
    }
}

impl<T: Record> ValueColumn<T> {
    fn note_reads(&mut self) {
        let touched = self.stamps.as_mut().map(Stamps::take_touched);
        for slot in touched.into_iter().flatten() {
            if self.get(slot).is_some() {
                self.changes.mark(slot);
            }
        }
    }
}
