//! Timers in event or processing time. Each is set at most once for a key and a time. Timers are state.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::{ArrayRef, TimestampMillisecondArray};
use arrow::datatypes::TimestampMillisecondType;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use flott_types::{Error, FastMap, Result, Timestamp};

use crate::spill::{Fetched, Spilled, SpilledTable};
use crate::{
    Index, KeyedDelta, Migration, NO_SLOT, RestoredState, RowColumn, RowSource, Rows, Slots, StateColumn,
    StoredRows,
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
    /// Timers that are due at this time have been taken.
    taken: Timestamp,
}

impl TimerQueue {
    /// An empty queue with this name in snapshots.
    pub fn new(name: &str) -> Self {
        let column = RowColumn::new(name, TimerRows::default());
        TimerQueue { column, heap: BinaryHeap::new(), taken: Timestamp::MIN }
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
        self.forget_leftovers();
        freed
    }

    fn forget_leftovers(&mut self) {
        if self.heap.len() > 2 * self.len() + 1_024 {
            self.order();
        }
    }

    fn order(&mut self) {
        let rows = self.column.rows();
        self.heap = self.column.live().map(|row| Reverse(rows.timers[row as usize])).collect();
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
        self.taken = self.taken.max(now);
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
        self.order();
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

    fn enable_spilling(&mut self) -> bool {
        self.column.enable_spilling()
    }

    /// A key whose timers are due stays: they fire in order.
    fn retain_settled(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        slots.retain(|slot| self.first_due(*slot).is_none_or(|at| at > self.taken));
        self.column.retain_settled(slots)
    }

    fn expiry(&self, slot: u32) -> Timestamp {
        self.column.expiry(slot)
    }

    fn first_due(&self, slot: u32) -> Option<Timestamp> {
        let rows = self.column.rows();
        let live = rows.of(slot).filter(|row| self.column.is_live(*row));
        live.map(|row| rows.timers[row as usize].0).min()
    }

    fn spill(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        self.column.spill(slots, into)
    }

    fn leave(&mut self, slots: &[u32]) -> Result<()> {
        self.column.leave(slots)?;
        self.forget_leftovers();
        Ok(())
    }

    fn fetch(&mut self, from: &Fetched<'_>) -> Result<()> {
        self.column.fetch(from)?;
        let rows = self.column.rows();
        for slot in from.slots() {
            self.heap.extend(rows.of(*slot).map(|row| Reverse(rows.timers[row as usize])));
        }
        Ok(())
    }

    fn describe(&mut self, index: &dyn Index, into: &mut Vec<SpilledTable>) -> Result<()> {
        self.column.describe(index, into)
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
    /// By the key's slot: the number of one of its timers, including deleted ones that a snapshot must delete.
    first: Vec<u32>,
    /// By number: the ones before and after it among those of its key.
    links: Vec<(u32, u32)>,
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
        let slot = timer.1 as usize;
        if slot >= self.first.len() {
            self.first.resize((slot + 1).next_power_of_two(), NO_SLOT);
        }
        let after = std::mem::replace(&mut self.first[slot], row);
        if after != NO_SLOT {
            self.links[after as usize].0 = row;
        }
        if row as usize == self.timers.len() {
            self.timers.push(timer);
            self.links.push((NO_SLOT, after));
        } else {
            self.timers[row as usize] = timer;
            self.links[row as usize] = (NO_SLOT, after);
        }
        self.numbers.insert(timer, row);
        Ok(row)
    }

    /// The timers of a key.
    fn of(&self, slot: u32) -> impl Iterator<Item = u32> + '_ {
        let there = |row: u32| (row != NO_SLOT).then_some(row);
        let first = self.first.get(slot as usize).copied().and_then(there);
        std::iter::successors(first, move |row| there(self.links[*row as usize].1))
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
        self.first.get(slot as usize).is_some_and(|first| *first != NO_SLOT)
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
        let (before, after) = self.links[row as usize];
        if after != NO_SLOT {
            self.links[after as usize].0 = before;
        }
        match before {
            NO_SLOT => self.first[timer.1 as usize] = after,
            before => self.links[before as usize].1 = after,
        }
        before == NO_SLOT && after == NO_SLOT
    }

    fn can_spill(&mut self) -> bool {
        true
    }

    fn rows_of(&self, slot: u32, into: &mut Vec<u32>) {
        into.extend(self.of(slot));
    }

    /// A timer that has fired leaves like the others: keys whose timers fire would otherwise be in memory
    /// until the next snapshot.
    fn is_settled(&self, _: u32, _: impl Fn(u32) -> bool) -> bool {
        true
    }

    fn memory(&self) -> usize {
        let timers = (self.numbers.capacity() + self.timers.capacity()) * size_of::<Timer>();
        timers
            + self.numbers.capacity() * 4
            + self.slots.memory()
            + self.first.capacity() * 4
            + self.links.capacity() * 8
    }
}
