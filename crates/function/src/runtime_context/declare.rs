//! Declaring states: what a function does with its [`RuntimeContext`] in `open`.

use flott_batch::Record;
use flott_state::{Redistribution, StateColumn};
use flott_types::{Error, Result, Timestamp};

use super::KeyedScope;
use super::RuntimeContext;
use crate::aggregate::AggregateFunction;
use crate::state::fold::{FoldColumn, Reduction};
use crate::state::operator::{BroadcastMap, OperatorColumn, OperatorList};
use crate::state::{
    AggregatingState, BroadcastState, Key, ListColumn, ListState, MapAccess, MapColumn, MapState,
    OperatorListState, ReducingState, StateTtlConfig, ValueAccess, ValueColumn, ValueState, tell, ttl_of,
};

/// Declaring keyed state. A state is found in a snapshot by its name, which must be unique in its operator.
///
/// Each of these fails if the function does not run on a keyed stream, if the name is taken, or if the
/// snapshot has this state with values that cannot be read as the requested type; the error shows both types.
impl RuntimeContext<'_> {
    /// Declares a state with one value for each key.
    ///
    /// # Errors
    /// See above.
    pub fn value_state<T: Record>(&mut self, name: &str) -> Result<ValueState<T>> {
        let column = ValueColumn::<T>::named(name)?;
        Ok(ValueState::new(self.declare(name, Box::new(column))?))
    }

    /// A [value state](RuntimeContext::value_state) whose values expire.
    ///
    /// # Errors
    /// As for the other.
    pub fn value_state_with_ttl<T: Record>(
        &mut self,
        name: &str,
        ttl: &StateTtlConfig,
    ) -> Result<ValueState<T>> {
        let column = ValueColumn::<T>::named(name)?.with_ttl(ttl_of(Some(ttl), self.now(name)?));
        Ok(ValueState::new(self.declare(name, Box::new(column))?))
    }

    /// Declares a state with a list for each key.
    ///
    /// # Errors
    /// See above.
    pub fn list_state<T: Record>(&mut self, name: &str) -> Result<ListState<T>> {
        let column = ListColumn::<T>::new(name, None, 0)?;
        Ok(ListState::new(self.declare(name, Box::new(column))?))
    }

    /// A [list state](RuntimeContext::list_state) whose values expire individually.
    ///
    /// # Errors
    /// As for the other.
    pub fn list_state_with_ttl<T: Record>(
        &mut self,
        name: &str,
        ttl: &StateTtlConfig,
    ) -> Result<ListState<T>> {
        let column = ListColumn::<T>::new(name, Some(ttl), self.now(name)?)?;
        Ok(ListState::new(self.declare(name, Box::new(column))?))
    }

    /// Declares a state with a map for each key.
    ///
    /// # Errors
    /// See above.
    pub fn map_state<K: Key, V: Record>(&mut self, name: &str) -> Result<MapState<K, V>> {
        let column = MapColumn::<K, V>::named(name, None, 0)?;
        Ok(MapState::new(self.declare(name, Box::new(column))?))
    }

    /// A [map state](RuntimeContext::map_state) whose entries expire individually.
    ///
    /// # Errors
    /// As for the other.
    pub fn map_state_with_ttl<K: Key, V: Record>(
        &mut self,
        name: &str,
        ttl: &StateTtlConfig,
    ) -> Result<MapState<K, V>> {
        let column = MapColumn::<K, V>::named(name, Some(ttl), self.now(name)?)?;
        Ok(MapState::new(self.declare(name, Box::new(column))?))
    }

    /// Declares a state with one value for each key, to which others are reduced by this function.
    ///
    /// # Errors
    /// See above.
    pub fn reducing_state<T: Record>(
        &mut self,
        name: &str,
        reduce: impl Fn(T, T) -> T + Send + 'static,
    ) -> Result<ReducingState<T>> {
        let function: Reduction<T> = Box::new(reduce);
        let column = FoldColumn { values: ValueColumn::<T>::named(name)?, function };
        Ok(ReducingState::new(self.declare(name, Box::new(column))?))
    }

    /// A [reducing state](RuntimeContext::reducing_state) whose values expire.
    ///
    /// # Errors
    /// As for the other.
    pub fn reducing_state_with_ttl<T: Record>(
        &mut self,
        name: &str,
        reduce: impl Fn(T, T) -> T + Send + 'static,
        ttl: &StateTtlConfig,
    ) -> Result<ReducingState<T>> {
        let values = ValueColumn::<T>::named(name)?.with_ttl(ttl_of(Some(ttl), self.now(name)?));
        let function: Reduction<T> = Box::new(reduce);
        Ok(ReducingState::new(self.declare(name, Box::new(FoldColumn { values, function }))?))
    }

    /// Declares a state with an accumulator for each key.
    ///
    /// # Errors
    /// See above.
    pub fn aggregating_state<A: AggregateFunction>(
        &mut self,
        name: &str,
        function: A,
    ) -> Result<AggregatingState<A>> {
        let column = FoldColumn { values: ValueColumn::<A::Acc>::named(name)?, function };
        Ok(AggregatingState::new(self.declare(name, Box::new(column))?))
    }

    /// An [aggregating state](RuntimeContext::aggregating_state) whose accumulators expire.
    ///
    /// # Errors
    /// As for the other.
    pub fn aggregating_state_with_ttl<A: AggregateFunction>(
        &mut self,
        name: &str,
        function: A,
        ttl: &StateTtlConfig,
    ) -> Result<AggregatingState<A>> {
        let values = ValueColumn::<A::Acc>::named(name)?.with_ttl(ttl_of(Some(ttl), self.now(name)?));
        Ok(AggregatingState::new(self.declare(name, Box::new(FoldColumn { values, function }))?))
    }

    /// Declares a keyed state.
    pub(crate) fn declare(&mut self, name: &str, column: Box<dyn StateColumn>) -> Result<u32> {
        let known = self.restored.keyed.contains_key(name);
        let Some(KeyedScope { keys, states }) = &mut self.keyed else { return Err(not_keyed(name)) };
        let number = states.declare(column, *keys, self.restored)?;
        tell(&self.info.name, name, known, states.migration(number), self.restored.found);
        Ok(number)
    }

    /// The time at which expiring states are restored.
    fn now(&self, name: &str) -> Result<Timestamp> {
        match &self.keyed {
            None => Err(not_keyed(name)),
            Some(KeyedScope { states, .. }) if states.now == Timestamp::MIN => {
                Err(Error::internal(format!("state '{name}' expires, but its operator has no clock")))
            }
            Some(KeyedScope { states, .. }) => Ok(states.now),
        }
    }
}

