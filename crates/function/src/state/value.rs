//! One value for each key.

use std::marker::PhantomData;

use flott_batch::Record;

use super::{StateAccess, ValueAccess, ValueColumn};

/// A value for each key (`ValueState` in Flink). Declared in `open`; reads and writes the value of the
/// current key.
///
/// ```
/// # use flott_datastream::*;
/// #[derive(Clone, Default)]
/// struct CountPerKey { count: ValueState<u64> }
///
/// impl KeyedProcessFunction<String, i64> for CountPerKey {
///     type Out = u64;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.count = context.value_state("count")?;
///         Ok(())
///     }
///     fn process_element(&mut self, _: i64, ctx: &mut KeyedContext<'_, String, u64>) -> Result<()> {
///         let count = self.count.get(ctx).copied().unwrap_or(0) + 1;
///         self.count.set(ctx, count);
///         ctx.collect(count);
///         Ok(())
///     }
/// }
/// ```
pub struct ValueState<T> {
    number: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for ValueState<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ValueState<T> {}

/// A state that was not declared; using it is an error.
impl<T> Default for ValueState<T> {
    fn default() -> Self {
        ValueState { number: u32::MAX, of: PhantomData }
    }
}

impl<T: Record> ValueState<T> {
    #[doc(hidden)]
    pub fn new(number: u32) -> Self {
        ValueState { number, of: PhantomData }
    }

    /// The value of the current key.
    #[inline]
    pub fn get<'a>(&self, context: &'a impl StateAccess) -> Option<&'a T> {
        let states = context.states();
        states.column::<ValueColumn<T>>(self.number)?.read(states.slot, states.now)
    }

    /// The value of the current key, to be changed in place.
    #[inline]
    pub fn get_mut<'a>(&self, context: &'a mut impl StateAccess) -> Option<&'a mut T> {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        states.column_mut::<ValueColumn<T>>(self.number)?.read_mut(slot, now)
    }

    /// Sets the value of the current key.
    #[inline]
    pub fn set(&self, context: &mut impl StateAccess, value: T) {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        if let Some(column) = states.column_mut::<ValueColumn<T>>(self.number) {
            column.write(slot, value, now);
        }
    }

    /// A copy of the value of the current key, or the type's default if it has none.
    pub fn get_or_default(&self, context: &impl StateAccess) -> T
    where
        T: Clone + Default,
    {
        self.get(context).cloned().unwrap_or_default()
    }

    /// Changes the value of the current key in place; a missing one starts as the type's default. Returns the
    /// function's result.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # fn count(count: ValueState<u64>, ctx: &mut KeyedContext<'_, String, u64>) {
    /// let count = count.update(ctx, |count| {
    ///     *count += 1;
    ///     *count
    /// });
    /// # ctx.collect(count);
    /// # }
    /// ```
    #[inline]
    pub fn update<R>(&self, context: &mut impl StateAccess, change: impl FnOnce(&mut T) -> R) -> R
    where
        T: Default,
    {
        if let Some(value) = self.get_mut(context) {
            return change(value);
        }
        let mut value = T::default();
        let result = change(&mut value);
        self.set(context, value);
        result
    }

    /// Removes and returns the value of the current key.
    pub fn take(&self, context: &mut impl StateAccess) -> Option<T> {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        let (removed, visible) = states.column_mut::<ValueColumn<T>>(self.number)?.discard(slot, now);
        if removed {
            states.freed.push(slot);
        }
        visible
    }

    /// Removes the value of the current key.
    pub fn clear(&self, context: &mut impl StateAccess) {
        self.take(context);
    }
}
