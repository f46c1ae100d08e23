//! One value for each key, into which values are folded.

use std::marker::PhantomData;

use flott_batch::Record;
use flott_state::spill::{Fetched, Spilled, SpilledTable};
use flott_state::{Index, KeyedDelta, Migration, RestoredState, StateColumn};
use flott_types::{Result, Timestamp};

use super::{StateAccess, ValueAccess, ValueColumn};
use crate::aggregate::AggregateFunction;

/// A value for each key, into which others are reduced (`ReducingState` in Flink).
///
/// ```
/// # use flott_datastream::*;
/// #[derive(Clone, Default)]
/// struct Highest { highest: ReducingState<i64> }
///
/// impl KeyedProcessFunction<String, i64> for Highest {
///     type Out = i64;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.highest = context.reducing_state("highest", |a: i64, b| a.max(b))?;
///         Ok(())
///     }
///     fn process_element(&mut self, value: i64, ctx: &mut KeyedContext<'_, String, i64>) -> Result<()> {
///         self.highest.add(ctx, value);
///         let highest = self.highest.get(ctx).copied();
///         highest.into_iter().for_each(|highest| ctx.collect(highest));
///         Ok(())
///     }
/// }
/// ```
pub struct ReducingState<T> {
    number: u32,
    of: PhantomData<fn() -> T>,
}

/// An accumulator for each key, to which values are added, and the result that an [`AggregateFunction`]
/// computes from it (`AggregatingState` in Flink).
///
/// ```
/// # use flott_datastream::*;
/// #[derive(Clone)]
/// struct Average;
///
/// impl AggregateFunction for Average {
///     type In = i64;
///     type Acc = (i64, u32);
///     type Out = f64;
/// #   fn create_accumulator(&self) -> (i64, u32) { (0, 0) }
/// #   fn add(&self, value: i64, acc: &mut (i64, u32)) { acc.0 += value; acc.1 += 1; }
/// #   fn get_result(&self, acc: &(i64, u32)) -> f64 { acc.0 as f64 / f64::from(acc.1) }
/// #   fn merge(&self, into: &mut (i64, u32), other: (i64, u32)) { into.0 += other.0; into.1 += other.1; }
///     // ...
/// }
///
/// #[derive(Clone, Default)]
/// struct Averages { average: AggregatingState<Average> }
///
/// impl KeyedProcessFunction<String, i64> for Averages {
///     type Out = f64;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.average = context.aggregating_state("average", Average)?;
///         Ok(())
///     }
///     fn process_element(&mut self, value: i64, ctx: &mut KeyedContext<'_, String, f64>) -> Result<()> {
///         self.average.add(ctx, value);
///         let average = self.average.get(ctx);
///         average.into_iter().for_each(|average| ctx.collect(average));
///         Ok(())
///     }
/// }
/// ```
pub struct AggregatingState<A> {
    number: u32,
    of: PhantomData<fn() -> A>,
}

macro_rules! copyable_handle {
    ($handle:ident, $of:ident) => {
        impl<$of> Clone for $handle<$of> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$of> Copy for $handle<$of> {}

        /// A state that was not declared; using it is an error.
        impl<$of> Default for $handle<$of> {
            fn default() -> Self {
                $handle::new(u32::MAX)
            }
        }

        impl<$of> $handle<$of> {
            pub(crate) fn new(number: u32) -> Self {
                $handle { number, of: PhantomData }
            }
        }
    };
}

copyable_handle!(ReducingState, T);
copyable_handle!(AggregatingState, A);

/// What a reducing state folds with.
pub(crate) type Reduction<T> = Box<dyn Fn(T, T) -> T + Send>;

type ReducingColumn<T> = FoldColumn<T, Reduction<T>>;
type AggregatingColumn<A> = FoldColumn<<A as AggregateFunction>::Acc, A>;

