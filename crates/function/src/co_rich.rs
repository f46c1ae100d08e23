//! Simple functions on two streams with a life cycle (`RichCoMapFunction` and `RichCoFlatMapFunction` in Flink),
//! without keys and with keyed state.
//!
//! As for one stream, `map` and `flat_map` take closures, and types that implement these traits go to
//! `map_with` and `flat_map_with`.

use flott_batch::Record;
use flott_types::Result;

use crate::co_process::{CoProcessFunction, KeyedCoProcessFunction};
use crate::keyed_process::{KeyedContext, KeyedStates};
use crate::output::Collector;
use crate::process::ProcessContext;
use crate::{life_cycle, life_cycle_of};

/// One value for each value of either stream.
///
/// ```
/// # use flott_datastream::*;
/// /// Scales values by the last factor.
/// #[derive(Clone)]
/// struct Scale { factor: i64 }
///
/// impl CoMapFunction<i64, i64> for Scale {
///     type Out = i64;
///     fn map_first(&mut self, value: i64) -> Result<i64> {
///         Ok(value * self.factor)
///     }
///     fn map_second(&mut self, factor: i64) -> Result<i64> {
///         self.factor = factor;
///         Ok(factor)
///     }
/// }
///
/// let env = StreamExecutionEnvironment::new();
/// let (values, factors) = (env.from_collection([3]), env.from_collection(Vec::<i64>::new()));
/// let scaled = values.connect(&factors).map_with(Scale { factor: 7 });
/// assert_eq!(scaled.execute_and_collect("t")?.collect::<Result<Vec<_>>>()?, [21]);
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `CoMapFunction` of `{A}` and `{B}`",
    label = "does not implement `CoMapFunction<{A}, {B}>`",
    note = "its type parameters are the types of the records of both streams: `impl CoMapFunction<{A}, {B}> for {Self}`"
)]
pub trait CoMapFunction<A, B>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// The value for a record of the first stream (`map1` of Flink).
    ///
    /// # Errors
    /// An error fails the task.
    fn map_first(&mut self, value: A) -> Result<Self::Out>;

    /// The value for a record of the second stream (`map2` of Flink).
    ///
    /// # Errors
    /// An error fails the task.
    fn map_second(&mut self, value: B) -> Result<Self::Out>;
}

/// Any number of values for each value of either stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `CoFlatMapFunction` of `{A}` and `{B}`",
    label = "does not implement `CoFlatMapFunction<{A}, {B}>`",
    note = "its type parameters are the types of the records of both streams: `impl CoFlatMapFunction<{A}, {B}> for {Self}`"
)]
pub trait CoFlatMapFunction<A, B>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// Emits the values for a record of the first stream (`flatMap1` of Flink).
    ///
    /// # Errors
    /// An error fails the task.
    fn flat_map_first(&mut self, value: A, out: &mut Collector<'_, Self::Out>) -> Result<()>;

    /// Emits the values for a record of the second stream (`flatMap2` of Flink).
    ///
    /// # Errors
    /// An error fails the task.
    fn flat_map_second(&mut self, value: B, out: &mut Collector<'_, Self::Out>) -> Result<()>;
}

/// One value for each value of either keyed stream; both share the states of a key.
///
/// ```
/// # use flott_datastream::*;
/// /// Puts the last rate of its currency to each order.
/// #[derive(Clone, Default)]
/// struct Convert { rate: ValueState<i64> }
///
/// impl KeyedCoMapFunction<String, (String, i64), (String, i64)> for Convert {
///     type Out = (String, i64);
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.rate = context.value_state("rate")?;
///         Ok(())
///     }
///     fn map_first(&mut self, order: (String, i64), states: &mut KeyedStates<'_, '_, String>) -> Result<Self::Out> {
///         Ok((order.0, order.1 * self.rate.get_or_default(states)))
///     }
///     fn map_second(&mut self, rate: (String, i64), states: &mut KeyedStates<'_, '_, String>) -> Result<Self::Out> {
///         self.rate.set(states, rate.1);
///         Ok(rate)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `KeyedCoMapFunction` of `{A}` and `{B}` keyed by `{K}`",
    label = "does not implement `KeyedCoMapFunction<{K}, {A}, {B}>`",
    note = "its type parameters are the types of the key and of the records of both streams: `impl KeyedCoMapFunction<{K}, {A}, {B}> for {Self}`"
)]
pub trait KeyedCoMapFunction<K, A, B>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// The value for a record of the first stream (`map1` of Flink). States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn map_first(&mut self, value: A, states: &mut KeyedStates<'_, '_, K>) -> Result<Self::Out>;

    /// The value for a record of the second stream (`map2` of Flink). States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn map_second(&mut self, value: B, states: &mut KeyedStates<'_, '_, K>) -> Result<Self::Out>;
}

