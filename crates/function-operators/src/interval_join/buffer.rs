//! The records of one side of an interval join that may still find partners.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_batch::Record;
use flott_state::{
    Index, KeyedDelta, Migration, RestoredState, RowSource, RowWriter, StateColumn, StoredRows,
};
use flott_types::{Error, FastSet, Result, Timestamp};

use flott_function::state::{in_state, tell_fields};
use flott_values::ColumnCodec;

/// Records by key and timestamp. Those of one key and timestamp are a bucket, which a snapshot writes as one
/// row: `(key, timestamp) -> values`.
pub(super) struct JoinBuffer<T> {
    name: &'static str,
    /// By the slot of the key.
    buckets: Vec<BTreeMap<Timestamp, Bucket<T>>>,
    /// All buckets, in the order of their expiry. Derived from the buckets, and so not in snapshots.
    order: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// Buckets that changed since the last snapshot, and some that are gone since.
    changed: Vec<(u32, Timestamp)>,
    /// Buckets in the last snapshot that are gone.
    gone: FastSet<(u32, Timestamp)>,
    /// By slot: how many buckets need the key, those in `gone` included.
    uses: Vec<u32>,
    /// The stored values have another type: the next snapshot writes everything.
    rewrite: bool,
    times: ColumnCodec<Timestamp>,
    values: ColumnCodec<Vec<T>>,
}

struct Bucket<T> {
    values: Vec<T>,
    persisted: bool,
    changed: bool,
}

impl<T: Record> JoinBuffer<T> {
    pub fn new(name: &'static str) -> Result<Self> {
        Ok(JoinBuffer {
            name,
            buckets: Vec::new(),
            order: BinaryHeap::new(),
            changed: Vec::new(),
            gone: FastSet::default(),
            uses: Vec::new(),
            rewrite: false,
            times: ColumnCodec::new("timestamp")?,
            values: ColumnCodec::new("values").map_err(|error| in_state(name, error))?,
        })
    }

    pub fn add(&mut self, slot: u32, at: Timestamp, value: T) {
        let (changed, bucket) = (&mut self.changed, slot as usize);
        if bucket >= self.buckets.len() {
            let end = (bucket + 1).next_power_of_two();
            self.buckets.resize_with(end, BTreeMap::new);
            self.uses.resize(end, 0);
        }
        let (order, gone, uses) = (&mut self.order, &mut self.gone, &mut self.uses[bucket]);
        let bucket = self.buckets[bucket].entry(at).or_insert_with(|| {
            order.push(Reverse((at, slot)));
            let persisted = !gone.is_empty() && gone.remove(&(slot, at));
            *uses += u32::from(!persisted);
            Bucket { values: Vec::new(), persisted, changed: false }
        });
        bucket.values.push(value);
        if !std::mem::replace(&mut bucket.changed, true) {
            changed.push((slot, at));
        }
    }

    /// The records of a key from one timestamp to another, inclusive, in order.
    pub fn between(
        &self,
        slot: u32,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = (&T, Timestamp)> {
        let buckets = self.buckets.get(slot as usize).filter(|buckets| !buckets.is_empty() && from <= to);
        let buckets = buckets.into_iter().flat_map(move |buckets| buckets.range(from..=to));
        buckets.flat_map(|(at, bucket)| bucket.values.iter().map(|value| (value, *at)))
    }

    /// Drops everything up to a timestamp. Slots whose keys are not needed here any more are added to
    /// `freed`.
    pub fn clean(&mut self, until: Timestamp, freed: &mut Vec<u32>) {
        while let Some(Reverse((at, slot))) =
            self.order.peek().copied().filter(|Reverse((at, _))| *at <= until)
        {
            self.order.pop();
            match self.buckets[slot as usize].remove(&at) {
                Some(bucket) if bucket.persisted => _ = self.gone.insert((slot, at)),
                Some(_) => self.release(slot, freed),
                None => {}
            }
        }
        if self.changed.len() > 2 * self.order.len() + 1_024 {
            // Records that come and go without a snapshot must not pile up.
            let buckets = &self.buckets;
            let holds = |slot: u32, at: Timestamp| buckets[slot as usize].get(&at).is_some_and(|b| b.changed);
            self.changed.retain(|(slot, at)| holds(*slot, *at));
            self.changed.sort_unstable();
            self.changed.dedup();
        }
    }

    fn release(&mut self, slot: u32, freed: &mut Vec<u32>) {
        let uses = &mut self.uses[slot as usize];
        *uses -= 1;
        if *uses == 0 {
            freed.push(slot);
        }
    }
}

/// A bucket: the key's slot and the timestamp.
type Place = (u32, Timestamp);

impl<T: Record> RowSource for JoinBuffer<T> {
    type Row = Place;

