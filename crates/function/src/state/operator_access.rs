//! How functions use operator state.

use std::borrow::Borrow;
use std::hash::Hash;
use std::marker::PhantomData;

use flott_batch::Record;

use super::operator::{BroadcastMap, OperatorList};
use super::{BroadcastState, States};

/// A context of a function: where operator state can be read and written.
///
/// Functions do not call its methods; they pass the context to a state: `self.pending.add(ctx, value)`.
pub trait OperatorStateAccess {
    /// The operator's states.
    #[doc(hidden)]
    fn all_states(&self) -> &States;
    /// The operator's states.
    #[doc(hidden)]
    fn all_states_mut(&mut self) -> &mut States;
}

/// A context of a function where broadcast state can be written. All subtasks must write the same to it, so
/// the side of a broadcast function that gets different values in each subtask can only read it.
pub trait BroadcastAccess: OperatorStateAccess {}

impl<C: super::StateAccess> OperatorStateAccess for C {
    fn all_states(&self) -> &States {
        self.states()
    }

    fn all_states_mut(&mut self) -> &mut States {
        self.states_mut()
    }
}

/// A list that belongs to a subtask (`ListState` of Flink's operator state). When the job is rescaled, its
/// values are distributed to the new subtasks, or all go to every one, as declared.
///
/// ```
/// # use flott_datastream::*;
/// /// Passes values on in packs; a pack that is not full is in the snapshot.
/// #[derive(Clone, Default)]
/// struct Packs { pending: OperatorListState<i64> }
///
/// impl ProcessFunction<i64> for Packs {
///     type Out = Vec<i64>;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.pending = context.operator_list_state("pending")?;
///         Ok(())
///     }
///     fn process_element(&mut self, value: i64, ctx: &mut ProcessContext<'_, Vec<i64>>) -> Result<()> {
///         self.pending.add(ctx, value);
///         if self.pending.get(ctx).len() == 100 {
///             let pack = self.pending.take(ctx);
///             ctx.collect(pack);
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct OperatorListState<T> {
    number: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for OperatorListState<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for OperatorListState<T> {}

/// A state that was not declared; using it is an error.
impl<T> Default for OperatorListState<T> {
    fn default() -> Self {
        OperatorListState { number: u32::MAX, of: PhantomData }
    }
}

impl<T: Record> OperatorListState<T> {
    pub(crate) fn new(number: u32) -> Self {
        OperatorListState { number, of: PhantomData }
    }

    /// The values.
    pub fn get<'a>(&self, context: &'a impl OperatorStateAccess) -> &'a [T] {
        let list = context.all_states().operator_column::<OperatorList<T>>(self.number);
        list.map_or(&[], |list| &list.values)
    }

    /// Adds a value.
    pub fn add(&self, context: &mut impl OperatorStateAccess, value: T) {
        self.add_all(context, std::iter::once(value));
    }

    /// Adds values.
    pub fn add_all(&self, context: &mut impl OperatorStateAccess, values: impl IntoIterator<Item = T>) {
        if let Some(list) = context.all_states_mut().operator_column_mut::<OperatorList<T>>(self.number) {
            list.values.extend(values);
        }
    }

    /// Replaces all values.
    pub fn update(&self, context: &mut impl OperatorStateAccess, values: impl IntoIterator<Item = T>) {
        self.clear(context);
        self.add_all(context, values);
    }

    /// Removes and returns the values.
    pub fn take(&self, context: &mut impl OperatorStateAccess) -> Vec<T> {
        let list = context.all_states_mut().operator_column_mut::<OperatorList<T>>(self.number);
        list.map(|list| std::mem::take(&mut list.values)).unwrap_or_default()
    }

    /// Removes the values.
    pub fn clear(&self, context: &mut impl OperatorStateAccess) {
        self.take(context);
    }
}

impl<K: Record + Eq + Hash, V: Record> BroadcastState<K, V> {
    /// The value of a key.
    pub fn get<'a, Q>(&self, context: &'a impl OperatorStateAccess, key: &Q) -> Option<&'a V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.map(context)?.entries.get(key)
    }

    /// Whether there is a value for a key.
    pub fn contains<Q>(&self, context: &impl OperatorStateAccess, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(context, key).is_some()
    }

    /// The entries, in no order.
    pub fn iter<'a, C: OperatorStateAccess>(
        &self,
        context: &'a C,
    ) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V, C> {
        self.map(context).into_iter().flat_map(|map| &map.entries)
    }

    /// Whether there are no entries.
    pub fn is_empty(&self, context: &impl OperatorStateAccess) -> bool {
        self.iter(context).next().is_none()
    }

    /// Puts a value and returns the previous one (`put` in Flink). All subtasks must do so alike.
    pub fn insert(&self, context: &mut impl BroadcastAccess, key: K, value: V) -> Option<V> {
        self.map_mut(context)?.entries.insert(key, value)
    }

    /// Removes and returns a value. All subtasks must do so alike.
    pub fn remove<Q>(&self, context: &mut impl BroadcastAccess, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.map_mut(context)?.entries.remove(key)
    }

    /// Removes all entries. All subtasks must do so alike.
    pub fn clear(&self, context: &mut impl BroadcastAccess) {
        if let Some(map) = self.map_mut(context) {
            map.entries.clear();
        }
    }

    fn map<'a>(&self, context: &'a impl OperatorStateAccess) -> Option<&'a BroadcastMap<K, V>> {
        context.all_states().operator_column(self.number())
    }

    fn map_mut<'a>(&self, context: &'a mut impl BroadcastAccess) -> Option<&'a mut BroadcastMap<K, V>> {
        context.all_states_mut().operator_column_mut(self.number())
    }
}
