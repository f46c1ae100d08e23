//! Keyed tables against a plain map, with snapshots at random points and restores at other parallelisms.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Int64Type, TimeUnit};
use flott_state::{KeyIndex, KeyedDelta, KeyedTable, NO_SLOT, PrimitiveColumn, StringColumn};
use model::Chain;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

/// A random key: the kind of columns and how to make them.
#[derive(Clone, Copy, Debug)]
enum KeyKind {
    Integer,
    Timestamp,
    String,
    /// Text and an integer.
    Pair,
    /// Two integers, of which the first may be NULL alone.
    Integers,
    Texts,
    Three,
    None,
}

const KINDS: [KeyKind; 8] = [
    KeyKind::Integer,
    KeyKind::Timestamp,
    KeyKind::String,
    KeyKind::Pair,
    KeyKind::Integers,
    KeyKind::Texts,
    KeyKind::Three,
    KeyKind::None,
];

impl KeyKind {
    fn fields(self) -> Vec<FieldRef> {
        match self {
            KeyKind::Integer => vec![field("k", DataType::Int32)],
            KeyKind::Timestamp => {
                vec![field("k", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))]
            }
            KeyKind::String => vec![field("k", DataType::Utf8)],
            KeyKind::Pair => vec![field("k", DataType::Utf8), field("w", DataType::Int64)],
            KeyKind::Integers => vec![field("k", DataType::Int32), field("w", DataType::Int64)],
            KeyKind::Texts => vec![field("k", DataType::Utf8), field("w", DataType::Utf8)],
            KeyKind::Three => {
                vec![field("k", DataType::Utf8), field("w", DataType::Int32), field("x", DataType::Int64)]
            }
            KeyKind::None => vec![],
        }
    }

    fn columns(self, keys: &[Option<i32>]) -> Vec<ArrayRef> {
        let ints: ArrayRef = Arc::new(keys.iter().copied().collect::<Int32Array>());
        let texts = keys.iter().map(|k| k.map(|k| "x".repeat(k as usize % 40) + &k.to_string()));
        let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
        match self {
            KeyKind::Integer => vec![ints],
            KeyKind::Timestamp => {
                let micros =
                    arrow::array::TimestampMicrosecondArray::from_iter(keys.iter().map(|k| k.map(i64::from)));
                vec![Arc::new(micros.with_timezone("UTC"))]
            }
            KeyKind::String => vec![texts],
            KeyKind::Pair => {
                vec![
                    texts,
                    Arc::new(keys.iter().map(|k| k.map(|k| i64::from(k % 3))).collect::<Int64Array>()),
                ]
            }
            KeyKind::Integers => {
                let second = keys.iter().map(|k| k.map_or(-1, |k| i64::from(k % 3)));
                vec![ints, Arc::new(second.map(Some).collect::<Int64Array>())]
            }
            KeyKind::Texts => {
                let second = keys.iter().map(|k| k.filter(|k| k % 5 > 0).map(|k| (k / 50).to_string()));
                vec![texts, Arc::new(second.collect::<StringArray>())]
            }
            KeyKind::Three => {
                let third = keys.iter().map(|k| k.map(|k| i64::from(k % 3)));
                vec![texts, ints, Arc::new(third.collect::<Int64Array>())]
            }
            KeyKind::None => vec![],
        }
    }

    /// The key as the model knows it.
    fn model(self, key: Option<i32>) -> Option<i32> {
        if matches!(self, KeyKind::None) { None } else { key }
    }
}

#[test]
fn an_index_finds_what_was_interned_and_nothing_else() {
    for seed in 0..20 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let kind = KINDS[seed as usize % KINDS.len()];
        let mut index = KeyIndex::new(&kind.fields()).unwrap();
        let mut model: BTreeMap<Option<i32>, u32> = BTreeMap::new();
        let mut slots = Vec::new();
        for _ in 0..200 {
            let keys: Vec<Option<i32>> = (0..rng.random_range(0..20))
                .map(|_| rng.random_bool(0.95).then(|| rng.random_range(0..300)))
                .collect();
            let columns = kind.columns(&keys);
            if rng.random_bool(0.6) {
                let mut new = Vec::new();
                index.intern(&columns, keys.len(), &mut slots, |slot, row| new.push((slot, row))).unwrap();
                for (row, key) in keys.iter().enumerate() {
                    let key = kind.model(*key);
                    let expected_new = !model.contains_key(&key);
                    assert_eq!(new.contains(&(slots[row], row)), expected_new, "seed {seed}");
                    if expected_new {
                        assert!(!model.values().any(|slot| *slot == slots[row]));
                        model.insert(key, slots[row]);
                    }
                    assert_eq!(model[&key], slots[row]);
                }
            } else {
                index.lookup(&columns, keys.len(), &mut slots).unwrap();
                for (key, slot) in keys.iter().zip(&slots) {
                    assert_eq!(
                        model.get(&kind.model(*key)).copied().unwrap_or(NO_SLOT),
                        *slot,
                        "seed {seed}"
                    );
                }
                for (key, slot) in keys.iter().zip(&slots) {
                    index.remove(*slot);
                    model.remove(&kind.model(*key));
                }
            }
            assert_eq!(index.len(), model.len());
            let (keys, slots): (Vec<_>, Vec<_>) = model.iter().map(|(k, s)| (*k, *s)).unzip();
            let found = index.keys_of(&slots).unwrap();
            assert_eq!(found, kind.columns(&keys), "seed {seed}");
            assert!(index.slots_end() <= 320, "slots are reused");
        }
    }
}

