//! Timers in event or processing time. Each is set at most once for a key and a time. Timers are state.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::{ArrayRef, TimestampMillisecondArray};
use arrow::datatypes::TimestampMillisecondType;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use flott_types::{Error, FastMap, Result, Timestamp};

use crate::{
    Index, KeyedDelta, Migration, RestoredState, RowColumn, RowSource, Rows, Slots, StateColumn, StoredRows,
};

/// A timer: when, and the slot of its key.
pub type Timer = (Timestamp, u32);

/// The timers of one time domain, over the slots of an index. Whatever else a timer belongs to (a window,
/// say) is part of the key.
///
/// A timer is a row without values, `(key, timestamp)`. A heap beside the rows gives the order. A deleted
/// timer stays in the heap until its time comes or more than half of the heap is such leftovers.
#[derive(Debug)]
pub struct TimerQueue {
    column: RowColumn<TimerRows>,
    heap: BinaryHeap<Reverse<Timer>>,
}

impl TimerQueue {
    /// An empty queue with this name in snapshots.
    pub fn new(name: &str) -> Self {
        TimerQueue { column: RowColumn::new(name, TimerRows::default()), heap: BinaryHeap::new() }
    }

    /// How many timers there are.
    pub fn len(&self) -> usize {
        self.column.len()
    }

    /// Whether there are no timers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets a timer. One that is already set stays as it is.
    ///
    /// # Errors
    /// If there are too many.
    pub fn register(&mut self, at: Timestamp, slot: u32) -> Result<()> {
        let row = self.column.rows_mut().intern((at, slot))?;
        if self.column.add(row) {
            self.heap.push(Reverse((at, slot)));
        }
        Ok(())
    }

    /// Deletes a timer if it is set. Returns whether the key may have become free.
    pub fn delete(&mut self, at: Timestamp, slot: u32) -> bool {
        let Some(freed) = self.remove((at, slot)) else { return false };
        if self.heap.len() > 2 * self.len() + 1_024 {
            let rows = self.column.rows();
            self.heap = self.column.live().map(|row| Reverse(rows.timers[row as usize])).collect();
        }
        freed
    }

    /// All timers, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Timer> + '_ {
        self.column.live().map(|row| self.column.rows().timers[row as usize])
    }

    /// `None` if it was not set; otherwise whether its key may have become free.
    fn remove(&mut self, timer: Timer) -> Option<bool> {
        let row = self.column.rows().find(&timer)?;
        let was_set = self.column.is_live(row);
        let freed = self.column.remove(row).is_some();
        was_set.then_some(freed)
    }

    fn is_set(&self, timer: &Timer) -> bool {
        self.column.rows().find(timer).is_some_and(|row| self.column.is_live(row))
    }

    /// The earliest time at which a timer is due.
    pub fn earliest(&mut self) -> Option<Timestamp> {
        while let Some(Reverse(timer)) = self.heap.peek() {
            if self.is_set(timer) {
                return Some(timer.0);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the earliest timer that is due at `now`, and whether its key may have become free.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<(Timer, bool)> {
        while let Some(Reverse(timer)) = self.heap.peek() {
            if timer.0 > now {
                return None;
            }
            let Reverse(timer) = self.heap.pop()?;
            if let Some(freed) = self.remove(timer) {
                return Some((timer, freed));
            }
        }
        None
    }
}

impl StateColumn for TimerQueue {
    fn name(&self) -> &str {
        self.column.name()
    }

    fn occupied(&self, slot: u32) -> bool {
        self.column.occupied(slot)
    }

    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        self.column.restore(index, restored)?;
        let rows = self.column.rows();
        self.heap = self.column.live().map(|row| Reverse(rows.timers[row as usize])).collect();
        Ok(())
    }

    fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        self.column.snapshot(index, full, freed, into)
    }

    fn memory(&self) -> usize {
        self.column.memory() + self.heap.capacity() * size_of::<Reverse<Timer>>()
    }
}

/// Numbered timers.
#[derive(Default, Debug)]
struct TimerRows {
    numbers: FastMap<Timer, u32>,
    /// By number.
    timers: Vec<Timer>,
    slots: Slots,
    /// By the key's slot: how many timers need it, including deleted ones that a snapshot must delete.
    uses: Vec<u32>,
}

impl TimerRows {
    fn find(&self, timer: &Timer) -> Option<u32> {
        self.numbers.get(timer).copied()
    }

    fn intern(&mut self, timer: Timer) -> Result<u32> {
        if let Some(row) = self.find(&timer) {
            return Ok(row);
        }
        let row = self.slots.take()?;
        if row as usize == self.timers.len() {
            self.timers.push(timer);
        } else {
            self.timers[row as usize] = timer;
        }
        self.numbers.insert(timer, row);
        let slot = timer.1 as usize;
        if slot >= self.uses.len() {
            self.uses.resize((slot + 1).next_power_of_two(), 0);
        }
        self.uses[slot] += 1;
        Ok(row)
    }
}

impl RowSource for TimerRows {
    type Row = u32;

    fn key_fields(&self) -> Vec<FieldRef> {
        let data_type = DataType::Timestamp(TimeUnit::Millisecond, None);
        vec![Arc::new(Field::new("timestamp", data_type, true))]
    }

    fn value_fields(&self) -> Vec<FieldRef> {
        Vec::new()
    }

    fn slot_of(&self, row: u32) -> u32 {
        self.timers[row as usize].1
    }

    fn keys(&self, rows: &[u32]) -> Result<Vec<ArrayRef>> {
        let times = rows.iter().map(|row| self.timers[*row as usize].0);
        Ok(vec![Arc::new(TimestampMillisecondArray::from_iter_values(times))])
    }

    fn values(&self, _: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(Vec::new())
    }
}

impl Rows for TimerRows {
    fn occupies(&self, slot: u32, _: impl Fn(u32) -> bool) -> bool {
        self.uses.get(slot as usize).is_some_and(|uses| *uses > 0)
    }

    fn restore(&mut self, stored: StoredRows) -> Result<(Vec<u32>, Option<Migration>)> {
        let times =
            stored.keys.first().and_then(|times| times.column.as_primitive_opt::<TimestampMillisecondType>());
        let times = times.ok_or_else(|| Error::state("its timers have no timestamps"))?;
        let timers = times.values().iter().copied().zip(stored.slots);
        Ok((timers.map(|timer| self.intern(timer)).collect::<Result<_>>()?, None))
    }

    fn clear(&mut self, _: u32) {}

    fn forget(&mut self, row: u32) -> bool {
        let timer = self.timers[row as usize];
        self.numbers.remove(&timer);
        self.slots.release(row);
        let uses = &mut self.uses[timer.1 as usize];
        *uses -= 1;
        *uses == 0
    }

    fn memory(&self) -> usize {
        let timers = (self.numbers.capacity() + self.timers.capacity()) * size_of::<Timer>();
        timers + self.numbers.capacity() * 4 + self.slots.memory() + self.uses.capacity() * 4
    }
}
