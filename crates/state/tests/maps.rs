//! Multisets and maps against plain maps, with snapshots at random points and restores at other parallelisms.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_state::{
    Arrivals, ColumnIndex, GroupedRows, Multiset, NO_SLOT, PrimitiveColumn, RestoredState, RowColumn,
    SharedIndex, SlotColumns, StateColumn,
};
use model::Chain;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

fn keys(keys: &[i64]) -> Vec<ArrayRef> {
    vec![Arc::new(StringArray::from_iter_values(keys.iter().map(|key| format!("key {key}"))))]
}

/// Rows of a text and a number; sorted by number descending (NULLs last), then text.
fn rows(rows: &[(String, Option<i64>)]) -> Vec<ArrayRef> {
    vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0))),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
    ]
}

const DESCENDING: SortOptions = SortOptions { descending: true, nulls_first: false };

/// A multiset and its keys.
struct Subject {
    index: ColumnIndex,
    set: Multiset,
}

impl Subject {
    fn new(sorted: bool) -> Self {
        let rows = [field("text", DataType::Utf8), field("number", DataType::Int64)];
        let order = sorted.then_some([(1, DESCENDING)]);
        let order = order.as_ref().map(|order| order.as_slice());
        Subject {
            index: ColumnIndex::new(&[field("key", DataType::Utf8)], 1, 128).unwrap(),
            set: Multiset::new("seen", &rows, order, "count").unwrap(),
        }
    }

    fn restored(sorted: bool, rows: Vec<RecordBatch>) -> Self {
        let mut subject = Subject::new(sorted);
        let Subject { index, set } = &mut subject;
        set.column_mut().restore(index, &mut model::restored("seen", rows)).unwrap();
        subject
    }

    fn intern_keys(&mut self, wanted: &[i64], slots: &mut Vec<u32>) {
        self.index.keys_mut().intern(&keys(wanted), wanted.len(), slots, |_, _| ()).unwrap();
    }

    fn lookup_keys(&mut self, wanted: &[i64], slots: &mut Vec<u32>) {
        self.index.keys_mut().lookup(&keys(wanted), wanted.len(), slots).unwrap();
    }

    fn snapshot(&mut self, full: bool, chain: &mut Chain) {
        let (mut freed, mut deltas) = (Vec::new(), Vec::new());
        self.set.column_mut().snapshot(&self.index, full, &mut freed, &mut deltas).unwrap();
        deltas.iter().for_each(|delta| chain.apply(delta));
        for slot in freed.into_iter().filter(|slot| !self.set.column().occupied(*slot)) {
            self.index.keys_mut().remove(slot);
        }
    }
}

/// Sorts like the multiset does.
type Row = (std::cmp::Reverse<Option<i64>>, String);
type Model = BTreeMap<i64, BTreeMap<Row, i64>>;

fn check(subject: &mut Subject, model: &Model, sorted: bool, key_range: i64, at: &str) {
    let mut slots = Vec::new();
    let all: Vec<i64> = (0..key_range).collect();
    subject.lookup_keys(&all, &mut slots);
    let set = &subject.set;
    let mut total = 0;
    for (key, slot) in all.iter().zip(slots) {
        let entries: Vec<u32> = set.column().entries_of(slot).collect();
        let columns = set.rows_of(&entries).unwrap();
        let (texts, numbers) = (columns[0].as_string::<i32>(), columns[1].as_primitive::<Int64Type>());
        let mut found: Vec<(Row, i64)> = (0..entries.len())
            .map(|row| {
                let number = numbers.iter().nth(row).unwrap();
                ((std::cmp::Reverse(number), texts.value(row).to_owned()), set.count(entries[row]))
            })
            .collect();
        if !sorted {
            found.sort();
        }
        let expected: Vec<(Row, i64)> =
            model.get(key).into_iter().flatten().map(|(row, count)| (row.clone(), *count)).collect();
        assert_eq!(found, expected, "{at}");
        total += found.len();
        assert_eq!(set.column().len_of(slot), found.len());
        if sorted {
            let mut present = entries.iter().copied().filter(|entry| set.count(*entry) > 0);
            assert_eq!(set.first(slot), present.clone().next());
            assert_eq!(set.last(slot), present.next_back());
            for (position, entry) in entries.iter().enumerate().step_by(37) {
                assert_eq!(set.column().rank(*entry), position);
                assert_eq!(set.column().nth(slot, position), Some(*entry));
            }
            assert_eq!(set.column().nth(slot, entries.len()), None);
        }
    }
    assert_eq!(set.column().len(), total);
}

