//! Tables that hold a part of their keys in memory, beside ones that hold all.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_state::spill::{Backend, SpillOptions, StateMemory};
use flott_state::{
    KeyedDelta, KeyedTable, Multiset, NO_SLOT, OperatorSnapshot, PrimitiveColumn, SlotColumns, StateColumn,
    StringColumn,
};
use flott_types::Result;
use model::Chain;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

/// What an aggregation keeps of a group: numbers, texts, and a sorted or an unsorted set.
struct Group {
    sum: PrimitiveColumn<Int64Type>,
    text: StringColumn,
    set: Multiset,
}

impl SlotColumns for Group {
    fn fields(&self) -> Vec<FieldRef> {
        [self.sum.fields(), self.text.fields()].concat()
    }

    fn reset(&mut self, slot: u32) {
        self.sum.reset(slot);
        self.text.reset(slot);
        self.set.remove_key(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok([self.sum.read(slots)?, self.text.read(slots)?].concat())
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.sum.write(slots, &columns[..1])?;
        self.text.write(slots, &columns[1..])
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        each(self.set.column_mut())
    }

    fn occupies(&self, slot: u32) -> bool {
        self.set.column().occupied(slot)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.text.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.sum.memory() + self.text.memory() + self.set.column().memory()
    }
}

/// Which kind of keys and sets, and whether keys expire.
#[derive(Clone, Copy, Debug)]
struct Kind {
    texts: bool,
    sorted: bool,
    ttl: i64,
}

impl Kind {
    fn of(seed: u64) -> Self {
        Kind { texts: seed % 2 == 1, sorted: seed % 3 == 1, ttl: if seed % 4 == 3 { 400 } else { 0 } }
    }

    fn table(self) -> KeyedTable<Group> {
        let key = match self.texts {
            true => vec![field("k", DataType::Utf8), field("w", DataType::Utf8)],
            false => vec![field("k", DataType::Int64)],
        };
        let order = [(0, SortOptions::default())];
        let values = [field("v", DataType::Utf8)];
        let set = Multiset::new("t.set", &values, self.sorted.then_some(&order), "n").unwrap();
        let group = Group { sum: PrimitiveColumn::new("sum", 7), text: StringColumn::new("text"), set };
        KeyedTable::new("t", &key, 1, 128, group).unwrap().with_ttl(self.ttl)
    }

    fn keys(self, keys: &[Option<i64>]) -> Vec<ArrayRef> {
        match self.texts {
            true => {
                let text =
                    |key: &Option<i64>| key.map(|key| format!("{}{key}", "x".repeat(key as usize % 40)));
                let texts: ArrayRef = Arc::new(keys.iter().map(text).collect::<StringArray>());
                let other = keys.iter().map(|key| key.map(|key| (key % 3).to_string()));
                vec![texts, Arc::new(other.collect::<StringArray>())]
            }
            false => vec![Arc::new(keys.iter().copied().collect::<Int64Array>())],
        }
    }
}

/// A table and what its snapshots add up to, by state.
struct Kept {
    table: KeyedTable<Group>,
    chains: BTreeMap<String, Chain>,
    lost: bool,
}

impl Kept {
    fn new(kind: Kind, options: Option<&SpillOptions>) -> Self {
        let table = kind.table();
        let table = match options {
            Some(options) => {
                let memory = Arc::new(StateMemory::default());
                table.with_spilling(memory.join(options.clone())).unwrap()
            }
            None => table,
        };
        Kept { table, chains: BTreeMap::new(), lost: false }
    }

    fn snapshot(&mut self, full: bool, loses: bool) {
        let mut snapshot = OperatorSnapshot::default();
        self.table.snapshot_into(full | self.lost, &mut snapshot).unwrap();
        self.lost = loses;
        if loses {
            return;
        }
        let mut seen = BTreeSet::new();
        let mut apply = |delta: &KeyedDelta| {
            for row in 0..delta.rows.num_rows() {
                let key = model::text(&delta.rows.columns()[..delta.key_columns], row);
                assert!(seen.insert((delta.name.clone(), key.clone())), "{key} twice in {}", delta.name);
            }
            self.chains.entry(delta.name.clone()).or_default().apply(delta);
        };
        snapshot.keyed.iter().for_each(&mut apply);
        for spilled in &snapshot.spilled {
            for table in spilled.tables() {
                let mut parts = spilled.parts(table).unwrap();
                while let Some(delta) = parts.next().unwrap() {
                    apply(&delta);
                }
            }
        }
    }

    fn restore(&mut self, kind: Kind, options: Option<&SpillOptions>) {
        let mut restored = model::restored("t", Vec::new());
        for (name, chain) in &self.chains {
            restored.keyed.insert(name.clone(), chain.batches(0..=127));
        }
        self.table = Kept::new(kind, options).table;
        self.table.restore(&mut restored).unwrap();
        self.table.make_room().unwrap();
        self.lost = false;
    }

