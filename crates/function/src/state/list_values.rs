//! The values of one list, and as they were stored.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::Range;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use flott_batch::Record;
use flott_state::{Migration, StoredRows, TtlPolicy};
use flott_types::{Error, Result, Timestamp};
use flott_values::ColumnCodec;

/// One list.
pub(super) struct List<T> {
    pub values: VecDeque<T>,
    /// When each value was last used, where values expire. They never decrease.
    pub stamps: VecDeque<Timestamp>,
    /// The position of the first value.
    pub first: i64,
    /// The positions in the last snapshot.
    pub persisted: Range<i64>,
    /// Timestamps in the last snapshot have changed.
    pub restamped: bool,
    /// Values from this position were read then.
    pub read: Cell<Option<(i64, Timestamp)>>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List {
            values: VecDeque::new(),
            stamps: VecDeque::new(),
            first: 0,
            persisted: 0..0,
            restamped: false,
            read: Cell::new(None),
        }
    }
}

impl<T> List<T> {
    pub fn end(&self) -> i64 {
        self.first + self.values.len() as i64
    }

    /// How many values at the front have expired.
    pub fn expired(&self, ttl: &TtlPolicy, now: Timestamp) -> usize {
        if let Some((from, at)) = self.read.get() {
            let gone = (from - self.first) as usize;
            let until = |stamp: &Timestamp| ttl.is_over(at.max(*stamp), now);
            return gone + self.stamps.range(gone..).take_while(|stamp| until(stamp)).count();
        }
        self.stamps.partition_point(|stamp| ttl.is_over(*stamp, now))
    }

    /// Applies the effects of reads: values that were read live longer, those that had expired are gone.
    pub fn settle(&mut self) {
        if let Some((from, at)) = self.read.take() {
            self.drop_front((from - self.first) as usize);
            self.stamps.iter_mut().for_each(|stamp| *stamp = at.max(*stamp));
            self.restamped = true;
        }
    }

    pub fn drop_front(&mut self, count: usize) {
        self.values.drain(..count);
        self.stamps.drain(..count.min(self.stamps.len()));
        self.first += count as i64;
    }

    /// Whether values were removed that the next snapshot must delete.
    pub fn waits(&self) -> bool {
        self.persisted.start < self.persisted.end.min(self.first)
    }

    /// Whether neither the list nor the last snapshot has values.
    pub fn is_gone(&self) -> bool {
        self.values.is_empty() && self.persisted.is_empty()
    }
}

/// A value as it was stored: the slot of its key, its position, and when it was last used.
pub(super) type StoredValue<T> = (u32, i64, T, Timestamp);

/// The values of stored rows; those without a time were used `now`.
pub(super) fn read_rows<T: Record>(
    codec: &ColumnCodec<T>,
    stored: StoredRows,
    now: Timestamp,
) -> Result<(Vec<StoredValue<T>>, Option<Migration>)> {
    let positions = stored.keys.first().and_then(|keys| keys.column.as_primitive_opt::<Int64Type>());
    let positions = positions.ok_or_else(|| Error::state("its positions are not numbers"))?;
    let Some(values) = stored.values.first() else { return Ok((Vec::new(), None)) };
    let (values, migration) = codec.restore(values)?;
    let stamps =
        stored.values.get(1).and_then(|stamps| stamps.column.as_primitive_opt::<TimestampMillisecondType>());
    let stamp = |row| {
        let stamps = stamps.filter(|stamps| stamps.is_valid(row));
        stamps.map_or(now, |stamps| stamps.value(row))
    };
    let rows = stored.slots.iter().zip(positions.values()).zip(values).enumerate();
    let rows = rows.map(|(row, ((slot, position), value))| (*slot, *position, value, stamp(row)));
    Ok((rows.collect(), migration))
}
