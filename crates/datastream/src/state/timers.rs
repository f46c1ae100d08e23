//! Timers of a keyed operator: a time for a key and a namespace, each at most once. Timers are state.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMillisecondArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Field, Schema, TimestampMillisecondType};
use flott_batch::Record;
use flott_state::{KeyedDelta, RestoredState};
use flott_types::{Error, FastMap, FastSet, Result, Timestamp};

use super::Keys;
use super::rows::{failed, stored};
use crate::codec::ColumnCodec;

/// What timers of one key are told apart by, besides their times: nothing, or a window.
pub(crate) trait Namespace: Record + Clone + Eq + Ord + Hash {
    /// The only one, if there is only one: then it is not written.
    fn only() -> Option<Self> {
        None
    }
}

impl Namespace for () {
    fn only() -> Option<()> {
        Some(())
    }
}

/// A timer: when, for the key of this slot, in this namespace.
pub(crate) type Timer<N> = (Timestamp, u32, N);

/// The timers of one time domain.
///
/// A heap gives the order; a map says which timers of the heap still hold, and whether a snapshot has them.
pub(crate) struct Timers<N> {
    name: &'static str,
    heap: BinaryHeap<Reverse<Timer<N>>>,
    /// Timers that hold; the value says whether a snapshot has them.
    set: FastMap<Timer<N>, bool>,
    /// Set since the last snapshot, and perhaps deleted again.
    fresh: Vec<Timer<N>>,
    /// In the last snapshot, and no longer set.
    gone: FastSet<Timer<N>>,
    /// By slot: how many timers need the key, those in `gone` included.
    uses: Vec<u32>,
    codec: ColumnCodec<N>,
}

impl<N: Namespace> Timers<N> {
    pub fn new(name: &'static str) -> Result<Self> {
        Ok(Timers {
            name,
            heap: BinaryHeap::new(),
            set: FastMap::default(),
            fresh: Vec::new(),
            gone: FastSet::default(),
            uses: Vec::new(),
            codec: ColumnCodec::new("namespace")?,
        })
    }

    /// Whether a timer needs the key of this slot.
    pub fn occupied(&self, slot: u32) -> bool {
        self.uses.get(slot as usize).is_some_and(|uses| *uses > 0)
    }

    /// Sets a timer. One that is set already stays as it is.
    pub fn register(&mut self, at: Timestamp, slot: u32, namespace: N) {
        let timer = (at, slot, namespace);
        if self.set.contains_key(&timer) {
            return;
        }
        let persisted = !self.gone.is_empty() && self.gone.remove(&timer);
        if !persisted {
            self.fresh.push(timer.clone());
            if slot as usize >= self.uses.len() {
                self.uses.resize((slot as usize + 1).next_power_of_two(), 0);
            }
            self.uses[slot as usize] += 1;
        }
        self.heap.push(Reverse(timer.clone()));
        self.set.insert(timer, persisted);
        if self.fresh.len() > 2 * self.set.len() + 1_024 {
            // Timers that come and go without a snapshot must not pile up.
            let set = &self.set;
            self.fresh.retain(|timer| set.get(timer) == Some(&false));
            self.fresh.sort_unstable();
            self.fresh.dedup();
        }
    }

    /// Deletes a timer. One that is not set is passed over. Says whether the key may have become free.
    pub fn delete(&mut self, at: Timestamp, slot: u32, namespace: &N) -> bool {
        let timer = (at, slot, namespace.clone());
        let Some(persisted) = self.set.remove(&timer) else {
            return false;
        };
        let freed = self.forget(timer, persisted);
        if self.heap.len() > 2 * self.set.len() + 1_024 {
            self.heap = self.set.keys().cloned().map(Reverse).collect();
        }
        freed
    }

    fn forget(&mut self, timer: Timer<N>, persisted: bool) -> bool {
        let slot = timer.1 as usize;
        if persisted {
            self.gone.insert(timer);
            return false;
        }
        self.uses[slot] -= 1;
        self.uses[slot] == 0
    }