fn multisets_against_the_model(
    seeds: std::ops::Range<u64>,
    steps: usize,
    key_range: i64,
    row_range: i64,
    batch: usize,
) {
    for seed in seeds {
        let mut rng = SmallRng::seed_from_u64(seed);
        let sorted = seed % 2 == 0;
        let (mut subject, mut model, mut chain) = (Subject::new(sorted), Model::new(), Chain::default());
        let mut slots = Vec::new();
        for step in 0..steps {
            let at = format!("seed {seed} step {step}");
            let len = rng.random_range(0..batch);
            let batch_keys: Vec<i64> = (0..len).map(|_| rng.random_range(0..key_range)).collect();
            let batch_rows: Vec<(String, Option<i64>)> = (0..len)
                .map(|_| {
                    let number = rng.random_range(0..row_range);
                    (format!("{}", number % 5), rng.random_bool(0.95).then_some(number / 2))
                })
                .collect();
            let bias = if step < steps / 2 { 0.7 } else { 0.3 };
            let deltas: Vec<i64> = (0..len).map(|_| if rng.random_bool(bias) { 1 } else { -1 }).collect();
            subject.intern_keys(&batch_keys, &mut slots);
            let set = &mut subject.set;
            let mut told = Vec::new();
            let delta = |row: usize| deltas[row];
            set.apply(&slots, &rows(&batch_rows), delta, |_, before, after| told.push((before, after)))
                .unwrap();
            for row in 0..len {
                let model_row = (std::cmp::Reverse(batch_rows[row].1), batch_rows[row].0.clone());
                let of_key = model.entry(batch_keys[row]).or_default();
                let count = of_key.entry(model_row).or_default();
                assert_eq!(told[row], (*count, *count + deltas[row]), "{at}");
                *count += deltas[row];
            }
            model.values_mut().for_each(|of_key| of_key.retain(|_, count| *count != 0));
            if rng.random_bool(0.05) {
                let key = rng.random_range(0..key_range);
                subject.lookup_keys(&[key], &mut slots);
                if slots[0] != NO_SLOT {
                    subject.set.remove_key(slots[0]);
                }
                model.remove(&key);
            }
            if rng.random_bool(0.2) {
                subject.snapshot(rng.random_bool(0.2), &mut chain);
                assert_eq!(subject.set.column().pending(), 0);
                if rng.random_bool(0.3) {
                    subject = Subject::restored(sorted, chain.batches(0..=127));
                }
            }
            if step % 10 == 0 || step + 1 == steps {
                check(&mut subject, &model, sorted, key_range, &at);
            }
        }
        subject.snapshot(false, &mut chain);
        let mut restored = 0;
        for range in [0..=63, 64..=127] {
            restored += Subject::restored(sorted, chain.batches(range)).set.column().len();
        }
        assert_eq!(restored, subject.set.column().len(), "seed {seed}");
    }
}

#[test]
fn a_multiset_counts_the_rows_of_each_key() {
    multisets_against_the_model(0..12, 80, 12, 30, 12);
}

#[test]
fn a_key_may_have_many_rows() {
    multisets_against_the_model(0..2, 60, 2, 6000, 400);
}

#[test]
fn rows_of_keys_keep_values_and_keys_without_rows_are_forgotten() {
    let values =
        (PrimitiveColumn::<Int64Type>::new("count", 0), PrimitiveColumn::<Int64Type>::nullable("matches"));
    let rows = GroupedRows::new(&[field("name", DataType::Utf8)], None, values).unwrap();
    let mut rows = RowColumn::new("left", rows);
    let mut index = SharedIndex::new(&[field("id", DataType::Int64)], 1, 128).unwrap();
    let id = |id: i64| -> Vec<ArrayRef> { vec![Arc::new(Int64Array::from(vec![id]))] };
    let name = |name: &str| -> Vec<ArrayRef> { vec![Arc::new(StringArray::from(vec![name]))] };
    let (mut keys, mut entries) = (Vec::new(), Vec::new());
    let snapshot = |index: &mut SharedIndex, rows: &mut RowColumn<_>| {
        let mut deltas = Vec::new();
        index.snapshot(rows, false, &mut deltas).unwrap();
        index.release(|key| rows.occupied(key));
        assert_eq!(deltas.len(), 1);
        deltas.remove(0)
    };
    index.intern(&id(1), 1, &mut keys).unwrap();
    rows.intern(&keys, &name("a"), &mut entries, |_, _| ()).unwrap();
    let a = entries[0];
    rows.values_mut().1.set(a, Some(5));
    snapshot(&mut index, &mut rows);
    // Removed and put back before the next snapshot: initial values, no trace of a deletion.
    index.freed().extend(rows.remove(a));
    rows.lookup(&keys, &name("a"), &mut entries).unwrap();
    assert_eq!(entries, [NO_SLOT]);
    rows.intern(&keys, &name("a"), &mut entries, |_, _| ()).unwrap();
    assert_eq!((entries[0], rows.values().1.get(a)), (a, None));
    let delta = snapshot(&mut index, &mut rows);
    assert_eq!((delta.rows.num_rows(), delta.deleted), (1, None));
    // Once the deletion is in a snapshot, key and row are forgotten; the slot goes to the next key.
    index.freed().extend(rows.remove(a));
    assert!(snapshot(&mut index, &mut rows).deleted.is_some());
    let first = keys[0];
    index.intern(&id(2), 1, &mut keys).unwrap();
    assert_eq!(keys[0], first);
    assert_eq!(rows.len_of(first), 0);
    assert_eq!(index.keys_of(&keys).unwrap(), id(2));
    index.lookup(&id(1), 1, &mut keys).unwrap();
    assert_eq!(keys, [NO_SLOT]);
}

