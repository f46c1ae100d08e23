//! A map for each key.

use std::borrow::Borrow;
use std::hash::Hash;
use std::marker::PhantomData;

use flott_batch::Record;

use super::{Key, MapAccess, MapColumn, StateAccess};

/// A map for each key (`MapState` in Flink). A snapshot writes the entries that have changed.
///
/// Keys of the map can be looked up in borrowed form: those of a `MapState<String, _>` by `&str`. Entries
/// have no order.
///
/// ```
/// # use flott_datastream::*;
/// /// How often each page was visited, by user.
/// #[derive(Clone, Default)]
/// struct Visits { pages: MapState<String, u32> }
///
/// impl KeyedProcessFunction<u64, String> for Visits {
///     type Out = (String, u32);
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.pages = context.map_state("pages")?;
///         Ok(())
///     }
///     fn process_element(&mut self, page: String, ctx: &mut KeyedContext<'_, u64, (String, u32)>) -> Result<()> {
///         let visits = self.pages.get(ctx, &page).copied().unwrap_or(0) + 1;
///         self.pages.insert(ctx, page.clone(), visits);
///         ctx.collect((page, visits));
///         Ok(())
///     }
/// }
/// ```
pub struct MapState<K, V> {
    number: u32,
    of: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Clone for MapState<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for MapState<K, V> {}

/// A state that was not declared; using it is an error.
impl<K, V> Default for MapState<K, V> {
    fn default() -> Self {
        MapState { number: u32::MAX, of: PhantomData }
    }
}

impl<K: Key, V: Record> MapState<K, V> {
    pub(crate) fn new(number: u32) -> Self {
        MapState { number, of: PhantomData }
    }

    /// The value of a key of the map.
    pub fn get<'a, Q>(&self, context: &'a impl StateAccess, key: &Q) -> Option<&'a V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let states = context.states();
        states.column::<MapColumn<K, V>>(self.number)?.get(states.slot, key, states.now)
    }

    /// The value of a key of the map, to be changed in place.
    pub fn get_mut<'a, Q>(&self, context: &'a mut impl StateAccess, key: &Q) -> Option<&'a mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        states.column_mut::<MapColumn<K, V>>(self.number)?.get_mut(slot, key, now)
    }

    /// Whether the map has a value for a key.
    pub fn contains<Q>(&self, context: &impl StateAccess, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(context, key).is_some()
    }

    /// Puts a value and returns the previous one (`put` in Flink).
    pub fn insert(&self, context: &mut impl StateAccess, key: K, value: V) -> Option<V> {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        match states.column_mut::<MapColumn<K, V>>(self.number)?.insert(slot, key, value, now) {
            Ok(old) => old,
            Err(error) => {
                states.note(Err(error));
                None
            }
        }
    }

    /// Puts several values.
    pub fn extend(&self, context: &mut impl StateAccess, entries: impl IntoIterator<Item = (K, V)>) {
        for (key, value) in entries {
            self.insert(context, key, value);
        }
    }

    /// Removes and returns a value.
    pub fn remove<Q>(&self, context: &mut impl StateAccess, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let states = context.states_mut();
        let (slot, now) = (states.slot, states.now);
        let removed = states.column_mut::<MapColumn<K, V>>(self.number)?.discard(slot, key, now);
        states.freed.push(slot);
        removed
    }

    /// The entries.
    pub fn iter<'a, C: StateAccess>(
        &self,
        context: &'a C,
    ) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V, C> {
        let states = context.states();
        let column = states.column::<MapColumn<K, V>>(self.number);
        column.into_iter().flat_map(|column| column.iter(states.slot, states.now))
    }

    /// The keys of the map.
    pub fn keys<'a, C: StateAccess>(&self, context: &'a C) -> impl Iterator<Item = &'a K> + use<'a, K, V, C> {
        self.iter(context).map(|(key, _)| key)
    }

    /// The values.
    pub fn values<'a, C: StateAccess>(
        &self,
        context: &'a C,
    ) -> impl Iterator<Item = &'a V> + use<'a, K, V, C> {
        self.iter(context).map(|(_, value)| value)
    }

    /// Whether there are no entries.
    pub fn is_empty(&self, context: &impl StateAccess) -> bool {
        self.iter(context).next().is_none()
    }

    /// Removes all entries.
    pub fn clear(&self, context: &mut impl StateAccess) {
        let states = context.states_mut();
        let slot = states.slot;
        if let Some(column) = states.column_mut::<MapColumn<K, V>>(self.number) {
            column.clear(slot);
            states.freed.push(slot);
        }
    }
}
