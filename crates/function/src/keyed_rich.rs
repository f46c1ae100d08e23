//! Simple functions with keyed state (`RichMapFunction` and the like in Flink, on a keyed stream).
//!
//! In addition to the record they get the states of its key: [`KeyedStates`]. For timers, use a
//! [`KeyedProcessFunction`].

use std::marker::PhantomData;

use flott_batch::Record;
use flott_types::Result;

use crate::keyed_process::{KeyedContext, KeyedProcessFunction, KeyedStates};
use crate::output::{Collector, Of};
use crate::rich::{FilterFunction, FlatMapFunction, MapFunction};
use crate::runtime_context::RuntimeContext;
use crate::state::ValueState;
use crate::{life_cycle, life_cycle_of};

/// One value for each, with keyed state.
///
/// ```
/// # use flott_datastream::*;
/// /// The difference to the key's value before.
/// #[derive(Clone, Default)]
/// struct Change { last: ValueState<i64> }
///
/// impl KeyedMapFunction<String, (String, i64)> for Change {
///     type Out = (String, i64);
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.last = context.value_state("last")?;
///         Ok(())
///     }
///     fn map(&mut self, (name, value): (String, i64), state: &mut KeyedStates<'_, '_, String>) -> Result<Self::Out> {
///         let last = self.last.get_or_default(state);
///         self.last.set(state, value);
///         Ok((name, value - last))
///     }
/// }
///
/// let env = StreamExecutionEnvironment::new();
/// let prices: DataStream<(String, i64)> = env.from_collection([("tea", 3), ("tea", 5)]);
/// let changes = prices.key_by_ref(|(name, _)| name).map_with(Change::default());
/// assert_eq!(changes.execute_and_collect("t")?.last().transpose()?, Some(("tea".to_owned(), 2)));
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `KeyedMapFunction` of `{I}` keyed by `{K}`",
    label = "does not implement `KeyedMapFunction<{K}, {I}>`",
    note = "its type parameters are the types of the key and of the records: `impl KeyedMapFunction<{K}, {I}> for {Self}`; closures go to the method without `_with`"
)]
pub trait KeyedMapFunction<K, I>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// The value for a record. States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn map(&mut self, value: I, states: &mut KeyedStates<'_, '_, K>) -> Result<Self::Out>;
}

/// Any number of values for each, with keyed state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `KeyedFlatMapFunction` of `{I}` keyed by `{K}`",
    label = "does not implement `KeyedFlatMapFunction<{K}, {I}>`",
    note = "its type parameters are the types of the key and of the records: `impl KeyedFlatMapFunction<{K}, {I}> for {Self}`; closures go to the method without `_with`"
)]
pub trait KeyedFlatMapFunction<K, I>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// Emits the values for a record. States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn flat_map(
        &mut self,
        value: I,
        states: &mut KeyedStates<'_, '_, K>,
        out: &mut Collector<'_, Self::Out>,
    ) -> Result<()>;
}

/// Keeps some values, with keyed state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `KeyedFilterFunction` of `{T}` keyed by `{K}`",
    label = "does not implement `KeyedFilterFunction<{K}, {T}>`",
    note = "its type parameters are the types of the key and of the records: `impl KeyedFilterFunction<{K}, {T}> for {Self}`; closures go to the method without `_with`"
)]
pub trait KeyedFilterFunction<K, T>: Send + 'static {
    life_cycle!();

    /// Whether to keep a value. States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn filter(&mut self, value: &T, states: &mut KeyedStates<'_, '_, K>) -> Result<bool>;
}

// Functions without keyed state work on a keyed stream too.
impl<K, I, F: MapFunction<I>> KeyedMapFunction<K, I> for F {
    type Out = F::Out;

    life_cycle_of!(as MapFunction);

    fn map(&mut self, value: I, _: &mut KeyedStates<'_, '_, K>) -> Result<F::Out> {
        MapFunction::map(self, value)
    }
}

impl<K, I, F: FlatMapFunction<I>> KeyedFlatMapFunction<K, I> for F {
    type Out = F::Out;

    life_cycle_of!(as FlatMapFunction);

    fn flat_map(
        &mut self,
        value: I,
        _: &mut KeyedStates<'_, '_, K>,
        out: &mut Collector<'_, F::Out>,
    ) -> Result<()> {
        FlatMapFunction::flat_map(self, value, out)
    }
}

impl<K, T, F: FilterFunction<T>> KeyedFilterFunction<K, T> for F {
    life_cycle_of!(as FilterFunction);

    fn filter(&mut self, value: &T, _: &mut KeyedStates<'_, '_, K>) -> Result<bool> {
        FilterFunction::filter(self, value)
    }
}

/// A [`KeyedMapFunction`] as a process function.
#[derive(Clone)]
pub struct KeyedMapping<F>(pub F);

/// A [`KeyedFlatMapFunction`] as a process function.
#[derive(Clone)]
pub struct KeyedFlatMapping<F>(pub F);

/// A [`KeyedFilterFunction`] as a process function.
#[derive(Clone)]
pub struct KeyedFiltering<F>(pub F);

impl<K, I, F: KeyedMapFunction<K, I>> KeyedProcessFunction<K, I> for KeyedMapping<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_element(&mut self, value: I, context: &mut KeyedContext<'_, K, F::Out>) -> Result<()> {
        let (mut states, out) = context.split();
        out.collect(self.0.map(value, &mut states)?);
        Ok(())
    }
}

impl<K, I, F: KeyedFlatMapFunction<K, I>> KeyedProcessFunction<K, I> for KeyedFlatMapping<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_element(&mut self, value: I, context: &mut KeyedContext<'_, K, F::Out>) -> Result<()> {
        let (mut states, out) = context.split();
        self.0.flat_map(value, &mut states, out)
    }
}

impl<K, T: Record, F: KeyedFilterFunction<K, T>> KeyedProcessFunction<K, T> for KeyedFiltering<F> {
    type Out = T;

    life_cycle_of!(0);

    fn process_element(&mut self, value: T, context: &mut KeyedContext<'_, K, T>) -> Result<()> {
        let (mut states, out) = context.split();
        if self.0.filter(&value, &mut states)? {
            out.collect(value);
        }
        Ok(())
    }
}

/// A closure with one value of state per key (`flatMapWithState` of Flink's Scala API).
pub struct WithState<F, S, O> {
    function: F,
    state: ValueState<S>,
    of: Of<O>,
}

impl<F, S: Record, O> WithState<F, S, O> {
    /// The state of the closure, which gets the value and may change or take it.
    pub fn new(function: F) -> Self {
        WithState { function, state: ValueState::default(), of: PhantomData }
    }
}

impl<F: Clone, S, O> Clone for WithState<F, S, O> {
    fn clone(&self) -> Self {
        WithState { function: self.function.clone(), state: self.state, of: PhantomData }
    }
}

impl<K, I, S, O, F> KeyedProcessFunction<K, I> for WithState<F, S, O>
where
    S: Record,
    O: Record,
    F: FnMut(I, &mut Option<S>, &mut Collector<'_, O>) -> Result<()> + Send + 'static,
{
    type Out = O;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.state = context.value_state("state")?;
        Ok(())
    }

    fn process_element(&mut self, value: I, context: &mut KeyedContext<'_, K, O>) -> Result<()> {
        let (mut states, out) = context.split();
        let mut state = self.state.take(&mut states);
        (self.function)(value, &mut state, out)?;
        if let Some(state) = state {
            self.state.set(&mut states, state);
        }
        Ok(())
    }
}
