//! Values that have a second state over the same slots: keys are interned once, and stay as long as either
//! state needs them.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_state::{
    GroupedRows, KeyedTable, Multiset, NO_SLOT, PrimitiveColumn, RestoredState, RowColumn, SharedIndex,
    SlotColumns, StateColumn,
};
use flott_types::Result;
use model::Chain;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// How many rows a key has, and its distinct values.
struct Distinct {
    count: PrimitiveColumn<Int64Type>,
    values: Multiset,
}

impl SlotColumns for Distinct {
    fn fields(&self) -> Vec<FieldRef> {
        self.count.fields()
    }

    fn reset(&mut self, slot: u32) {
        self.count.reset(slot);
        self.values.remove_key(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.count.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.count.write(slots, columns)
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        each(self.values.column_mut())
    }

    fn occupies(&self, slot: u32) -> bool {
        self.values.column().occupied(slot)
    }
}

const VALUES: &str = "groups.distinct";

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

fn distinct() -> Distinct {
    let values = Multiset::new(VALUES, &[field("value", DataType::Int64)], None, "occurrences").unwrap();
    Distinct { count: PrimitiveColumn::new("count", 0), values }
}

fn table() -> KeyedTable<Distinct> {
    KeyedTable::new("groups", &[field("key", DataType::Utf8)], 1, 128, distinct()).unwrap()
}

fn keys(keys: &[i64]) -> Vec<ArrayRef> {
    vec![Arc::new(StringArray::from_iter_values(keys.iter().map(|key| format!("key {key}"))))]
}

fn numbers(values: &[i64]) -> Vec<ArrayRef> {
    vec![Arc::new(Int64Array::from(values.to_vec()))]
}

type Model = BTreeMap<i64, BTreeMap<i64, i64>>;

fn content(table: &mut KeyedTable<Distinct>, key_range: i64) -> Model {
    let all: Vec<i64> = (0..key_range).collect();
    let mut slots = Vec::new();
    table.lookup(&keys(&all), all.len(), &mut slots).unwrap();
    let mut content = Model::new();
    for (key, slot) in all.into_iter().zip(slots).filter(|(_, slot)| *slot != NO_SLOT) {
        let values = &table.values().values;
        let entries: Vec<u32> = values.entries_of(slot).collect();
        let rows = values.rows_of(&entries).unwrap();
        let rows = rows[0].as_primitive::<Int64Type>().values().iter().copied();
        let counts: BTreeMap<i64, i64> = rows.zip(entries.iter().map(|entry| values.count(*entry))).collect();
        assert_eq!(table.values().count.get(slot), Some(counts.values().sum()), "key {key}");
        content.insert(key, counts);
    }
    content
}

fn restored(groups: &Chain, values: &Chain) -> RestoredState {
    let mut restored = model::restored("groups", groups.batches(0..=127));
    restored.keyed.insert(VALUES.to_owned(), values.batches(0..=127));
    restored
}

#[test]
fn two_states_of_one_key_are_what_their_snapshots_add_up_to() {
    const KEYS: i64 = 12;
    for seed in 0..20 {
        println!("seed {seed}");
        let mut rng = SmallRng::seed_from_u64(seed);
        let (mut table, mut model) = (table(), Model::new());
        let (mut groups, mut values) = (Chain::default(), Chain::default());
        let mut slots = Vec::new();
        for _ in 0..150 {
            let len = rng.random_range(0..10);
            let batch: Vec<i64> = (0..len).map(|_| rng.random_range(0..KEYS)).collect();
            if rng.random_bool(0.6) {
                let rows: Vec<i64> = (0..len).map(|_| rng.random_range(0..5)).collect();
                table.intern(&keys(&batch), len, &mut slots, |_, _| ()).unwrap();
                let of = table.values_mut();
                of.values.apply(&slots, &numbers(&rows), |_| 1, |_, _, _| ()).unwrap();
                slots.iter().for_each(|slot| of.count.values_mut()[*slot as usize] += 1);
                table.mark_all(&slots);
                for (key, row) in batch.iter().zip(rows) {
                    *model.entry(*key).or_default().entry(row).or_default() += 1;
                }
            } else {
                table.lookup(&keys(&batch), len, &mut slots).unwrap();
                slots.iter().filter(|slot| **slot != NO_SLOT).for_each(|slot| table.remove(*slot));
                batch.iter().for_each(|key| _ = model.remove(key));
            }
            if rng.random_bool(0.2) {
                for delta in table.snapshot(rng.random_bool(0.2)).unwrap() {
                    if delta.name == VALUES { &mut values } else { &mut groups }.apply(&delta);
                }
                if rng.random_bool(0.5) {
                    table = self::table();
                    table.restore(&mut restored(&groups, &values)).unwrap();
                }
            }
            assert_eq!(content(&mut table, KEYS), model);
            assert_eq!(table.len(), model.len());
        }
        let all: Vec<u32> = table.live().collect();
        all.into_iter().for_each(|slot| table.remove(slot));
        table.snapshot(false).unwrap();
        assert!(table.slots_end() <= KEYS as usize, "{} slots of {KEYS} keys", table.slots_end());
        table.intern(&keys(&[0]), 1, &mut slots, |_, _| ()).unwrap();
        assert_eq!(content(&mut table, KEYS), Model::from([(0, BTreeMap::new())]));
    }
}

/// The second state has rows of a key that the first does not have: nobody's, and their slot is not given to
/// another key while the next snapshot has to delete them.
#[test]
fn rows_of_a_key_that_is_not_in_the_table_are_deleted() {
    let (mut first, mut slots) = (table(), Vec::new());
    first.intern(&keys(&[1, 2]), 2, &mut slots, |_, _| ()).unwrap();
    first.values_mut().values.apply(&slots, &numbers(&[10, 20]), |_| 1, |_, _, _| ()).unwrap();
    slots.iter().for_each(|slot| first.values_mut().count.values_mut()[*slot as usize] = 1);
    let deltas = first.snapshot(true).unwrap();
    let groups: RecordBatch = deltas[0].rows.slice(0, 1);
    let mut chain = Chain::default();
    chain.apply(&deltas[1]);

    let mut second = table();
    let mut snapshot = model::restored("groups", vec![groups]);
    snapshot.keyed.insert(VALUES.to_owned(), chain.batches(0..=127));
    second.restore(&mut snapshot).unwrap();
    assert_eq!(content(&mut second, 5), Model::from([(1, BTreeMap::from([(10, 1)]))]));
    second.intern(&keys(&[3, 4]), 2, &mut slots, |_, _| ()).unwrap();
    second.values_mut().values.apply(&slots, &numbers(&[30, 40]), |_| 1, |_, _, _| ()).unwrap();
    slots.iter().for_each(|slot| second.values_mut().count.values_mut()[*slot as usize] = 1);
    for delta in second.snapshot(false).unwrap().iter().filter(|delta| delta.name == VALUES) {
        // Fails if another key than the second's is deleted.
        chain.apply(delta);
    }
    assert_eq!(chain.batches(0..=127).len(), 3);
    second.intern(&keys(&[2]), 1, &mut slots, |_, _| ()).unwrap();
    assert_eq!(content(&mut second, 5)[&2], BTreeMap::new());
}

/// Rows by key, whose values have a second state: its keys are key and row.
struct Rows {
    index: SharedIndex,
    rows: RowColumn<GroupedRows<Distinct>>,
}

impl Rows {
    fn new() -> Self {
        Rows {
            index: SharedIndex::new(&[field("key", DataType::Utf8)], 1, 128).unwrap(),
            rows: RowColumn::new(
                "groups",
                GroupedRows::new(&[field("row", DataType::Int64)], None, distinct()).unwrap(),
            ),
        }
    }

