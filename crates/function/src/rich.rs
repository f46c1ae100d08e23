//! Simple functions with a life cycle (`RichMapFunction` and the like in Flink).
//!
//! `map`, `flat_map` and `filter` take closures; types that implement these traits go to `map_with`,
//! `flat_map_with` and `filter_with`. With one method for both, the compiler could not infer the types of a
//! closure's arguments.

use flott_batch::Record;
use flott_types::Result;

use crate::output::Collector;
use crate::process::{ProcessContext, ProcessFunction};
use crate::{life_cycle, life_cycle_of};

/// One value for each.
///
/// ```
/// # use flott_datastream::*;
/// /// Numbers records by subtask.
/// #[derive(Clone, Default)]
/// struct Number { subtask: u32, next: u64 }
///
/// impl MapFunction<String> for Number {
///     type Out = (u32, u64, String);
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.subtask = context.subtask_index();
///         Ok(())
///     }
///     fn map(&mut self, value: String) -> Result<Self::Out> {
///         self.next += 1;
///         Ok((self.subtask, self.next, value))
///     }
/// }
///
/// let env = StreamExecutionEnvironment::new();
/// env.set_parallelism(1);
/// let numbered = env.from_collection(["a", "b"].map(String::from)).map_with(Number::default());
/// assert_eq!(numbered.execute_and_collect("t")?.last().transpose()?, Some((0, 2, "b".to_owned())));
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `MapFunction` of `{I}`",
    label = "does not implement `MapFunction<{I}>`",
    note = "its type parameter is the type of the records: `impl MapFunction<{I}> for {Self}`; closures go to the method without `_with`"
)]
pub trait MapFunction<I>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// The value for a record.
    ///
    /// # Errors
    /// An error fails the task.
    fn map(&mut self, value: I) -> Result<Self::Out>;
}

/// Any number of values for each.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `FlatMapFunction` of `{I}`",
    label = "does not implement `FlatMapFunction<{I}>`",
    note = "its type parameter is the type of the records: `impl FlatMapFunction<{I}> for {Self}`; closures go to the method without `_with`"
)]
pub trait FlatMapFunction<I>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// Emits the values for a record.
    ///
    /// # Errors
    /// An error fails the task.
    fn flat_map(&mut self, value: I, out: &mut Collector<'_, Self::Out>) -> Result<()>;
}

/// Keeps some values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `FilterFunction` of `{T}`",
    label = "does not implement `FilterFunction<{T}>`",
    note = "its type parameter is the type of the records: `impl FilterFunction<{T}> for {Self}`; closures go to the method without `_with`"
)]
pub trait FilterFunction<T>: Send + 'static {
    life_cycle!();

    /// Whether to keep a value.
    ///
    /// # Errors
    /// An error fails the task.
    fn filter(&mut self, value: &T) -> Result<bool>;
}

/// A [`MapFunction`] as a process function.
#[derive(Clone)]
pub struct Mapping<F>(pub F);

/// A [`FlatMapFunction`] as a process function.
#[derive(Clone)]
pub struct FlatMapping<F>(pub F);

/// A [`FilterFunction`] as a process function.
#[derive(Clone)]
pub struct Filtering<F>(pub F);

impl<I, F: MapFunction<I>> ProcessFunction<I> for Mapping<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_element(&mut self, value: I, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        let value = self.0.map(value)?;
        context.collect(value);
        Ok(())
    }
}

impl<I, F: FlatMapFunction<I>> ProcessFunction<I> for FlatMapping<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process_element(&mut self, value: I, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        self.0.flat_map(value, &mut context.collector)
    }
}

impl<T: Record, F: FilterFunction<T>> ProcessFunction<T> for Filtering<F> {
    type Out = T;

    life_cycle_of!(0);

    fn process_element(&mut self, value: T, context: &mut ProcessContext<'_, T>) -> Result<()> {
        if self.0.filter(&value)? {
            context.collect(value);
        }
        Ok(())
    }
}