    fn key_fields(&self) -> Vec<FieldRef> {
        vec![self.times.field().clone()]
    }

    fn value_fields(&self) -> Vec<FieldRef> {
        vec![self.values.field().clone()]
    }

    fn slot_of(&self, (slot, _): Place) -> u32 {
        slot
    }

    fn keys(&self, rows: &[Place]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.times.encode(rows.iter().map(|(_, at)| at))?])
    }

    fn values(&self, rows: &[Place]) -> Result<Vec<ArrayRef>> {
        let buckets = rows.iter().filter_map(|(slot, at)| self.buckets[*slot as usize].get(at));
        Ok(vec![self.values.encode(buckets.map(|bucket| &bucket.values))?])
    }
}

impl<T: Record> StateColumn for JoinBuffer<T> {
    fn name(&self) -> &str {
        self.name
    }

    fn occupied(&self, slot: u32) -> bool {
        self.uses.get(slot as usize).is_some_and(|uses| *uses > 0)
    }

    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        let (name, mut migration, mut complete) = (self.name, None, true);
        let (keys, values) = (self.key_fields(), self.value_fields());
        StoredRows::take(name, &keys, &values, index, restored, |stored| {
            let (Some(times), Some(values)) = (stored.keys.first(), stored.values.first()) else {
                return Err(Error::internal("a column of times and one of values were expected"));
            };
            let times = self.times.decode_stored(&times.field, &times.column)?;
            let (values, migrated) = self.values.restore(values)?;
            migration = migration.take().or(migrated);
            complete &= stored.complete;
            for ((slot, at), values) in stored.slots.into_iter().zip(times).zip(values) {
                values.into_iter().for_each(|value| self.add(slot, at, value));
                if let Some(bucket) = self.buckets[slot as usize].get_mut(&at) {
                    (bucket.persisted, bucket.changed) = (true, false);
                }
            }
            Ok(())
        })?;
        self.changed.clear();
        self.rewrite = migration.is_some() || !complete;
        if let Some(migration) = migration {
            let Migration { from, to, .. } = &migration;
            tracing::info!(state = name, from, to, "state is migrated");
            tell_fields("interval join", name, &migration);
        }
        Ok(())
    }

    fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let full = full | std::mem::take(&mut self.rewrite);
        let mut written = std::mem::take(&mut self.changed);
        let deleted: Vec<Place> = self.gone.drain().collect();
        deleted.iter().for_each(|(slot, _)| self.release(*slot, freed));
        if full {
            written = self.order.iter().map(|Reverse((at, slot))| (*slot, *at)).collect();
        }
        let buckets = &mut self.buckets;
        written.retain(|(slot, at)| {
            let bucket = buckets[*slot as usize].get_mut(at).filter(|bucket| full || bucket.changed);
            bucket.is_some_and(|bucket| {
                (bucket.persisted, bucket.changed) = (true, false);
                true
            })
        });
        let writer = RowWriter::new(self.name, index, self);
        writer.write(&written, &deleted, full, into).map_err(|error| in_state(self.name, error))
    }

    fn memory(&self) -> usize {
        let buckets = self.buckets.iter().flat_map(BTreeMap::values);
        let values: usize = buckets
            .map(|bucket| size_of::<(Timestamp, Bucket<T>)>() + bucket.values.capacity() * size_of::<T>())
            .sum();
        let lists = self.buckets.capacity() * size_of::<BTreeMap<Timestamp, Bucket<T>>>();
        values + lists + (self.order.capacity() + self.changed.capacity()) * size_of::<Place>()
    }
}
