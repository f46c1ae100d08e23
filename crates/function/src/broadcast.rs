//! Functions on a stream and a broadcast stream.

use std::ops::{Deref, DerefMut};

use flott_batch::Record;
use flott_types::{Result, Timestamp};

use crate::keyed_process::KeyedContext;
use crate::life_cycle;
use crate::process::ProcessContext;
use crate::state::Key;
use crate::state::{BroadcastAccess, KeyTable, OperatorStateAccess, StateAccess, States};

/// A function on a stream and a broadcast stream, whose values come to all subtasks: rules, say, that are kept in
/// [broadcast state](crate::state::BroadcastState). It is read everywhere and written only for values of the broadcast stream, since
/// it must be the same in all subtasks.
///
/// ```
/// # use flott_datastream::*;
/// /// Lets through what no rule forbids.
/// #[derive(Clone, Default)]
/// struct Rules { forbidden: BroadcastState<String, ()> }
///
/// impl BroadcastProcessFunction<String, String> for Rules {
///     type Out = String;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.forbidden = context.broadcast_state("forbidden")?;
///         Ok(())
///     }
///     fn process_element(&mut self, word: String, ctx: &mut ReadOnlyContext<'_, String>) -> Result<()> {
///         if !self.forbidden.contains(ctx, &word) { ctx.collect(word) }
///         Ok(())
///     }
///     fn process_broadcast_element(&mut self, rule: String, ctx: &mut BroadcastContext<'_, String>) -> Result<()> {
///         self.forbidden.insert(ctx, rule, ());
///         Ok(())
///     }
/// }
/// ```
///
/// For a value of the main stream it cannot be written:
///
/// ```compile_fail,E0277
/// # use flott_datastream::*;
/// fn process_element(rules: BroadcastState<String, ()>, ctx: &mut ReadOnlyContext<'_, String>) {
///     rules.insert(ctx, "tea".to_owned(), ());
/// }
/// ```
pub trait BroadcastProcessFunction<A, B>: Send + 'static {
    /// What it puts out.
    type Out: Record;

    life_cycle!(finish);

    /// A record of the main stream.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_element(&mut self, value: A, context: &mut ReadOnlyContext<'_, Self::Out>) -> Result<()>;

    /// A record of the broadcast stream. All subtasks are called with it, in no order between them.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_broadcast_element(
        &mut self,
        value: B,
        context: &mut BroadcastContext<'_, Self::Out>,
    ) -> Result<()>;
}

/// A function on a keyed stream and a broadcast stream: with state for each key and timers, as a
/// [`KeyedProcessFunction`](crate::keyed_process::KeyedProcessFunction) has, and broadcast state, as a [`BroadcastProcessFunction`] has.
pub trait KeyedBroadcastProcessFunction<K, A, B>: Send + 'static {
    /// What it puts out.
    type Out: Record;

    life_cycle!();

    /// A record of the keyed stream. Keyed states are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_element(&mut self, value: A, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()>;

    /// A record of the broadcast stream. There is no current key; see [`KeyedBroadcastContext::apply_to_keyed_state`].
    ///
    /// # Errors
    /// An error fails the task.
    fn process_broadcast_element(
        &mut self,
        value: B,
        context: &mut KeyedBroadcastContext<'_, K, Self::Out>,
    ) -> Result<()>;

    /// A timer of a key has come.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_timer(&mut self, timestamp: Timestamp, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()> {
        let _ = (timestamp, context);
        Ok(())
    }
}

/// What a function may use for a record of the stream that is not broadcast: all that a [`ProcessContext`] has, but broadcast state
/// can only be read.
pub struct ReadOnlyContext<'a, O>(pub(crate) ProcessContext<'a, O>);

/// What a function may use for a record of a broadcast stream: all that a [`ProcessContext`] has, and broadcast state to be written.
pub struct BroadcastContext<'a, O>(pub(crate) ProcessContext<'a, O>);

