//! Functions of pairs of records.

use flott_batch::Record;
use flott_types::{Result, Timestamp, Watermark};

use crate::life_cycle;
use crate::output::{Collector, OutputTag};
use crate::state::{OperatorStateAccess, States};

/// A function of each pair of records that an interval join finds.
///
/// ```
/// # use flott_datastream::*;
/// /// Puts out how long after the order the payment came.
/// #[derive(Clone)]
/// struct Delay;
///
/// impl ProcessJoinFunction<String, u64> for Delay {
///     type Out = (String, i64);
///     fn process_element(&mut self, order: &String, _: &u64, ctx: &mut JoinContext<'_, Self::Out>) -> Result<()> {
///         let delay = ctx.right_timestamp() - ctx.left_timestamp();
///         ctx.collect((order.clone(), delay));
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function of pairs of `{L}` and `{R}`",
    label = "does not implement `ProcessJoinFunction<{L}, {R}>`",
    note = "its type parameters are the types of the records of both streams: `impl ProcessJoinFunction<{L}, {R}> for {Self}`"
)]
pub trait ProcessJoinFunction<L, R>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// A pair.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_element(
        &mut self,
        left: &L,
        right: &R,
        context: &mut JoinContext<'_, Self::Out>,
    ) -> Result<()>;
}

/// What a [`ProcessJoinFunction`] may use during a call.
pub struct JoinContext<'a, O> {
    pub(crate) collector: Collector<'a, O>,
    pub(crate) states: &'a mut States,
    pub(crate) left: Timestamp,
    pub(crate) right: Timestamp,
    pub(crate) watermark: Watermark,
}

/// For the operator that calls the function.
impl<'a, O> JoinContext<'a, O> {
    #[doc(hidden)]
    pub fn new(
        collector: Collector<'a, O>,
        states: &'a mut States,
        (left, right): (Timestamp, Timestamp),
        watermark: Watermark,
    ) -> Self {
        JoinContext { collector, states, left, right, watermark }
    }
}

impl<O> OperatorStateAccess for JoinContext<'_, O> {
    fn all_states(&self) -> &States {
        self.states
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.states
    }
}

impl<O: Record> JoinContext<'_, O> {
    /// Emits a value with the timestamp of the pair.
    pub fn collect(&mut self, value: O) {
        self.collector.collect(value);
    }

    /// Emits a value to a side output.
    pub fn output<X: Record>(&mut self, tag: &OutputTag<X>, value: X) {
        self.collector.output(tag, value);
    }

    /// The timestamp of the left record.
    pub fn left_timestamp(&self) -> Timestamp {
        self.left
    }

    /// The timestamp of the right record.
    pub fn right_timestamp(&self) -> Timestamp {
        self.right
    }

    /// The timestamp of the pair: the later of both.
    pub fn timestamp(&self) -> Timestamp {
        self.left.max(self.right)
    }

    /// The watermark: no record with a timestamp at or below it will follow, unless it is late.
    pub fn current_watermark(&self) -> Watermark {
        self.watermark
    }
}
