//! Functions of all elements of a window.

use flott_batch::Record;
use flott_types::{Result, Timestamp, Watermark};

use crate::types::NoKey;
use flott_function::life_cycle;
use flott_function::output::{Collector, OutputTag};
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::{OperatorStateAccess, StateAccess, States};

/// A function of all elements of a window, called when it fires, or of the single result of an incremental
/// aggregation.
///
/// ```
/// # use flott_datastream::window::*;
/// # use flott_datastream::*;
/// /// The number of records of each window, with its end, and how often windows of the key have fired.
/// #[derive(Clone, Default)]
/// struct Count { fired: ValueState<u64> }
///
/// impl<T> ProcessWindowFunction<String, TimeWindow, T> for Count {
///     type Out = (String, i64, usize, u64);
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.fired = context.value_state("fired")?;
///         Ok(())
///     }
///     fn process(
///         &mut self,
///         elements: &[T],
///         ctx: &mut WindowContext<'_, String, TimeWindow, Self::Out>,
///     ) -> Result<()> {
///         let fired = self.fired.get(ctx.global_state()).copied().unwrap_or(0) + 1;
///         self.fired.set(ctx.global_state(), fired);
///         let (key, end) = (ctx.key().clone(), ctx.window().end);
///         ctx.collect((key, end, elements.len(), fired));
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function of windows `{W}` of `{I}` keyed by `{K}`",
    label = "does not implement `ProcessWindowFunction<{K}, {W}, {I}>`",
    note = "its type parameters are the types of the key, of the window and of what is in it: `impl ProcessWindowFunction<{K}, {W}, {I}> for {Self}`; behind `aggregate_with` the window holds the result"
)]
pub trait ProcessWindowFunction<K, W, I>: Send + 'static {
    /// What it puts out.
    type Out: Record;

    life_cycle!();

    /// Declare state per key and window here. Access it with [`WindowContext::window_state`], and clear it in
    /// [`ProcessWindowFunction::clear`]. Merging windows cannot have any.
    ///
    /// # Errors
    /// An error fails the task.
    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// Called when a window fires.
    ///
    /// # Errors
    /// An error fails the task.
    fn process(&mut self, elements: &[I], context: &mut WindowContext<'_, K, W, Self::Out>) -> Result<()>;

    /// Called when a window is gone, with its contents.
    ///
    /// # Errors
    /// An error fails the task.
    fn clear(&mut self, context: &mut WindowContext<'_, K, W, Self::Out>) -> Result<()> {
        let _ = context;
        Ok(())
    }
}

/// What a function can use when a window fires.
pub struct WindowContext<'a, K, W, O> {
    pub(crate) key: &'a K,
    pub(crate) window: &'a W,
    pub(crate) collector: Collector<'a, O>,
    pub(crate) window_states: &'a mut States,
    pub(crate) global_states: &'a mut States,
    pub(crate) watermark: Watermark,
    pub(crate) now: Timestamp,
}

/// The operator state that the function declares in `open`.
impl<K, W, O> OperatorStateAccess for WindowContext<'_, K, W, O> {
    fn all_states(&self) -> &States {
        self.global_states
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.global_states
    }
}

/// What a function of windows over a whole stream can use.
pub type AllWindowContext<'a, W, O> = WindowContext<'a, NoKey, W, O>;

impl<'a, K, W, O: Record> WindowContext<'a, K, W, O> {
    /// The key.
    pub fn key(&self) -> &K {
        self.key
    }

    /// The window.
    pub fn window(&self) -> &W {
        self.window
    }

    /// Emits a value. Its timestamp is the last that belongs to the window.
    #[inline]
    pub fn collect(&mut self, value: O) {
        self.collector.collect(value);
    }

    /// Where values are emitted.
    pub fn collector(&mut self) -> &mut Collector<'a, O> {
        &mut self.collector
    }

    /// Emits a value to a side output.
    pub fn output<X: Record>(&mut self, tag: &OutputTag<X>, value: X) {
        self.collector.output(tag, value);
    }

    /// The watermark: no record with a timestamp at or below it will follow, unless it is late.
    pub fn current_watermark(&self) -> Watermark {
        self.watermark
    }

    /// The processing time, in milliseconds since the epoch.
    pub fn current_processing_time(&self) -> Timestamp {
        self.now
    }

    /// The states of the window.
    pub fn window_state(&mut self) -> &mut impl StateAccess {
        &mut *self.window_states
    }

    /// The states that all windows of the key share.
    pub fn global_state(&mut self) -> &mut impl StateAccess {
        &mut *self.global_states
    }
}