/// For the operators that call functions.
impl<'a, O> ReadOnlyContext<'a, O> {
    #[doc(hidden)]
    pub fn new(context: ProcessContext<'a, O>) -> Self {
        ReadOnlyContext(context)
    }
}

/// For the operators that call functions.
impl<'a, O> BroadcastContext<'a, O> {
    #[doc(hidden)]
    pub fn new(context: ProcessContext<'a, O>) -> Self {
        BroadcastContext(context)
    }
}

/// What a function on a keyed stream may use for a record of a broadcast stream: all that a [`ProcessContext`] has, broadcast state to be
/// written, and the states of all keys.
pub struct KeyedBroadcastContext<'a, K, O> {
    pub(crate) process: ProcessContext<'a, O>,
    pub(crate) keys: &'a KeyTable<K>,
}

/// For the operators that call functions.
impl<'a, K, O> KeyedBroadcastContext<'a, K, O> {
    #[doc(hidden)]
    pub fn new(process: ProcessContext<'a, O>, keys: &'a KeyTable<K>) -> Self {
        KeyedBroadcastContext { process, keys }
    }
}

/// The states of one key.
pub struct StatesOfKey<'a>(&'a mut States);

impl<K: Key, O> KeyedBroadcastContext<'_, K, O> {
    /// Calls a function with each key of this subtask that has any state or timer, and its states. To say that something changes for all keys,
    /// without a record of each (`applyToKeyedState` of Flink).
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # fn reset(count: ValueState<u64>, ctx: &mut KeyedBroadcastContext<'_, String, String>) -> Result<()> {
    /// ctx.apply_to_keyed_state(|_key, states| {
    ///     count.clear(states);
    ///     Ok(())
    /// })
    /// # }
    /// ```
    ///
    /// # Errors
    /// The function's first error; after it there are no more calls.
    pub fn apply_to_keyed_state(
        &mut self,
        mut function: impl FnMut(&K, &mut StatesOfKey<'_>) -> Result<()>,
    ) -> Result<()> {
        for slot in self.keys.live() {
            self.process.states.slot = slot;
            if let Some(key) = self.keys.get(slot) {
                function(key, &mut StatesOfKey(self.process.states))?;
            }
        }
        Ok(())
    }
}

impl StateAccess for StatesOfKey<'_> {
    fn states(&self) -> &States {
        self.0
    }

    fn states_mut(&mut self) -> &mut States {
        self.0
    }
}

impl<'a, O> Deref for ReadOnlyContext<'a, O> {
    type Target = ProcessContext<'a, O>;

    fn deref(&self) -> &ProcessContext<'a, O> {
        &self.0
    }
}

impl<O> DerefMut for ReadOnlyContext<'_, O> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<O> OperatorStateAccess for ReadOnlyContext<'_, O> {
    fn all_states(&self) -> &States {
        self.0.states
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.0.states
    }
}

impl<'a, O> Deref for BroadcastContext<'a, O> {
    type Target = ProcessContext<'a, O>;

    fn deref(&self) -> &ProcessContext<'a, O> {
        &self.0
    }
}

impl<O> DerefMut for BroadcastContext<'_, O> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<O> OperatorStateAccess for BroadcastContext<'_, O> {
    fn all_states(&self) -> &States {
        self.0.states
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.0.states
    }
}

impl<O> BroadcastAccess for BroadcastContext<'_, O> {}

impl<'a, K, O> Deref for KeyedBroadcastContext<'a, K, O> {
    type Target = ProcessContext<'a, O>;

    fn deref(&self) -> &ProcessContext<'a, O> {
        &self.process
    }
}

impl<K, O> DerefMut for KeyedBroadcastContext<'_, K, O> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.process
    }
}

impl<K, O> OperatorStateAccess for KeyedBroadcastContext<'_, K, O> {
    fn all_states(&self) -> &States {
        self.process.states
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.process.states
    }
}

impl<K, O> BroadcastAccess for KeyedBroadcastContext<'_, K, O> {}
