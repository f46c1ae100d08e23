//! Functions on streams without keys.

use flott_batch::Record;
use flott_types::{Result, Timestamp, Watermark};

use crate::life_cycle;
use crate::output::{Collector, OutputTag};
use crate::state::{BroadcastAccess, OperatorStateAccess, States};

/// A function with a life cycle on a stream without keys.
///
/// ```
/// # use flott_datastream::*;
/// #[derive(Clone)]
/// struct Split { small: OutputTag<i64> }
///
/// impl ProcessFunction<i64> for Split {
///     type Out = i64;
///     fn process_element(&mut self, value: i64, ctx: &mut ProcessContext<'_, i64>) -> Result<()> {
///         if value < 10 { ctx.output(&self.small, value) } else { ctx.collect(value) }
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function on a stream of `{I}`",
    label = "does not implement `ProcessFunction<{I}>`",
    note = "its type parameter is the type of the records: `impl ProcessFunction<{I}> for {Self}`"
)]
pub trait ProcessFunction<I>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!(finish);

    /// A record.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_element(&mut self, value: I, context: &mut ProcessContext<'_, Self::Out>) -> Result<()>;
}

/// What a [`ProcessFunction`] may use during a call.
pub struct ProcessContext<'a, O> {
    pub(crate) collector: Collector<'a, O>,
    pub(crate) states: &'a mut States,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) watermark: Watermark,
    pub(crate) now: Timestamp,
}

/// For the operators that call functions.
impl<'a, O> ProcessContext<'a, O> {
    #[doc(hidden)]
    pub fn new(
        collector: Collector<'a, O>,
        states: &'a mut States,
        timestamp: Option<Timestamp>,
        (watermark, now): (Watermark, Timestamp),
    ) -> Self {
        ProcessContext { collector, states, timestamp, watermark, now }
    }

    #[doc(hidden)]
    pub fn reborrow(&mut self) -> ProcessContext<'_, O> {
        let ProcessContext { collector, states, timestamp, watermark, now } = self;
        let collector = collector.reborrow();
        ProcessContext { collector, states, timestamp: *timestamp, watermark: *watermark, now: *now }
    }
}

impl<'a, O> ProcessContext<'a, O> {
    /// Splits the context into the operator state and the output, so that a state can be iterated while
    /// values are emitted.
    pub fn split(&mut self) -> (OwnStates<'_>, &mut Collector<'a, O>) {
        (OwnStates(self.states), &mut self.collector)
    }
}

/// The operator state of a function, without the output: see [`ProcessContext::split`].
pub struct OwnStates<'a>(&'a mut States);

impl OperatorStateAccess for OwnStates<'_> {
    fn all_states(&self) -> &States {
        self.0
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.0
    }
}

impl<O: Record> ProcessContext<'_, O> {
    /// Emits a value with the timestamp of the record.
    #[inline]
    pub fn collect(&mut self, value: O) {
        self.collector.collect(value);
    }

    /// Emits a value to a side output.
    pub fn output<X: Record>(&mut self, tag: &OutputTag<X>, value: X) {
        self.collector.output(tag, value);
    }

    /// The record's timestamp, if it has one.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// The watermark: no record with a timestamp at or below it will follow, unless it is late.
    pub fn current_watermark(&self) -> Watermark {
        self.watermark
    }

    /// The processing time in milliseconds since the epoch.
    pub fn current_processing_time(&self) -> Timestamp {
        self.now
    }
}

impl<O> OperatorStateAccess for ProcessContext<'_, O> {
    fn all_states(&self) -> &States {
        self.states
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.states
    }
}

impl<O> BroadcastAccess for ProcessContext<'_, O> {}
