//! States against a naive model, through snapshots of changes.

mod against_model;
mod snapshots;

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use flott_state::{KeyedDelta, RestoredState, StateColumn};

use super::fold::{FoldColumn, Reduction};
use super::{KeyTable, ListState, MapState, ReducingState, ValueState};
use super::{ListColumn, MapAccess, MapColumn, StateTtlConfig, States, ValueAccess, ValueColumn, ttl_of};
use flott_values::key_hash;

const MAX_PARALLELISM: u32 = 16;

/// The merged snapshots: for each state its rows, by their keys.
#[derive(Clone, Default)]
struct Store(BTreeMap<String, BTreeMap<String, RecordBatch>>);

impl Store {
    /// Adds a snapshot; returns how many rows of each state it had.
    fn add(&mut self, deltas: Vec<KeyedDelta>) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for delta in deltas {
            let rows = self.0.entry(delta.name.clone()).or_default();
            if delta.full {
                rows.clear();
            }
            let mut seen = Vec::new();
            for row in 0..delta.rows.num_rows() {
                let one = delta.rows.slice(row, 1);
                let key = format!("{:?}", &one.columns()[..delta.key_columns]);
                assert!(!seen.contains(&key), "{}: two rows of {key}", delta.name);
                seen.push(key.clone());
                match delta.deleted.as_ref().is_some_and(|deleted| deleted.value(row)) {
                    true => _ = rows.remove(&key),
                    false => _ = rows.insert(key, one),
                }
            }
            counts.insert(delta.name, delta.rows.num_rows());
        }
        counts
    }

    fn restored(&self) -> RestoredState {
        let rows = self.0.iter().map(|(name, rows)| (name.clone(), rows.values().cloned().collect()));
        RestoredState { found: true, keyed: rows.collect(), ..RestoredState::default() }
    }

    fn rows(&self, state: &str) -> usize {
        self.0.get(state).map_or(0, BTreeMap::len)
    }
}

/// An operator's states and keys.
struct Subject {
    keys: KeyTable<u32>,
    states: States,
    value: ValueState<i64>,
    list: ListState<i64>,
    map: MapState<String, i64>,
    sum: ReducingState<i64>,
}

impl Subject {
    fn new(store: &Store, ttl: Option<&StateTtlConfig>, now: i64) -> Self {
        let mut keys = KeyTable::new(MAX_PARALLELISM).unwrap();
        let mut states = States::default();
        states.now = now;
        let mut restored = store.restored();
        let mut declare =
            |column: Box<dyn StateColumn>| states.declare(column, &mut keys, &mut restored).unwrap();
        let value = ValueColumn::<i64>::named("value").unwrap().with_ttl(ttl_of(ttl, now));
        let value = ValueState::new(declare(Box::new(value)));
        let list = ListState::new(declare(Box::new(ListColumn::<i64>::new("list", ttl, now).unwrap())));
        let map = MapColumn::<String, i64>::named("map", ttl, now).unwrap();
        let map = MapState::new(declare(Box::new(map)));
        let function: Reduction<i64> = Box::new(|a, b| a + b);
        let values = ValueColumn::<i64>::named("sum").unwrap().with_ttl(ttl_of(ttl, now));
        let sum = ReducingState::new(declare(Box::new(FoldColumn { values, function })));
        Subject { keys, states, value, list, map, sum }
    }

    /// Makes this the current key.
    fn at(&mut self, key: u32) -> &mut States {
        self.states.slot = self.keys.intern(key_hash(&key).unwrap(), &key).unwrap();
        &mut self.states
    }

    fn tidy(&mut self, rows: usize) {
        self.states.tidy(self.states.now, rows);
        self.free();
    }

    /// What an operator does after each batch.
    fn free(&mut self) {
        let mut freed = std::mem::take(&mut self.states.freed);
        self.keys.take_new(&mut freed);
        freed.into_iter().filter(|slot| !self.states.occupied(*slot)).for_each(|slot| self.keys.remove(slot));
        self.states.check().unwrap();
    }

    fn snapshot(&mut self, full: bool, store: &mut Store) -> BTreeMap<String, usize> {
        let deltas = self.states.snapshot(&self.keys, full).unwrap();
        for delta in &deltas {
            let slots: Vec<u16> = (0..self.keys.end()).map(|slot| self.keys.key_group(slot)).collect();
            assert!(delta.key_groups.iter().all(|group| slots.contains(group)));
        }
        self.free();
        store.add(deltas)
    }
}