type Values = (PrimitiveColumn<Int64Type>, PrimitiveColumn<Int64Type>, StringColumn);
type Model = BTreeMap<Option<i32>, (i64, Option<i64>, Option<String>)>;

fn table(kind: KeyKind) -> KeyedTable<Values> {
    let values =
        (PrimitiveColumn::new("sum", 7), PrimitiveColumn::nullable("maybe"), StringColumn::new("text"));
    KeyedTable::new("t", &kind.fields(), kind.fields().len().min(1), 128, values).unwrap()
}

fn change(table: &mut KeyedTable<Values>, model: &mut Model, kind: KeyKind, rng: &mut SmallRng) {
    let keys: Vec<Option<i32>> =
        (0..rng.random_range(0..10)).map(|_| rng.random_bool(0.9).then(|| rng.random_range(0..60))).collect();
    let mut slots = Vec::new();
    if rng.random_bool(0.6) {
        table.intern(&kind.columns(&keys), keys.len(), &mut slots, |_, _| ()).unwrap();
        for (key, slot) in keys.iter().zip(&slots) {
            let entry = model.entry(kind.model(*key)).or_insert((7, None, None));
            let text = rng.random_bool(0.7).then(|| "y".repeat(rng.random_range(0..200)));
            entry.0 += 1;
            entry.1 = rng.random_bool(0.5).then(|| rng.random());
            entry.2 = text;
            let values = table.values_mut();
            values.0.values_mut()[*slot as usize] += 1;
            values.1.set(*slot, entry.1);
            values.2.set(*slot, entry.2.as_deref());
        }
        table.mark_all(&slots);
    } else {
        table.lookup(&kind.columns(&keys), keys.len(), &mut slots).unwrap();
        for (key, slot) in keys.iter().zip(&slots) {
            assert_eq!(model.contains_key(&kind.model(*key)), *slot != NO_SLOT);
        }
        for (key, slot) in keys.iter().zip(&slots).filter(|(_, slot)| **slot != NO_SLOT) {
            table.remove(*slot);
            model.remove(&kind.model(*key));
        }
    }
    assert_eq!(table.len(), model.len());
}

fn content(
    table: &mut KeyedTable<Values>,
    kind: KeyKind,
) -> BTreeMap<String, (i64, Option<i64>, Option<String>)> {
    let slots: Vec<u32> = table.live().collect();
    let keys = table.keys_of(&slots).unwrap();
    assert_eq!(keys.len(), kind.fields().len());
    let name = |row: usize| model::text(&keys, row);
    let value = |slot: u32| {
        let (sum, maybe, text) = table.values();
        let text = text.get(slot).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        (sum.get(slot).unwrap(), maybe.get(slot), text)
    };
    slots.iter().enumerate().map(|(row, slot)| (name(row), value(*slot))).collect()
}

fn expected(model: &Model, kind: KeyKind) -> BTreeMap<String, (i64, Option<i64>, Option<String>)> {
    let keys: Vec<Option<i32>> = model.keys().copied().collect();
    let columns = kind.columns(&keys);
    model.values().enumerate().map(|(row, value)| (model::text(&columns, row), value.clone())).collect()
}

