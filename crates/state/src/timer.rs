//! Timers as state.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMillisecondType};
use flott_types::{Result, Timestamp};

use crate::{KeyedDelta, KeyedTable, NO_SLOT};

/// Timers in event or processing time: a time for a key and a namespace (a window, say), each at most once.
///
/// A timer is a key of a [`KeyedTable`] without values; a heap of times and slots beside it gives the order. A timer
/// that is deleted stays in the heap until its time comes or the heap is more than half such leftovers.
#[derive(Debug)]
pub struct TimerQueue {
    timers: KeyedTable<()>,
    /// Also holds timers that were deleted since; `times` and the table know.
    heap: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// By slot.
    times: Vec<Timestamp>,
    slots: Vec<u32>,
    key_columns: usize,
}

/// Timers whose time has come, earliest first.
#[derive(Clone, Debug)]
pub struct DueTimers {
    /// When each was due.
    pub timestamps: Vec<Timestamp>,
    /// The columns of their keys.
    pub keys: Vec<ArrayRef>,
    /// Their namespaces.
    pub namespaces: BinaryArray,
}

impl TimerQueue {
    /// An empty queue for keys with these columns, all of which decide the key group.
    ///
    /// # Errors
    /// If a type cannot be a key.
    pub fn new(name: &str, keys: &[FieldRef], max_parallelism: u32) -> Result<Self> {
        let mut fields = keys.to_vec();
        fields.push(Arc::new(Field::new("namespace", DataType::Binary, true)));
        fields.push(Arc::new(Field::new(
            "timestamp",
            DataType::Timestamp(TimeUnit::Millisecond, None),
            true,
        )));
        Ok(TimerQueue {
            timers: KeyedTable::new(name, &fields, keys.len(), max_parallelism, ())?,
            heap: BinaryHeap::new(),
            times: Vec::new(),
            slots: Vec::new(),
            key_columns: keys.len(),
        })
    }

    /// How many timers there are.
    pub fn len(&self) -> usize {
        self.timers.len()
    }

    /// Whether there are no timers.
    pub fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    /// Sets timers, one a row. One that is set already stays as it is.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn register(
        &mut self,
        keys: &[ArrayRef],
        namespaces: &BinaryArray,
        times: &[Timestamp],
    ) -> Result<()> {
        let columns = columns(keys, namespaces, times);
        let mut new = Vec::new();
        self.timers
            .intern(&columns, times.len(), &mut self.slots, |slot, row| new.push((times[row], slot)))?;
        self.push_all(new);
        Ok(())
    }

    /// Deletes timers, one a row. One that is not set is passed over.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn delete(&mut self, keys: &[ArrayRef], namespaces: &BinaryArray, times: &[Timestamp]) -> Result<()> {
        let columns = columns(keys, namespaces, times);
        self.timers.lookup(&columns, times.len(), &mut self.slots)?;
        for slot in self.slots.iter().filter(|slot| **slot != NO_SLOT) {
            self.timers.remove(*slot);
        }
        if self.heap.len() > 2 * self.timers.len() + 1024 {
            self.heap = self.timers.live().map(|slot| Reverse((self.times[slot as usize], slot))).collect();
        }
        Ok(())
    }

    /// The earliest time at which a timer is due.
    pub fn earliest(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((time, slot))) = self.heap.peek() {
            if self.is_set(*time, *slot) {
                return Some(*time);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes out timers that are due at `now`, earliest first, at most `limit`; `None` if there are none.
    ///
    /// # Errors
    /// Only if memory is exhausted or the queue is damaged.
    pub fn pop_due(&mut self, now: Timestamp, limit: usize) -> Result<Option<DueTimers>> {
        let (mut timestamps, mut slots) = (Vec::new(), Vec::new());
        while slots.len() < limit && self.earliest().is_some_and(|time| time <= now) {
            let Some(Reverse((time, slot))) = self.heap.pop() else {
                break;
            };
            // A timer that was deleted and set again is there twice, one after the other.
            if slots.last() != Some(&slot) {
                timestamps.push(time);
                slots.push(slot);
            }
        }
        // The twin of the last one must not be taken for a timer of its own when the slot is given out again.
        while let (Some(last), Some(Reverse((_, slot)))) = (slots.last(), self.heap.peek())
            && last == slot
        {
            self.heap.pop();
        }
        if slots.is_empty() {
            return Ok(None);
        }
        let mut keys = self.timers.keys_of(&slots)?;
        slots.iter().for_each(|slot| self.timers.remove(*slot));
        let namespaces = keys[self.key_columns].as_binary::<i32>().clone();
        keys.truncate(self.key_columns);
        Ok(Some(DueTimers { timestamps, keys, namespaces }))
    }

    /// What changed since the last snapshot, or with `full` everything; `None` if nothing did.
    ///
    /// # Errors
    /// If the columns cannot be built (more than 2 GB of strings).
    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.timers.snapshot(full)
    }

    /// Puts in the timers of a snapshot.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if the rows have other columns.
    pub fn restore(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        self.timers.restore(batches)?;
        let slots: Vec<u32> = self.timers.live().collect();
        let keys = self.timers.keys_of(&slots)?;
        let times = keys[self.key_columns + 1].as_primitive::<TimestampMillisecondType>();
        self.heap.clear();
        self.push_all(times.values().iter().copied().zip(slots).collect());
        Ok(())
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.timers.memory()
            + self.heap.capacity() * 16
            + self.times.capacity() * 8
            + self.slots.capacity() * 4
    }

    fn is_set(&self, time: Timestamp, slot: u32) -> bool {
        self.timers.is_live(slot) && self.times[slot as usize] == time
    }

    fn push_all(&mut self, timers: Vec<(Timestamp, u32)>) {
        if self.times.len() < self.timers.slots_end() {
            self.times.resize(self.timers.slots_end(), 0);
        }
        for (time, slot) in timers {
            self.times[slot as usize] = time;
            self.heap.push(Reverse((time, slot)));
        }
    }
}

fn columns(keys: &[ArrayRef], namespaces: &BinaryArray, times: &[Timestamp]) -> Vec<ArrayRef> {
    debug_assert_eq!(namespaces.len(), times.len());
    let mut columns = keys.to_vec();
    columns.push(Arc::new(namespaces.clone()));
    columns.push(Arc::new(TimestampMillisecondArray::from(times.to_vec())));
    columns
}