impl<T: Record> ReducingState<T> {
    /// The value of the current key.
    pub fn get<'a>(&self, context: &'a impl StateAccess) -> Option<&'a T> {
        let states = context.states();
        states.column::<ReducingColumn<T>>(self.number)?.values.read(states.slot, states.now)
    }

    /// Reduces the current key's value with this one. A key's first value is kept as it is.
    pub fn add(&self, context: &mut impl StateAccess, value: T) {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        if let Some(FoldColumn { values, function }) = states.column_mut::<ReducingColumn<T>>(self.number) {
            values.fold(slot, now, |old| match old {
                Some(old) => function(old, value),
                None => value,
            });
        }
    }

    /// Removes the value of the current key.
    pub fn clear(&self, context: &mut impl StateAccess) {
        clear::<T, Reduction<T>>(self.number, context);
    }
}

impl<A: AggregateFunction> AggregatingState<A> {
    /// The result for the current key; `None` if nothing was added.
    pub fn get(&self, context: &impl StateAccess) -> Option<A::Out> {
        let states = context.states();
        let FoldColumn { values, function } = states.column::<AggregatingColumn<A>>(self.number)?;
        values.read(states.slot, states.now).map(|accumulator| function.get_result(accumulator))
    }

    /// Adds a value to the accumulator of the current key.
    pub fn add(&self, context: &mut impl StateAccess, value: A::In) {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        let Some(FoldColumn { values, function }) = states.column_mut::<AggregatingColumn<A>>(self.number)
        else {
            return;
        };
        match values.read_mut(slot, now) {
            Some(accumulator) => function.add(value, accumulator),
            None => {
                let mut accumulator = function.create_accumulator();
                function.add(value, &mut accumulator);
                values.write(slot, accumulator, now);
            }
        }
    }

    /// Removes the accumulator of the current key.
    pub fn clear(&self, context: &mut impl StateAccess) {
        clear::<A::Acc, A>(self.number, context);
    }
}

fn clear<S: Record, F: Send + 'static>(number: u32, context: &mut impl StateAccess) {
    let states = context.states_mut();
    let (slot, now) = (states.slot, states.now);
    if let Some(column) = states.column_mut::<FoldColumn<S, F>>(number)
        && column.values.discard(slot, now).0
    {
        states.freed.push(slot);
    }
}

/// Values, and the function that folds others into them.
pub(crate) struct FoldColumn<S, F> {
    pub values: ValueColumn<S>,
    pub function: F,
}

impl<S: Record, F: Send + 'static> StateColumn for FoldColumn<S, F> {
    fn name(&self) -> &str {
        self.values.name()
    }

    fn warm(&self, slots: &[u32]) -> usize {
        self.values.warm(slots)
    }

    fn occupied(&self, slot: u32) -> bool {
        self.values.occupied(slot)
    }

    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        self.values.restore(index, restored)
    }

    fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        self.values.snapshot(index, full, freed, into)
    }

    fn tidy(&mut self, now: Timestamp, rows: usize, freed: &mut Vec<u32>) {
        self.values.tidy(now, rows, freed);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.values.wake_at()
    }

    fn enable_spilling(&mut self) -> bool {
        self.values.enable_spilling()
    }

    fn retain_settled(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        self.values.retain_settled(slots)
    }

    fn expiry(&self, slot: u32) -> Timestamp {
        self.values.expiry(slot)
    }

    fn time_to_live(&self) -> Option<i64> {
        self.values.time_to_live()
    }

    fn drop_expired(&mut self, slots: &[u32], now: Timestamp, freed: &mut Vec<u32>) {
        self.values.drop_expired(slots, now, freed);
    }

    fn spill(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        self.values.spill(slots, into)
    }

    fn leave(&mut self, slots: &[u32]) -> Result<()> {
        self.values.leave(slots)
    }

    fn fetch(&mut self, from: &Fetched<'_>) -> Result<()> {
        self.values.fetch(from)
    }

    fn describe(&mut self, index: &dyn Index, into: &mut Vec<SpilledTable>) -> Result<()> {
        self.values.describe(index, into)
    }

    fn migration(&self) -> Option<&Migration> {
        self.values.migration()
    }

    fn memory(&self) -> usize {
        self.values.memory()
    }
}
