//! Functions on keyed streams: state and timers.

use flott_batch::Record;
use flott_state::TimerQueue;
use flott_types::{Result, Timestamp, Watermark};

use crate::life_cycle;
use crate::output::{Collector, OutputTag};
use crate::state::{StateAccess, States};

/// A function on a keyed stream, with state for each key and timers.
///
/// ```
/// # use flott_datastream::*;
/// /// Puts out a key when nothing has come for it in a minute of event time.
/// #[derive(Clone, Default)]
/// struct Silence { last: ValueState<Timestamp> }
///
/// impl KeyedProcessFunction<String, i64> for Silence {
///     type Out = String;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.last = context.value_state("last")?;
///         Ok(())
///     }
///     fn process_element(&mut self, _: i64, ctx: &mut KeyedContext<'_, String, String>) -> Result<()> {
///         let at = ctx.timestamp().unwrap_or(0);
///         self.last.set(ctx, at);
///         ctx.register_event_time_timer(at + 60_000);
///         Ok(())
///     }
///     fn on_timer(&mut self, at: Timestamp, ctx: &mut KeyedContext<'_, String, String>) -> Result<()> {
///         if self.last.get(ctx) == Some(&(at - 60_000)) {
///             self.last.clear(ctx);
///             let key = ctx.current_key().clone();
///             ctx.collect(key);
///         }
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function on a stream of `{I}` keyed by `{K}`",
    label = "does not implement `KeyedProcessFunction<{K}, {I}>`",
    note = "its type parameters are the types of the key and of the records: `impl KeyedProcessFunction<{K}, {I}> for {Self}`"
)]
pub trait KeyedProcessFunction<K, I>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// A record. States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_element(&mut self, value: I, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()>;

    /// A timer of a key fires; [`KeyedContext::time_domain`] says of which kind. States are those of that
    /// key.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_timer(&mut self, timestamp: Timestamp, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()> {
        let _ = (timestamp, context);
        Ok(())
    }
}

/// Event time or processing time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimeDomain {
    /// Event time.
    EventTime,
    /// Processing time.
    ProcessingTime,
}

/// The context of a call of a function on a keyed stream, without the key and the output.
pub struct KeyedCall<'a> {
    /// At the key's slot.
    pub states: &'a mut States,
    /// Event-time timers.
    pub event_timers: &'a mut TimerQueue,
    /// Processing-time timers.
    pub processing_timers: &'a mut TimerQueue,
    /// The timestamp of the record, if it has one, or of the timer.
    pub timestamp: Option<Timestamp>,
    /// The kind of the timer that fires.
    pub domain: Option<TimeDomain>,
    /// The current watermark.
    pub watermark: Watermark,
    /// The processing time.
    pub now: Timestamp,
}

/// The key's part of the context, without the output: see [`KeyedContext::split`].
pub struct KeyedStates<'s, 'c, K> {
    key: &'s K,
    call: &'s mut KeyedCall<'c>,
}

impl<K> KeyedStates<'_, '_, K> {
    /// The key of the record or timer.
    pub fn current_key(&self) -> &K {
        self.key
    }

    /// The timestamp of the record, if it has one, or of the timer.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.call.timestamp
    }

    /// The watermark: no record with a timestamp at or below it will follow, unless it is late.
    pub fn current_watermark(&self) -> Watermark {
        self.call.watermark
    }

    /// The processing time in milliseconds since the epoch.
    pub fn current_processing_time(&self) -> Timestamp {
        self.call.now
    }
}

impl<K> StateAccess for KeyedStates<'_, '_, K> {
    fn states(&self) -> &States {
        self.call.states
    }

    fn states_mut(&mut self) -> &mut States {
        self.call.states
    }
}

/// What a [`KeyedProcessFunction`] may use during a call.
pub struct KeyedContext<'a, K, O> {
    pub(crate) key: &'a K,
    pub(crate) collector: Collector<'a, O>,
    pub(crate) call: KeyedCall<'a>,
}

impl<'a, K, O> KeyedContext<'a, K, O> {
    #[doc(hidden)]
    pub fn new(key: &'a K, collector: Collector<'a, O>, call: KeyedCall<'a>) -> Self {
        KeyedContext { key, collector, call }
    }

    /// Splits the context into the states of the key and the output, so that a state can be iterated while
    /// values are emitted.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # struct F { pages: MapState<String, u32> }
    /// # impl F {
    /// # fn report(&self, ctx: &mut KeyedContext<'_, u64, (String, u32)>) {
    /// let (states, out) = ctx.split();
    /// for (page, visits) in self.pages.iter(&states) {
    ///     out.collect((page.clone(), *visits));
    /// }
    /// # }
    /// # }
    /// ```
    pub fn split(&mut self) -> (KeyedStates<'_, 'a, K>, &mut Collector<'a, O>) {
        (KeyedStates { key: self.key, call: &mut self.call }, &mut self.collector)
    }
}

impl<K, O: Record> KeyedContext<'_, K, O> {
    /// The key of the record or timer.
    pub fn current_key(&self) -> &K {
        self.key
    }

    /// Emits a value with the timestamp of the record or of the event-time timer.
    #[inline]
    pub fn collect(&mut self, value: O) {
        self.collector.collect(value);
    }

    /// Emits a value to a side output.
    pub fn output<X: Record>(&mut self, tag: &OutputTag<X>, value: X) {
        self.collector.output(tag, value);
    }

    /// The timestamp of the record, if it has one, or of the timer.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.call.timestamp
    }

    /// In `on_timer`, the kind of timer that fires.
    pub fn time_domain(&self) -> Option<TimeDomain> {
        self.call.domain
    }

    /// The watermark: no record with a timestamp at or below it will follow, unless it is late.
    pub fn current_watermark(&self) -> Watermark {
        self.call.watermark
    }

    /// The processing time in milliseconds since the epoch. The same for a whole batch.
    pub fn current_processing_time(&self) -> Timestamp {
        self.call.now
    }

    /// Calls `on_timer` for the current key when the watermark has reached `at`; once, however often it is
    /// registered.
    pub fn register_event_time_timer(&mut self, at: Timestamp) {
        let KeyedCall { event_timers, states, .. } = &mut self.call;
        states.note(event_timers.register(at, states.slot));
    }

    /// Calls `on_timer` for the current key when the clock has reached `at`; once, however often it is
    /// registered.
    pub fn register_processing_time_timer(&mut self, at: Timestamp) {
        let KeyedCall { processing_timers, states, .. } = &mut self.call;
        states.note(processing_timers.register(at, states.slot));
    }

    /// Deletes a timer of the current key. Nothing happens if there is none.
    pub fn delete_event_time_timer(&mut self, at: Timestamp) {
        let KeyedCall { event_timers, states, .. } = &mut self.call;
        if event_timers.delete(at, states.slot) {
            states.freed.push(states.slot);
        }
    }

    /// Deletes a timer of the current key. Nothing happens if there is none.
    pub fn delete_processing_time_timer(&mut self, at: Timestamp) {
        let KeyedCall { processing_timers, states, .. } = &mut self.call;
        if processing_timers.delete(at, states.slot) {
            states.freed.push(states.slot);
        }
    }
}

impl<K, O> StateAccess for KeyedContext<'_, K, O> {
    fn states(&self) -> &States {
        self.call.states
    }

    fn states_mut(&mut self) -> &mut States {
        self.call.states
    }
}
