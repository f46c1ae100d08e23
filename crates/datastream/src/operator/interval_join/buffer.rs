//! The records of one side of an interval join that may still find partners.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use flott_batch::Record;
use flott_state::{KeyedDelta, RestoredState};
use flott_types::{FastSet, Result, Timestamp};

use crate::codec::ColumnCodec;
use crate::state::{DeltaRows, Keys, Migration, in_state, stored, tell_fields};

/// Records by key and timestamp. Those of one key and timestamp are a bucket, which a snapshot writes as one row:
/// `(key, timestamp) -> values`.
pub(super) struct JoinBuffer<T> {
    name: &'static str,
    /// By the slot of the key.
    buckets: Vec<BTreeMap<Timestamp, Bucket<T>>>,
    /// All buckets, the first to go first. It follows from them, and so is in no snapshot.
    order: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// Buckets that changed since the last snapshot, and some that are gone since.
    changed: Vec<(u32, Timestamp)>,
    /// Buckets that the last snapshot has and that are gone.
    gone: FastSet<(u32, Timestamp)>,
    /// By slot: how many buckets need the key, those in `gone` included.
    uses: Vec<u32>,
    /// What is stored has another type: the next snapshot writes everything.
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

    /// Whether the key of this slot is needed.
    pub fn occupied(&self, slot: u32) -> bool {
        self.uses.get(slot as usize).is_some_and(|uses| *uses > 0)
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

    /// The records of a key from one timestamp to another, both included, in their order.
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

    /// Drops everything up to a timestamp. Slots whose keys are not needed here any more are added to `freed`.
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

    pub fn restore(&mut self, keys: &mut dyn Keys, restored: &mut RestoredState) -> Result<()> {
        let name = self.name;
        let wrong = |error| in_state(name, error);
        let mut migration = None;
        for rows in restored.take_keyed(name) {
            let (field, column) = stored(&rows, name, "key")?;
            let slots = keys.intern_column(field, column).map_err(wrong)?;
            let (field, column) = stored(&rows, name, "timestamp")?;
            let times = self.times.decode_stored(field, column).map_err(wrong)?;
            let (field, column) = stored(&rows, name, "values")?;
            Migration::note(&mut migration, field, &self.values);
            let values = self.values.decode_stored(field, column).map_err(wrong)?;
            for ((slot, at), values) in slots.into_iter().zip(times).zip(values) {
                values.into_iter().for_each(|value| self.add(slot, at, value));
                if let Some(bucket) = self.buckets[slot as usize].get_mut(&at) {
                    (bucket.persisted, bucket.changed) = (true, false);
                }
            }
        }
        self.changed.clear();
        self.rewrite = migration.is_some();
        if let Some(Migration { from, to, fields }) = migration {
            tracing::info!(state = name, from, to, "state is migrated");
            tell_fields("interval join", name, &fields);
        }
        Ok(())
    }

    /// What changed since the last snapshot, or everything. Slots whose keys are not needed here any more are added to
    /// `freed`.
    pub fn snapshot(
        &mut self,
        keys: &dyn Keys,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let full = full | std::mem::take(&mut self.rewrite);
        let mut written = std::mem::take(&mut self.changed);
        let mut deleted: Vec<(u32, Timestamp)> = self.gone.drain().collect();
        deleted.iter().for_each(|(slot, _)| self.release(*slot, freed));
        if full {
            deleted.clear();
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
        let wrong = |error| in_state(self.name, error);
        let times = self.times.encode(written.iter().chain(&deleted).map(|(_, at)| at)).map_err(wrong)?;
        let values = written.iter().filter_map(|(slot, at)| self.buckets[*slot as usize].get(at));
        let values = self.values.encode(values.map(|bucket| &bucket.values)).map_err(wrong)?;
        let slots = |rows: &[(u32, Timestamp)]| rows.iter().map(|(slot, _)| *slot).collect();
        let rows = DeltaRows {
            name: self.name,
            changed: slots(&written),
            deleted: slots(&deleted),
            further_keys: vec![(self.times.field().clone(), times)],
            values: vec![(self.values.field().clone(), values)],
            full,
        };
        rows.finish(keys, into)
    }
}