#[test]
fn a_table_is_what_its_snapshots_add_up_to() {
    for seed in 0..20 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let kind = KINDS[seed as usize % KINDS.len()];
        let (mut table, mut model, mut chain) = (table(kind), Model::new(), Chain::default());
        if seed >= 10 {
            table.set_batch_bytes(rng.random_range(1..60));
        }
        for step in 0..120 {
            change(&mut table, &mut model, kind, &mut rng);
            if rng.random_bool(0.15) {
                let full = rng.random_bool(0.2);
                for delta in table.snapshot(full).unwrap() {
                    chain.apply(&delta);
                }
                assert_eq!(table.pending(), 0);
                if rng.random_bool(0.5) {
                    let mut restored = self::table(kind);
                    restored.restore(&mut model::restored("t", chain.batches(0..=127))).unwrap();
                    assert_eq!(
                        content(&mut restored, kind),
                        expected(&model, kind),
                        "seed {seed} step {step}"
                    );
                    assert_eq!(restored.pending(), 0);
                    if rng.random_bool(0.5) {
                        table = restored;
                    }
                }
            }
            assert_eq!(content(&mut table, kind), expected(&model, kind), "seed {seed} step {step}");
        }
        for delta in table.snapshot(false).unwrap() {
            chain.apply(&delta);
        }
        let mut parts = BTreeMap::new();
        for range in [0..=41, 42..=100, 101..=127] {
            let mut part = self::table(kind);
            part.restore(&mut model::restored("t", chain.batches(range))).unwrap();
            parts.extend(content(&mut part, kind));
        }
        assert_eq!(parts, expected(&model, kind), "seed {seed}");
    }
}

#[test]
fn an_incremental_snapshot_holds_changes_only() {
    let kind = KeyKind::Integer;
    let mut table = table(kind);
    let keys: Vec<Option<i32>> = (0..1000).map(Some).collect();
    let mut slots = Vec::new();
    table.intern(&kind.columns(&keys), keys.len(), &mut slots, |_, _| ()).unwrap();
    let rows = |deltas: Vec<KeyedDelta>| {
        assert!(deltas.len() < 2);
        deltas.first().map(|delta| (delta.rows.num_rows(), delta.full))
    };
    assert_eq!(rows(table.snapshot(false).unwrap()), Some((1000, false)));
    assert_eq!(rows(table.snapshot(false).unwrap()), None);
    table.mark(slots[17]);
    table.mark(slots[17]);
    table.remove(slots[20]);
    let delta = table.snapshot(false).unwrap().remove(0);
    assert_eq!(delta.rows.column(0).as_primitive::<Int32Type>().values(), &[17, 20]);
    assert_eq!(delta.rows.column(1).null_count(), 1);
    assert_eq!(delta.deleted.unwrap().iter().collect::<Vec<_>>(), [false, true]);
    assert_eq!(rows(table.snapshot(true).unwrap()), Some((999, true)));
    assert_eq!(rows(table.snapshot(false).unwrap()), None);
}

#[test]
fn rows_of_another_shape_are_refused_by_name() {
    let batch = |name: &str, column: ArrayRef| {
        let key: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        RecordBatch::try_from_iter([("k", key), (name, column)]).unwrap()
    };
    let values = PrimitiveColumn::<Int64Type>::new("sum", 0);
    let mut table = KeyedTable::new("totals", &KeyKind::Integer.fields(), 1, 128, values).unwrap();
    let mut refused =
        |batch| table.restore(&mut model::restored("totals", vec![batch])).unwrap_err().to_string();
    let long: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    assert_eq!(refused(batch("count", long)), "restored state 'totals': column 'sum' is missing");
    assert_eq!(
        refused(batch("sum", Arc::new(Int32Array::from(vec![1])))),
        "restored state 'totals': column 'sum' is Int32, the operator needs Int64"
    );
    let only_key = batch("sum", Arc::new(Int64Array::from(vec![1]))).project(&[0]).unwrap();
    assert_eq!(refused(only_key), "restored state 'totals': column 'sum' is missing");
}

#[test]
fn keys_that_come_and_go_leave_nothing_behind() {
    for kind in KINDS {
        for snapshots in [false, true] {
            let mut table = table(kind);
            let mut slots = Vec::new();
            let mut memory = 0;
            for round in 0..400 {
                let keys: Vec<Option<i32>> = (round * 20..round * 20 + 20).map(Some).collect();
                table.intern(&kind.columns(&keys), keys.len(), &mut slots, |_, _| ()).unwrap();
                let text = "z".repeat(100);
                slots.iter().for_each(|slot| table.values_mut().2.set(*slot, Some(&text)));
                table.mark_all(&slots);
                if snapshots && round % 10 == 0 {
                    table.snapshot(false).unwrap();
                }
                slots.iter().for_each(|slot| table.remove(*slot));
                assert!(table.is_empty());
                if round == 200 {
                    memory = table.memory();
                }
            }
            assert!(table.memory() <= memory + memory / 2, "{kind:?}: {memory} -> {}", table.memory());
        }
    }
}
