//! Rows that stay in the batches in which they came, beside encoded ones: the same operations, the same snapshots.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_state::{GroupedRows, NO_SLOT, PrimitiveColumn, RowColumn, SharedIndex, StateColumn};
use model::{Chain, text};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

type Row = (Option<String>, Option<i64>, Option<bool>, Option<i128>);
type Counts = RowColumn<GroupedRows<PrimitiveColumn<Int64Type>>>;

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

fn fields() -> Vec<FieldRef> {
    vec![
        field("text", DataType::Utf8),
        field("number", DataType::Int64),
        field("flag", DataType::Boolean),
        field("amount", DataType::Decimal128(10, 2)),
    ]
}

fn columns(rows: &[Row]) -> Vec<ArrayRef> {
    let amounts: Decimal128Array = rows.iter().map(|row| row.3).collect();
    vec![
        Arc::new(rows.iter().map(|row| row.0.clone()).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<BooleanArray>()),
        Arc::new(amounts.with_precision_and_scale(10, 2).unwrap()),
    ]
}

fn any(random: &mut SmallRng) -> Row {
    let mut value = |range: i64| Some(random.random_range(0..range)).filter(|value| *value > 0);
    let text = value(12).map(|at| "x".repeat(at as usize) + "text");
    (text, value(4), value(3).map(|at| at > 1), value(3).map(i128::from))
}

/// A state, its keys, and its snapshots.
struct Subject {
    kept: bool,
    index: SharedIndex,
    rows: Counts,
    chain: Chain,
}

impl Subject {
    fn new(kept: bool) -> Self {
        let counts = PrimitiveColumn::new("count", 0);
        let rows = match kept {
            true => GroupedRows::kept(&fields(), counts),
            false => GroupedRows::new(&fields(), None, counts),
        };
        Subject {
            kept,
            index: SharedIndex::new(&[field("key", DataType::Int64)], 1, 128).unwrap(),
            rows: RowColumn::new("rows", rows.unwrap()),
            chain: Chain::default(),
        }
    }

    /// Counts rows under keys, or takes them away.
    fn push(&mut self, keys: &[i64], rows: &[Row], signs: &[i64]) {
        let (mut slots, mut entries) = (Vec::new(), Vec::new());
        let keys: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(keys.to_vec()))];
        self.index.intern(&keys, rows.len(), &mut slots).unwrap();
        self.rows.intern(&slots, &columns(rows), &mut entries, |_, _| ()).unwrap();
        for (entry, sign) in entries.iter().zip(signs) {
            self.rows.values_mut().values_mut()[*entry as usize] += sign;
            self.rows.mark(*entry);
        }
        for entry in entries {
            if self.rows.is_live(entry) && self.rows.values().values()[entry as usize] <= 0 {
                self.index.freed().extend(self.rows.remove(entry));
            }
        }
        self.rows.tidy_rows().unwrap();
        self.index.release(|key| self.rows.occupied(key));
    }

    fn snapshot(&mut self, full: bool) {
        let mut deltas = Vec::new();
        self.index.snapshot(&mut self.rows, full, &mut deltas).unwrap();
        self.index.release(|key| self.rows.occupied(key));
        deltas.iter().for_each(|delta| self.chain.apply(delta));
    }

    fn restore(&mut self) {
        let (rows, chain) = (self.chain.batches(0..=127), std::mem::take(&mut self.chain));
        *self = Subject { chain, ..Subject::new(self.kept) };
        self.index.restore(&mut self.rows, &mut model::restored("rows", rows)).unwrap();
    }

    /// All rows as text, with their keys and counts.
    fn content(&self) -> BTreeMap<String, i64> {
        let entries: Vec<u32> = self.rows.live().collect();
        let keys: Vec<u32> = entries.iter().map(|entry| self.rows.key_of(*entry)).collect();
        let mut all = self.index.keys_of(&keys).unwrap();
        all.extend(self.rows.rows_of(&entries).unwrap());
        let some = self.rows.columns_of(&entries, &[3, 0]).unwrap();
        assert_eq!(some, [all[4].clone(), all[1].clone()]);
        let count = |entry: u32| self.rows.values().values()[entry as usize];
        entries.iter().enumerate().map(|(row, entry)| (text(&all, row), count(*entry))).collect()
    }

    /// The entries of rows under a key, as far as they are there.
    fn found(&mut self, key: i64, rows: &[Row]) -> Vec<bool> {
        let (mut slots, mut entries) = (Vec::new(), Vec::new());
        let keys: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![key; rows.len()]))];
        self.index.lookup(&keys, rows.len(), &mut slots).unwrap();
        self.rows.lookup(&slots, &columns(rows), &mut entries).unwrap();
        entries.iter().map(|entry| *entry != NO_SLOT).collect()
    }
}

#[test]
fn kept_rows_are_as_encoded_ones() {
    for seed in 0..6 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut subjects = [Subject::new(true), Subject::new(false)];
        // Some have batches of a few rows, some of many.
        let most = [3, 40, 300][seed as usize % 3];
        let mut there: Vec<(i64, Row)> = Vec::new();
        for _ in 0..40 {
            let (mut keys, mut rows, mut signs) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..random.random_range(1..=most) {
                let (key, row, sign) = match there.len() {
                    len @ 1.. if random.random_range(0..5) < 2 => {
                        let (key, row) = there.swap_remove(random.random_range(0..len));
                        (key, row, -1)
                    }
                    _ => (random.random_range(0..6), any(&mut random), 1),
                };
                if sign > 0 {
                    there.push((key, row.clone()));
                }
                keys.push(key);
                rows.push(row);
                signs.push(sign);
            }
            let snapshot = (random.random_range(0..4) == 0).then(|| random.random::<bool>());
            let restore = snapshot.is_some() && random.random();
            for subject in &mut subjects {
                subject.push(&keys, &rows, &signs);
                if let Some(full) = snapshot {
                    subject.snapshot(full);
                }
                if restore {
                    subject.restore();
                }
            }
            let [kept, encoded] = &mut subjects;
            assert_eq!(kept.content(), encoded.content(), "seed {seed}");
            let mut expected: BTreeMap<String, i64> = BTreeMap::new();
            for (key, row) in &there {
                let mut columns = columns(std::slice::from_ref(row));
                columns.insert(0, Arc::new(Int64Array::from(vec![*key])));
                *expected.entry(text(&columns, 0)).or_default() += 1;
            }
            assert_eq!(kept.content(), expected, "seed {seed}");
            let asked: Vec<Row> = (0..10).map(|_| any(&mut random)).collect();
            assert_eq!(kept.found(1, &asked), encoded.found(1, &asked), "seed {seed}");
            assert_eq!(kept.content(), expected, "looking for rows adds none, seed {seed}");
        }
    }
}

#[test]
fn rows_that_are_gone_leave_no_memory() {
    let mut subject = Subject::new(true);
    let row = |at: i64| (Some(format!("{at:0>200}")), Some(at), None, None);
    let mut most = 0;
    for batch in 0..60 {
        let rows: Vec<Row> = (0..1000).map(|at| row(batch * 1000 + at)).collect();
        subject.push(&vec![1; 1000], &rows, &vec![1; 1000]);
        // One row in a hundred stays.
        let gone: Vec<Row> =
            rows.into_iter().enumerate().filter(|(at, _)| at % 100 > 0).map(|(_, row)| row).collect();
        subject.push(&vec![1; gone.len()], &gone, &vec![-1; gone.len()]);
        most = most.max(subject.rows.memory());
    }
    assert_eq!(subject.rows.len(), 600);
    assert!(most < 8 << 20, "{most} bytes for 600 rows of 250");
}
