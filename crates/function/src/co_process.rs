//! Functions on two streams.

use flott_batch::Record;
use flott_types::{Result, Timestamp};

use crate::keyed_process::KeyedContext;
use crate::life_cycle;
use crate::process::ProcessContext;

/// A function with a life cycle on two streams without keys.
///
/// There is no order between the values of the two streams.
///
/// ```
/// # use flott_datastream::*;
/// /// Lets orders through while the switch is on.
/// #[derive(Clone, Default)]
/// struct Gate { open: bool }
///
/// impl CoProcessFunction<String, bool> for Gate {
///     type Out = String;
///     fn process_first(&mut self, order: String, ctx: &mut ProcessContext<'_, String>) -> Result<()> {
///         if self.open { ctx.collect(order) }
///         Ok(())
///     }
///     fn process_second(&mut self, open: bool, _: &mut ProcessContext<'_, String>) -> Result<()> {
///         self.open = open;
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function on streams of `{A}` and `{B}`",
    label = "does not implement `CoProcessFunction<{A}, {B}>`",
    note = "its type parameters are the types of the records of both streams: `impl CoProcessFunction<{A}, {B}> for {Self}`"
)]
pub trait CoProcessFunction<A, B>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!(finish);

    /// A record of the first stream (`processElement1` of Flink).
    ///
    /// # Errors
    /// An error fails the task.
    fn process_first(&mut self, value: A, context: &mut ProcessContext<'_, Self::Out>) -> Result<()>;

    /// A record of the second stream (`processElement2` of Flink).
    ///
    /// # Errors
    /// An error fails the task.
    fn process_second(&mut self, value: B, context: &mut ProcessContext<'_, Self::Out>) -> Result<()>;
}

/// A function on two keyed streams. Both share keyed state and timers: what one stream stores, the other can
/// read.
///
/// ```
/// # use flott_datastream::*;
/// /// Puts the price of the last quote to each order of the same share.
/// #[derive(Clone, Default)]
/// struct LastPrice { price: ValueState<f64> }
///
/// impl KeyedCoProcessFunction<String, u64, f64> for LastPrice {
///     type Out = (u64, f64);
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.price = context.value_state("price")?;
///         Ok(())
///     }
///     fn process_first(&mut self, order: u64, ctx: &mut KeyedContext<'_, String, Self::Out>) -> Result<()> {
///         if let Some(price) = self.price.get(ctx).copied() { ctx.collect((order, price)) }
///         Ok(())
///     }
///     fn process_second(&mut self, price: f64, ctx: &mut KeyedContext<'_, String, Self::Out>) -> Result<()> {
///         self.price.set(ctx, price);
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function on streams of `{A}` and `{B}` keyed by `{K}`",
    label = "does not implement `KeyedCoProcessFunction<{K}, {A}, {B}>`",
    note = "its type parameters are the types of the key and of the records of both streams: `impl KeyedCoProcessFunction<{K}, {A}, {B}> for {Self}`"
)]
pub trait KeyedCoProcessFunction<K, A, B>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// A record of the first stream (`processElement1` of Flink). States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_first(&mut self, value: A, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()>;

    /// A record of the second stream (`processElement2` of Flink). States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_second(&mut self, value: B, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()>;

    /// A timer of a key fires, whichever stream registered it.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_timer(&mut self, timestamp: Timestamp, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()> {
        let _ = (timestamp, context);
        Ok(())
    }
}