/// Declaring operator state, which belongs to a subtask rather than to a key. Each of these fails if the name
/// is taken, or if the snapshot has the state with values of another type.
impl RuntimeContext<'_> {
    /// Declares a list whose values are distributed to the subtasks when the job is restored (`getListState`
    /// of Flink).
    ///
    /// # Errors
    /// See above.
    pub fn operator_list_state<T: Record>(&mut self, name: &str) -> Result<OperatorListState<T>> {
        self.operator_list(name, Redistribution::Split)
    }

    /// Declares a list whose values all go to every subtask when the job is restored (`getUnionListState` of
    /// Flink).
    ///
    /// # Errors
    /// See above.
    pub fn union_list_state<T: Record>(&mut self, name: &str) -> Result<OperatorListState<T>> {
        self.operator_list(name, Redistribution::Union)
    }

    /// Declares a map that is the same in all subtasks (`getBroadcastState` of Flink).
    ///
    /// # Errors
    /// See above.
    pub fn broadcast_state<K: Key, V: Record>(&mut self, name: &str) -> Result<BroadcastState<K, V>> {
        let known = self.restored.lists.contains_key(name);
        let map = BroadcastMap::<K, V>::restore(name, self.restored)?;
        Ok(BroadcastState::new(self.declare_operator(name, known, Box::new(map))?))
    }

    fn operator_list<T: Record>(
        &mut self,
        name: &str,
        redistribution: Redistribution,
    ) -> Result<OperatorListState<T>> {
        let known = self.restored.lists.contains_key(name);
        let list = OperatorList::<T>::restore(name, redistribution, self.restored)?;
        Ok(OperatorListState::new(self.declare_operator(name, known, Box::new(list))?))
    }

    fn declare_operator(&mut self, name: &str, known: bool, column: Box<dyn OperatorColumn>) -> Result<u32> {
        let operator = &self.info.name;
        let states = match (&mut self.keyed, &mut self.own) {
            (Some(keyed), _) => &mut *keyed.states,
            (None, Some(own)) => own,
            (None, None) => {
                return Err(Error::unsupported(format!(
                    "operator state '{name}' of a function of this kind"
                )));
            }
        };
        let number = states.operator.declare(column)?;
        match known {
            true => tracing::info!(operator, state = name, "operator state is kept"),
            false if self.restored.found => tracing::info!(operator, state = name, "operator state is new"),
            false => {}
        }
        Ok(number)
    }
}

fn not_keyed(name: &str) -> Error {
    Error::invalid(format!(
        "state '{name}' is keyed state, but the function does not run on a keyed stream; call `key_by` before"
    ))
}