    fn content(&self) -> BTreeMap<(String, i64), BTreeMap<i64, i64>> {
        let mut content = BTreeMap::new();
        for entry in self.rows.live() {
            let keys = self.index.keys_of(&[self.rows.key_of(entry)]).unwrap();
            let row = self.rows.rows_of(&[entry]).unwrap()[0].as_primitive::<Int64Type>().value(0);
            let values = &self.rows.values().values;
            let entries: Vec<u32> = values.entries_of(entry).collect();
            let numbers = values.rows_of(&entries).unwrap();
            let numbers = numbers[0].as_primitive::<Int64Type>().values().iter().copied();
            let counts: BTreeMap<i64, i64> =
                numbers.zip(entries.iter().map(|entry| values.count(*entry))).collect();
            assert_eq!(self.rows.values().count.get(entry), Some(counts.values().sum()));
            content.insert((keys[0].as_string::<i32>().value(0).to_owned(), row), counts);
        }
        content
    }

    fn release(&mut self) {
        self.index.release(|key| self.rows.occupied(key));
    }
}

#[test]
fn rows_of_keys_and_their_second_state_are_what_their_snapshots_add_up_to() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut rng = SmallRng::seed_from_u64(seed);
        let (mut rows, mut model) = (Rows::new(), BTreeMap::<(String, i64), BTreeMap<i64, i64>>::new());
        let (mut groups, mut values) = (Chain::default(), Chain::default());
        let (mut slots, mut entries) = (Vec::new(), Vec::new());
        for _ in 0..120 {
            let len = rng.random_range(0..6);
            let batch: Vec<i64> = (0..len).map(|_| rng.random_range(0..5)).collect();
            let of_key: Vec<i64> = (0..len).map(|_| rng.random_range(0..3)).collect();
            let taken: Vec<i64> = (0..len).map(|_| rng.random_range(0..4)).collect();
            rows.index.intern(&keys(&batch), len, &mut slots).unwrap();
            if rng.random_bool(0.6) {
                rows.rows.intern(&slots, &numbers(&of_key), &mut entries, |_, _| ()).unwrap();
                let of = rows.rows.values_mut();
                of.values.apply(&entries, &numbers(&taken), |_| 1, |_, _, _| ()).unwrap();
                entries.iter().for_each(|entry| of.count.values_mut()[*entry as usize] += 1);
                rows.rows.mark_all(&entries);
                for ((key, row), value) in batch.iter().zip(of_key).zip(taken) {
                    *model.entry((format!("key {key}"), row)).or_default().entry(value).or_default() += 1;
                }
            } else {
                rows.rows.lookup(&slots, &numbers(&of_key), &mut entries).unwrap();
                let gone = entries.iter().filter(|entry| **entry != NO_SLOT);
                rows.index.freed().extend(gone.filter_map(|entry| rows.rows.remove(*entry)));
                for (key, row) in batch.iter().zip(of_key) {
                    model.remove(&(format!("key {key}"), row));
                }
            }
            rows.release();
            if rng.random_bool(0.2) {
                let mut deltas = Vec::new();
                rows.index.snapshot(&mut rows.rows, rng.random_bool(0.2), &mut deltas).unwrap();
                rows.release();
                for delta in deltas {
                    if delta.name == VALUES { &mut values } else { &mut groups }.apply(&delta);
                }
                if rng.random_bool(0.5) {
                    rows = Rows::new();
                    rows.index.restore(&mut rows.rows, &mut restored(&groups, &values)).unwrap();
                }
            }
            assert_eq!(rows.content(), model);
        }
        let all: Vec<u32> = rows.rows.live().collect();
        rows.index.freed().extend(all.into_iter().filter_map(|entry| rows.rows.remove(entry)));
        rows.index.snapshot(&mut rows.rows, false, &mut Vec::new()).unwrap();
        rows.release();
        assert!(rows.index.keys().is_empty(), "{} keys are left", rows.index.keys().len());
        assert!(rows.rows.entries_end() <= 15, "{} entries of 15 rows", rows.rows.entries_end());
    }
}
