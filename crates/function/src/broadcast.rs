//! Functions on a stream and a broadcast stream.

use std::ops::{Deref, DerefMut};

use flott_batch::Record;
use flott_types::{Result, Timestamp};

use crate::keyed_process::KeyedContext;
use crate::life_cycle;
use crate::process::ProcessContext;
use crate::state::Key;
use crate::state::{BroadcastAccess, KeyTable, OperatorStateAccess, StateAccess, States};

/// A function on a stream and a broadcast stream, whose values go to all subtasks: rules, say, that are kept
/// in [broadcast state](crate::state::BroadcastState). The state can be read everywhere, but written only for
/// values of the broadcast stream, because it must be the same in all subtasks.
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function on a stream of `{A}` and a broadcast stream of `{B}`",
    label = "does not implement `BroadcastProcessFunction<{A}, {B}>`",
    note = "its type parameters are the types of the records of both streams: `impl BroadcastProcessFunction<{A}, {B}> for {Self}`"
)]
pub trait BroadcastProcessFunction<A, B>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!(finish);

    /// A record of the main stream.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_element(&mut self, value: A, context: &mut ReadOnlyContext<'_, Self::Out>) -> Result<()>;

    /// A record of the broadcast stream. Every subtask is called with it, in no particular order.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_broadcast_element(
        &mut self,
        value: B,
        context: &mut BroadcastContext<'_, Self::Out>,
    ) -> Result<()>;
}

/// A function on a keyed stream and a broadcast stream, with keyed state and timers as in a
/// [`KeyedProcessFunction`](crate::keyed_process::KeyedProcessFunction), and broadcast state as in a
/// [`BroadcastProcessFunction`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function on a stream of `{A}` keyed by `{K}` and a broadcast stream of `{B}`",
    label = "does not implement `KeyedBroadcastProcessFunction<{K}, {A}, {B}>`",
    note = "its type parameters are the types of the key and of the records of both streams: `impl KeyedBroadcastProcessFunction<{K}, {A}, {B}> for {Self}`"
)]
pub trait KeyedBroadcastProcessFunction<K, A, B>: Send + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!();

    /// A record of the keyed stream. Keyed states are those of its key.
    ///
    /// # Errors
    /// An error fails the task.
    fn process_element(&mut self, value: A, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()>;

    /// A record of the broadcast stream. There is no current key; see
    /// [`KeyedBroadcastContext::apply_to_keyed_state`].
    ///
    /// # Errors
    /// An error fails the task.
    fn process_broadcast_element(
        &mut self,
        value: B,
        context: &mut KeyedBroadcastContext<'_, K, Self::Out>,
    ) -> Result<()>;

    /// A timer of a key fires.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_timer(&mut self, timestamp: Timestamp, context: &mut KeyedContext<'_, K, Self::Out>) -> Result<()> {
        let _ = (timestamp, context);
        Ok(())
    }
}

/// What a function may use for a record of the main stream: everything that a [`ProcessContext`] has, with
/// read-only broadcast state.
pub struct ReadOnlyContext<'a, O>(pub(crate) ProcessContext<'a, O>);

/// What a function may use for a record of a broadcast stream: everything that a [`ProcessContext`] has, with
/// writable broadcast state.
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

/// What a function on a keyed stream may use for a record of a broadcast stream: everything that a
/// [`ProcessContext`] has, writable broadcast state, and the states of all keys.
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
    /// Calls a function with each key of this subtask that has any state or timer, and with its states. Use
    /// it to change something for all keys (`applyToKeyedState` in Flink).
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
    /// The function's first error, which ends the iteration.
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
