//! One value for each key, as the operator sees it.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_batch::Record;
use flott_state::{Migration, RowColumn, SingleRows, SlotColumns, Stored};
use flott_types::{Error, Result, Timestamp};

use super::{estimated, in_state};
use flott_values::ColumnCodec;

/// The values of one state, by the slots of keys.
pub type ValueColumn<T> = RowColumn<SingleRows<Values<T>>>;

/// Values of a type by slot.
pub struct Values<T> {
    values: Vec<Option<T>>,
    codec: ColumnCodec<T>,
}

impl<T: Record> Values<T> {
    #[inline]
    fn get(&self, slot: u32) -> Option<&T> {
        self.values.get(slot as usize).and_then(Option::as_ref)
    }

    #[inline]
    fn place(&mut self, slot: u32) -> &mut Option<T> {
        let at = slot as usize;
        if at >= self.values.len() {
            self.grow(at);
        }
        &mut self.values[at]
    }

    #[cold]
    fn grow(&mut self, at: usize) {
        let end = (at + 1).max(self.values.len() * 2);
        self.values.resize_with(end, || None);
    }
}

impl<T: Record> SlotColumns for Values<T> {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.codec.field().clone()]
    }

    fn reset(&mut self, slot: u32) {
        *self.place(slot) = None;
    }

    /// A value of a user's type is there or not.
    fn has_initial(&self) -> bool {
        false
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.codec.encode(slots.iter().filter_map(|slot| self.get(*slot)))?])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        for column in columns {
            let values = self.codec.decode(column)?;
            slots.iter().zip(values).for_each(|(slot, value)| *self.place(*slot) = Some(value));
        }
        Ok(())
    }

    fn restore(&mut self, slots: &[u32], stored: Vec<Stored>) -> Result<Option<Migration>> {
        let [stored] = stored.as_slice() else {
            return Err(Error::internal("one column of values was expected"));
        };
        let (values, migration) = self.codec.restore(stored)?;
        slots.iter().zip(values).for_each(|(slot, value)| *self.place(*slot) = Some(value));
        Ok(migration)
    }

    fn warm(&self, slots: &[u32]) -> usize {
        slots.iter().filter(|slot| self.get(**slot).is_some()).count()
    }

    fn memory(&self) -> usize {
        let owned = estimated(&self.values, Option::as_ref);
        self.values.capacity() * size_of::<Option<T>>() + owned
    }
}

/// The operations on the values of a state.
///
/// `get`, `get_mut`, `set` and `take` ignore the time to live; `read`, `read_mut`, `write` and `discard`
/// respect it.
pub trait ValueAccess<T>: Sized {
    /// An empty state of that name.
    fn named(name: &str) -> Result<Self>;
    /// The value at a slot.
    fn get(&self, slot: u32) -> Option<&T>;
    /// The same, to be changed.
    fn get_mut(&mut self, slot: u32) -> Option<&mut T>;
    /// Puts a value at a slot.
    fn set(&mut self, slot: u32, value: T);
    /// Removes the value of a slot.
    fn take(&mut self, slot: u32) -> Option<T>;
    /// The value, if it has not expired.
    fn read(&self, slot: u32, now: Timestamp) -> Option<&T>;
    /// The value, if it has not expired, to be changed.
    fn read_mut(&mut self, slot: u32, now: Timestamp) -> Option<&mut T>;
    /// Puts a value at a slot, at this time.
    fn write(&mut self, slot: u32, value: T, now: Timestamp);
    /// Replaces the value by the function's result.
    fn fold(&mut self, slot: u32, now: Timestamp, function: impl FnOnce(Option<T>) -> T);
    /// Removes the value. Returns whether there was one, and the value if it was visible.
    fn discard(&mut self, slot: u32, now: Timestamp) -> (bool, Option<T>);
}

impl<T: Record> ValueAccess<T> for ValueColumn<T> {
    fn named(name: &str) -> Result<Self> {
        let codec = ColumnCodec::new("value").map_err(|error| in_state(name, error))?;
        Ok(RowColumn::new(name, SingleRows::new(Values { values: Vec::new(), codec })))
    }

    #[inline]
    fn get(&self, slot: u32) -> Option<&T> {
        self.values().get(slot)
    }

    #[inline]
    fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        if self.get(slot).is_some() {
            self.mark(slot);
        }
        self.values_mut().values.get_mut(slot as usize).and_then(Option::as_mut)
    }

    #[inline]
    fn set(&mut self, slot: u32, value: T) {
        *self.values_mut().place(slot) = Some(value);
        if !self.add(slot) {
            self.mark(slot);
        }
    }

    fn take(&mut self, slot: u32) -> Option<T> {
        let taken = self.values_mut().values.get_mut(slot as usize).and_then(Option::take);
        if taken.is_some() {
            // `occupied` says whether the key can be freed.
            self.remove(slot);
        }
        taken
    }

    #[inline]
    fn read(&self, slot: u32, now: Timestamp) -> Option<&T> {
        let value = self.get(slot)?;
        self.is_visible(slot, now).then_some(value)
    }

    #[inline]
    fn read_mut(&mut self, slot: u32, now: Timestamp) -> Option<&mut T> {
        if self.ttl().is_some() {
            self.read(slot, now)?;
            self.touch(slot, now);
        }
        self.get_mut(slot)
    }

    #[inline]
    fn write(&mut self, slot: u32, value: T, now: Timestamp) {
        self.set(slot, value);
        self.touch(slot, now);
    }

    #[inline]
    fn fold(&mut self, slot: u32, now: Timestamp, function: impl FnOnce(Option<T>) -> T) {
        let visible = self.ttl().is_none() || self.read(slot, now).is_some();
        let old = self.values_mut().place(slot).take();
        self.write(slot, function(old.filter(|_| visible)), now);
    }

    fn discard(&mut self, slot: u32, now: Timestamp) -> (bool, Option<T>) {
        let visible = self.read(slot, now).is_some();
        let taken = self.take(slot);
        (taken.is_some(), taken.filter(|_| visible))
    }
}