/// Any number of values for each value of either keyed stream; both share the states of a key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `KeyedCoFlatMapFunction` of `{A}` and `{B}` keyed by `{K}`",
    label = "does not implement `KeyedCoFlatMapFunction<{K}, {A}, {B}>`",
    note = "its type parameters are the types of the key and of the records of both streams: `impl KeyedCoFlatMapFunction<{K}, {A}, {B}> for {Self}`"
)]
pub trait KeyedCoFlatMapFunction<K, A, B>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// Emits the values for a record of the first stream (`flatMap1` of Flink). States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn flat_map_first(
        &mut self,
        value: A,
        states: &mut KeyedStates<'_, '_, K>,
        out: &mut Collector<'_, Self::Out>,
    ) -> Result<()>;

    /// Emits the values for a record of the second stream (`flatMap2` of Flink). States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn flat_map_second(
        &mut self,
        value: B,
        states: &mut KeyedStates<'_, '_, K>,
        out: &mut Collector<'_, Self::Out>,
    ) -> Result<()>;
}

/// A [`CoMapFunction`] as a process function.
#[derive(Clone)]
pub struct CoMapping<F>(pub F);

/// A [`CoFlatMapFunction`] as a process function.
#[derive(Clone)]
pub struct CoFlatMapping<F>(pub F);

/// A [`KeyedCoMapFunction`] as a process function.
#[derive(Clone)]
pub struct KeyedCoMapping<F>(pub F);

/// A [`KeyedCoFlatMapFunction`] as a process function.
#[derive(Clone)]
pub struct KeyedCoFlatMapping<F>(pub F);

impl<A, B, F: CoMapFunction<A, B>> CoProcessFunction<A, B> for CoMapping<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_first(&mut self, value: A, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        let value = self.0.map_first(value)?;
        context.collect(value);
        Ok(())
    }

    fn process_second(&mut self, value: B, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        let value = self.0.map_second(value)?;
        context.collect(value);
        Ok(())
    }
}

impl<A, B, F: CoFlatMapFunction<A, B>> CoProcessFunction<A, B> for CoFlatMapping<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_first(&mut self, value: A, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        self.0.flat_map_first(value, &mut context.collector)
    }

    fn process_second(&mut self, value: B, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        self.0.flat_map_second(value, &mut context.collector)
    }
}

impl<K, A, B, F: KeyedCoMapFunction<K, A, B>> KeyedCoProcessFunction<K, A, B> for KeyedCoMapping<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_first(&mut self, value: A, context: &mut KeyedContext<'_, K, F::Out>) -> Result<()> {
        let (mut states, out) = context.split();
        out.collect(self.0.map_first(value, &mut states)?);
        Ok(())
    }

    fn process_second(&mut self, value: B, context: &mut KeyedContext<'_, K, F::Out>) -> Result<()> {
        let (mut states, out) = context.split();
        out.collect(self.0.map_second(value, &mut states)?);
        Ok(())
    }
}

impl<K, A, B, F: KeyedCoFlatMapFunction<K, A, B>> KeyedCoProcessFunction<K, A, B> for KeyedCoFlatMapping<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_first(&mut self, value: A, context: &mut KeyedContext<'_, K, F::Out>) -> Result<()> {
        let (mut states, out) = context.split();
        self.0.flat_map_first(value, &mut states, out)
    }

    fn process_second(&mut self, value: B, context: &mut KeyedContext<'_, K, F::Out>) -> Result<()> {
        let (mut states, out) = context.split();
        self.0.flat_map_second(value, &mut states, out)
    }
}
