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
    /// What it puts out.
    type Out: Record;

    life_cycle!();

    /// A record. States are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_element(&mut self, value: I, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()>;

    /// A timer of a key has come; [`KeyedContext::time_domain`] says of which kind. States are those of that key.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_timer(&mut self, timestamp: Timestamp, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()> {
        let _ = (timestamp, context);
        Ok(())
    }
}

/// Whose time it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimeDomain {
    /// That of the records.
    EventTime,
    /// That of the clock.
    ProcessingTime,
}

/// What belongs to a call of a function on a keyed stream, beside the key and the output.
pub struct KeyedCall<'a> {
    /// At the key's slot.
    pub states: &'a mut States,
    /// Timers of event time.
    pub event_timers: &'a mut TimerQueue,
    /// Timers by the clock.
    pub processing_timers: &'a mut TimerQueue,
    /// That of the record, if it has one, or of the timer.
    pub timestamp: Option<Timestamp>,
    /// That of the timer that fires.
    pub domain: Option<TimeDomain>,
    /// How far event time is.
    pub watermark: Watermark,
    /// The time by the clock.
    pub now: Timestamp,
}

/// What belongs to the key during a call, without the output: see [`KeyedContext::split`].
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

    /// Event time: no record with a timestamp at or below will follow, unless it is late.
    pub fn current_watermark(&self) -> Watermark {
        self.call.watermark
    }

    /// The time by the clock, in milliseconds since the epoch.
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

    /// The states of the key and the output, each by itself: so a state can be gone through while values are put out.
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

    /// Puts out a value, with the timestamp of the record or of the event-time timer.
    #[inline]
    pub fn collect(&mut self, value: O) {
        self.collector.collect(value);
    }

    /// Puts out a value to a side output.
    pub fn output<X: Record>(&mut self, tag: &OutputTag<X>, value: X) {
        self.collector.output(tag, value);
    }

    /// The timestamp of the record, if it has one, or of the timer.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.call.timestamp
    }

    /// In `on_timer` the kind of timer that has come.
    pub fn time_domain(&self) -> Option<TimeDomain> {
        self.call.domain
    }

    /// Event time: no record with a timestamp at or below will follow, unless it is late.
    pub fn current_watermark(&self) -> Watermark {
        self.call.watermark
    }

    /// The time by the clock, in milliseconds since the epoch. The same for a whole batch.
    pub fn current_processing_time(&self) -> Timestamp {
        self.call.now
    }

    /// Calls `on_timer` for the current key when the watermark has reached `at`. Once, however often it is asked for.
    pub fn register_event_time_timer(&mut self, at: Timestamp) {
        let KeyedCall { event_timers, states, .. } = &mut self.call;
        states.note(event_timers.register(at, states.slot));
    }

    /// Calls `on_timer` for the current key when the clock has reached `at`. Once, however often it is asked for.
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
