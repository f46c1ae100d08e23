//! A list for each key.

use std::marker::PhantomData;

use flott_batch::Record;

use super::{ListColumn, StateAccess};

/// A list for each key (`ListState` in Flink). A snapshot writes the values that were added.
///
/// ```
/// # use flott_datastream::*;
/// /// Puts out values in packs of three.
/// #[derive(Clone, Default)]
/// struct Packs { pack: ListState<i64> }
///
/// impl KeyedProcessFunction<String, i64> for Packs {
///     type Out = Vec<i64>;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.pack = context.list_state("pack")?;
///         Ok(())
///     }
///     fn process_element(&mut self, value: i64, ctx: &mut KeyedContext<'_, String, Vec<i64>>) -> Result<()> {
///         self.pack.add(ctx, value);
///         if self.pack.iter(ctx).count() == 3 {
///             let pack = self.pack.take(ctx);
///             ctx.collect(pack);
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct ListState<T> {
    number: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for ListState<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ListState<T> {}

/// A state that was not declared; using it is an error.
impl<T> Default for ListState<T> {
    fn default() -> Self {
        ListState { number: u32::MAX, of: PhantomData }
    }
}

impl<T: Record> ListState<T> {
    pub(crate) fn new(number: u32) -> Self {
        ListState { number, of: PhantomData }
    }

    /// The values of the current key, in insertion order (`get` in Flink).
    pub fn iter<'a, C: StateAccess>(
        &self,
        context: &'a C,
    ) -> impl DoubleEndedIterator<Item = &'a T> + use<'a, T, C> {
        let states = context.states();
        let column = states.column::<ListColumn<T>>(self.number);
        column.and_then(|column| column.read(states.slot, states.now)).into_iter().flatten()
    }

    /// Whether the current key has no values.
    pub fn is_empty(&self, context: &impl StateAccess) -> bool {
        self.iter(context).next().is_none()
    }

    /// Adds a value for the current key, at the end.
    pub fn add(&self, context: &mut impl StateAccess, value: T) {
        self.add_all(context, std::iter::once(value));
    }

    /// Adds values for the current key, at the end.
    pub fn add_all(&self, context: &mut impl StateAccess, values: impl IntoIterator<Item = T>) {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        if let Some(column) = states.column_mut::<ListColumn<T>>(self.number) {
            column.extend(slot, values, now);
        }
    }

    /// Replaces the values of the current key.
    pub fn update(&self, context: &mut impl StateAccess, values: impl IntoIterator<Item = T>) {
        self.clear(context);
        self.add_all(context, values);
    }

    /// Removes and returns the values of the current key.
    pub fn take(&self, context: &mut impl StateAccess) -> Vec<T> {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        let taken = states.column_mut::<ListColumn<T>>(self.number).map(|column| column.take(slot, now));
        states.freed.push(slot);
        taken.unwrap_or_default()
    }

    /// Removes the values of the current key.
    pub fn clear(&self, context: &mut impl StateAccess) {
        self.take(context);
    }
}