    /// The earliest time at which a timer is due.
    pub fn earliest(&mut self) -> Option<Timestamp> {
        while let Some(Reverse(timer)) = self.heap.peek() {
            if self.set.contains_key(timer) {
                return Some(timer.0);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the earliest timer that is due at `now`, and says whether its key may have become free.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<(Timer<N>, bool)> {
        while let Some(Reverse(timer)) = self.heap.peek() {
            if timer.0 > now {
                return None;
            }
            let Reverse(timer) = self.heap.pop()?;
            if let Some(persisted) = self.set.remove(&timer) {
                let freed = self.forget(timer.clone(), persisted);
                return Some((timer, freed));
            }
        }
        None
    }

    /// What changed since the last snapshot, or everything. Slots whose keys nothing needs here any more are added to
    /// `freed`.
    pub fn snapshot(
        &mut self,
        keys: &dyn Keys,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let mut fresh = std::mem::take(&mut self.fresh);
        let gone = std::mem::take(&mut self.gone);
        for (_, slot, _) in &gone {
            self.uses[*slot as usize] -= 1;
            if self.uses[*slot as usize] == 0 {
                freed.push(*slot);
            }
        }
        let (changed, deleted): (Vec<Timer<N>>, Vec<Timer<N>>) = if full {
            self.set.values_mut().for_each(|persisted| *persisted = true);
            (self.set.keys().cloned().collect(), Vec::new())
        } else {
            fresh.retain(|timer| match self.set.get_mut(timer) {
                Some(persisted) if !*persisted => {
                    *persisted = true;
                    true
                }
                _ => false,
            });
            (fresh, gone.into_iter().collect())
        };
        if changed.is_empty() && deleted.is_empty() && !full {
            return Ok(());
        }
        let timers: Vec<&Timer<N>> = changed.iter().chain(&deleted).collect();
        let slots: Vec<u32> = timers.iter().map(|timer| timer.1).collect();
        let (field, key) = keys.encode(&slots)?;
        let times: TimestampMillisecondArray = timers.iter().map(|timer| timer.0).collect::<Vec<_>>().into();
        let time = Field::new("timestamp", arrow::array::Array::data_type(&times).clone(), true);
        let mut fields = vec![field, Arc::new(time)];
        let mut columns: Vec<ArrayRef> = vec![key, Arc::new(times)];
        if N::only().is_none() {
            let namespaces = self.codec.encode(timers.iter().map(|timer| &timer.2))?;
            fields.push(self.codec.field().clone());
            columns.push(namespaces);
        }
        into.push(KeyedDelta {
            name: self.name.to_owned(),
            key_columns: columns.len(),
            partition_columns: 1,
            key_groups: slots.iter().map(|slot| keys.key_group(*slot)).collect(),
            deleted: (!deleted.is_empty())
                .then(|| BooleanBuffer::collect_bool(timers.len(), |row| row >= changed.len())),
            rows: RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(failed)?,
            full,
        });
        Ok(())
    }

    /// Puts in the timers of a snapshot.
    pub fn restore(&mut self, keys: &mut dyn Keys, restored: &mut RestoredState) -> Result<()> {
        for rows in restored.take_keyed(self.name) {
            let (field, column) = stored(&rows, self.name, "key")?;
            let slots = keys.intern_column(field, column)?;
            let (_, times) = stored(&rows, self.name, "timestamp")?;
            let times = times.as_primitive_opt::<TimestampMillisecondType>();
            let times = times.ok_or_else(|| Error::state(format!("'{}' have no times", self.name)))?.clone();
            let namespaces = match N::only() {
                Some(only) => vec![only; slots.len()],
                None => {
                    let (field, column) = stored(&rows, self.name, "namespace")?;
                    self.codec.decode_stored(field, column)?
                }
            };
            for ((slot, time), namespace) in slots.into_iter().zip(times.values()).zip(namespaces) {
                self.register(*time, slot, namespace.clone());
                self.set.insert((*time, slot, namespace), true);
            }
        }
        self.fresh.clear();
        Ok(())
    }
}