/// A row that is one integer is kept as that integer; it is sorted as it is beside another column, which is
/// kept as bytes.
#[test]
fn rows_of_one_integer_are_sorted_as_any_others() {
    for (seed, (descending, nulls_first)) in
        [(false, false), (false, true), (true, false), (true, true)].into_iter().enumerate()
    {
        let mut random = SmallRng::seed_from_u64(seed as u64);
        let order = [(0, SortOptions { descending, nulls_first })];
        let number = field("number", DataType::Int64);
        let fields = [number.clone(), field("text", DataType::Utf8)];
        let mut alone = Multiset::new("alone", &[number], Some(&order), "count").unwrap();
        let mut beside = Multiset::new("beside", &fields, Some(&order), "count").unwrap();
        for _ in 0..200 {
            let (key, number) = (random.random_range(0..2), Some(random.random_range(-9..9)));
            let numbers: ArrayRef = Arc::new(Int64Array::from(vec![number.filter(|number| *number > -9)]));
            let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
            let sign = if random.random_bool(0.3) { -1 } else { 1 };
            alone.apply(&[key], std::slice::from_ref(&numbers), |_| sign, |_, _, _| ()).unwrap();
            beside.apply(&[key], &[numbers, text], |_| sign, |_, _, _| ()).unwrap();
            for key in 0..2 {
                let of = |set: &Multiset| {
                    let entries: Vec<u32> = set.entries_of(key).collect();
                    set.rows_of(&entries).unwrap()[0].clone()
                };
                assert_eq!(&of(&alone), &of(&beside), "seed {seed}");
            }
        }
    }
}

/// Rows that were told apart by all of their columns are read, and replaced by the next snapshot.
#[test]
fn arrivals_of_an_earlier_layout_are_read_and_replaced() {
    let values = || PrimitiveColumn::<Int64Type>::new("value", 0);
    let mut index = SharedIndex::new(&[field("key", DataType::Int64)], 1, 128).unwrap();
    let mut rows = Arrivals::new("rows", "$number", true, values()).unwrap();
    let numbers = |numbers: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(numbers.to_vec())) };
    let schema = ["key", "value", "$number"].map(|name| field(name, DataType::Int64)).to_vec();
    let earlier = RecordBatch::try_new(
        Arc::new(arrow::datatypes::Schema::new(schema)),
        vec![numbers(&[7, 7, 8]), numbers(&[70, 71, 80]), numbers(&[4, 2, 3])],
    )
    .unwrap();
    let earlier = RestoredState::told_apart_by(earlier, 3).unwrap();
    index.restore(&mut rows, &mut model::restored("rows", vec![earlier])).unwrap();
    let (mut slots, mut entries) = (Vec::new(), Vec::new());
    index.intern(&[numbers(&[7])], 1, &mut slots).unwrap();
    rows.push(&slots, &[numbers(&[72])], &mut entries).unwrap();
    let of: Vec<u32> = rows.column().entries_of(slots[0]).collect();
    assert_eq!(rows.column().values().read(&of).unwrap(), [numbers(&[71, 70, 72])]);
    assert_eq!(rows.column().rows_of(&of).unwrap(), [numbers(&[2, 4, 5])]);
    let mut deltas = Vec::new();
    index.snapshot(&mut rows, false, &mut deltas).unwrap();
    assert!(deltas[0].full && deltas[0].key_columns == 2 && deltas[0].rows.num_rows() == 4);
    index.snapshot(&mut rows, false, &mut deltas).unwrap();
    assert_eq!(deltas.len(), 1, "nothing has changed since");
    // What goes is deleted by its number, and its key with the last one.
    let freed: Vec<u32> = of.iter().filter_map(|entry| rows.column_mut().remove(*entry)).collect();
    assert!(freed.is_empty() && rows.occupied(slots[0]));
    index.snapshot(&mut rows, false, &mut deltas).unwrap();
    assert!(deltas[1].deleted.is_some() && !deltas[1].full && deltas[1].rows.num_rows() == 3);
    index.release(|slot| rows.occupied(slot));
    assert_eq!(index.keys().len(), 1);
}