    fn text(&self) -> String {
        let rows = |(name, chain): (&String, &Chain)| {
            let rows = chain.batches(0..=127);
            let rows = rows.iter().map(|row| format!("{name}: {}\n", model::text(row.columns(), 0)));
            rows.collect::<String>()
        };
        self.chains.iter().map(rows).collect()
    }

    /// One batch of changes: a text for each key, and a value with a sign. Returns what there was before.
    fn change(
        &mut self,
        kind: Kind,
        keys: &[Option<i64>],
        values: &[(i64, String, bool)],
        now: i64,
    ) -> Vec<String> {
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        let Kept { table, .. } = self;
        table.intern(&kind.keys(keys), keys.len(), &mut slots, |slot, _| new.push(slot)).unwrap();
        let (mut seen, mut new) = (Vec::new(), new.into_iter().collect::<BTreeSet<u32>>());
        for (at, slot) in slots.iter().enumerate() {
            // One that has expired may have been swept or not.
            let is_expired = table.is_expired(*slot, now);
            if is_expired {
                table.values_mut().reset(*slot);
            }
            table.touch(*slot, now);
            let is_new = new.remove(slot) || is_expired;
            seen.push(format!("{is_new} {}", shown(table, *slot)));
            let (number, text, _) = &values[at];
            let group = table.values_mut();
            group.sum.values_mut()[*slot as usize] += number;
            group.text.set(*slot, Some(text));
            table.mark(*slot);
        }
        let column: ArrayRef =
            Arc::new(StringArray::from_iter_values(values.iter().map(|(n, _, _)| format!("v{}", n % 5))));
        let sign = |at: usize| if values[at].2 { -1 } else { 1 };
        table.values_mut().set.apply(&slots, &[column], sign, |_, _, _| ()).unwrap();
        seen
    }

    fn look(&mut self, kind: Kind, keys: &[Option<i64>], removes: bool, now: i64) -> Vec<String> {
        let mut slots = Vec::new();
        let table = &mut self.table;
        table.lookup(&kind.keys(keys), keys.len(), &mut slots).unwrap();
        let mut seen = Vec::new();
        for slot in &slots {
            seen.push(match *slot != NO_SLOT && !table.is_expired(*slot, now) {
                true => shown(table, *slot),
                false => "none".to_owned(),
            });
        }
        if removes {
            slots.iter().filter(|slot| **slot != NO_SLOT).for_each(|slot| table.remove(*slot));
        }
        seen
    }
}

fn shown(table: &KeyedTable<Group>, slot: u32) -> String {
    let Group { sum, text, set } = table.values();
    let text = text.get(slot).map(|text| String::from_utf8(text.to_vec()).unwrap());
    let mut entries: Vec<String> = set
        .column()
        .entries_of(slot)
        .map(|entry| format!("{} {}", model::text(&set.rows_of(&[entry]).unwrap(), 0), set.count(entry)))
        .collect();
    if set.column().entries_of(slot).count() != entries.len() {
        entries.clear();
    }
    entries.sort();
    format!("{:?} {text:?} {entries:?}", sum.get(slot))
}

fn options(folder: Option<&std::path::Path>, budget: usize) -> SpillOptions {
    SpillOptions { budget: Some(budget), backend: Backend::LocalDisk, folder: folder.map(Into::into) }
}

fn beside(seed: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let kind = Kind::of(seed);
    let folder = tempfile::tempdir().unwrap();
    let options = options(seed.is_multiple_of(2).then_some(folder.path()), rng.random_range(1..20_000));
    let (mut small, mut large) = (Kept::new(kind, Some(&options)), Kept::new(kind, None));
    let mut now = 1_000;
    for step in 0..150 {
        let most = if rng.random_bool(0.05) { 1_500 } else { 40 };
        let range = if rng.random_bool(0.3) { 2_000 } else { 300 };
        let keys: Vec<Option<i64>> = (0..rng.random_range(0..most))
            .map(|_| rng.random_bool(0.98).then(|| rng.random_range(0..range)))
            .collect();
        let at = format!("seed {seed}, step {step}, {kind:?}");
        now += rng.random_range(0..20);
        match rng.random_range(0..10) {
            0..6 => {
                let value =
                    |_| (rng.random_range(0..9), "y".repeat(rng.random_range(0..60)), rng.random_bool(0.4));
                let values: Vec<_> = (0..keys.len()).map(value).collect();
                let seen = large.change(kind, &keys, &values, now);
                assert_eq!(small.change(kind, &keys, &values, now), seen, "{at}");
            }
            6..9 => {
                let removes = rng.random_bool(0.5);
                let seen = large.look(kind, &keys, removes, now);
                assert_eq!(small.look(kind, &keys, removes, now), seen, "{at}");
            }
            _ => {
                let (full, loses) = (rng.random_bool(0.2), rng.random_bool(0.2));
                if kind.ttl > 0 {
                    // Which rows have been swept by now differs.
                    continue;
                }
                small.snapshot(full, loses);
                large.snapshot(full, loses);
                assert_eq!(small.text(), large.text(), "{at}");
                if !loses && rng.random_bool(0.3) {
                    small.restore(kind, Some(&options));
                    large.restore(kind, None);
                }
            }
        }
        small.table.expire(now, keys.len());
        large.table.expire(now, keys.len());
        small.table.make_room().unwrap();
    }
    small.snapshot(false, false);
    large.snapshot(false, false);
    if kind.ttl == 0 {
        assert_eq!(small.text(), large.text(), "seed {seed}");
    }
    assert!(small.table.len() < large.table.len(), "seed {seed}: something was spilled");
}

#[test]
fn a_table_that_spills_does_what_one_in_memory_does() {
    for seed in 0..12 {
        println!("seed {seed}");
        beside(seed);
    }
}

#[test]
fn a_table_stays_about_as_large_as_its_share() {
    let folder = tempfile::tempdir().unwrap();
    let kind = Kind { texts: false, sorted: false, ttl: 0 };
    let budget = 1 << 20;
    let mut kept = Kept::new(kind, Some(&options(Some(folder.path()), budget)));
    let batch = |first: i64| -> Vec<Option<i64>> { (first..first + 1_000).map(Some).collect() };
    let values: Vec<_> = (0..1_000).map(|n| (n, "z".repeat(50), false)).collect();
    for round in 0..40 {
        kept.change(kind, &batch(round * 1_000), &values, 0);
        kept.table.make_room().unwrap();
        if round % 12 == 11 {
            kept.snapshot(false, false);
        }
    }
    assert!(kept.table.memory() < 3 * budget, "{}", kept.table.memory());
    assert!(kept.table.len() < 10_000, "{}", kept.table.len());
    for round in 0..40 {
        let seen = kept.change(kind, &batch(round * 1_000), &values, 0);
        assert_eq!(seen[7], "false Some(14) Some(\"".to_owned() + &"z".repeat(50) + "\") [\"v2 1\"]");
        kept.table.make_room().unwrap();
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files have no names");
}

#[test]
fn what_may_not_spill_is_told_when_it_does_not_fit() {
    let kind = Kind { texts: false, sorted: false, ttl: 0 };
    let options = SpillOptions { budget: Some(1_000), backend: Backend::Memory, folder: None };
    let mut kept = Kept::new(kind, Some(&options));
    let keys: Vec<Option<i64>> = (0..1_000).map(Some).collect();
    let values: Vec<_> = (0..1_000).map(|n| (n, String::new(), false)).collect();
    kept.change(kind, &keys, &values, 0);
    let error = kept.table.make_room().unwrap_err().to_string();
    assert!(error.starts_with("state 't' holds ") && error.contains("'state.backend.type'"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let kind = Kind { texts: false, sorted: false, ttl: 0 };
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let mut kept = Kept::new(kind, Some(&options(Some(&missing), 1_000)));
    let keys: Vec<Option<i64>> = (0..1_000).map(Some).collect();
    let values: Vec<_> = (0..1_000).map(|n| (n, String::new(), false)).collect();
    kept.change(kind, &keys, &values, 0);
    let error = kept.table.make_room().unwrap_err().to_string();
    assert!(error.contains("missing ('io.tmp.dirs')"), "{error}");
    // Nothing has left.
    assert_eq!(kept.table.len(), 1_000);
}

#[test]
fn rows_that_had_no_time_to_live_expire_although_they_leave_at_once() {
    let mut kept = Kept::new(Kind { texts: false, sorted: false, ttl: 0 }, None);
    let keys: Vec<Option<i64>> = (0..2_000).map(Some).collect();
    let values: Vec<_> = (0..2_000).map(|n| (n, String::new(), false)).collect();
    kept.change(Kind { texts: false, sorted: false, ttl: 0 }, &keys, &values, 0);
    kept.snapshot(true, false);
    let mut restored = model::restored("t", Vec::new());
    for (name, chain) in &kept.chains {
        restored.keyed.insert(name.clone(), chain.batches(0..=127));
    }
    let kind = Kind { texts: false, sorted: false, ttl: 400 };
    kept.table = Kept::new(kind, Some(&options(None, 10_000))).table;
    kept.table.restore_in_parts(&mut restored, 1_000).unwrap();
    assert!(kept.table.len() < 1_000, "most have left");
    for now in (1_000..1_400).step_by(25) {
        kept.table.expire(now, 0);
    }
    assert_ne!(kept.look(kind, &keys[..1], false, 1_399), ["none"]);
    for now in (1_400..2_600).step_by(25) {
        kept.table.expire(now, 2_000);
    }
    let mut slots = Vec::new();
    kept.table.lookup(&kind.keys(&keys), keys.len(), &mut slots).unwrap();
    assert_eq!(slots.iter().filter(|slot| **slot != NO_SLOT).count(), 0);
}
